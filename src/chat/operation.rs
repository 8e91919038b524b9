//! Operations: what a user does that others must know. A command decides whether its user may do it;
//! `bus.rs` has it take effect.

use std::borrow::Cow;

use jiff::Timestamp;

use super::dialect::Kind;
use super::request::Naming;
use super::user_id::UserId;

/// What an operation does. Its texts are borrowed from the line.
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
