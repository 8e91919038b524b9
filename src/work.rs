//! Counts work, so that tests can compare it with what was paid for it: by a line, a byte, an
//! arrival. Whatever walks over many of something counts them here. In other builds it costs
//! nothing.

#[cfg(any(test, feature = "testing"))]
use std::cell::Cell;

#[cfg(any(test, feature = "testing"))]
thread_local! {
    static LOOKED_AT: Cell<u64> = const { Cell::new(0) };
    static WALKED: Cell<u64> = const { Cell::new(0) };
}

/// So many bytes were looked at.
pub(crate) fn look_at(bytes: usize) {
    #[cfg(any(test, feature = "testing"))]
    LOOKED_AT.set(LOOKED_AT.get() + bytes as u64);
    let _ = bytes;
}

/// So many entries of a list were walked over.
pub(crate) fn walk(entries: usize) {
    #[cfg(any(test, feature = "testing"))]
    WALKED.set(WALKED.get() + entries as u64);
    let _ = entries;
}

/// How many bytes of input this thread has looked at so far, and how many entries of lists (those
/// of users, rooms, members, history, notices, deadlines) it has walked over.
#[cfg(any(test, feature = "testing"))]
#[must_use]
pub fn work_done() -> (u64, u64) {
    (LOOKED_AT.get(), WALKED.get())
}
