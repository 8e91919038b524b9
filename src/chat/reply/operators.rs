//! Sentences caused by operators' commands. Some are notices to a room.

use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::time::Duration;

use super::sentence::{Reply, Span, done, error};
use crate::chat::ban::{NoTarget, Target};
use crate::chat::upgrades::summary;
use crate::net::service::Upgraded;
use crate::net::transport::Origin;

/// Ends a sentence, with the reason if there is one.
pub(in crate::chat) struct Why<'a>(pub(in crate::chat) &'a str);

impl Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str(".") } else { write!(f, ": {}", self.0) }
    }
}

pub(in crate::chat) fn kicked(name: &str, by: &str, why: &str) -> Reply<impl Display> {
    let why = Why(why);
    done("kicked", fmt::from_fn(move |f| write!(f, "{name} was kicked by {by}{why}")))
}

/// To the room of the users who were banned.
pub(in crate::chat) fn were_banned(names: &str, by: &str, why: &str) -> Reply<impl Display> {
    let why = Why(why);
    done("banned", fmt::from_fn(move |f| write!(f, "{names} banned by {by}{why}")))
}

/// To the operator. The target has the end of the ban behind it.
pub(in crate::chat) fn banned(target: &str) -> Reply<impl Display> {
    done("banned", fmt::from_fn(move |f| write!(f, "Banned {target}.")))
}

pub(in crate::chat) fn unbanned(target: &Target) -> Reply<impl Display> {
    done("unbanned", fmt::from_fn(move |f| write!(f, "No longer banned: {target}")))
}

pub(in crate::chat) fn no_ban(target: &str) -> Reply<impl Display> {
    error("no_such_ban", fmt::from_fn(move |f| write!(f, "There is no ban of {target}.")))
}

pub(in crate::chat) fn ban_unfit(text: &str) -> Reply<impl Display> {
    error("ban_unfit", fmt::from_fn(move |f| write!(f, "'{text}' cannot be banned; {NoTarget}.")))
}

pub(in crate::chat) fn no_time(word: &str) -> Reply<impl Display> {
    done(
        "time_unfit",
        fmt::from_fn(move |f| {
            write!(
                f,
                "'{word}' is no time: 10m, 2h, 7d or 1w, at most 3660d; without one it is for good."
            )
        }),
    )
}

/// A ban that is probably a mistake: its target, and whom it would keep out.
pub(in crate::chat) fn ban_unsure(target: &Target, covers: &str) -> Reply<impl Display> {
    error(
        "ban_unsure",
        fmt::from_fn(move |f| {
            write!(f, "Nothing done: {target} holds {covers}. If that is meant: /ban … yes")
        }),
    )
}

pub(in crate::chat) fn nothing_to_ban(name: &str) -> Reply<impl Display> {
    error(
        "nothing_to_ban",
        fmt::from_fn(move |f| write!(f, "{name} has no name and no address to ban; /kick?")),
    )
}

pub(in crate::chat) fn is_operator(name: &str) -> Reply<impl Display> {
    error("is_operator", fmt::from_fn(move |f| write!(f, "{name} is an operator.")))
}

pub(in crate::chat) fn bans_full(max: usize) -> Reply<impl Display> {
    error(
        "bans_full",
        fmt::from_fn(move |f| write!(f, "There are {max} bans already, as many as there may be.")),
    )
}

/// One line of `/bans`.
pub(in crate::chat) fn ban(line: &str) -> Reply<&str> {
    done("ban", line)
}

pub(in crate::chat) fn no_bans() -> Reply<&'static str> {
    done("no_bans", "There are no bans.")
}

pub(in crate::chat) fn more_bans(count: usize) -> Reply<impl Display> {
    done("ban", fmt::from_fn(move |f| write!(f, "and {count} more")))
}

pub(in crate::chat) fn name_banned(name: &str) -> Reply<impl Display> {
    error("name_banned", fmt::from_fn(move |f| write!(f, "Name {name} is banned.")))
}

/// To the operator. The name has the end of the mute behind it.
pub(in crate::chat) fn muting(name: &str) -> Reply<impl Display> {
    done("muting", fmt::from_fn(move |f| write!(f, "Muted {name}.")))
}

pub(in crate::chat) fn not_muting(name: &str) -> Reply<impl Display> {
    done("not_muting", fmt::from_fn(move |f| write!(f, "No longer muted: {name}")))
}

pub(in crate::chat) fn not_muted(name: &str) -> Reply<impl Display> {
    error("not_muted", fmt::from_fn(move |f| write!(f, "{name} is not muted.")))
}

/// To the user who is muted.
pub(in crate::chat) fn muted(by: &str, until: &str) -> Reply<impl Display> {
    done("muted", fmt::from_fn(move |f| write!(f, "You were muted{until} by {by}.")))
}

pub(in crate::chat) fn unmuted() -> Reply<&'static str> {
    done("unmuted", "You are no longer muted.")
}

/// To a muted user who tries to speak.
pub(in crate::chat) fn is_muted(until: &str) -> Reply<impl Display> {
    error("is_muted", fmt::from_fn(move |f| write!(f, "You are muted{until}; nobody was told.")))
}

pub(in crate::chat) fn announcement(by: &str, text: &str) -> Reply<impl Display> {
    done("announcement", fmt::from_fn(move |f| write!(f, "Announcement by {by}: {text}")))
}

pub(in crate::chat) fn reloaded() -> Reply<&'static str> {
    done("reloaded", "Reloaded.")
}

pub(in crate::chat) fn not_reloaded(why: &str) -> Reply<impl Display> {
    error("not_reloaded", fmt::from_fn(move |f| write!(f, "Not reloaded: {why}")))
}

pub(in crate::chat) fn not_saved(why: &str) -> Reply<impl Display> {
    error("not_saved", fmt::from_fn(move |f| write!(f, "Not saved: {why}")))
}

pub(in crate::chat) fn busy() -> Reply<&'static str> {
    error("busy", "Busy; try again in a moment.")
}

pub(in crate::chat) fn whois(
    name: &str,
    addr: Option<SocketAddr>,
    idle: Duration,
    queued: usize,
    marks: &str,
) -> Reply<impl Display> {
    let idle = Span(Duration::from_secs(idle.as_secs()));
    let from = addr.map_or(Origin::Unix, Origin::Addr);
    done(
        "whois",
        fmt::from_fn(move |f| {
            write!(f, "{name}: {from}, idle {idle}, {queued} bytes queued{marks}")
        }),
    )
}

/// Of a user of another node, only that node knows the rest.
pub(in crate::chat) fn whois_elsewhere(name: &str, node: &str, marks: &str) -> Reply<impl Display> {
    done("whois", fmt::from_fn(move |f| write!(f, "{name}: at node {node}{marks}")))
}

pub(in crate::chat) fn upgrading() -> Reply<&'static str> {
    done("upgrading", "The program that is installed now is asked whether it can take over.")
}

pub(in crate::chat) fn upgraded(upgraded: &Upgraded) -> Reply<impl Display> {
    let summary = summary(upgraded);
    done("upgraded", fmt::from_fn(move |f| write!(f, "Upgraded {summary}.")))
}

pub(in crate::chat) fn not_upgraded(why: &str) -> Reply<impl Display> {
    error("not_upgraded", fmt::from_fn(move |f| write!(f, "Not upgraded: {why}.")))
}

/// To those whose connections end.
pub(in crate::chat) fn left_behind() -> Reply<&'static str> {
    done(
        "left_behind",
        "The server is upgraded, and this connection cannot go along: connect again.",
    )
}
