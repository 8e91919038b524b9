//! A server under test: a process of its own, its address, and its CPU time.

use super::ask::{self, Ask};
use super::floor::Floor;
use super::ledger::PREFIX_LENGTH;
use super::machine::{self, Cores};
use super::peers::Peer;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// How long a server may take to say where it listens.
const START_MAX: Duration = Duration::from_mins(1);

/// How long the last of its clients may wait to be accepted.
const ACCEPT_MAX: Duration = Duration::from_mins(2);

/// How long a server gets to fall asleep before its books are read: the kernel
/// brings a thread's CPU time up to date when it stops running.
const SETTLE: Duration = Duration::from_millis(20);

/// What is measured.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Subject {
    Floor(Floor),
    Chinwag,
    Peer(Peer),
}

impl Subject {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Subject::Floor(floor) => floor.name(),
            Subject::Chinwag => "chinwag",
            Subject::Peer(peer) => peer.name(),
        }
    }

    /// What a client asks for when it connects.
    pub(crate) fn enter(self, id: usize) -> Vec<Ask> {
        match self {
            Subject::Floor(_) => Vec::new(),
            Subject::Chinwag => ask::name(id),
            Subject::Peer(peer) => peer.enter(id),
        }
    }

    /// What it then asks for to be among those who hear everything.
    pub(crate) fn join(self) -> Vec<Ask> {
        match self {
            Subject::Floor(_) | Subject::Chinwag => Vec::new(),
            Subject::Peer(peer) => peer.join(),
        }
    }

    /// Adds the bytes that say a line, which is to be heard as it stands here. Where the
    /// server itself puts the name in front, its client leaves it out.
    pub(crate) fn say(self, line: &str, packet: &mut String) {
        match self {
            Subject::Floor(_) => packet.push_str(line),
            Subject::Chinwag => packet.push_str(&line[PREFIX_LENGTH..]),
            Subject::Peer(peer) => peer.say(line.trim_end(), packet),
        }
    }

    /// Whether what a client says comes back to it.
    pub(crate) fn echoes(self) -> bool {
        !matches!(self, Subject::Peer(peer) if !peer.echoes())
    }

    /// Whether lines are heard without anything around them, so that bytes can be counted.
    pub(crate) fn is_bare(self) -> bool {
        !matches!(self, Subject::Peer(_))
    }

    /// The command that serves, and where, if it does not say so itself.
    fn command(self, folder: &Path) -> io::Result<(Vec<String>, Option<SocketAddr>)> {
        let words: [&str; 2] = match self {
            Subject::Floor(floor) => {
                let bench = env::current_exe()?.to_string_lossy().into_owned();
                return Ok((vec![bench, "--serve".into(), floor.name().into()], None));
            }
            Subject::Peer(peer) => {
                let addr = free_addr()?;
                return Ok((peer.command(addr, folder)?, Some(addr)));
            }
            // More of all than anything here needs: limits are not what is measured.
            Subject::Chinwag => [
                env!("CARGO_BIN_EXE_chinwag"),
                "-q -l 127.0.0.1:0 --max-clients 20000 --max-rooms 20000 --rate off",
            ],
        };
        Ok((words.iter().flat_map(|words| words.split(' ')).map(str::to_owned).collect(), None))
    }
}

/// An address where nobody listens, though somebody else might before we do.
pub(crate) fn free_addr() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

/// A running server. Dropping it kills the process, also when a bench panics.
pub(crate) struct ServerProcess {
    child: Child,
    addr: SocketAddr,
    /// Where its files are.
    folder: Option<PathBuf>,
    /// How many descriptors it had open before anybody came.
    descriptors_when_empty: u64,
}

impl ServerProcess {
    /// Starts a server, with further arguments, and waits until it listens.
    pub(crate) fn start(
        subject: Subject,
        arguments: &[&str],
        cores: Cores,
    ) -> io::Result<ServerProcess> {
        let name = format!("chinwag-bench-{}-{}", std::process::id(), subject.name());
        let folder = env::temp_dir().join(name);
        fs::create_dir_all(&folder)?;
        let (mut words, addr) = subject.command(&folder)?;
        words.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        ServerProcess::spawn(words, addr, Some(folder), cores)
    }

    /// The same of a build of chinwag, with all of its arguments; or, at an address, of any
    /// program that listens there.
    pub(crate) fn start_program(
        words: Vec<String>,
        addr: Option<SocketAddr>,
        cores: Cores,
    ) -> io::Result<ServerProcess> {
        ServerProcess::spawn(words, addr, None, cores)
    }

