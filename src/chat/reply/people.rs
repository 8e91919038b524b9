//! Sentences about names, private lines, preferences and resuming.

use std::fmt::{self, Display};
use std::time::Duration;

use super::sentence::{Reply, Span, done, error, on_or_off};
use crate::chat::name::BadShape;

pub(in crate::chat) fn registered(name: &str) -> Reply<impl Display> {
    done("registered", fmt::from_fn(move |f| write!(f, "Registered as {name}")))
}

pub(in crate::chat) fn renamed(name: &str) -> Reply<impl Display> {
    done("renamed", fmt::from_fn(move |f| write!(f, "You are now {name}")))
}

pub(in crate::chat) fn name_unfit(why: BadShape) -> Reply<impl Display> {
    error("name_unfit", why.of_name())
}

pub(in crate::chat) fn name_reserved(name: &str) -> Reply<impl Display> {
    error("name_reserved", fmt::from_fn(move |f| write!(f, "Name {name} is reserved.")))
}

pub(in crate::chat) fn name_taken(name: &str) -> Reply<impl Display> {
    error("name_taken", fmt::from_fn(move |f| write!(f, "Name {name} is taken.")))
}

pub(in crate::chat) fn name_required() -> Reply<&'static str> {
    error("name_required", "REGISTER first.")
}

pub(in crate::chat) fn no_one_called(name: &str) -> Reply<impl Display> {
    error("no_such_user", fmt::from_fn(move |f| write!(f, "No one is called {name}.")))
}

pub(in crate::chat) fn no_one_wrote() -> Reply<&'static str> {
    error("no_one_wrote", "No one has written to you.")
}

pub(in crate::chat) fn not_reading(name: &str) -> Reply<impl Display> {
    error("not_reading", fmt::from_fn(move |f| write!(f, "{name} is not reading; not delivered.")))
}

pub(in crate::chat) fn is_away(name: &str, text: &str) -> Reply<impl Display> {
    done("is_away", fmt::from_fn(move |f| write!(f, "{name} is away: {text}")))
}

pub(in crate::chat) fn away() -> Reply<&'static str> {
    done("away", "You are away.")
}

pub(in crate::chat) fn back() -> Reply<&'static str> {
    done("back", "You are back.")
}

pub(in crate::chat) fn ignoring(name: &str) -> Reply<impl Display> {
    done("ignoring", fmt::from_fn(move |f| write!(f, "Ignoring {name}.")))
}

pub(in crate::chat) fn not_ignoring(name: &str) -> Reply<impl Display> {
    done("not_ignoring", fmt::from_fn(move |f| write!(f, "No longer ignoring {name}.")))
}

pub(in crate::chat) fn ignoring_self() -> Reply<&'static str> {
    error("ignoring_self", "You cannot ignore yourself.")
}

pub(in crate::chat) fn ignoring_too_many(max: usize) -> Reply<impl Display> {
    error(
        "ignoring_too_many",
        fmt::from_fn(move |f| write!(f, "You ignore {max} already, as many as you may.")),
    )
}

pub(in crate::chat) fn echo(on: bool) -> Reply<impl Display> {
    let on = on_or_off(on);
    done("echo", fmt::from_fn(move |f| write!(f, "Echo {on}.")))
}

pub(in crate::chat) fn notices(on: bool) -> Reply<impl Display> {
    let on = on_or_off(on);
    done("notices", fmt::from_fn(move |f| write!(f, "Notices {on}.")))
}

pub(in crate::chat) fn no_notices() -> Reply<&'static str> {
    error("no_notices", "This dialect has no notices.")
}

pub(in crate::chat) fn dialect(name: &str) -> Reply<impl Display> {
    done("dialect", fmt::from_fn(move |f| write!(f, "Dialect: {name}")))
}

pub(in crate::chat) fn no_dialect_called(name: &str, offered: &str) -> Reply<impl Display> {
    error(
        "no_such_dialect",
        fmt::from_fn(move |f| write!(f, "No dialect is called {name}; there are {offered}.")),
    )
}

pub(in crate::chat) fn resume_token(held_for: Duration, token: &str) -> Reply<impl Display> {
    let held_for = Span(held_for);
    done(
        "resume",
        fmt::from_fn(move |f| write!(f, "To come back within {held_for}: /resume {token}")),
    )
}

pub(in crate::chat) fn no_resume() -> Reply<&'static str> {
    error("no_resume", "This server holds no names.")
}

pub(in crate::chat) fn token_unknown() -> Reply<&'static str> {
    error("token_unknown", "That token is not known, or no longer.")
}

pub(in crate::chat) fn replaced() -> Reply<&'static str> {
    error("replaced", "You have been replaced by another connection.")
}
