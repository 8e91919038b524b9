//! Lines that may be a mistyped command with a password in it.

use super::arguments::{one_word, split_word};
use crate::chat::name::{self, Unfit};
use crate::chat::password::MIN;
use crate::chat::text::{is_ignorable, is_invisible};

/// Commands with a password behind them, and commands behind which users type one from habit.
const COMMANDS: [&str; 5] = ["protect", "passwd", "unprotect", "register", "unregister"];

/// Words before a password in other chats, in games and on mail servers.
const HABITS: [&str; 11] = [
    "identify",
    "login",
    "logon",
    "auth",
    "pass",
    "password",
    "passphrase",
    "pw",
    "oper",
    "ghost",
    "connect",
];

/// The services of IRC that users tell their passwords to.
const SERVICES: [&str; 2] = ["nickserv", "ns"];

/// Slashes and control characters of a line that are looked behind: more than a slip of the finger
/// leaves in it.
const PLACES: usize = 32;

/// Whether a line that would be said may be a command with a secret whose slash was forgotten or
/// mistyped.
pub(in crate::chat) fn looks_secret(line: &str) -> bool {
    is_command(from_command(line)) || has_command(line) || is_slip(line) || is_habit(line)
}

fn is_command(line: &str) -> bool {
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

/// Whether a text is one word that may be a password, and not the `PASSWORD` of the help.
fn is_long_word(text: &str) -> bool {
    one_word(text).is_some_and(|word| word.len() >= MIN && word != "PASSWORD")
}

/// Whether a command stands further on in the line: after other words, with its slash and with
/// nothing behind its password; or right after what a key sent. Right behind a word, as in the
/// address of a page, what follows the command has to be like a password.
fn has_command(line: &str) -> bool {
    line.match_indices(is_between).take(PLACES).any(|(at, between)| {
        let rest = &line[at + between.len()..];
        if between.starts_with(is_key) {
            return is_command(rest.strip_prefix('/').unwrap_or(rest));
        }
        let is_apart = line[..at].ends_with(char::is_whitespace);
        let is_password = if is_apart { is_long_word } else { ends_like_password };
        COMMANDS.iter().any(|it| rest_after(it, rest).is_some_and(is_password))
            || rest_after("nick", rest).is_some_and(|it| is_password(split_word(it).1))
    })
}

/// Whether the first word is a command with one letter wrong, or with what a key sent before it,
/// and what follows is like a password.
fn is_slip(line: &str) -> bool {
    let (word, rest) = split_word(line);
    let is_near = |command: &str| {
        word.len() <= command.len() + 1
            && strsim::damerau_levenshtein(&word.to_lowercase(), command) == 1
    };
    ends_like_password(rest)
        && (word.ends_with("EGISTER")
            || COMMANDS.into_iter().any(is_near)
            || (one_word(rest).is_none() && is_near("nick")))
}

/// Whether the line is how a password is told elsewhere, such as `nickserv identify …`. Without a
/// service's name, what follows has to be like a password: people also say `login` and `pass`.
fn is_habit(line: &str) -> bool {
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    let line = rest_after("msg", line).unwrap_or(line);
    let to_service = SERVICES.iter().find_map(|it| rest_after(it, line));
    let line = to_service.unwrap_or(line);
    let rest = HABITS.iter().chain(&COMMANDS).find_map(|it| rest_after(it, line));
    rest.is_some_and(
        |it| {
            if to_service.is_some() { !it.is_empty() } else { ends_like_password(it) }
        },
    )
}

/// Whether a text is one word like a password (long enough, with letters and digits), or a name and
/// such a word.
fn ends_like_password(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let last = words.next().map(|first| words.next().unwrap_or(first));
    let is_like = |word: &str| {
        word.len() >= MIN
            && word.contains(|c: char| c.is_ascii_digit())
            && word.contains(char::is_alphabetic)
    };
    last.is_some_and(is_like) && words.next().is_none()
}

/// The line from where a command may begin.
fn from_command(line: &str) -> &str {
    let trim = |text| str::trim_start_matches(text, |c: char| !c.is_alphanumeric());
    let line = trim(line);
    let (word, rest) = split_word(line);
    // A prompt that was copied from a page together with the command.
    let is_prompt = word.ends_with(['>', '$', '#', '%', ')', ']', '.']);
    if is_prompt && rest.trim_start().starts_with('/') {
        return trim(rest);
    }
    // What a key sent, or letters that were typed before, may stand before a command in one word.
    trim(&line[word.rfind(is_between).unwrap_or(0)..])
}

/// A slash, or what is shown for a control character or for invalid UTF-8.
fn is_between(c: char) -> bool {
    is_key(c) || matches!(c, '/' | '\\' | char::REPLACEMENT_CHARACTER)
}

/// What is shown for a control character.
fn is_key(c: char) -> bool {
    matches!(c, '\u{2400}'..='\u{2421}')
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
            "type /protect PASSWORD",
            "create table users42",
            "see example.org/register tomorrow",
            "see example.org/protect or example.org/nick",
            "use /protect with a password, or /nick alone",
            "either /or protect everybody",
            "protests everywhere",
            "kick ann",
            "identify yourself",
            "login page is slow",
            "pass the salt and pepper, agent007",
            "connect to 127.0.0.1:1337",
            "nickserv is not here",
            "ns records for example.org",
        ] {
            assert!(!looks_secret(line), "{line}");
        }
    }

    #[test]
    fn a_password_behind_other_text_or_told_as_elsewhere_is_noticed() {
        for line in [
            "/protect hunter22",
            "//protect correct horse",
            "hello everybody\u{2415}/protect correct horse",
            "a b\u{2403}nick ann pw",
            "oh no /protect correcthorse",
            "I mean /nick ann correcthorse",
            "hi there/protect hunter22",
            "hi there/nick ann hunter22",
            "protcet hunter22",
            "Regsiter ann hunter22",
            "nikc ann hunter22",
            "[1;5CREGISTER ann hunter22",
            "EGISTER ann hunter22",
            "nickserv identify pw",
            "NickServ: IDENTIFY ann pw",
            "msg nickserv register pw a@example.org",
            "@ns identify pw",
            "identify hunter22",
            "login ann hunter22",
            "pw: hunter22",
            "password ann hunter22",
            "connect ann hunter22",
        ] {
            assert!(looks_secret(line), "{line}");
        }
    }
}