    fn spawn(
        mut words: Vec<String>,
        addr: Option<SocketAddr>,
        folder: Option<PathBuf>,
        cores: Cores,
    ) -> io::Result<ServerProcess> {
        let program = words[0].clone();
        if let Some(core) = cores.server {
            // taskset becomes the server, under the same process id.
            words.splice(0..0, ["taskset".into(), "-c".into(), core.to_string()]);
        }
        let child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            // What others print is nobody's.
            .stdout(if addr.is_some() { Stdio::null() } else { Stdio::piped() })
            .stderr(if addr.is_some() { Stdio::null() } else { Stdio::inherit() })
            .spawn()?;
        // From here on dropping it kills the child.
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = ServerProcess { child, addr: anywhere, folder, descriptors_when_empty: 0 };
        let listening = match addr {
            Some(addr) => server.wait_until_reached(addr),
            None => server.wait_until_listening(),
        };
        server.addr = listening
            .map_err(|error| io::Error::other(format!("{program} did not start: {error}")))?;
        // It may say where it listens a moment before it is all set up.
        thread::sleep(SETTLE);
        server.descriptors_when_empty = server.descriptors()?;
        Ok(server)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The path of one of the files that the kernel keeps about this process.
    fn proc_path(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }

    /// Sends it a signal, by name.
    pub(crate) fn signal(&self, name: &str) -> io::Result<()> {
        send_signal(name, self.child.id())
    }

    /// Whether another program has taken over, in this process.
    pub(crate) fn has_taken_over(&self) -> bool {
        // While it does, there is no environment.
        let environment = fs::read(self.proc_path("environ")).unwrap_or_default();
        memchr::memmem::find(&environment, b"CHINWAG_TAKES_OVER=").is_some()
    }

    /// The processes that it has started and that run still, by number.
    pub(crate) fn children(&self) -> io::Result<Vec<u32>> {
        let task = format!("task/{}/children", self.child.id());
        let text = fs::read_to_string(self.proc_path(&task))?;
        Ok(text.split_whitespace().filter_map(|word| word.parse().ok()).collect())
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        Ok(1024 * machine::number_behind(&self.proc_path("status"), "VmRSS:")?)
    }

    /// The most that was ever resident, in bytes.
    pub(crate) fn resident_at_most(&self) -> io::Result<u64> {
        Ok(1024 * machine::number_behind(&self.proc_path("status"), "VmHWM:")?)
    }

    /// CPU time since the start in microseconds, of all threads, once they have
    /// come to rest.
    ///
    /// On loopback it holds the kernel's receiving too, which runs inside `send`.
    pub(crate) fn cpu_microseconds(&self) -> io::Result<f64> {
        thread::sleep(SETTLE);
        let tasks = fs::read_dir(self.proc_path("task"))?;
        let seconds = tasks.map(|task| cpu_seconds(&task?.path().join("schedstat")));
        Ok(1e6 * seconds.sum::<io::Result<f64>>()?)
    }

    /// CPU time of the first thread alone, as far as the kernel has booked it.
    pub(crate) fn main_thread_seconds(&self) -> io::Result<f64> {
        cpu_seconds(Path::new(&self.proc_path("schedstat")))
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
        descriptors_of(self.child.id())
    }

    /// Waits until one that does not say where it listens takes a connection there.
    fn wait_until_reached(&mut self, addr: SocketAddr) -> io::Result<SocketAddr> {
        let start = Instant::now();
        while let Err(error) = TcpStream::connect(addr) {
            if start.elapsed() > START_MAX {
                return Err(error);
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("it ended with {status}")));
            }
            thread::sleep(SETTLE);
        }
        // What is left of that connection is to be gone.
        thread::sleep(10 * SETTLE);
        Ok(addr)
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

/// How many descriptors a process has open.
pub(crate) fn descriptors_of(process: u32) -> io::Result<u64> {
    let directory = format!("/proc/{process}/fd");
    match fs::metadata(&directory)?.len() {
        // Before Linux 6.2 it has no length, and must be counted.
        0 => Ok(fs::read_dir(&directory)?.count() as u64),
        length => Ok(length),
    }
}

/// The CPU time of a thread, out of the kernel's file about it.
fn cpu_seconds(schedstat: &Path) -> io::Result<f64> {
    let text = fs::read_to_string(schedstat)?;
    let first = text.split_whitespace().next().unwrap_or_default();
    Ok(first.parse::<f64>().map_err(io::Error::other)? / 1e9)
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Afterwards nobody knows whose they were.
        let children = self.children().unwrap_or_default();
        // It may have ended by itself: then there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The workers of nginx outlive it.
        for child in children {
            let _ = send_signal("KILL", child);
        }
        let _ = self.folder.as_ref().map(fs::remove_dir_all);
    }
}

fn send_signal(name: &str, id: u32) -> io::Result<()> {
    let status =
        Command::new("kill").args(["-s", name, &id.to_string()]).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("it is gone")) }
}
