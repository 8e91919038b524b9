//! The sentences that operators cause, to themselves and to others, and their codes.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::chat::ban::{NoTarget, Target};
use crate::chat::reply::Span;
use crate::service::Origin;

/// What there is to say about what an operator does.
#[derive(Clone, Copy)]
pub(in crate::chat) enum Act<'a> {
    Kicked {
        name: &'a str,
        by: &'a str,
        why: &'a str,
    },
    /// To the room, of those who were in it.
    Out {
        names: &'a str,
        by: &'a str,
        why: &'a str,
    },
    /// To the operator; `target` tells until when.
    Banned(&'a str),
    Unbanned(&'a str),
    NoBan(&'a str),
    Unfit(&'a str),
    NoTime(&'a str),
    /// A ban that can hardly be meant: of whom, and whom it would keep out.
    Unsure {
        target: &'a Target,
        holds: &'a str,
    },
    Nowhere(&'a str),
    IsOperator(&'a str),
    Full(usize),
    /// One of the list.
    Ban(&'a str),
    NoBans,
    More(usize),
    NameBanned(&'a str),
    /// To the operator; `who` tells until when.
    Muting(&'a str),
    NotMuting(&'a str),
    NotMuted(&'a str),
    /// To the muted.
    Muted {
        by: &'a str,
        until: &'a str,
    },
    Unmuted,
    /// To the muted, when it speaks.
    IsMuted(&'a str),
    Announcement {
        by: &'a str,
        text: &'a str,
    },
    Reloaded,
    NotReloaded(&'a str),
    NotSaved(&'a str),
    Busy,
    Whois {
        name: &'a str,
        addr: Option<SocketAddr>,
        idle: Duration,
        queued: usize,
        marks: &'a str,
    },
}

impl Act<'_> {
    pub(in crate::chat) fn code(&self) -> &'static str {
        match self {
            Act::Kicked { .. } => "kicked",
            Act::Out { .. } | Act::Banned(_) => "banned",
            Act::Unbanned(_) => "unbanned",
            Act::NoBan(_) => "no_such_ban",
            Act::Unfit(_) => "ban_unfit",
            Act::NoTime(_) => "time_unfit",
            Act::Unsure { .. } => "ban_unsure",
            Act::Nowhere(_) => "nothing_to_ban",
            Act::IsOperator(_) => "is_operator",
            Act::Full(_) => "bans_full",
            Act::Ban(_) | Act::More(_) => "ban",
            Act::NoBans => "no_bans",
            Act::NameBanned(_) => "name_banned",
            Act::Muting(_) => "muting",
            Act::NotMuting(_) => "not_muting",
            Act::NotMuted(_) => "not_muted",
            Act::Muted { .. } => "muted",
            Act::Unmuted => "unmuted",
            Act::IsMuted(_) => "is_muted",
            Act::Announcement { .. } => "announcement",
            Act::Reloaded => "reloaded",
            Act::NotReloaded(_) => "not_reloaded",
            Act::NotSaved(_) => "not_saved",
            Act::Busy => "busy",
            Act::Whois { .. } => "whois",
        }
    }

    pub(in crate::chat) fn is_error(&self) -> bool {
        matches!(
            self,
            Act::NoBan(_)
                | Act::Unfit(_)
                | Act::NoTime(_)
                | Act::Unsure { .. }
                | Act::Nowhere(_)
                | Act::IsOperator(_)
                | Act::Full(_)
                | Act::NameBanned(_)
                | Act::NotMuted(_)
                | Act::IsMuted(_)
                | Act::NotReloaded(_)
                | Act::NotSaved(_)
                | Act::Busy
        )
    }
}

impl fmt::Display for Act<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Act::Kicked { name, by, why } => write!(f, "{name} was kicked by {by}{}", Why(why)),
            Act::Out { names, by, why } => write!(f, "{names} banned by {by}{}", Why(why)),
            Act::Banned(target) => write!(f, "Banned {target}."),
            Act::Unbanned(target) => write!(f, "No longer banned: {target}"),
            Act::NoBan(target) => write!(f, "There is no ban of {target}."),
            Act::Unfit(text) => write!(f, "'{text}' cannot be banned; {NoTarget}."),
            Act::NoTime(word) => write!(
                f,
                "'{word}' is no time: 10m, 2h, 7d or 1w, at most 3660d; without one it is for good."
            ),
            Act::Unsure { target, holds } => {
                write!(f, "Nothing done: {target} holds {holds}. If that is meant: /ban … yes")
            }
            Act::Nowhere(name) => write!(f, "{name} has no name and no address to ban; /kick?"),
            Act::IsOperator(name) => write!(f, "{name} is an operator."),
            Act::Full(max) => write!(f, "There are {max} bans already, as many as there may be."),
            Act::Ban(line) => f.write_str(line),
            Act::NoBans => f.write_str("There are no bans."),
            Act::More(count) => write!(f, "and {count} more"),
            Act::NameBanned(name) => write!(f, "Name {name} is banned."),
            Act::Muting(who) => write!(f, "Muted {who}."),
            Act::NotMuting(name) => write!(f, "No longer muted: {name}"),
            Act::NotMuted(name) => write!(f, "{name} is not muted."),
            Act::Muted { by, until } => write!(f, "You were muted{until} by {by}."),
            Act::Unmuted => f.write_str("You are no longer muted."),
            Act::IsMuted(until) => write!(f, "You are muted{until}; nobody was told."),
            Act::Announcement { by, text } => write!(f, "Announcement by {by}: {text}"),
            Act::Reloaded => f.write_str("Reloaded."),
            Act::NotReloaded(why) => write!(f, "Not reloaded: {why}"),
            Act::NotSaved(why) => write!(f, "Not saved: {why}"),
            Act::Busy => f.write_str("Busy; try again in a moment."),
            Act::Whois { name, addr, idle, queued, marks } => {
                let idle = Span(Duration::from_secs(idle.as_secs()));
                write!(f, "{name}: {}, idle {idle}, {queued} bytes queued{marks}", Origin(addr))
            }
        }
    }
}

/// A reason, where there is one, and the end of the sentence.
pub(super) struct Why<'a>(pub(super) &'a str);

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str(".") } else { write!(f, ": {}", self.0) }
    }
}
