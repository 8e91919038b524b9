//! Commands with passwords in them, and lines that look as if they were such.

use crate::chat::command::{Entry, Mistake, entry, find, help_on, split_word};
use crate::chat::name;
use crate::chat::password::{MIN, Secret};

/// What somebody wants with the name that it bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum Wish<'a> {
    Register(Secret<'a>),
    Passwd(Secret<'a>),
    Unregister(Secret<'a>),
    HelpOn(&'static Entry),
}

static TABLE: [Entry; 3] = [
    entry("register", "/register PASSWORD", "have your name protected"),
    entry("passwd", "/passwd NEW", "another password for your name"),
    entry("unregister", "/unregister PASSWORD", "have it protected no longer"),
];

/// What `/help` says, behind the rest, where there are accounts.
pub(in crate::chat) const HELP: &str =
    "Accounts: /register PASSWORD, /nick NAME PASSWORD, /passwd NEW, /unregister PASSWORD";

impl<'a> Wish<'a> {
    /// Reads a sanitised line that is none of the other commands. `None`: it is none of
    /// these either. A password is all that follows one space.
    pub(super) fn parse(line: &'a str) -> Option<Result<Wish<'a>, Mistake<'a>>> {
        let (name, rest) = split_word(line.strip_prefix('/')?);
        if let Some(entry) = help_on(&TABLE, name, rest) {
            return Some(Ok(Wish::HelpOn(entry)));
        }
        let entry = find(&TABLE, name)?;
        let secret = Secret(rest);
        Some(match entry.name {
            _ if rest.is_empty() => Err(Mistake::Usage(entry.usage)),
            "register" => Ok(Wish::Register(secret)),
            "passwd" => Ok(Wish::Passwd(secret)),
            _ => Ok(Wish::Unregister(secret)),
        })
    }
}

/// Whether a line that would be speech is one of these commands without its slash, with
/// what looks like a password. (`REGISTER` is never speech.)
pub(in crate::chat) fn looks_secret(line: &str) -> bool {
    let (word, rest) = split_word(line);
    let is = |command: &str| word.eq_ignore_ascii_case(command);
    if is("passwd") || is("unregister") {
        return !rest.is_empty();
    }
    let (name, password) = split_word(rest.trim_start_matches(' '));
    is("nick") && name::check(name) != Err(name::Unfit::Shape) && password.len() >= MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_all_that_follows() {
        let cases = [
            ("/register hunter22", Ok(Wish::Register(Secret("hunter22")))),
            ("/PASSWD two  words ", Ok(Wish::Passwd(Secret("two  words ")))),
            ("/unregister x", Ok(Wish::Unregister(Secret("x")))),
            ("/register", Err(Mistake::Usage("/register PASSWORD"))),
            ("/passwd", Err(Mistake::Usage("/passwd NEW"))),
        ];
        for (line, wish) in cases {
            assert_eq!(Wish::parse(line), Some(wish), "{line}");
        }
        for line in ["/regist x", "register x", "/help", "/help nick", "/"] {
            assert_eq!(Wish::parse(line), None, "{line}");
        }
        assert_eq!(Wish::parse("/help passwd"), Some(Ok(Wish::HelpOn(&TABLE[1]))));
    }

    #[test]
    fn a_forgotten_slash_is_noticed() {
        for line in ["passwd hunter22", "Unregister me", "nick ann hunter22", "NICK  ann a b c d e"]
        {
            assert!(looks_secret(line), "{line}");
        }
        for line in [
            "passwd",
            "password hunter22",
            "nick ann",
            "nick of time is what it is",
            "nickel and dime store",
        ] {
            assert!(!looks_secret(line), "{line}");
        }
    }
}
