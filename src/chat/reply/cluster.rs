//! Sentences about the other servers of a cluster.

use std::fmt::{self, Display};

use super::sentence::{Reply, done, error};

/// To every room, when the log is out of reach.
pub(in crate::chat) fn cut_off() -> Reply<&'static str> {
    error(
        "cut_off",
        "Cut off from the other servers: until they are back, only this one hears you.",
    )
}

/// To every room, when it is back. `unheard` lines were said here meanwhile.
pub(in crate::chat) fn back_with_others(unheard: u64) -> Reply<impl Display> {
    done(
        "back_with_others",
        fmt::from_fn(move |f| {
            write!(f, "Back with the other servers.")?;
            match unheard {
                0 => Ok(()),
                1 => write!(f, " 1 line said here meanwhile has not reached them."),
                _ => write!(f, " {unheard} lines said here meanwhile have not reached them."),
            }
        }),
    )
}

/// To every room.
pub(in crate::chat) fn events_lost(count: u64) -> Reply<impl Display> {
    error(
        "events_lost",
        fmt::from_fn(move |f| match count {
            1 => write!(f, "1 event of the other servers is lost."),
            _ => write!(f, "{count} events of the other servers are lost."),
        }),
    )
}

/// To a room.
pub(in crate::chat) fn line_left_out() -> Reply<&'static str> {
    error("line_left_out", "A line of somebody who was replaced meanwhile is not shown.")
}

pub(in crate::chat) fn name_out_of_reach(name: &str) -> Reply<impl Display> {
    error(
        "out_of_reach",
        fmt::from_fn(move |f| {
            write!(f, "Name {name} cannot be had now: the other servers are out of reach.")
        }),
    )
}

/// To whoever asks for what is persisted: that is for all servers or for none.
pub(in crate::chat) fn state_out_of_reach() -> Reply<&'static str> {
    error("out_of_reach", "Not saved: the other servers are out of reach.")
}

/// To an operator whose command was meant for all servers.
pub(in crate::chat) fn only_this_one(does: &str) -> Reply<impl Display> {
    error(
        "out_of_reach",
        fmt::from_fn(move |f| {
            write!(f, "The other servers are out of reach: only this one {does}.")
        }),
    )
}

pub(in crate::chat) fn token_out_of_reach() -> Reply<&'static str> {
    error("out_of_reach", "That token is another server's, and the other servers are out of reach.")
}

/// To a user whose command is about somebody at another server.
pub(in crate::chat) fn out_of_reach(name: &str) -> Reply<impl Display> {
    error(
        "out_of_reach",
        fmt::from_fn(move |f| write!(f, "{name} is at another server, which is out of reach.")),
    )
}
