//! A client that reads all the time, in a thread of its own, so that nobody is slow however long a
//! test looks elsewhere.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::PATIENCE;

pub(super) struct Person {
    stream: TcpStream,
    heard: Arc<Heard>,
    /// Lines that the test has looked at.
    looked_at: usize,
}

#[derive(Default)]
struct Heard {
    lines: Mutex<Lines>,
    more: Condvar,
}

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    has_ended: bool,
}

impl Person {
    pub(super) fn connect(addr: SocketAddr) -> Person {
        let stream = TcpStream::connect_timeout(&addr, PATIENCE).expect("to connect in time");
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        let heard = Arc::<Heard>::default();
        let (input, all) = (stream.try_clone().unwrap(), Arc::clone(&heard));
        thread::spawn(move || {
            for line in BufReader::new(input).lines().map_while(Result::ok) {
                all.lines.lock().unwrap().lines.push(line);
                all.more.notify_all();
            }
            all.lines.lock().unwrap().has_ended = true;
            all.more.notify_all();
        });
        Person { stream, heard, looked_at: 0 }
    }

    pub(super) fn say(&self, line: &str) {
        self.try_say(line).expect("to write in time");
    }

    /// The node may be gone.
    pub(super) fn try_say(&self, line: &str) -> std::io::Result<()> {
        (&self.stream).write_all(format!("{line}\n").as_bytes())
    }

    /// Has said all that they will, and still reads.
    pub(super) fn finish_writing(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Waits until it is so of all that was heard, and returns that.
    #[track_caller]
    pub(super) fn wait(&self, what: &str, is_so: impl Fn(&[String]) -> bool) -> Vec<String> {
        if let Some(lines) = self.wait_for(PATIENCE, is_so) {
            return lines;
        }
        let lines = self.heard();
        panic!("not in time: {what}; last: {:#?}", &lines[lines.len().saturating_sub(10)..]);
    }

    /// The same, for no longer than that.
    pub(super) fn wait_for(
        &self,
        time: Duration,
        is_so: impl Fn(&[String]) -> bool,
    ) -> Option<Vec<String>> {
        let by = Instant::now() + time;
        let mut lines = self.heard.lines.lock().unwrap();
        while !is_so(&lines.lines) {
            let left = by.saturating_duration_since(Instant::now());
            if left.is_zero() || lines.has_ended {
                return None;
            }
            lines = self.heard.more.wait_timeout(lines, left).unwrap().0;
        }
        Some(lines.lines.clone())
    }

    /// The next line.
    #[track_caller]
    pub(super) fn line(&mut self) -> String {
        let next = self.looked_at;
        self.looked_at += 1;
        self.wait("the next line", |lines| lines.len() > next).swap_remove(next)
    }

    #[track_caller]
    pub(super) fn ask(&mut self, line: &str) -> String {
        self.say(line);
        self.line()
    }

    #[track_caller]
    pub(super) fn expect(&mut self, line: &str) {
        assert_eq!(self.line(), line);
    }

    /// The next line that begins so; those before it are passed over.
    #[track_caller]
    pub(super) fn until(&mut self, start: &str) -> String {
        let next = self.looked_at;
        let at = |lines: &[String]| lines.iter().skip(next).position(|it| it.starts_with(start));
        let mut lines = self.wait(start, |lines| at(lines).is_some());
        let found = next + at(&lines).expect("it was waited for");
        self.looked_at = found + 1;
        lines.swap_remove(found)
    }

    /// Asks again and again until this is the answer: another node may have more to say first.
    #[track_caller]
    pub(super) fn ask_until(&mut self, line: &str, answer: &str) {
        let by = Instant::now() + PATIENCE;
        loop {
            let read = self.ask(line);
            if read == answer {
                return;
            }
            assert!(Instant::now() < by, "{read} instead of {answer}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// All that was heard so far.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.lines.lock().unwrap().lines.clone()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.heard.lines.lock().unwrap().has_ended
    }

    /// All that comes up to the end, after what was looked at.
    #[track_caller]
    pub(super) fn rest(&mut self) -> Vec<String> {
        let by = Instant::now() + PATIENCE;
        let mut lines = self.heard.lines.lock().unwrap();
        while !lines.has_ended {
            let left = by.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not end");
            lines = self.heard.more.wait_timeout(lines, left).unwrap().0;
        }
        lines.lines.split_off(self.looked_at)
    }
}

/// The thread ends with the connection.
impl Drop for Person {
    fn drop(&mut self) {
        // The other side may have closed it.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
