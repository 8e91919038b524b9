//! What the chat wants of somebody who may block, and what it is answered. It knows no
//! thread and no file: whoever runs it takes the requests, has them done where blocking
//! hurts nobody, and brings back the answers.

use jiff::Timestamp;

use super::ban::{Ban, Target};

/// Something to be done elsewhere. While it is, the lines of whoever asked for it wait.
#[derive(Debug)]
pub enum Request {
    /// Have this ban kept, and those forgotten that are over. Answer: [`Answer::Banned`].
    Ban {
        /// The ban.
        ban: Ban,
        /// When it was asked for.
        now: Timestamp,
    },
    /// Have the bans that are meant forgotten. Answer: [`Answer::Unbanned`].
    Unban(Target),
    /// Read again what is kept. Answer: [`Answer::Reloaded`].
    Reload,
    /// Shut the server down. No answer.
    Shutdown,
}

/// What has come of a request.
#[derive(Debug)]
pub enum Answer {
    /// This ban is kept.
    Banned(Ban),
    /// These bans are kept no longer.
    Unbanned(Target),
    /// This is what is kept; `None` where nothing ever is.
    Reloaded(Option<Kept>),
    /// Nothing has changed, for this reason.
    NotSaved(String),
    /// It could not be read, for this reason.
    NotReloaded(String),
    /// Too many requests wait already.
    Busy,
}

/// All that is kept beyond a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Who may not come in.
    pub bans: Vec<Ban>,
}
