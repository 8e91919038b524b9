//! The arguments of commands: words, names, texts and times.

use std::time::Duration;

use crate::chat::password::Secret;
use crate::chat::text::is_blank;

/// Ten years. For longer an operator can leave the time out.
const TIME_MAX: Duration = Duration::from_hours(10 * 366 * 24);

/// The first word, and what follows the one space after it. Keyboards also produce no-break and
/// ideographic spaces, which count as spaces.
pub(in crate::chat) fn split_word(line: &str) -> (&str, &str) {
    line.split_once(char::is_whitespace).unwrap_or((line, ""))
}

/// The rest of a line, if it is one word or empty.
pub(super) fn at_most_a_word(rest: &str) -> Option<&str> {
    Some(rest.trim()).filter(|word| !word.contains(char::is_whitespace))
}

/// The rest of a line, if it is one word.
pub(super) fn one_word(rest: &str) -> Option<&str> {
    at_most_a_word(rest).filter(|word| !word.is_empty())
}

/// The rest of a line, unless it is blank.
pub(super) fn text(rest: &str) -> Option<&str> {
    Some(rest).filter(|rest| !is_blank(rest))
}

pub(super) fn on_or_off(rest: &str) -> Option<bool> {
    let word = one_word(rest)?;
    let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
    (is("on") || is("off")).then(|| is("on"))
}

/// A number of lines; 20, if there is none.
pub(super) fn count(rest: &str) -> Option<usize> {
    match at_most_a_word(rest)? {
        "" => Some(20),
        word => word.parse().ok().filter(|count| *count > 0),
    }
}

/// A name, and perhaps its password: all that follows one space.
pub(super) fn name_and_password(rest: &str) -> Option<(&str, Option<Secret<'_>>)> {
    let (name, password) = split_word(rest.trim_start().trim_end_matches(' '));
    let password = Some(Secret(password)).filter(|_| !password.is_empty());
    Some((name, password)).filter(|_| !name.is_empty())
}

/// A password: all that follows one space.
pub(super) fn password(rest: &str) -> Option<Secret<'_>> {
    Some(Secret(rest)).filter(|_| !rest.is_empty())
}

/// A user, and the text after one space. Further spaces belong to the text.
pub(super) fn name_and_text(rest: &str) -> Option<(&str, &str)> {
    let (word, text) = split_word(rest.trim_start());
    let name = addressee(word);
    Some((name, text)).filter(|_| !name.is_empty() && !is_blank(text))
}

/// The name in `bob`, `@bob` or `bob:`.
pub(super) fn addressee(word: &str) -> &str {
    word.strip_prefix('@').unwrap_or(word).trim_end_matches([':', ','])
}

/// Whom an operator's command is about, and the rest, without the spaces around it.
pub(super) fn target_and_rest(rest: &str) -> Option<(&str, &str)> {
    let (target, rest) = split_word(rest.trim());
    Some((target, rest.trim_start())).filter(|_| !target.is_empty())
}

/// An optional time, and the text after it; `for 2h` is one, too. A word that begins with a digit
/// must be a time: a mistyped one must not become a reason, and the ban be for good. The error is
/// that word.
pub(super) fn time_and_text(text: &str) -> Result<(Option<Duration>, &str), &str> {
    let is_number = |text: &str| {
        text.trim_start_matches(|c: char| !c.is_alphanumeric()).starts_with(char::is_numeric)
    };
    let (first, rest) = match split_word(text) {
        (word, rest) if word.eq_ignore_ascii_case("for") && is_number(rest) => {
            split_word(rest.trim_start())
        }
        words => words,
    };
    if !is_number(first) {
        return Ok((None, text));
    }
    let time = time(first).filter(|time| !time.is_zero() && *time <= TIME_MAX);
    Ok((Some(time.ok_or(first)?), rest.trim_start()))
}

/// `10m`, `2h`, `7d`: a number and its unit.
fn time(word: &str) -> Option<Duration> {
    let (at, unit) = word.char_indices().last()?;
    let worth = match unit.to_ascii_lowercase() {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        'w' => 7 * 24 * 3600,
        _ => return None,
    };
    let digits = Some(&word[..at]).filter(|digits| !digits.starts_with('+'))?;
    Some(Duration::from_secs(digits.parse::<u64>().ok()?.checked_mul(worth)?))
}
