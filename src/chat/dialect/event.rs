//! What happened, with all that any dialect shows of it.

use std::fmt;
use std::net::SocketAddr;

use crate::chat::name::Shown;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

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

impl Pack for Kind {
    fn pack(&self, to: &mut Packer) {
        to.tag(match self {
            Kind::Hello => 0,
            Kind::Say => 1,
            Kind::Me => 2,
            Kind::Private => 3,
            Kind::Copy => 4,
            Kind::Join => 5,
            Kind::Leave => 6,
            Kind::Rename => 7,
            Kind::Topic => 8,
            Kind::Notice => 9,
            Kind::Skipped => 10,
            Kind::Reply => 11,
            Kind::Error => 12,
        });
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Kind, Damaged> {
        Ok(match from.tag()? {
            0 => Kind::Hello,
            1 => Kind::Say,
            2 => Kind::Me,
            3 => Kind::Private,
            4 => Kind::Copy,
            5 => Kind::Join,
            6 => Kind::Leave,
            7 => Kind::Rename,
            8 => Kind::Topic,
            9 => Kind::Notice,
            10 => Kind::Skipped,
            11 => Kind::Reply,
            12 => Kind::Error,
            _ => return Err(from.wrong("kind of event")),
        })
    }
}
