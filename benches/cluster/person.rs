//! One client that says a line and waits for one; and the same by a subscription to Redis.

use crate::redis::Redis;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// When nothing has come for so long, it does not come.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Person {
    stream: BufReader<TcpStream>,
    line: String,
}

impl Person {
    pub(crate) fn connect(addr: SocketAddr, name: &str) -> io::Result<Person> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut person = Person { stream: BufReader::new(stream), line: String::new() };
        person.say(&format!("REGISTER {name}"))?;
        person.hear(&format!("Registered as {name}"))?;
        Ok(person)
    }

    pub(crate) fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.get_mut().write_all(format!("{line}\n").as_bytes())
    }

    /// Waits for a line that ends so.
    pub(crate) fn hear(&mut self, end: &str) -> io::Result<()> {
        loop {
            self.line.clear();
            if self.stream.read_line(&mut self.line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = self.line.trim_end();
            if line.strip_suffix(end).is_some_and(|start| start.is_empty() || start.ends_with(' '))
            {
                return Ok(());
            }
        }
    }
}

/// How many lines were said, and how many the other one has not got.
pub(crate) struct Said {
    pub(crate) missing: usize,
}

/// One publishes a line at a pace, another is subscribed; both connect again when they have to, as
/// chats do that publish each line. Meanwhile Redis is killed and starts again.
pub(crate) fn publish_through_a_restart(redis: &mut Redis, pace: Duration) -> io::Result<Said> {
    let (mut publisher, addr) = (redis.connect()?, redis.addr());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let listener = scope.spawn(|| listen(addr, &is_over));
        thread::sleep(Duration::from_millis(200));
        let restarted = scope.spawn(|| {
            thread::sleep(Duration::from_millis(200));
            redis.restart()
        });
        let (start, mut said) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_millis(900) {
            let line = said.to_string();
            said += 1;
            let sent = publisher.send(&["PUBLISH", "room", &line]).and_then(|()| publisher.reply());
            if sent.is_err()
                && let Ok(client) = crate::redis::Client::connect(addr)
            {
                publisher = client;
            }
            thread::sleep(pace);
        }
        restarted.join().expect("it does not panic")?;
        thread::sleep(Duration::from_millis(200));
        is_over.store(true, Ordering::Release);
        // What ends its waiting.
        let _ = publisher.send(&["PUBLISH", "room", "end"]).and_then(|()| publisher.reply());
        let heard = listener.join().expect("it does not panic");
        Ok(Said { missing: said - heard.min(said) })
    })
}

/// How many lines come to a subscription that is made again whenever it breaks.
fn listen(addr: SocketAddr, is_over: &AtomicBool) -> usize {
    let mut heard = 0;
    while !is_over.load(Ordering::Acquire) {
        let Ok(mut client) = crate::redis::Client::connect(addr) else { continue };
        if client.send(&["SUBSCRIBE", "room"]).and_then(|()| client.reply()).is_err() {
            continue;
        }
        while let Ok(line) = client.reply() {
            if line == "end" {
                return heard;
            }
            heard += 1;
        }
    }
    heard
}
