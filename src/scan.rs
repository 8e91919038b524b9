//! Counts, in tests, how many bytes were looked at to find something in them: from any
//! peer, in any pieces, at most twice what it sent. Knows nothing of what is looked for.

#[cfg(test)]
thread_local! {
    static LOOKED_AT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// What a search of `bytes` has `found`.
pub(crate) fn counted(bytes: &[u8], found: Option<usize>) -> Option<usize> {
    let looked_at = found.map_or(bytes.len(), |at| at + 1);
    #[cfg(test)]
    LOOKED_AT.set(LOOKED_AT.get() + looked_at);
    let _ = looked_at;
    found
}

/// How many bytes this thread has looked at since the last time it asked.
#[cfg(test)]
pub(crate) fn take_looked_at() -> usize {
    LOOKED_AT.take()
}
