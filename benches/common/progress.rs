//! What a bench says while it works: on a terminal one line that changes, elsewhere a
//! line a cell.

use std::io::{self, IsTerminal, Write};
use std::time::Instant;

/// Counts what has been measured.
pub(crate) struct Progress {
    done: usize,
    all: usize,
    start: Instant,
    is_terminal: bool,
}

impl Progress {
    pub(crate) fn new(all: usize) -> Progress {
        let is_terminal = io::stderr().is_terminal();
        Progress { done: 0, all, start: Instant::now(), is_terminal }
    }

    /// This comes next.
    pub(crate) fn next(&mut self, what: &str) {
        self.done += 1;
        let seconds = self.start.elapsed().as_secs();
        let line = format!("[{}/{}, {seconds} s] {what}", self.done, self.all);
        let mut stderr = io::stderr();
        // Nothing is lost if nobody can see it.
        let _ = if self.is_terminal {
            write!(stderr, "\r\x1b[K{line}").and_then(|()| stderr.flush())
        } else {
            writeln!(stderr, "{line}")
        };
    }

    /// Leaves the place to what is printed.
    pub(crate) fn clear(&self) {
        if self.is_terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
