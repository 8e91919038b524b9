//! Lines that may be a mistyped command with a password in it.

use super::arguments::{one_word, split_word};
use crate::chat::name::{self, Unfit};
use crate::chat::password::MIN;
use crate::chat::text::{is_ignorable, is_invisible};

/// Commands that a password follows, or from habit may.
const COMMANDS: [&str; 5] = ["protect", "passwd", "unprotect", "register", "unregister"];

/// Whether a line that would be said may be a command with a secret whose slash was forgotten or
/// mistyped.
pub(in crate::chat) fn looks_secret(line: &str) -> bool {
    let line = from_command(line);
    let is_long_word = |text: &str| one_word(text).is_some_and(|word| word.len() >= MIN);
    if COMMANDS.iter().any(|command| rest_after(command, line).is_some_and(|it| !it.is_empty())) {
        return true;
    }
    if let Some(rest) = rest_after("nick", line) {
        let (name, password) = split_word(rest);
        let is_password =
            !matches!(name::check(name), Err(Unfit::Shape(_))) || is_long_word(password);
        return is_password && !password.is_empty();
    }
    rest_after("password", line).is_some_and(is_long_word)
}

/// The line from where a command may begin.
fn from_command(line: &str) -> &str {
    let trim = |text| str::trim_start_matches(text, |c: char| !c.is_alphanumeric());
    let line = trim(line);
    let (word, rest) = split_word(line);
    // A prompt, copied from a page with what is typed there.
    let is_prompt = word.ends_with(['>', '$', '#', '%', ')', ']', '.']);
    if is_prompt && rest.trim_start().starts_with('/') {
        return trim(rest);
    }
    // What a key sent, or was typed before it, may stand before a command in the same word.
    trim(&line[word.rfind(is_between).unwrap_or(0)..])
}

/// A slash, or what a control character or half of one is shown as.
fn is_between(c: char) -> bool {
    matches!(c, '/' | '\\' | '\u{2400}'..='\u{2421}' | char::REPLACEMENT_CHARACTER)
}

/// What follows a command that a line begins with: in any case, in letters of full width, and
/// with characters in it that nobody sees.
fn rest_after<'a>(command: &str, line: &'a str) -> Option<&'a str> {
    let mut rest = line;
    for letter in command.chars() {
        let mut chars = rest.trim_start_matches(is_ignorable).chars();
        if !half_width(chars.next()?).eq_ignore_ascii_case(&letter) {
            return None;
        }
        rest = chars.as_str();
    }
    let is_separator =
        |c: char| c.is_whitespace() || is_invisible(c) || matches!(c, ':' | ',' | '=');
    let text = rest.trim_start_matches(is_separator);
    (text.len() < rest.len()).then_some(text)
}

/// Letters of full width are what keyboards for Chinese and Japanese may send.
fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
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
            "passwd=hunter22",
            "pro\u{ad}tect hunter22",
            "protect\u{200b} hunter22",
            "protect\u{200b}hunter22",
            "protect\u{3164}hunter22",
            "／ｐｒｏｔｅｃｔ\u{3000}hunter22",
            "Ｎick\u{200b} ann hunter22",
            "ann> /protect hunter22",
            "[ann]  /nick ann hunter22",
        ] {
            assert!(looks_secret(line), "{line}");
        }
    }

    #[test]
    fn what_only_sounds_like_a_password_may_be_said() {
        for line in [
            "passwd",
            "protection money",
            "protect",
            "ann> protect hunter22",
            "bob: /nick NAME PASSWORD is the command",
            "ｎｉｃｅ evening everybody",
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
