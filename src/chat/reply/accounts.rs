//! Sentences about names with passwords.

use std::fmt::{self, Display};

use super::sentence::{Reply, done, error};
use crate::chat::password::{MAX, MIN};

pub(in crate::chat) fn no_accounts() -> Reply<&'static str> {
    error("no_accounts", "This server keeps no accounts.")
}

/// To a user who tries to take a protected name without its password.
pub(in crate::chat) fn name_protected(name: &str) -> Reply<impl Display> {
    error(
        "name_protected",
        fmt::from_fn(move |f| write!(f, "Name {name} is protected: /nick {name} PASSWORD")),
    )
}

pub(in crate::chat) fn already_protected(name: &str) -> Reply<impl Display> {
    error(
        "already_protected",
        fmt::from_fn(move |f| write!(f, "Name {name} is protected already.")),
    )
}

pub(in crate::chat) fn protected(name: &str) -> Reply<impl Display> {
    done(
        "protected",
        fmt::from_fn(move |f| {
            write!(f, "Name {name} is protected from now on: /nick {name} PASSWORD")
        }),
    )
}

/// The most names that may be protected.
pub(in crate::chat) fn accounts_full(max: usize) -> Reply<impl Display> {
    error(
        "accounts_full",
        fmt::from_fn(move |f| {
            write!(f, "There are {max} protected names already, as many as there may be.")
        }),
    )
}

pub(in crate::chat) fn not_encrypted() -> Reply<&'static str> {
    done(
        "not_encrypted",
        "That line was not encrypted: whoever carried it can have read the password.",
    )
}

pub(in crate::chat) fn password_unfit() -> Reply<impl Display> {
    error(
        "password_unfit",
        fmt::from_fn(move |f| write!(f, "A password has {MIN} to {MAX} bytes of UTF-8.")),
    )
}

/// The password begins with the name it is for.
pub(in crate::chat) fn password_is_name(name: &str) -> Reply<impl Display> {
    error(
        "password_unfit",
        fmt::from_fn(move |f| {
            write!(
                f,
                "That begins with your name, {name}; a password, and nothing else, is wanted."
            )
        }),
    )
}

pub(in crate::chat) fn name_first() -> Reply<&'static str> {
    error("name_first", "Take a name first: /nick NAME")
}

/// The same reply whether or not the name is protected.
pub(in crate::chat) fn wrong_password() -> Reply<&'static str> {
    error("wrong_password", "Wrong name or password.")
}

pub(in crate::chat) fn not_checked(why: &str) -> Reply<impl Display> {
    error("not_checked", fmt::from_fn(move |f| write!(f, "Not checked: {why}")))
}

pub(in crate::chat) fn too_many_attempts() -> Reply<&'static str> {
    error("too_many_attempts", "Too many attempts; wait a minute.")
}

pub(in crate::chat) fn too_many_accounts() -> Reply<&'static str> {
    error("too_many_accounts", "Too many names were protected from your address; wait a day.")
}

pub(in crate::chat) fn not_logged_in(name: &str) -> Reply<impl Display> {
    error(
        "not_logged_in",
        fmt::from_fn(move |f| {
            write!(f, "You have not shown that {name} is yours: /nick {name} PASSWORD")
        }),
    )
}

pub(in crate::chat) fn not_protected(name: &str) -> Reply<impl Display> {
    error(
        "not_protected",
        fmt::from_fn(move |f| write!(f, "Name {name} is not protected: /protect PASSWORD")),
    )
}

pub(in crate::chat) fn password_changed() -> Reply<&'static str> {
    done("password_changed", "Password changed.")
}

pub(in crate::chat) fn unprotected(name: &str) -> Reply<impl Display> {
    done("unprotected", fmt::from_fn(move |f| write!(f, "Name {name} is no longer protected.")))
}

pub(in crate::chat) fn unclear() -> Reply<&'static str> {
    error("unclear", "Nothing done: /nick NAME takes a name, /protect PASSWORD has it protected.")
}

pub(in crate::chat) fn not_said() -> Reply<&'static str> {
    error("not_said", "Not said, for there may be a password in it; /say says anything.")
}
