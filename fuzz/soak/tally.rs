//! What has happened, in numbers, and what should not have.

/// So many errors are printed; more would only tell the same again.
const PRINTED: u64 = 10;

#[derive(Default)]
pub(crate) struct Tally {
    /// Lines to rooms.
    pub(crate) said: u64,
    /// The same lines, as often as they were heard.
    pub(crate) heard: u64,
    /// Lines of histories.
    pub(crate) told_again: u64,
    /// Private lines that came.
    pub(crate) private: u64,
    /// Private lines that did not, because nobody was there or read.
    pub(crate) undelivered: u64,
    /// Who has left, whichever way, and who came back with a token.
    pub(crate) departed: u64,
    pub(crate) resumed: u64,
    /// Stalled readers that the server has cut off.
    pub(crate) cut_off: u64,
    /// Names that were still taken when their bearers came back.
    pub(crate) taken: u64,
    /// Times that a reader was told of skipped lines: the clients did not keep up.
    pub(crate) skips: u64,
    /// What no server may do.
    pub(crate) errors: u64,
}

impl Tally {
    pub(crate) fn error(&mut self, what: &str) {
        self.errors += 1;
        if self.errors <= PRINTED {
            eprintln!("protocol error: {what}");
        }
    }
}
