//! What a listener does when descriptors have run out: it has one more, to refuse with.

use std::fs::File;
use std::io::{self, Read, Write};

use super::socket::Listening;
use crate::net::transport::{Origin, Socket, Transport};

/// A descriptor that is kept back, so that clients can be told why they are refused when all others
/// are in use.
pub(crate) struct Spare(pub(super) Option<File>);

impl Spare {
    pub(crate) fn new() -> Spare {
        Spare(open_spare())
    }

    /// Gives the descriptor up, and accepts with it. Only then is it known whether
    /// anybody is there at all: without one, Linux says that it has none before it looks.
    pub(super) fn accept(&mut self, listener: &Listening) -> io::Result<(Socket, Origin)> {
        self.0 = None;
        listener.accept()
    }

    pub(super) fn take_back(&mut self) {
        self.0 = self.0.take().or_else(open_spare);
    }
}

fn open_spare() -> Option<File> {
    File::open(if cfg!(windows) { "NUL" } else { "/dev/null" }).ok()
}

/// Tells a client that is refused why. What it has sent so far is read first: unread, it would
/// turn the close into a reset, and the answer would be lost. Errors are ignored: nothing more can be
/// done.
pub(super) fn reject(mut stream: Socket, refusal: &[u8]) {
    let _ = stream.write(refusal);
    let _ = stream.shutdown_write();
    let _ = stream.read(&mut [0; 4096]);
}
