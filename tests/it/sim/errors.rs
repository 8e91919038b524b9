//! Every error number that a call on a socket is known to have come back with, and some
//! that it should not: whichever it is, it is the end of one connection at most.

use std::io::{self, ErrorKind};

use super::rng::Rng;

/// What the hub does with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Read,
    Write,
    Shutdown,
}

pub(super) const CALLS: [Call; 3] = [Call::Read, Call::Write, Call::Shutdown];

/// Linux's names and numbers. The first two are no failures: try again now, or later.
pub(super) const ERRORS: [(&str, i32); 20] = [
    ("EINTR", 4),
    ("EAGAIN", 11),
    ("EPERM", 1),
    ("EIO", 5),
    ("EBADF", 9),
    ("ENOMEM", 12),
    ("EFAULT", 14),
    ("EINVAL", 22),
    ("EPIPE", 32),
    ("EPROTO", 71),
    ("ENOTSOCK", 88),
    ("EOPNOTSUPP", 95),
    ("ENETDOWN", 100),
    ("ENETUNREACH", 101),
    ("ECONNABORTED", 103),
    ("ECONNRESET", 104),
    ("ENOBUFS", 105),
    ("ENOTCONN", 107),
    ("ETIMEDOUT", 110),
    ("EHOSTUNREACH", 113),
];

pub(super) const INTERRUPTED: usize = 0;
pub(super) const WOULD_BLOCK: usize = 1;

/// One after which there is nothing to be had from a connection.
pub(super) fn pick_hard(rng: &mut Rng) -> usize {
    rng.between(2, ERRORS.len() - 1)
}

/// As the system would have it. Elsewhere than on Linux other numbers mean these two.
pub(super) fn error(which: usize) -> io::Error {
    match which {
        INTERRUPTED if !cfg!(target_os = "linux") => ErrorKind::Interrupted.into(),
        WOULD_BLOCK if !cfg!(target_os = "linux") => ErrorKind::WouldBlock.into(),
        _ => io::Error::from_raw_os_error(ERRORS[which].1),
    }
}
