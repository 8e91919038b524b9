//! Sentences about rooms, their topics and their history.

use std::fmt::{self, Display};

use super::sentence::{Reply, done, error};
use crate::chat::name::BadShape;

/// The reply to `/who`.
pub(in crate::chat) fn who(text: &str) -> Reply<&str> {
    done("who", text)
}

pub(in crate::chat) fn room(name: &str, count: usize) -> Reply<impl Display> {
    done("room", fmt::from_fn(move |f| write!(f, "{name} {count}")))
}

pub(in crate::chat) fn no_room_called(name: &str) -> Reply<impl Display> {
    error("no_such_room", fmt::from_fn(move |f| write!(f, "No room is called {name}.")))
}

pub(in crate::chat) fn room_unfit(why: BadShape) -> Reply<impl Display> {
    error("room_unfit", why.of_room())
}

pub(in crate::chat) fn rooms_full(max: usize) -> Reply<impl Display> {
    error(
        "rooms_full",
        fmt::from_fn(move |f| write!(f, "There are {max} rooms already, as many as there may be.")),
    )
}

pub(in crate::chat) fn topic(topic: &str) -> Reply<impl Display> {
    done("topic", fmt::from_fn(move |f| write!(f, "Topic: {topic}")))
}

pub(in crate::chat) fn no_topic() -> Reply<&'static str> {
    done("no_topic", "No topic is set.")
}

pub(in crate::chat) fn lines_gone(count: u64) -> Reply<impl Display> {
    done(
        "lines_gone",
        fmt::from_fn(move |f| match count {
            1 => f.write_str("-- 1 line is no longer kept --"),
            _ => write!(f, "-- {count} lines are no longer kept --"),
        }),
    )
}
