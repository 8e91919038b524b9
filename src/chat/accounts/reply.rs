//! Replies about accounts, and their codes.

use std::fmt;

use crate::chat::password::{MAX, MIN};

/// A reply about a name with a password.
#[derive(Clone, Copy)]
pub(in crate::chat) enum AccountReply<'a> {
    NoAccounts,
    /// To a user who tries to take a protected name without its password.
    Protected(&'a str),
    Already(&'a str),
    Registered(&'a str),
    /// The most names that may be protected.
    Full(usize),
    NotEncrypted,
    PasswordUnfit,
    /// The password begins with the name it is for.
    PasswordIsName(&'a str),
    NameFirst,
    /// The same reply whether or not the name is protected.
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

impl AccountReply<'_> {
    pub(in crate::chat) fn code(&self) -> &'static str {
        match self {
            AccountReply::NoAccounts => "no_accounts",
            AccountReply::Protected(_) => "name_protected",
            AccountReply::Already(_) => "already_protected",
            AccountReply::Registered(_) => "protected",
            AccountReply::Full(_) => "accounts_full",
            AccountReply::NotEncrypted => "not_encrypted",
            AccountReply::PasswordUnfit | AccountReply::PasswordIsName(_) => "password_unfit",
            AccountReply::NameFirst => "name_first",
            AccountReply::Wrong => "wrong_password",
            AccountReply::TooMany => "too_many_attempts",
            AccountReply::TooManyMade => "too_many_accounts",
            AccountReply::NotLoggedIn(_) => "not_logged_in",
            AccountReply::NotProtected(_) => "not_protected",
            AccountReply::PasswordSet => "password_changed",
            AccountReply::Unregistered(_) => "unprotected",
            AccountReply::Unclear => "unclear",
            AccountReply::NotSaid => "not_said",
        }
    }

    pub(in crate::chat) fn is_error(&self) -> bool {
        !matches!(
            self,
            AccountReply::Registered(_)
                | AccountReply::NotEncrypted
                | AccountReply::PasswordSet
                | AccountReply::Unregistered(_)
        )
    }
}

impl fmt::Display for AccountReply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AccountReply::NoAccounts => f.write_str("This server keeps no accounts."),
            AccountReply::Protected(name) => {
                write!(f, "Name {name} is protected: /nick {name} PASSWORD")
            }
            AccountReply::Already(name) => write!(f, "Name {name} is protected already."),
            AccountReply::Registered(name) => {
                write!(f, "Name {name} is protected from now on: /nick {name} PASSWORD")
            }
            AccountReply::Full(max) => {
                write!(f, "There are {max} protected names already, as many as there may be.")
            }
            AccountReply::NotEncrypted => f.write_str(
                "That line was not encrypted: whoever carried it can have read the password.",
            ),
            AccountReply::PasswordUnfit => {
                write!(f, "A password has {MIN} to {MAX} bytes of UTF-8.")
            }
            AccountReply::PasswordIsName(name) => write!(
                f,
                "That begins with your name, {name}; a password, and nothing else, is wanted."
            ),
            AccountReply::NameFirst => f.write_str("Take a name first: /nick NAME"),
            AccountReply::Wrong => f.write_str("Wrong name or password."),
            AccountReply::TooMany => f.write_str("Too many attempts; wait a minute."),
            AccountReply::TooManyMade => {
                f.write_str("Too many names were protected from your address; wait a day.")
            }
            AccountReply::NotLoggedIn(name) => {
                write!(f, "You have not shown that {name} is yours: /nick {name} PASSWORD")
            }
            AccountReply::NotProtected(name) => {
                write!(f, "Name {name} is not protected: /protect PASSWORD")
            }
            AccountReply::PasswordSet => f.write_str("Password changed."),
            AccountReply::Unregistered(name) => write!(f, "Name {name} is no longer protected."),
            AccountReply::Unclear => f.write_str(
                "Nothing done: /nick NAME takes a name, /protect PASSWORD has it protected.",
            ),
            AccountReply::NotSaid => {
                f.write_str("Not said, for there may be a password in it; /say says anything.")
            }
        }
    }
}
