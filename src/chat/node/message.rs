//! What the servers of a cluster tell one another: the payload of an entry. What the log decides
//! is beside it, in the entry.

use std::borrow::Cow;

use super::tokens::{Digest, Token};
use super::who::Who;
use crate::chat::mute::Mute;
use crate::chat::name::{Name, RoomName};
use crate::chat::operation::Effect;
use crate::chat::user_id::UserId;
use crate::net::timeouts::Now;
use crate::pack::{Packer, Unpacker, impl_pack};

/// The format of messages. A server skips those in another format, and logs that there were some.
const FORMAT: u8 = 6;

/// What a node tells the others.
pub(in crate::chat) enum Message {
    /// One of its users has done something.
    Did {
        /// The number of the entry that this was first appended as. If the node had to append it
        /// again, some nodes may have seen the first one.
        number: u64,
        by: UserId,
        /// Who that is, where others may not know it: when they connect, and with what they say,
        /// which is kept for nodes that enter later.
        profile: Option<Profile>,
        effect: Effect<'static, Who>,
    },
    /// Some of its users, as they are now. A roster of all of them is in several messages, one
    /// behind the other.
    Roster {
        /// What the node is called.
        name: String,
        /// The last event that the node had been told of.
        as_of: u64,
        is_first: bool,
        is_last: bool,
        users: Vec<Listed>,
    },
    /// Some of what it keeps for users who are at no node.
    Kept(Kept),
    /// One of its users has resumed as another one, of any node.
    TakenOver {
        /// The last event that the node had been told of.
        as_of: u64,
        who: Who,
        by: Listed,
    },
    /// A name was claimed by mistake. It is this user's again; or, if it is not known whose, the node
    /// of its user claims it.
    Released { name: Cow<'static, str>, heir: Option<Who> },
    /// A private message could not be delivered to the user of this name.
    NotReading { to: Who, name: Cow<'static, str> },
}

/// A user as all others see them.
pub(in crate::chat) struct Profile {
    pub(in crate::chat) name: Name,
    pub(in crate::chat) room: RoomName,
    /// The number of their connection.
    pub(in crate::chat) serial: u32,
    pub(in crate::chat) is_announced: bool,
    /// Whether they connected to an operators' listener.
    pub(in crate::chat) is_operator: bool,
    /// Whether they logged in with their name's password.
    pub(in crate::chat) has_account: bool,
}

/// A user in a roster.
pub(in crate::chat) struct Listed {
    pub(in crate::chat) user: UserId,
    pub(in crate::chat) profile: Profile,
    /// The event with which the log has given them their name. 0 if that is not known.
    pub(in crate::chat) named_at: u64,
    /// Whether they were cut off, and may resume.
    pub(in crate::chat) is_detached: bool,
    pub(in crate::chat) away: Option<Box<str>>,
    pub(in crate::chat) mute: Option<Mute>,
    pub(in crate::chat) ignores: Vec<Who>,
    /// The digest of their resume token.
    pub(in crate::chat) token: Option<[u8; 32]>,
    /// Whether that is good, by the events up to `as_of`.
    pub(in crate::chat) is_good: bool,
}

/// What a node keeps for users who are at no node.
pub(in crate::chat) struct Kept {
    /// The last event that it had been told of.
    pub(in crate::chat) as_of: u64,
    /// Mutes of names that nobody has.
    pub(in crate::chat) mutes: Vec<(Box<str>, Mute)>,
    /// The tokens of users whose node is gone.
    pub(in crate::chat) held: Vec<(Digest, Token)>,
    /// Users of any node who have resumed as users of this one, and as whom.
    pub(in crate::chat) moved: Vec<(Who, Who)>,
}

impl Message {
    pub(in crate::chat) fn to_bytes(&self, now: Now) -> Vec<u8> {
        let mut packer = Packer::without_head(now);
        packer.put(&FORMAT).put(self);
        packer.finish()
    }

    /// `None` if there is none, or it is in another format.
    pub(in crate::chat) fn from_bytes(bytes: &[u8], now: Now) -> Option<Message> {
        let mut unpacker = Unpacker::without_head(bytes, now);
        let is_known = unpacker.get::<u8>().is_ok_and(|format| format == FORMAT);
        if is_known { unpacker.get().ok() } else { None }
    }
}

impl_pack! {
    enum Message {
        0 => Did { number, by, profile, effect },
        1 => Roster { name, as_of, is_first, is_last, users },
        2 => NotReading { to, name },
        3 => Kept(kept),
        4 => TakenOver { as_of, who, by },
        5 => Released { name, heir },
    }
    else "message"
}

impl_pack! {
    struct Kept { as_of, mutes, held, moved }
}

impl_pack! {
    struct Profile { name, room, serial, is_announced, is_operator, has_account }
}

impl_pack! {
    struct Listed { user, profile, named_at, is_detached, away, mute, ignores, token, is_good }
}
