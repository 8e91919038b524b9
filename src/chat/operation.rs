//! Operations: what a user does that others must know. A command decides whether its user may do
//! it; it takes effect when it comes back from the bus (`bus.rs`).

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;

use super::ban::{self, Ban};
use super::dialect::Kind;
use super::name::RoomName;
use super::request::Naming;
use super::user_id::UserId;
use crate::cluster::Outcome;
use crate::net::conn::ConnId;
use crate::pack::{Damaged, Pack, Packer, Unpacker, impl_pack};

/// Something that a user does and that others must know. It has no effect until it is back:
/// [`Chat::next_operation`] gives it out, and [`Chat::apply`] takes it.
///
/// [`Chat::next_operation`]: super::Chat::next_operation
/// [`Chat::apply`]: super::Chat::apply
pub struct Operation {
    pub(super) by: UserId,
    /// The connection that it came through. Its further lines may have to wait.
    pub(super) via: Option<ConnId>,
    pub(super) effect: Effect<'static>,
    /// The number of the entry that it was first appended as, by which others know it when it is
    /// appended again. 0 before that.
    pub(super) number: u64,
    /// The name that its entry claims, in lower case.
    pub(super) claims: Option<Box<str>>,
}

impl Operation {
    pub(super) fn new(by: UserId, via: Option<ConnId>, effect: Effect<'_>) -> Operation {
        Operation { by, via, effect: effect.into_owned(), number: 0, claims: None }
    }
}

/// Shows nothing of what was said.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("by", &self.by).finish_non_exhaustive()
    }
}

