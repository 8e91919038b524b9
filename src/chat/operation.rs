//! Operations: what a user does that others must know. A command decides whether its user may do
//! it; it takes effect when it comes back from the bus (`bus.rs`).

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;

use super::dialect::Kind;
use super::request::Naming;
use super::user_id::UserId;
use crate::net::conn::ConnId;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// What a user may do, and has not done until it is back: [`Chat::next_operation`] gives it out,
/// and [`Chat::apply`] takes it.
///
/// [`Chat::next_operation`]: super::Chat::next_operation
/// [`Chat::apply`]: super::Chat::apply
pub struct Operation {
    pub(super) by: UserId,
    /// The connection that it came through. Its further lines may have to wait.
    pub(super) via: Option<ConnId>,
    pub(super) effect: Effect<'static>,
}

/// Shows nothing of what was said.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("by", &self.by).finish_non_exhaustive()
    }
}

/// What an operation does. Where it takes effect at once, its texts are borrowed from the line.
pub(super) enum Effect<'a> {
    /// They have connected.
    Connect,
    /// A message to their room.
    Say(Kind, Cow<'a, str>),
    Whisper {
        to: Target<'a>,
        text: Cow<'a, str>,
        /// Whether the sender gets a copy.
        copy: bool,
    },
    Join(Cow<'a, str>),
    Name {
        name: Cow<'a, str>,
        by: Naming,
        /// Whether the password was right, so that another user who has the name is replaced.
        logged_in: bool,
    },
    Resume {
        /// The lookup key of the token.
        key: u64,
        seq: Option<u64>,
        epoch: Option<i64>,
    },
    /// They leave for good.
    Leave,
    Kick(Target<'a>, Cow<'a, str>),
    Mute(Target<'a>, Option<Timestamp>),
    Unmute(Cow<'a, str>),
    Announce(Cow<'a, str>),
}

/// Whom an operation is for: who had the name when it was asked for. Another user may have it
/// when it takes effect.
pub(super) struct Target<'a> {
    pub(super) user: UserId,
    /// As it was typed. Empty in an answer to who wrote last.
    pub(super) name: Cow<'a, str>,
}

impl Effect<'_> {
    /// Whether further speech through the same connection need not wait for it.
    pub(super) fn lets_speak(&self) -> bool {
        matches!(self, Effect::Connect | Effect::Say(..))
    }

    /// The same, with texts of its own.
    pub(super) fn into_owned(self) -> Effect<'static> {
        match self {
            Effect::Connect => Effect::Connect,
            Effect::Say(kind, text) => Effect::Say(kind, own(text)),
            Effect::Whisper { to, text, copy } => {
                Effect::Whisper { to: to.into_owned(), text: own(text), copy }
            }
            Effect::Join(room) => Effect::Join(own(room)),
            Effect::Name { name, by, logged_in } => Effect::Name { name: own(name), by, logged_in },
            Effect::Resume { key, seq, epoch } => Effect::Resume { key, seq, epoch },
            Effect::Leave => Effect::Leave,
            Effect::Kick(target, why) => Effect::Kick(target.into_owned(), own(why)),
            Effect::Mute(target, until) => Effect::Mute(target.into_owned(), until),
            Effect::Unmute(name) => Effect::Unmute(own(name)),
            Effect::Announce(text) => Effect::Announce(own(text)),
        }
    }
}

impl Target<'_> {
    fn into_owned(self) -> Target<'static> {
        Target { user: self.user, name: own(self.name) }
    }
}

fn own(text: Cow<'_, str>) -> Cow<'static, str> {
    text.into_owned().into()
}

impl Pack for Operation {
    fn pack(&self, to: &mut Packer) {
        let Operation { by, via, effect } = self;
        to.put(by).put(via).put(effect);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Operation, Damaged> {
        Ok(Operation { by: from.get()?, via: from.get()?, effect: from.get()? })
    }
}

impl Pack for Effect<'static> {
    fn pack(&self, to: &mut Packer) {
        match self {
            Effect::Connect => to.tag(0),
            Effect::Say(kind, text) => to.tag(1).put(kind).put(text),
            Effect::Whisper { to: target, text, copy } => to.tag(2).put(target).put(text).put(copy),
            Effect::Join(room) => to.tag(3).put(room),
            Effect::Name { name, by, logged_in } => to.tag(4).put(name).put(by).put(logged_in),
            Effect::Resume { key, seq, epoch } => to.tag(5).put(key).put(seq).put(epoch),
            Effect::Leave => to.tag(6),
            Effect::Kick(target, why) => to.tag(7).put(target).put(why),
            Effect::Mute(target, until) => to.tag(8).put(target).put(until),
            Effect::Unmute(name) => to.tag(9).put(name),
            Effect::Announce(text) => to.tag(10).put(text),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Effect<'static>, Damaged> {
        Ok(match from.tag()? {
            0 => Effect::Connect,
            1 => Effect::Say(from.get()?, from.get()?),
            2 => Effect::Whisper { to: from.get()?, text: from.get()?, copy: from.get()? },
            3 => Effect::Join(from.get()?),
            4 => Effect::Name { name: from.get()?, by: from.get()?, logged_in: from.get()? },
            5 => Effect::Resume { key: from.get()?, seq: from.get()?, epoch: from.get()? },
            6 => Effect::Leave,
            7 => Effect::Kick(from.get()?, from.get()?),
            8 => Effect::Mute(from.get()?, from.get()?),
            9 => Effect::Unmute(from.get()?),
            10 => Effect::Announce(from.get()?),
            _ => return Err(from.wrong("operation")),
        })
    }
}

impl Pack for Target<'static> {
    fn pack(&self, to: &mut Packer) {
        let Target { user, name } = self;
        to.put(user).put(name);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Target<'static>, Damaged> {
        Ok(Target { user: from.get()?, name: from.get()? })
    }
}

impl Pack for Naming {
    fn pack(&self, to: &mut Packer) {
        to.tag(match self {
            Naming::Nick => 0,
            Naming::Register => 1,
        });
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Naming, Damaged> {
        match from.tag()? {
            0 => Ok(Naming::Nick),
            1 => Ok(Naming::Register),
            _ => Err(from.wrong("way to take a name")),
        }
    }
}

impl Pack for Cow<'static, str> {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.len());
        u8::pack_all(self.as_bytes(), to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Cow<'static, str>, Damaged> {
        Ok(from.get::<String>()?.into())
    }
}
