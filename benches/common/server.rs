//! A server under test: a process of its own, its address, and its CPU time.

use super::floor::Floor;
use super::machine::Cores;
use super::stats;
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// How long a server may take to say where it listens.
const START_MAX: Duration = Duration::from_secs(10);

/// How long the last of its clients may wait to be accepted.
const ACCEPT_MAX: Duration = Duration::from_secs(30);

/// How long a server gets to fall asleep before its books are read: the kernel
/// brings a thread's CPU time up to date when it stops running.
const SETTLE: Duration = Duration::from_millis(20);

/// What is measured.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Subject {
    Floor(Floor),
    Chinwag,
}

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Subject::Floor(floor) => floor.name(),
            Subject::Chinwag => "chinwag",
        }
    }

    fn program(self) -> io::Result<Vec<String>> {
        let words = match self {
            Subject::Floor(floor) => {
                let bench = env::current_exe()?.to_string_lossy().into_owned();
                return Ok(vec![bench, "--serve".into(), floor.name().into()]);
            }
            Subject::Chinwag => env!("CARGO_BIN_EXE_chinwag"),
        };
        // More of all than anything here needs: limits are not what is measured.
        let options = "-q -l 127.0.0.1:0 --max-clients 20000 --max-rooms 20000 --rate off";
        Ok([words].into_iter().chain(options.split(' ')).map(str::to_owned).collect())
    }
}

/// A running server. Dropping it kills the process, also when a bench panics.
pub(crate) struct ServerProcess {
    child: Child,
    addr: SocketAddr,
    /// How many descriptors it had open before anybody came.
    descriptors_when_empty: u64,
}

impl ServerProcess {
    /// Starts a server and waits until it listens.
    pub(crate) fn start(subject: Subject, cores: Cores) -> io::Result<ServerProcess> {
        let mut words = subject.program()?;
        if let Some(core) = cores.server {
            // taskset becomes the server, under the same process id.
            words.splice(0..0, ["taskset".into(), "-c".into(), core.to_string()]);
        }
        let child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        // From here on dropping it kills the child.
        let addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = ServerProcess { child, addr, descriptors_when_empty: 0 };
        server.addr = server.wait_until_listening().map_err(|error| {
            io::Error::other(format!("{} did not start: {error}", subject.name()))
        })?;
        // It may say where it listens a moment before it is all set up.
        thread::sleep(SETTLE);
        server.descriptors_when_empty = server.descriptors()?;
        Ok(server)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The path of one of the files that the kernel keeps about this process.
    pub(crate) fn proc_path(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }

    /// CPU time since the start in microseconds, of all threads, once they have
    /// come to rest.
    ///
    /// On loopback it holds the kernel's receiving too, which runs inside `send`.
    pub(crate) fn cpu_microseconds(&self) -> io::Result<f64> {
        thread::sleep(SETTLE);
        self.cpu_microseconds_booked()
    }

    /// The same without the rest: what was not yet booked is missing, which is little
    /// beside what is used in seconds.
    pub(crate) fn cpu_microseconds_booked(&self) -> io::Result<f64> {
        let mut nanoseconds = 0;
        for task in fs::read_dir(self.proc_path("task"))? {
            let schedstat = fs::read_to_string(task?.path().join("schedstat"))?;
            let first = schedstat.split_whitespace().next().unwrap_or_default();
            nanoseconds += first.parse::<u64>().map_err(io::Error::other)?;
        }
        Ok(stats::float(nanoseconds) / 1000.0)
    }

    /// Waits until so many clients have been accepted: to a client its connection
    /// stands before that, but lines do not reach it yet.
    pub(crate) fn wait_until_accepted(&self, clients: usize) -> io::Result<()> {
        let expected = self.descriptors_when_empty + clients as u64;
        let start = Instant::now();
        while self.descriptors()? < expected {
            if start.elapsed() > ACCEPT_MAX {
                return Err(io::Error::other("the server has not accepted every client"));
            }
        }
        Ok(())
    }

    pub(crate) fn descriptors(&self) -> io::Result<u64> {
        let directory = self.proc_path("fd");
        match fs::metadata(&directory)?.len() {
            // Before Linux 6.2 it has no length, and must be counted.
            0 => Ok(fs::read_dir(&directory)?.count() as u64),
            length => Ok(length),
        }
    }

    /// Reads `... listening on ADDR ...`, the server's first line. A thread does,
    /// because a pipe has no read that gives up; it goes on reading, so that
    /// nothing the server may print later stops it.
    fn wait_until_listening(&mut self) -> io::Result<SocketAddr> {
        let stdout = self.child.stdout.take().expect("stdout is piped");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = String::new();
            let read = stdout.read_line(&mut line).map(|_| line);
            // Nobody takes it any more if the server was too slow.
            let _ = sender.send(read);
            let _ = io::copy(&mut stdout, &mut io::sink());
        });
        let line = receiver.recv_timeout(START_MAX).map_err(io::Error::other)??;
        line.split_whitespace()
            .find_map(|word| word.parse().ok())
            .ok_or_else(|| io::Error::other(format!("its first line was {line:?}")))
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
