//! A redis-server for one test, on a port and in a directory of its own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chinwag::redis::Options;

/// How long anything may take.
pub(crate) const MINUTE: Duration = Duration::from_mins(1);

pub(crate) struct Redis {
    child: Option<Child>,
    port: u16,
    dir: PathBuf,
    arguments: Vec<String>,
}

impl Redis {
    /// Keeps nothing.
    pub(crate) fn start() -> Redis {
        Redis::with(&["--appendonly", "no"])
    }

    /// With these arguments besides.
    pub(crate) fn with(arguments: &[&str]) -> Redis {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = format!("chinwag-redis-{}-{count}", std::process::id());
        let dir = std::env::temp_dir().join(dir);
        // A killed test may have left it.
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        let arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
        let mut redis = Redis { child: None, port: 0, dir, arguments };
        // Another process may take the port before Redis does.
        for _ in 0..10 {
            redis.port = free_port();
            redis.try_to_start();
            if redis.child.is_some() {
                return redis;
            }
        }
        panic!("redis-server does not start; see {}", redis.dir.display());
    }

    /// Starts it again, on the same port and with what is in its directory.
    pub(crate) fn start_again(&mut self) {
        assert!(self.child.is_none(), "it runs");
        let by = Instant::now() + MINUTE;
        while self.child.is_none() {
            assert!(Instant::now() < by, "it does not start");
            self.try_to_start();
        }
    }

    fn try_to_start(&mut self) {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--port", &self.port.to_string()])
            .arg("--dir")
            .arg(&self.dir)
            .arg("--logfile")
            .arg(self.dir.join("log"))
            .arg("--unixsocket")
            .arg(self.dir.join("socket"))
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let pid = format!("process_id:{}\r\n", child.id());
        self.child = Some(child);
        let by = Instant::now() + MINUTE;
        while Instant::now() < by {
            let child = self.child.as_mut().expect("it was started");
            if child.try_wait().unwrap().is_some() {
                self.child = None;
                return;
            }
            // Until it has read its files it says so. With a password it says nothing.
            let is_ready = |info: String| {
                info.starts_with("NOAUTH") || (info.contains(&pid) && info.contains("\nloading:0"))
            };
            if self.try_ask("INFO").is_ok_and(is_ready) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("redis-server does not answer");
    }

    pub(crate) fn options(&self) -> Options {
        Options::new(format!("redis://127.0.0.1:{}", self.port).parse().unwrap())
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn dir(&self) -> &PathBuf {
        &self.dir
    }

    /// What it answers to a command.
    pub(crate) fn ask(&self, command: &str) -> String {
        self.try_ask(command).unwrap()
    }

    fn try_ask(&self, command: &str) -> std::io::Result<String> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(MINUTE))?;
        (&stream).write_all(format!("{command}\r\n").as_bytes())?;
        answer(&mut BufReader::new(stream))
    }

    /// The same of any bytes.
    pub(crate) fn call(&self, command: &[&[u8]]) -> String {
        let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
        for part in command {
            bytes.extend(format!("${}\r\n", part.len()).as_bytes());
            bytes.extend(*part);
            bytes.extend(b"\r\n");
        }
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(MINUTE)).unwrap();
        (&stream).write_all(&bytes).unwrap();
        answer(&mut BufReader::new(stream)).unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// As `kill -9` does.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
        if !thread::panicking() {
            // A leftover does no harm.
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// A port below those that the system gives to whoever asks for any: it stays free while Redis is
/// down, too.
pub(super) fn free_port() -> u16 {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let candidates = std::iter::repeat_with(|| {
        // Each process begins elsewhere.
        let number = 100 * std::process::id() as usize + NEXT.fetch_add(1, Ordering::Relaxed);
        u16::try_from(10_000 + number % 20_000).expect("it is below 30 000")
    });
    let mut candidates = candidates.take(20_000);
    candidates.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("one is free")
}

/// An answer as text, a line an element.
fn answer(from: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.trim_end();
    let count = || line[1..].parse::<usize>().unwrap_or(0);
    match line.bytes().next() {
        Some(b'$') if line == "$-1" => Ok(String::new()),
        Some(b'$') => {
            let mut text = vec![0; count()];
            from.read_exact(&mut text)?;
            from.read_line(&mut String::new())?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        }
        Some(b'*') => {
            let all: std::io::Result<Vec<String>> = (0..count()).map(|_| answer(from)).collect();
            Ok(all?.join("\n"))
        }
        Some(_) => Ok(line[1..].to_owned()),
        None => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}
