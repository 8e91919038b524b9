//! Every error number that a call on a socket is known to have come back with, and some
//! that it should not: whichever it is, it is the end of one connection at most.

use std::io::{self, ErrorKind};

use chinwag::testing::Call;

use super::rng::Rng;

pub(super) const CALLS: [Call; 3] = [Call::Read, Call::Write, Call::Shutdown];

/// Linux's numbers of EINTR and EAGAIN, which are no failures: try again now, or later; then of EPERM,
/// EIO, EBADF, ENOMEM, EFAULT, EINVAL, EPIPE, EPROTO, ENOTSOCK, EOPNOTSUPP, ENETDOWN, ENETUNREACH,
/// ECONNABORTED, ECONNRESET, ENOBUFS, ENOTCONN, ETIMEDOUT and EHOSTUNREACH.
pub(super) const ERRORS: [i32; 20] =
    [4, 11, 1, 5, 9, 12, 14, 22, 32, 71, 88, 95, 100, 101, 103, 104, 105, 107, 110, 113];

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
        _ => io::Error::from_raw_os_error(ERRORS[which]),
    }
}
