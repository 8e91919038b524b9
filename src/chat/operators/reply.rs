//! Replies and notices caused by operators' commands, and their codes.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::chat::ban::{NoTarget, Target};
use crate::chat::reply::Span;
use crate::net::transport::Origin;

/// A reply or notice caused by an operator's command.
#[derive(Clone, Copy)]
pub(in crate::chat) enum OperatorReply<'a> {
    Kicked {
        name: &'a str,
        by: &'a str,
        why: &'a str,
    },
    /// To the room of the users who were banned.
    Out {
        names: &'a str,
        by: &'a str,
        why: &'a str,
    },
    /// To the operator. The text contains the end of the ban.
    Banned(&'a str),
    Unbanned(&'a str),
    NoBan(&'a str),
    Unfit(&'a str),
    NoTime(&'a str),
    /// A ban that is probably a mistake: its target, and whom it would keep out.
    Unsure {
        target: &'a Target,
        covers: &'a str,
    },
    Nowhere(&'a str),
    IsOperator(&'a str),
    Full(usize),
    /// One entry of `/bans`.
    Ban(&'a str),
    NoBans,
    NotListed(usize),
    NameBanned(&'a str),
    /// To the operator. The text contains the end of the mute.
    Muting(&'a str),
    NotMuting(&'a str),
    NotMuted(&'a str),
    /// To the user who is muted.
    Muted {
        by: &'a str,
        until: &'a str,
    },
    Unmuted,
    /// To a muted user who tries to speak.
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

impl OperatorReply<'_> {
    pub(in crate::chat) fn code(&self) -> &'static str {
        match self {
            OperatorReply::Kicked { .. } => "kicked",
            OperatorReply::Out { .. } | OperatorReply::Banned(_) => "banned",
            OperatorReply::Unbanned(_) => "unbanned",
            OperatorReply::NoBan(_) => "no_such_ban",
            OperatorReply::Unfit(_) => "ban_unfit",
            OperatorReply::NoTime(_) => "time_unfit",
            OperatorReply::Unsure { .. } => "ban_unsure",
            OperatorReply::Nowhere(_) => "nothing_to_ban",
            OperatorReply::IsOperator(_) => "is_operator",
            OperatorReply::Full(_) => "bans_full",
            OperatorReply::Ban(_) | OperatorReply::NotListed(_) => "ban",
            OperatorReply::NoBans => "no_bans",
            OperatorReply::NameBanned(_) => "name_banned",
            OperatorReply::Muting(_) => "muting",
            OperatorReply::NotMuting(_) => "not_muting",
            OperatorReply::NotMuted(_) => "not_muted",
            OperatorReply::Muted { .. } => "muted",
            OperatorReply::Unmuted => "unmuted",
            OperatorReply::IsMuted(_) => "is_muted",
            OperatorReply::Announcement { .. } => "announcement",
            OperatorReply::Reloaded => "reloaded",
            OperatorReply::NotReloaded(_) => "not_reloaded",
            OperatorReply::NotSaved(_) => "not_saved",
            OperatorReply::Busy => "busy",
            OperatorReply::Whois { .. } => "whois",
        }
    }

    pub(in crate::chat) fn is_error(&self) -> bool {
        matches!(
            self,
            OperatorReply::NoBan(_)
                | OperatorReply::Unfit(_)
                | OperatorReply::NoTime(_)
                | OperatorReply::Unsure { .. }
                | OperatorReply::Nowhere(_)
                | OperatorReply::IsOperator(_)
                | OperatorReply::Full(_)
                | OperatorReply::NameBanned(_)
                | OperatorReply::NotMuted(_)
                | OperatorReply::IsMuted(_)
                | OperatorReply::NotReloaded(_)
                | OperatorReply::NotSaved(_)
                | OperatorReply::Busy
        )
    }
}

impl fmt::Display for OperatorReply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            OperatorReply::Kicked { name, by, why } => {
                write!(f, "{name} was kicked by {by}{}", Why(why))
            }
            OperatorReply::Out { names, by, why } => {
                write!(f, "{names} banned by {by}{}", Why(why))
            }
            OperatorReply::Banned(target) => write!(f, "Banned {target}."),
            OperatorReply::Unbanned(target) => write!(f, "No longer banned: {target}"),
            OperatorReply::NoBan(target) => write!(f, "There is no ban of {target}."),
            OperatorReply::Unfit(text) => write!(f, "'{text}' cannot be banned; {NoTarget}."),
            OperatorReply::NoTime(word) => write!(
                f,
                "'{word}' is no time: 10m, 2h, 7d or 1w, at most 3660d; without one it is for good."
            ),
            OperatorReply::Unsure { target, covers } => {
                write!(f, "Nothing done: {target} holds {covers}. If that is meant: /ban … yes")
            }
            OperatorReply::Nowhere(name) => {
                write!(f, "{name} has no name and no address to ban; /kick?")
            }
            OperatorReply::IsOperator(name) => write!(f, "{name} is an operator."),
            OperatorReply::Full(max) => {
                write!(f, "There are {max} bans already, as many as there may be.")
            }
            OperatorReply::Ban(line) => f.write_str(line),
            OperatorReply::NoBans => f.write_str("There are no bans."),
            OperatorReply::NotListed(count) => write!(f, "and {count} more"),
            OperatorReply::NameBanned(name) => write!(f, "Name {name} is banned."),
            OperatorReply::Muting(who) => write!(f, "Muted {who}."),
            OperatorReply::NotMuting(name) => write!(f, "No longer muted: {name}"),
            OperatorReply::NotMuted(name) => write!(f, "{name} is not muted."),
            OperatorReply::Muted { by, until } => write!(f, "You were muted{until} by {by}."),
            OperatorReply::Unmuted => f.write_str("You are no longer muted."),
            OperatorReply::IsMuted(until) => write!(f, "You are muted{until}; nobody was told."),
            OperatorReply::Announcement { by, text } => write!(f, "Announcement by {by}: {text}"),
            OperatorReply::Reloaded => f.write_str("Reloaded."),
            OperatorReply::NotReloaded(why) => write!(f, "Not reloaded: {why}"),
            OperatorReply::NotSaved(why) => write!(f, "Not saved: {why}"),
            OperatorReply::Busy => f.write_str("Busy; try again in a moment."),
            OperatorReply::Whois { name, addr, idle, queued, marks } => {
                let idle = Span(Duration::from_secs(idle.as_secs()));
                let from = addr.map_or(Origin::Unix, Origin::Addr);
                write!(f, "{name}: {from}, idle {idle}, {queued} bytes queued{marks}")
            }
        }
    }
}

/// Ends a sentence, with the reason if there is one.
pub(super) struct Why<'a>(pub(super) &'a str);

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str(".") } else { write!(f, ": {}", self.0) }
    }
}
