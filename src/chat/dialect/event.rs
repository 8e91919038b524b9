//! What happened, with all that any dialect shows of it.

use std::fmt;
use std::net::SocketAddr;

use crate::chat::name::Shown;
use crate::pack::impl_pack;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum Kind {
    /// The first event of a json connection.
    Hello,
    Say,
    Me,
    Private,
    /// The sender's copy of a private message.
    Copy,
    Join,
    Leave,
    Rename,
    Topic,
    /// From the server to a room.
    Notice,
    /// From the server: how many lines were shed.
    Skipped,
    /// From the server to one user.
    Reply,
    /// As `Reply`, when something could not be done.
    Error,
}

/// The number of a line that was said to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) struct LineNumber {
    /// Without gaps, from 1.
    pub(in crate::chat) seq: u64,
    /// Which numbering of the room that is: no two numberings have the same value, across restarts
    /// too.
    pub(in crate::chat) epoch: i64,
}

/// An event, with all that any dialect shows of it.
#[derive(Clone, Copy, Debug)]
pub(in crate::chat) struct Event<'a> {
    pub(in crate::chat) kind: Kind,
    pub(in crate::chat) number: Option<LineNumber>,
    /// Milliseconds since the epoch.
    pub(in crate::chat) at: i64,
    pub(in crate::chat) room: Option<&'a str>,
    pub(in crate::chat) from: Option<Person<'a>>,
    pub(in crate::chat) to: Option<Person<'a>>,
    pub(in crate::chat) text: Option<&'a str>,
    /// The code that programs read instead of the text.
    pub(in crate::chat) code: Option<&'static str>,
}

impl Event<'_> {
    /// An event with nothing but a kind and a time.
    pub(in crate::chat) fn new(kind: Kind, at: i64) -> Event<'static> {
        Event { kind, number: None, at, room: None, from: None, to: None, text: None, code: None }
    }
}

/// A user as others may see them.
#[derive(Clone, Copy, Debug)]
pub(in crate::chat) struct Person<'a> {
    pub(in crate::chat) name: Shown<'a>,
    /// `None` where no dialect shows addresses.
    pub(in crate::chat) addr: Option<SocketAddr>,
    /// The number of their connection.
    pub(in crate::chat) number: u32,
}

impl fmt::Display for Person<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

impl_pack! {
    enum Kind {
        0 => Hello,
        1 => Say,
        2 => Me,
        3 => Private,
        4 => Copy,
        5 => Join,
        6 => Leave,
        7 => Rename,
        8 => Topic,
        9 => Notice,
        10 => Skipped,
        11 => Reply,
        12 => Error,
    }
    else "kind of event"
}
