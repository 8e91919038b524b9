//! The sentences about accounts, and their codes.

use std::fmt;

use crate::chat::password::{MAX, MIN};

/// What there is to say about a name with a password.
#[derive(Clone, Copy)]
pub(in crate::chat) enum Word<'a> {
    NoAccounts,
    /// To who would take it without its password.
    Protected(&'a str),
    Already(&'a str),
    Registered(&'a str),
    /// Protected names.
    Full(usize),
    NotEncrypted,
    PasswordUnfit,
    /// It begins with the name that it is for.
    PasswordIsName(&'a str),
    NameFirst,
    /// Whether there is such a name is not told.
    Wrong,
    TooMany,
    TooManyMade,
    NotLoggedIn(&'a str),
    NotProtected(&'a str),
    PasswordSet,
    Unregistered(&'a str),
    Unclear,
    NotSaid,
}

impl Word<'_> {
    pub(in crate::chat) fn code(&self) -> &'static str {
        match self {
            Word::NoAccounts => "no_accounts",
            Word::Protected(_) => "name_protected",
            Word::Already(_) => "already_protected",
            Word::Registered(_) => "protected",
            Word::Full(_) => "accounts_full",
            Word::NotEncrypted => "not_encrypted",
            Word::PasswordUnfit | Word::PasswordIsName(_) => "password_unfit",
            Word::NameFirst => "name_first",
            Word::Wrong => "wrong_password",
            Word::TooMany => "too_many_attempts",
            Word::TooManyMade => "too_many_accounts",
            Word::NotLoggedIn(_) => "not_logged_in",
            Word::NotProtected(_) => "not_protected",
            Word::PasswordSet => "password_changed",
            Word::Unregistered(_) => "unprotected",
            Word::Unclear => "unclear",
            Word::NotSaid => "not_said",
        }
    }

    pub(in crate::chat) fn is_error(&self) -> bool {
        !matches!(
            self,
            Word::Registered(_) | Word::NotEncrypted | Word::PasswordSet | Word::Unregistered(_)
        )
    }
}

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::NoAccounts => f.write_str("This server keeps no accounts."),
            Word::Protected(name) => write!(f, "Name {name} is protected: /nick {name} PASSWORD"),
            Word::Already(name) => write!(f, "Name {name} is protected already."),
            Word::Registered(name) => {
                write!(f, "Name {name} is protected from now on: /nick {name} PASSWORD")
            }
            Word::Full(max) => {
                write!(f, "There are {max} protected names already, as many as there may be.")
            }
            Word::NotEncrypted => f.write_str(
                "That line was not encrypted: whoever carried it can have read the password.",
            ),
            Word::PasswordUnfit => write!(f, "A password has {MIN} to {MAX} bytes of UTF-8."),
            Word::PasswordIsName(name) => write!(
                f,
                "That begins with your name, {name}; a password, and nothing else, is wanted."
            ),
            Word::NameFirst => f.write_str("Take a name first: /nick NAME"),
            Word::Wrong => f.write_str("Wrong name or password."),
            Word::TooMany => f.write_str("Too many attempts; wait a minute."),
            Word::TooManyMade => {
                f.write_str("Too many names were protected from your address; wait a day.")
            }
            Word::NotLoggedIn(name) => {
                write!(f, "You have not shown that {name} is yours: /nick {name} PASSWORD")
            }
            Word::NotProtected(name) => {
                write!(f, "Name {name} is not protected: /protect PASSWORD")
            }
            Word::PasswordSet => f.write_str("Password changed."),
            Word::Unregistered(name) => write!(f, "Name {name} is no longer protected."),
            Word::Unclear => f.write_str(
                "Nothing done: /nick NAME takes a name, /protect PASSWORD has it protected.",
            ),
            Word::NotSaid => {
                f.write_str("Not said, for there may be a password in it; /say says anything.")
            }
        }
    }
}