/// What an operation does. Where it takes effect at once, its texts are borrowed from the line.
/// Users have other ids (`Id`) between servers.
#[derive(Clone)]
pub(super) enum Effect<'a, Id = UserId> {
    /// They have connected.
    Connect,
    /// A message to their room.
    Say(Kind, Cow<'a, str>),
    Whisper {
        to: Target<'a, Id>,
        text: Cow<'a, str>,
        /// Whether the sender gets a copy.
        copy: bool,
    },
    /// To a room, if this is still the number of their connection.
    Join {
        room: Cow<'a, str>,
        conn: u32,
    },
    Name {
        name: Cow<'a, str>,
        by: Naming,
        /// Whether the password was right, so that another user who has the name is replaced.
        logged_in: bool,
        /// The number of the connection that asks.
        conn: u32,
    },
    Resume {
        /// Whose token it is.
        user: Id,
        /// The lookup key of the token.
        key: u64,
        /// The number of the connection that asks.
        conn: u32,
        seq: Option<u64>,
        epoch: Option<i64>,
    },
    /// They leave for good, if this is still the number of their connection.
    Leave {
        conn: u32,
    },
    Kick(Target<'a, Id>, Cow<'a, str>),
    Mute(Target<'a, Id>, Option<Timestamp>),
    Unmute(Cow<'a, str>),
    Announce(Cow<'a, str>),
    /// They have banned somebody, whoever has the name by now.
    Ban(Ban, Option<Id>),
    // What follows is in force at once where it is done, and is only told to other servers.
    Away(Option<Cow<'a, str>>),
    Ignore(Id),
    Unignore(Id),
    /// They were cut off from the connection of this number, and may resume.
    Detach {
        conn: u32,
    },
    Unban(ban::Target),
    /// What is persisted has changed.
    Reload,
    // What follows is in force only when it is back.
    /// They have a resume token with this digest, or none.
    Token(Option<[u8; 32]>),
    /// All servers end.
    Shutdown(Cow<'a, str>),
    /// They resume as the user whose token this is the digest of, at whatever server that was.
    TakeOver {
        digest: [u8; 32],
        /// The name that its entry claims: the one that user had when it was appended.
        name: Option<Cow<'a, str>>,
        conn: u32,
        seq: Option<u64>,
        epoch: Option<i64>,
    },
}

/// How an operation comes to take effect.
#[derive(Clone, Debug)]
pub(super) enum Decision {
    /// There is one server.
    Here,
    /// The log has it, with what it decided, and the time by its clock.
    Log { at: i64, outcome: Outcome },
    /// The log is out of reach: only the users of this server know.
    CutOff,
}

impl Decision {
    /// Whether this is what the log has decided.
    pub(super) fn is(&self, wanted: &Outcome) -> bool {
        matches!(self, Decision::Log { outcome, .. } if outcome == wanted)
    }
}

/// Whom an operation is for: who had the name when it was asked for. Another user may have it
/// when it takes effect.
#[derive(Clone)]
pub(super) struct Target<'a, Id = UserId> {
    pub(super) user: Id,
    /// As it was typed; empty for `/reply`.
    pub(super) name: Cow<'a, str>,
}

impl<Id> Effect<'_, Id> {
    /// The name that the log has claimed for its user.
    pub(super) fn claimed(&self, how: &Decision) -> Option<&str> {
        match self {
            Effect::Name { name, .. } | Effect::TakeOver { name: Some(name), .. } => {
                Some(&**name).filter(|_| how.is(&Outcome::Claimed))
            }
            _ => None,
        }
    }

    /// Whether people are shown something by it, so that it must not be done twice.
    pub(super) fn is_shown_once(&self) -> bool {
        !matches!(self, Effect::Connect | Effect::TakeOver { .. }) && self.shows_user()
    }

    /// Whether others see whose it is, also servers that have not heard of that user yet.
    pub(super) fn shows_user(&self) -> bool {
        matches!(
            self,
            Effect::Connect
                | Effect::Say(..)
                | Effect::Whisper { .. }
                | Effect::Kick(..)
                | Effect::Mute(..)
                | Effect::Announce(_)
                | Effect::TakeOver { .. }
        )
    }

    /// Whether further speech through the same connection need not wait for it.
    pub(super) fn lets_speak(&self) -> bool {
        matches!(self, Effect::Connect | Effect::Say(..))
    }

    /// Whether it is in force already where it was done.
    pub(super) fn is_only_told(&self) -> bool {
        matches!(
            self,
            Effect::Away(_)
                | Effect::Ignore(_)
                | Effect::Unignore(_)
                | Effect::Detach { .. }
                | Effect::Unban(_)
                | Effect::Reload
        )
    }

    /// Whether it is about the user's own connection, so that it does not pass on to the user whom
    /// they resume as.
    pub(super) fn is_of_connection(&self) -> bool {
        matches!(
            self,
            Effect::Connect
                | Effect::Join { .. }
                | Effect::Name { .. }
                | Effect::Resume { .. }
                | Effect::Leave { .. }
                | Effect::Detach { .. }
                | Effect::Token(_)
                | Effect::TakeOver { .. }
        )
    }

    /// The same, with texts of its own.
    pub(super) fn into_owned(self) -> Effect<'static, Id> {
        self.with_ids(|id| id)
    }

    /// The same, with texts of its own, and with other ids for the same users.
    pub(super) fn with_ids<Other>(self, id: impl Fn(Id) -> Other) -> Effect<'static, Other> {
        let of = |target: Target<'_, Id>| Target { user: id(target.user), name: own(target.name) };
        match self {
            Effect::Connect => Effect::Connect,
            Effect::Say(kind, text) => Effect::Say(kind, own(text)),
            Effect::Whisper { to, text, copy } => {
                Effect::Whisper { to: of(to), text: own(text), copy }
            }
            Effect::Join { room, conn } => Effect::Join { room: own(room), conn },
            Effect::Name { name, by, logged_in, conn } => {
                Effect::Name { name: own(name), by, logged_in, conn }
            }
            Effect::Resume { user, key, conn, seq, epoch } => {
                Effect::Resume { user: id(user), key, conn, seq, epoch }
            }
            Effect::Leave { conn } => Effect::Leave { conn },
            Effect::Kick(target, why) => Effect::Kick(of(target), own(why)),
            Effect::Mute(target, until) => Effect::Mute(of(target), until),
            Effect::Unmute(name) => Effect::Unmute(own(name)),
            Effect::Announce(text) => Effect::Announce(own(text)),
            Effect::Away(text) => Effect::Away(text.map(own)),
            Effect::Ignore(user) => Effect::Ignore(id(user)),
            Effect::Unignore(user) => Effect::Unignore(id(user)),
            Effect::Detach { conn } => Effect::Detach { conn },
            Effect::Token(digest) => Effect::Token(digest),
            Effect::Ban(ban, target) => Effect::Ban(ban, target.map(id)),
            Effect::Unban(target) => Effect::Unban(target),
            Effect::Reload => Effect::Reload,
            Effect::Shutdown(why) => Effect::Shutdown(own(why)),
            Effect::TakeOver { digest, name, conn, seq, epoch } => {
                Effect::TakeOver { digest, name: name.map(own), conn, seq, epoch }
            }
        }
    }
}

fn own(text: Cow<'_, str>) -> Cow<'static, str> {
    text.into_owned().into()
}

impl_pack! {
    struct Operation { by, via, effect, number, claims }
}

impl_pack! {
    [Id: Pack] enum Effect<'static, Id> {
        0 => Connect,
        1 => Say(kind, text),
        2 => Whisper { to, text, copy },
        3 => Join { room by short, conn },
        4 => Name { name by short, by, logged_in, conn },
        5 => Resume { user, key, conn, seq, epoch },
        6 => Leave { conn },
        7 => Kick(target, why),
        8 => Mute(target, until),
        9 => Unmute(name),
        10 => Announce(text),
        11 => Away(text),
        12 => Ignore(user),
        13 => Unignore(user),
        14 => Detach { conn },
        15 => Token(digest),
        16 => TakeOver { digest, name, conn, seq, epoch },
        17 => Ban(ban, target),
        18 => Unban(target),
        19 => Reload,
        20 => Shutdown(why),
    }
    else "operation"
}

/// A name, of a user or a room: the longest of both are equally long.
fn short(from: &mut Unpacker<'_>) -> Result<Cow<'static, str>, Damaged> {
    Ok(from.get::<RoomName>()?.as_str().to_owned().into())
}

impl_pack! {
    [Id: Pack] struct Target<'static, Id> { user, name }
}

impl_pack! {
    enum Naming { 0 => Nick, 1 => Register }
    else "way to take a name"
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
