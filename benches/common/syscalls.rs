//! How many system calls a server makes, where `perf` is there to count them. That slows
//! each a little, so it is done apart from what is timed.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, io, process, thread};

/// How long `perf` may take to begin.
const BEGIN: Duration = Duration::from_millis(150);

/// A count that is under way.
pub(crate) struct Count {
    perf: Child,
    file: PathBuf,
}

impl Count {
    /// Begins to count what a process does; `None` where that cannot be done.
    pub(crate) fn begin(server: u32) -> Option<Count> {
        let file = env::temp_dir().join(format!("chinwag-bench-{}-syscalls", process::id()));
        let mut perf = Command::new("perf")
            .args(["stat", "-x", ",", "-e", "raw_syscalls:sys_enter", "-p", &server.to_string()])
            .arg("-o")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        thread::sleep(BEGIN);
        let is_counting = perf.try_wait().ok()?.is_none();
        is_counting.then_some(Count { perf, file })
    }

    /// Ends it, and tells how many there were.
    pub(crate) fn end(mut self) -> io::Result<Option<u64>> {
        // It writes what it has counted when it is interrupted.
        let id = self.perf.id().to_string();
        Command::new("kill").args(["-INT", &id]).status()?;
        self.perf.wait()?;
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        let _ = fs::remove_file(&self.file);
        let line = text.lines().find(|line| line.contains("sys_enter"));
        Ok(line.and_then(|line| line.split(',').next()?.parse().ok()))
    }
}
