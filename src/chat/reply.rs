//! Every sentence that the server says to one user.

use std::fmt;

use super::command::Entry;
use super::name;

/// What the server has to say to one user.
pub(super) enum Reply<'a> {
    Registered(&'a str),
    Renamed(&'a str),
    NameUnfit,
    NameReserved(&'a str),
    NameTaken(&'a str),
    NoOneCalled(&'a str),
    NoRoomCalled(&'a str),
    NoOneWrote,
    NotReading(&'a str),
    Echo(bool),
    /// The time of day, or the caller's own text in another case.
    Text(&'a str),
    Help(&'a str),
    HelpOn(&'a Entry),
    UnknownCommand(&'a str),
    Usage(&'a str),
    LineTooLong(usize),
    Skipped(u64),
    NotAWebServer,
    Goodbye,
    Bye,
    ShuttingDown,
}

/// What one who is turned away reads. He has not shown his line ending yet.
pub(super) const FULL: &[u8] = b"Server is full.\n";

impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Registered(name) => write!(f, "Registered as {name}"),
            Reply::Renamed(name) => write!(f, "You are now {name}"),
            Reply::NameUnfit => f.write_str(name::RULE),
            Reply::NameReserved(name) => write!(f, "Name {name} is reserved."),
            Reply::NameTaken(name) => write!(f, "Name {name} is taken."),
            Reply::NoOneCalled(name) => write!(f, "No one is called {name}."),
            Reply::NoRoomCalled(name) => write!(f, "No room is called {name}."),
            Reply::NoOneWrote => f.write_str("No one has written to you."),
            Reply::NotReading(name) => write!(f, "{name} is not reading; not delivered."),
            Reply::Echo(true) => f.write_str("Echo on."),
            Reply::Echo(false) => f.write_str("Echo off."),
            Reply::Text(text) | Reply::Help(text) => f.write_str(text),
            Reply::HelpOn(entry) => write!(f, "{}: {}", entry.usage, entry.help),
            Reply::UnknownCommand(name) => write!(f, "Unknown command: {}", name.to_lowercase()),
            Reply::Usage(usage) => write!(f, "Usage: {usage}"),
            Reply::LineTooLong(max) => write!(f, "Line too long (limit {max} bytes); dropped."),
            Reply::Skipped(1) => f.write_str("-- 1 line skipped: your connection is slow --"),
            Reply::Skipped(count) => {
                write!(f, "-- {count} lines skipped: your connection is slow --")
            }
            Reply::NotAWebServer => f.write_str("This is a chat server, not a web server."),
            Reply::Goodbye => f.write_str("Goodbye!"),
            Reply::Bye => f.write_str("Bye."),
            Reply::ShuttingDown => f.write_str("Server is shutting down."),
        }
    }
}
