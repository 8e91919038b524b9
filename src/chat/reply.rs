//! The server's replies to one user, and their codes for programs. Operators' replies are in
//! `operators/reply.rs`, those about accounts in `accounts/reply.rs`.

use std::fmt;
use std::time::Duration;

use super::accounts::AccountReply;
use super::command::Entry;
use super::name::BadShape;
use super::operators::OperatorReply;

/// A reply to one user.
#[derive(Clone, Copy)]
pub(super) enum Reply<'a> {
    Registered(&'a str),
    Renamed(&'a str),
    NameUnfit(BadShape),
    NameReserved(&'a str),
    NameTaken(&'a str),
    NameRequired,
    NoOneCalled(&'a str),
    NoOneWrote,
    NotReading(&'a str),
    IsAway {
        name: &'a str,
        text: &'a str,
    },
    Away,
    Back,
    Ignoring(&'a str),
    NotIgnoring(&'a str),
    IgnoringSelf,
    IgnoringTooMany(usize),
    /// The reply to `/who`.
    Who(&'a str),
    Room {
        name: &'a str,
        count: usize,
    },
    NoRoomCalled(&'a str),
    RoomUnfit(BadShape),
    RoomsFull(usize),
    Topic(&'a str),
    NoTopic,
    LinesGone(u64),
    Echo(bool),
    Notices(bool),
    NoNotices,
    Dialect(&'a str),
    NoDialectCalled {
        name: &'a str,
        offered: &'a str,
    },
    ResumeToken {
        held_for: Duration,
        token: &'a str,
    },
    NoResume,
    TokenUnknown,
    Replaced,
    Time(&'a str),
    /// The reply to `/up` and `/down`.
    Text(&'a str),
    Stats(&'a str),
    Help(&'a str),
    HelpOn(&'a Entry),
    UnknownCommand {
        name: &'a str,
        near: Option<&'a str>,
    },
    Usage(&'a str),
    Greeting(&'a str),
    KeptInMemory,
    YouAre(&'a str),
    LineTooLong(usize),
    Throttled,
    StillThere,
    Here,
    Skipped(u64),
    Goodbye,
    Bye,
    /// The reason, which may be empty.
    ShuttingDown(&'a str),
    OperatorReply(OperatorReply<'a>),
    AccountReply(AccountReply<'a>),
}

/// Sent to peers that are not admitted. Their line ending is not known yet.
pub(super) const FULL: &[u8] = b"Server is full.\n";
pub(super) const ADDRESS_FULL: &[u8] = b"Too many connections from your address.\n";
pub(super) const NO_WEB_SERVER: &[u8] = b"This is a chat server, not a web server.\n";

impl Reply<'_> {
    /// The code that programs read. Codes never change; texts may.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Reply::Registered(_) => "registered",
            Reply::Renamed(_) => "renamed",
            Reply::NameUnfit(_) => "name_unfit",
            Reply::NameReserved(_) => "name_reserved",
            Reply::NameTaken(_) => "name_taken",
            Reply::NameRequired => "name_required",
            Reply::NoOneCalled(_) => "no_such_user",
            Reply::NoOneWrote => "no_one_wrote",
            Reply::NotReading(_) => "not_reading",
            Reply::IsAway { .. } => "is_away",
            Reply::Away => "away",
            Reply::Back => "back",
            Reply::Ignoring(_) => "ignoring",
            Reply::NotIgnoring(_) => "not_ignoring",
            Reply::IgnoringSelf => "ignoring_self",
            Reply::IgnoringTooMany(_) => "ignoring_too_many",
            Reply::Who(_) => "who",
            Reply::Room { .. } => "room",
            Reply::NoRoomCalled(_) => "no_such_room",
            Reply::RoomUnfit(_) => "room_unfit",
            Reply::RoomsFull(_) => "rooms_full",
            Reply::Topic(_) => "topic",
            Reply::NoTopic => "no_topic",
            Reply::LinesGone(_) => "lines_gone",
            Reply::Echo(_) => "echo",
            Reply::Notices(_) => "notices",
            Reply::NoNotices => "no_notices",
            Reply::Dialect(_) => "dialect",
            Reply::NoDialectCalled { .. } => "no_such_dialect",
            Reply::ResumeToken { .. } => "resume",
            Reply::NoResume => "no_resume",
            Reply::TokenUnknown => "token_unknown",
            Reply::Replaced => "replaced",
            Reply::Time(_) => "time",
            Reply::Text(_) => "text",
            Reply::Stats(_) => "stats",
            Reply::Help(_) | Reply::HelpOn(_) => "help",
            Reply::UnknownCommand { .. } => "unknown_command",
            Reply::Usage(_) => "usage",
            Reply::Greeting(_) | Reply::KeptInMemory | Reply::YouAre(_) => "greeting",
            Reply::LineTooLong(_) => "line_too_long",
            Reply::Throttled => "throttled",
            Reply::StillThere => "still_there",
            Reply::Here => "here",
            Reply::Skipped(_) => "skipped",
            Reply::Goodbye | Reply::Bye => "bye",
            Reply::ShuttingDown(_) => "shutting_down",
            Reply::OperatorReply(act) => act.code(),
            Reply::AccountReply(word) => word.code(),
        }
    }

    /// Whether something could not be done.
    pub(super) fn is_error(&self) -> bool {
        match self {
            Reply::OperatorReply(act) => return act.is_error(),
            Reply::AccountReply(word) => return word.is_error(),
            _ => {}
        }
        matches!(
            self,
            Reply::NameUnfit(_)
                | Reply::NameReserved(_)
                | Reply::NameTaken(_)
                | Reply::NameRequired
                | Reply::NoOneCalled(_)
                | Reply::NoOneWrote
                | Reply::NotReading(_)
                | Reply::IgnoringSelf
                | Reply::IgnoringTooMany(_)
                | Reply::NoRoomCalled(_)
                | Reply::RoomUnfit(_)
                | Reply::RoomsFull(_)
                | Reply::NoNotices
                | Reply::NoDialectCalled { .. }
                | Reply::NoResume
                | Reply::TokenUnknown
                | Reply::Replaced
                | Reply::UnknownCommand { .. }
                | Reply::Usage(_)
                | Reply::LineTooLong(_)
        )
    }
}

impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Registered(name) => write!(f, "Registered as {name}"),
            Reply::Renamed(name) => write!(f, "You are now {name}"),
            Reply::NameUnfit(why) => why.of_name().fmt(f),
            Reply::RoomUnfit(why) => why.of_room().fmt(f),
            Reply::NameReserved(name) => write!(f, "Name {name} is reserved."),
            Reply::NameTaken(name) => write!(f, "Name {name} is taken."),
            Reply::NoOneCalled(name) => write!(f, "No one is called {name}."),
            Reply::NotReading(name) => write!(f, "{name} is not reading; not delivered."),
            Reply::IsAway { name, text } => write!(f, "{name} is away: {text}"),
            Reply::Ignoring(name) => write!(f, "Ignoring {name}."),
            Reply::NotIgnoring(name) => write!(f, "No longer ignoring {name}."),
            Reply::IgnoringTooMany(max) => {
                write!(f, "You ignore {max} already, as many as you may.")
            }
            Reply::Room { name, count } => write!(f, "{name} {count}"),
            Reply::NoRoomCalled(name) => write!(f, "No room is called {name}."),
            Reply::RoomsFull(max) => {
                write!(f, "There are {max} rooms already, as many as there may be.")
            }
            Reply::Topic(topic) => write!(f, "Topic: {topic}"),
            Reply::LinesGone(1) => f.write_str("-- 1 line is no longer kept --"),
            Reply::LinesGone(count) => write!(f, "-- {count} lines are no longer kept --"),
            Reply::Echo(on) => write!(f, "Echo {}.", on_or_off(*on)),
            Reply::Notices(on) => write!(f, "Notices {}.", on_or_off(*on)),
            Reply::Dialect(name) => write!(f, "Dialect: {name}"),
            Reply::NoDialectCalled { name, offered } => {
                write!(f, "No dialect is called {name}; there are {offered}.")
            }
            Reply::ResumeToken { held_for, token } => {
                write!(f, "To come back within {}: /resume {token}", Span(*held_for))
            }
            Reply::HelpOn(entry) => write!(f, "{}: {}", entry.usage, entry.help),
            Reply::UnknownCommand { name, near } => {
                write!(f, "Unknown command: {}", name.to_lowercase())?;
                near.map_or(Ok(()), |near| write!(f, " (did you mean /{near}?)"))
            }
            Reply::Usage(usage) => write!(f, "Usage: {usage}"),
            Reply::YouAre(name) => {
                write!(f, "You are {name}. Type to talk; /nick NAME to be named; /help for more.")
            }
            Reply::LineTooLong(max) => write!(f, "Line too long (limit {max} bytes); dropped."),
            Reply::Skipped(1) => f.write_str("-- 1 line skipped: your connection is slow --"),
            Reply::Skipped(count) => {
                write!(f, "-- {count} lines skipped: your connection is slow --")
            }
            Reply::ShuttingDown(why) if !why.is_empty() => {
                write!(f, "Server is shutting down: {why}")
            }
            Reply::OperatorReply(act) => act.fmt(f),
            Reply::AccountReply(word) => word.fmt(f),
            Reply::Who(text)
            | Reply::Time(text)
            | Reply::Text(text)
            | Reply::Stats(text)
            | Reply::Help(text)
            | Reply::Greeting(text) => f.write_str(text),
            _ => f.write_str(self.fixed()),
        }
    }
}

impl Reply<'_> {
    /// The text of a reply without arguments; empty for the others.
    fn fixed(&self) -> &'static str {
        match self {
            Reply::NameRequired => "REGISTER first.",
            Reply::NoOneWrote => "No one has written to you.",
            Reply::Away => "You are away.",
            Reply::Back => "You are back.",
            Reply::IgnoringSelf => "You cannot ignore yourself.",
            Reply::NoTopic => "No topic is set.",
            Reply::NoNotices => "This dialect has no notices.",
            Reply::NoResume => "This server holds no names.",
            Reply::TokenUnknown => "That token is not known, or no longer.",
            Reply::Replaced => "You have been replaced by another connection.",
            Reply::KeptInMemory => "-- kept in memory only --",
            Reply::Throttled => "Slow down: your lines are being delayed.",
            Reply::StillThere => "Are you still there?",
            Reply::Here => "[chinwag: yes]",
            Reply::Goodbye => "Goodbye!",
            Reply::Bye => "Bye.",
            Reply::ShuttingDown(_) => "Server is shutting down.",
            _ => "",
        }
    }
}

fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// A duration as it is given on the command line: `2 m`, `90 s`, `1.5 s`.
pub(super) struct Span(pub(super) Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let whole = self.0.as_secs();
        match whole {
            _ if self.0.subsec_nanos() > 0 => write!(f, "{seconds} s"),
            3600.. if whole.is_multiple_of(3600) => write!(f, "{} h", whole / 3600),
            60.. if whole.is_multiple_of(60) => write!(f, "{} m", whole / 60),
            _ => write!(f, "{whole} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_shown_in_the_largest_unit_that_fits() {
        for (millis, said) in
            [(120_000, "2 m"), (90_000, "90 s"), (7_200_000, "2 h"), (1500, "1.5 s"), (0, "0 s")]
        {
            assert_eq!(Span(Duration::from_millis(millis)).to_string(), said);
        }
    }
}
