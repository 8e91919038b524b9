//! The commands, parsed.

use std::time::Duration;

use crate::chat::password::Secret;
use crate::chat::request::Naming;

/// A command of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum Command<'a> {
    Say(&'a str),
    Me(&'a str),
    /// A name to take, and perhaps its password.
    Name(Naming, &'a str, Option<Secret<'a>>),
    /// A private message without a copy for the sender.
    Send(&'a str, &'a str),
    /// A private message with a copy for the sender.
    Msg(&'a str, &'a str),
    Reply(&'a str),
    Join(&'a str),
    Leave,
    Who(Option<&'a str>),
    Rooms,
    Topic(Option<&'a str>),
    ClearTopic,
    /// How many lines to show.
    History(usize),
    Away(Option<&'a str>),
    Ignore(&'a str),
    Unignore(&'a str),
    Notices(bool),
    Echo(bool),
    Dialect(&'a str),
    /// Asks for a resume token.
    ResumeToken,
    /// The token, and the number and epoch of the last line that was seen.
    Resume(&'a str, Option<u64>, Option<i64>),
    Time,
    Up(&'a str),
    Down(&'a str),
    Stats,
    /// All help, or that on one command.
    Help(Option<&'a str>),
    /// `/exit`, `/quit`.
    Exit,
    /// `exit`, `quit`.
    Goodbye,
    Account(AccountCommand<'a>),
    Operator(OperatorCommand<'a>),
}

impl Command<'_> {
    /// Whether it says something to the room.
    pub(in crate::chat) fn is_speech(&self) -> bool {
        matches!(
            self,
            Command::Say(_) | Command::Me(_) | Command::Topic(Some(_)) | Command::ClearTopic
        )
    }
}

/// A command about the user's own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum AccountCommand<'a> {
    Protect(Secret<'a>),
    Passwd(Secret<'a>),
    Unprotect(Secret<'a>),
    /// `/register` and `/unregister`. They could mean one of the above, or `/nick`, so they only
    /// get a hint.
    Unclear,
}

/// A command that only operators have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum OperatorCommand<'a> {
    Kick(&'a str, &'a str),
    Ban(&'a str, Option<Duration>, &'a str),
    Unban(&'a str),
    Bans,
    Mute(&'a str, Option<Duration>),
    Unmute(&'a str),
    Announce(&'a str),
    Reload,
    Shutdown(&'a str),
    /// Of every server of the cluster.
    ShutdownAll(&'a str),
    Upgrade,
    Whois(&'a str),
    /// A word where a time is expected that begins like one.
    NoTime(&'a str),
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum Mistake<'a> {
    Unknown(&'a str),
    Usage(&'static str),
    /// A command about accounts, where there are none.
    NoAccounts,
}
