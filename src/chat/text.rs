//! What a user types becomes text that can do nothing but be read.

use std::borrow::Cow;

/// A line without the spaces and tabs around it.
pub(super) fn trim(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

/// Bytes as text that cannot move a cursor, change a colour or turn the direction of
/// writing: invalid UTF-8 is replaced, a control character becomes its picture, a tab a
/// space. What is left alone is borrowed. At most three times as long as before.
pub(super) fn sanitise(line: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(line);
    match text.find(is_forbidden) {
        None => text,
        Some(_) => Cow::Owned(text.chars().map(picture).collect()),
    }
}

/// Whether a trimmed line begins with what only a key could have sent, or what nobody sees: what
/// was meant as a command may follow.
pub(super) fn starts_unseen(line: &[u8]) -> bool {
    let first = line.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    first.is_some_and(|c| is_forbidden(c) || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}'))
}

fn is_forbidden(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{2028}' | '\u{2029}'
        | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn picture(c: char) -> char {
    match c {
        '\t' => ' ',
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).expect("U+2400 to U+241F exist"),
        '\x7f' => '\u{2421}',
        _ if is_forbidden(c) => char::REPLACEMENT_CHARACTER,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_tabs_around_a_line_go_and_those_inside_stay() {
        assert_eq!(trim(b" \t a \t b\t "), b"a \t b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b"\ra"), b"\ra");
    }

    #[test]
    fn ordinary_text_is_borrowed() {
        let line = "Grüße, 你好, 👩‍👩‍👧, می‌خواهم";
        assert!(matches!(sanitise(line.as_bytes()), Cow::Borrowed(text) if text == line));
    }

    #[test]
    fn what_could_do_something_becomes_what_can_only_be_read() {
        let cases: [(&[u8], &str); 8] = [
            (b"\x1b[31mred", "␛[31mred"),
            (b"bell\x07", "bell␇"),
            (b"a\rb", "a␍b"),
            (b"a\tb", "a b"),
            (b"a\x7fb", "a␡b"),
            ("a\u{85}\u{9b}b".as_bytes(), "a\u{fffd}\u{fffd}b"),
            ("\u{202e}evil\u{2066}\u{2028}".as_bytes(), "\u{fffd}evil\u{fffd}\u{fffd}"),
            (b"caf\xe9 \xff\xfe", "caf\u{fffd} \u{fffd}\u{fffd}"),
        ];
        for (line, text) in cases {
            assert_eq!(sanitise(line), text);
        }
    }

    #[test]
    fn what_nobody_sees_before_the_first_word_is_noticed() {
        for line in ["\x1a/x", "\x04 x", "\x1b/x", "\u{9b}x", "\u{200b}/x", "\u{feff}/x"] {
            assert!(starts_unseen(line.as_bytes()), "{line:?}");
        }
        for line in ["x\x1a", "/x", "", "é", "␛", "🦀"] {
            assert!(!starts_unseen(line.as_bytes()), "{line:?}");
        }
        assert!(!starts_unseen(b"\xe9t\xe9"));
    }

    #[test]
    fn a_second_time_changes_nothing_and_nothing_grows_beyond_three_times() {
        let pieces: [&[u8]; 9] = [
            b"a",
            b"\0",
            b"\x1b",
            b"\t",
            "\u{9b}".as_bytes(),
            "é👩\u{200d}".as_bytes(),
            b"\xe2\x80",
            b"\xae",
            b"\xff",
        ];
        arbtest::arbtest(|u| {
            let mut line: Vec<u8> = u.arbitrary()?;
            for _ in 0..u.int_in_range(0..=20)? {
                line.extend_from_slice(u.choose::<&[u8]>(&pieces)?);
            }
            let once = sanitise(&line);
            assert!(!once.chars().any(is_forbidden), "{once:?}");
            assert!(once.len() <= 3 * line.len(), "{} of {}", once.len(), line.len());
            assert_eq!(sanitise(once.as_bytes()), once);
            Ok(())
        });
    }
}
