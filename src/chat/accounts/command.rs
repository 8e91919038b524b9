//! Commands with passwords in them, and lines that may be mistyped ones.

use crate::chat::command::{Entry, Mistake, entry, find, help_on, one_word, split_word};
use crate::chat::name::{self, Unfit};
use crate::chat::password::{MIN, Secret};

/// A command about the user's own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum AccountCommand<'a> {
    Protect(Secret<'a>),
    Passwd(Secret<'a>),
    Unprotect(Secret<'a>),
    /// `/register` and `/unregister`. They could mean one of the above, or `/nick`, so they only
    /// get a hint.
    Unclear,
    HelpOn(&'static Entry),
}

pub(in crate::chat) static TABLE: [Entry; 3] = [
    entry("protect", "/protect PASSWORD", "have your name protected"),
    entry("passwd", "/passwd NEW", "another password for your name"),
    entry("unprotect", "/unprotect PASSWORD", "have it protected no longer"),
];

/// Commands that users type from habit and that could mean a password or a name: they do nothing.
const UNCLEAR: [&str; 2] = ["register", "unregister"];

/// The lines of `/help` about accounts.
pub(in crate::chat) const HELP: &str =
    "Accounts: /protect PASSWORD, /nick NAME PASSWORD, /passwd NEW, /unprotect PASSWORD";

impl<'a> AccountCommand<'a> {
    /// Parses a sanitised line that is none of the other commands. `None`: it is none of these
    /// either. The password is all that follows one space.
    pub(super) fn parse(line: &'a str) -> Option<Result<AccountCommand<'a>, Mistake<'a>>> {
        let (name, rest) = split_word(line.strip_prefix('/')?);
        if let Some(entry) = help_on(&TABLE, name, rest) {
            return Some(Ok(AccountCommand::HelpOn(entry)));
        }
        if UNCLEAR.iter().any(|word| word.eq_ignore_ascii_case(name)) {
            return Some(Ok(AccountCommand::Unclear));
        }
        let entry = find(&TABLE, name)?;
        let secret = Secret(rest);
        Some(match entry.name {
            _ if rest.is_empty() => Err(Mistake::Usage(entry.usage)),
            "protect" => Ok(AccountCommand::Protect(secret)),
            "passwd" => Ok(AccountCommand::Passwd(secret)),
            _ => Ok(AccountCommand::Unprotect(secret)),
        })
    }
}

/// Whether a line that would be said may be a command with a secret whose slash was forgotten or
/// mistyped.
pub(in crate::chat) fn looks_secret(line: &str) -> bool {
    let (word, rest) = split_word(line.trim_start_matches(|c: char| !c.is_alphanumeric()));
    // What a key sent, or was typed before it, may stand before a command in the same word.
    let word = word.rsplit(is_between).next().unwrap_or(word);
    let (word, rest) = (word.trim_end_matches([':', ',', '=']), rest.trim_start());
    let is = |command: &str| word.eq_ignore_ascii_case(command);
    let is_long_word = |text: &str| one_word(text).is_some_and(|word| word.len() >= MIN);
    if TABLE.iter().any(|entry| is(entry.name)) || UNCLEAR.into_iter().any(is) {
        return !rest.is_empty();
    }
    if is("nick") {
        let (name, password) = split_word(rest);
        let is_password =
            !matches!(name::check(name), Err(Unfit::Shape(_))) || is_long_word(password);
        return is_password && !password.is_empty();
    }
    is("password") && is_long_word(rest)
}

/// A slash, or what a control character or half of one is shown as.
fn is_between(c: char) -> bool {
    matches!(c, '/' | '\\' | '\u{2400}'..='\u{2421}' | char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_all_that_follows() {
        let cases = [
            ("/protect hunter22", Ok(AccountCommand::Protect(Secret("hunter22")))),
            ("/PASSWD two  words ", Ok(AccountCommand::Passwd(Secret("two  words ")))),
            ("/unprotect x", Ok(AccountCommand::Unprotect(Secret("x")))),
            ("/protect", Err(Mistake::Usage("/protect PASSWORD"))),
            ("/passwd", Err(Mistake::Usage("/passwd NEW"))),
            ("/register", Ok(AccountCommand::Unclear)),
            ("/Register hunter22", Ok(AccountCommand::Unclear)),
            ("/unregister hunter22", Ok(AccountCommand::Unclear)),
        ];
        for (line, wish) in cases {
            assert_eq!(AccountCommand::parse(line), Some(wish), "{line}");
        }
        for line in ["/regist x", "protect x", "/help", "/help nick", "/"] {
            assert_eq!(AccountCommand::parse(line), None, "{line}");
        }
        assert_eq!(
            AccountCommand::parse("/help passwd"),
            Some(Ok(AccountCommand::HelpOn(&TABLE[1])))
        );
    }

    #[test]
    fn a_forgotten_slash_is_noticed() {
        for line in [
            "passwd hunter22",
            "Protect me",
            "unprotect hunter22",
            "unregister hunter22",
            ".passwd hunter22",
            "\\protect hunter22",
            "\u{2403}/protect hunter22",
            "> register hunter22",
            "password hunter22",
            "protect: hunter22",
            "protect\u{a0}hunter22",
            "nick ann hunter22",
            "nick ann x",
            "nick änn hunter22",
            "nick admin hunter22",
            "NICK  ann a b c d e",
            "x\u{241a}/protect hunter22",
            "ab\u{2401}register ann hunter22",
            "\u{fffd}A/nick ann hunter22",
        ] {
            assert!(looks_secret(line), "{line}");
        }
        for line in [
            "passwd",
            "protection money",
            "password managers are fine",
            "nick ann",
            "either/or protect us",
            "write-protect it",
            "a\u{241a} b",
            "nick of time is what it is",
            "nickel and dime store",
        ] {
            assert!(!looks_secret(line), "{line}");
        }
    }
}
