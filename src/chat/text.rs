//! Sanitises what users type: the result can be shown on any terminal safely.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// The most combining marks on one character: enough for every script and joined emoji, and too
/// few to cover the lines above.
const MARKS_MAX: usize = 8;

/// Trims spaces and tabs.
pub(super) fn trim(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

/// Makes text that cannot move a cursor, change a colour or change the direction of writing.
/// Invalid UTF-8 is replaced, control characters become visible symbols, a tab becomes a space,
/// and too many combining marks are cut. Text that needs no change is borrowed. The result is at
/// most three times as long.
pub(super) fn sanitise(line: &[u8]) -> Cow<'_, str> {
    // A check first is quicker than a search for what has to be replaced.
    let text = str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed);
    // Most lines are plain, which shows without looking at each character by itself.
    if line.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~')) {
        return text;
    }
    let mut heap = Heap::default();
    if !text.contains(|c| is_forbidden(c) || !heap.has_room(c)) {
        return text;
    }
    let mut heap = Heap::default();
    Cow::Owned(text.chars().map(picture).filter(|c| heap.has_room(*c)).collect())
}

/// The number of marks on the current character.
#[derive(Default)]
struct Heap(usize);

impl Heap {
    fn has_room(&mut self, c: char) -> bool {
        let is_mark = !c.is_ascii() && c.width() == Some(0);
        self.0 = if is_mark { self.0 + 1 } else { 0 };
        self.0 <= MARKS_MAX
    }
}

/// Trims invisible characters at the start, so that they do not turn a command into speech.
/// Blanks used in pictures made of letters stay.
pub(super) fn trim_unseen(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || is_ignorable(c))
}

/// Whether a text shows nothing.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// `Default_Ignorable_Code_Point`, of Unicode 17.
pub(super) fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character shows nothing.
pub(super) fn is_invisible(c: char) -> bool {
    // An empty braille cell, annotation anchors, a Khitan filler, a note without a head, and
    // hieroglyph joiners and blanks.
    let is_empty = matches!(c,
        '\u{2800}' | '\u{fff9}'..='\u{fffb}' | '\u{16fe4}' | '\u{1d159}'
        | '\u{13430}'..='\u{13442}');
    is_ignorable(c) || is_empty
}

/// Whether a trimmed line begins with a control or invisible character. It may be a command that
/// was typed after it.
pub(super) fn starts_unseen(line: &[u8]) -> bool {
    // CSI and SS3 as terminals with eight bits send them for a key. What follows is a letter or
    // a digit, which these bytes are no part of in any text.
    if let [0x8f | 0x9b, b' '..=b'~', ..] = line {
        return true;
    }
    let start = &line[..line.len().min(4)];
    let first = start.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
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
    fn marks_of_a_character_stay_and_excess_marks_are_cut() {
        for whole in [
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
            "👩🏽\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👨🏿",
            "ที่นี่ กำลัง",
            "क\u{94d}\u{200d}ष हिन्दी",
            "בְּרֵאשִׁ֖ית",
            "\u{1112}\u{1161}\u{11ab}",
            "⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⢀⣀",
            "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}x",
        ] {
            assert_eq!(sanitise(whole.as_bytes()), whole);
        }
        for mark in ['\u{301}', '\u{488}', '\u{e34}', '\u{200b}', '\u{fe0f}', '\u{e0041}'] {
            let marks = |count: usize| mark.to_string().repeat(count);
            let line = format!("a{}b{}", marks(300), marks(9));
            assert_eq!(sanitise(line.as_bytes()), format!("a{0}b{0}", marks(8)));
        }
        let (mixed, left) = ("\u{301}\u{200d}".repeat(9), "\u{301}\u{200d}".repeat(4));
        assert_eq!(sanitise(format!("\x1b{mixed}").as_bytes()), format!("␛{left}"));
    }

    #[test]
    fn invisible_characters_before_a_line_are_trimmed() {
        assert_eq!(trim_unseen("\u{200b}\u{a0}\u{3000}\u{e0041}/msg bob hi"), "/msg bob hi");
        for text in ["⠀⠀⣀", "a\u{200b}", "\u{301}", "␛"] {
            assert_eq!(trim_unseen(text), text);
        }
    }

    #[test]
    fn invisible_text_is_blank() {
        let nothing = "\u{3164}\u{200b}\u{e0041}\u{2800}\u{ad}\u{a0}\u{2003}\u{3000}\u{115f}\u{ffa0}\
            \u{feff}\u{2060}\u{2063}\u{180e}\u{fe0f}\u{200d}\u{e0100}\u{1d159}\u{13441}\u{fffa}";
        assert!(is_blank("") && is_blank(nothing));
        for c in nothing.chars() {
            assert!(is_blank(&c.to_string()), "{c:?}");
            assert!(!is_blank(&format!("{c}.{c}")), "{c:?}");
        }
        for text in ["a", "\u{301}", "⠁", "👩", "ㅎ", "\u{fffd}", "␛"] {
            assert!(!is_blank(text), "{text}");
        }
    }

    #[test]
    fn control_characters_become_visible() {
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
    fn invisible_characters_before_the_first_word_are_noticed() {
        for line in ["\x1a/x", "\x04 x", "\x1b/x", "\u{9b}x", "\u{200b}/x", "\u{feff}/x"] {
            assert!(starts_unseen(line.as_bytes()), "{line:?}");
        }
        for line in ["x\x1a", "/x", "", "é", "␛", "🦀"] {
            assert!(!starts_unseen(line.as_bytes()), "{line:?}");
        }
        assert!(starts_unseen(b"\x9bA/x") && starts_unseen(b"\x8fPx"));
        for line in [&b"\xe9t\xe9"[..], b"\x8f\xe0\xa8\xa2\xa5\xe2", b"\x93quoted\x94", b"\x9b"] {
            assert!(!starts_unseen(line), "{line:?}");
        }
    }

    #[test]
    fn sanitising_twice_changes_nothing_and_text_grows_at_most_threefold() {
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
