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
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// The format of messages. A server skips those in another format, and logs that there were some.
const FORMAT: u8 = 4;

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
    /// Some of what it keeps for those who are not here.
    Kept(Kept),
    /// One of its users has resumed as another one, of any node.
    TakenOver { who: Who, by: Listed },
    /// A name was claimed by mistake: the node of its user claims it again.
    Released(Cow<'static, str>),
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

/// What a node keeps for those who are not here.
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

impl Pack for Message {
    fn pack(&self, to: &mut Packer) {
        match self {
            Message::Did { number, by, profile, effect } => {
                to.tag(0).put(number).put(by).put(profile).put(effect)
            }
            Message::Roster { name, as_of, is_first, is_last, users } => {
                to.tag(1).put(name).put(as_of).put(is_first).put(is_last).put(users)
            }
            Message::NotReading { to: who, name } => to.tag(2).put(who).put(name),
            Message::Kept(Kept { as_of, mutes, held, moved }) => {
                to.tag(3).put(as_of).put(mutes).put(held).put(moved)
            }
            Message::TakenOver { who, by } => to.tag(4).put(who).put(by),
            Message::Released(name) => to.tag(5).put(name),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Message, Damaged> {
        Ok(match from.tag()? {
            0 => Message::Did {
                number: from.get()?,
                by: from.get()?,
                profile: from.get()?,
                effect: from.get()?,
            },
            1 => Message::Roster {
                name: from.get()?,
                as_of: from.get()?,
                is_first: from.get()?,
                is_last: from.get()?,
                users: from.get()?,
            },
            2 => Message::NotReading { to: from.get()?, name: from.get()? },
            3 => Message::Kept(Kept {
                as_of: from.get()?,
                mutes: from.get()?,
                held: from.get()?,
                moved: from.get()?,
            }),
            4 => Message::TakenOver { who: from.get()?, by: from.get()? },
            5 => Message::Released(from.get()?),
            _ => return Err(from.wrong("message")),
        })
    }
}

impl Pack for Profile {
    fn pack(&self, to: &mut Packer) {
        let Profile { name, room, serial, is_announced, is_operator, has_account } = self;
        to.put(name).put(room).put(serial).put(is_announced).put(is_operator).put(has_account);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Profile, Damaged> {
        let (name, room, serial) = (from.get()?, from.get()?, from.get()?);
        let (is_announced, is_operator) = (from.get()?, from.get()?);
        Ok(Profile { name, room, serial, is_announced, is_operator, has_account: from.get()? })
    }
}

impl Pack for Listed {
    fn pack(&self, to: &mut Packer) {
        let Listed { user, profile, is_detached, away, mute, ignores, token, is_good } = self;
        to.put(user).put(profile).put(is_detached).put(away).put(mute).put(ignores);
        to.put(token).put(is_good);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Listed, Damaged> {
        let (user, profile, is_detached) = (from.get()?, from.get()?, from.get()?);
        let (away, mute) = (from.get()?, from.get()?);
        let (ignores, token, is_good) = (from.get()?, from.get()?, from.get()?);
        Ok(Listed { user, profile, is_detached, away, mute, ignores, token, is_good })
    }
}
