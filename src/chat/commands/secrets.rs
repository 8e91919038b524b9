//! Lines that may be a mistyped command with a password in it.

use super::arguments::{one_word, split_word};
use crate::chat::name::{self, Unfit};
use crate::chat::password::MIN;

/// Commands that a password follows, or from habit may.
const COMMANDS: [&str; 5] = ["protect", "passwd", "unprotect", "register", "unregister"];

/// Whether a line that would be said may be a command with a secret whose slash was forgotten or
/// mistyped.
pub(in crate::chat) fn looks_secret(line: &str) -> bool {
    let (word, rest) = split_word(line.trim_start_matches(|c: char| !c.is_alphanumeric()));
    // What a key sent, or was typed before it, may stand before a command in the same word.
    let word = word.rsplit(is_between).next().unwrap_or(word);
    let (word, rest) = (word.trim_end_matches([':', ',', '=']), rest.trim_start());
    let is = |command: &str| word.eq_ignore_ascii_case(command);
    let is_long_word = |text: &str| one_word(text).is_some_and(|word| word.len() >= MIN);
    if COMMANDS.into_iter().any(is) {
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
