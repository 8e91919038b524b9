//! The server that is soaked: a process of its own, and what the kernel says of it.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::{fs, thread};

/// More of all than the soak needs: these limits are not what it is about.
const ARGUMENTS: [&str; 9] =
    ["-q", "-l", "127.0.0.1:0", "--max-clients", "100000", "--max-rooms", "20000", "--rate", "off"];

/// A running server. Dropping it kills the process.
pub(crate) struct Server {
    child: Child,
    pub(crate) addr: SocketAddr,
}

impl Server {
    /// Starts it, and waits until it says where it listens.
    pub(crate) fn start(program: &Path) -> io::Result<Server> {
        let mut child = Command::new(program)
            .args(ARGUMENTS)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut server = Server { child, addr: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let addr = line.split_whitespace().find_map(|word| word.parse().ok());
        server.addr =
            addr.ok_or_else(|| io::Error::other(format!("its first line was {line:?}")))?;
        // Nothing that it may print later stops it.
        thread::spawn(move || io::copy(&mut stdout, &mut io::sink()));
        Ok(server)
    }

    /// Resident memory.
    pub(crate) fn kibibytes(&self) -> io::Result<u64> {
        let status = fs::read_to_string(self.proc_path("status"))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = resident.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| io::Error::other("the server has no VmRSS"))
    }

    pub(crate) fn descriptors(&self) -> io::Result<usize> {
        Ok(fs::read_dir(self.proc_path("fd"))?.count())
    }

    /// CPU time of all its threads in seconds, as far as the kernel has booked it.
    pub(crate) fn cpu_seconds(&self) -> io::Result<f64> {
        let tasks = fs::read_dir(self.proc_path("task"))?;
        tasks.map(|task| cpu_seconds(&task?.path().join("schedstat"))).sum()
    }

    fn proc_path(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }
}

/// The CPU time of a thread, out of the kernel's file about it.
pub(crate) fn cpu_seconds(schedstat: &Path) -> io::Result<f64> {
    let text = fs::read_to_string(schedstat)?;
    let first = text.split_whitespace().next().unwrap_or_default();
    Ok(first.parse::<f64>().map_err(io::Error::other)? / 1e9)
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
