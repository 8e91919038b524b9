//! The oracle of text: what a line becomes before it is read.

/// Trimmed, also of what does not show before the first word, and made of nothing but what can
/// be read.
pub(super) fn clean(line: &[u8]) -> String {
    let is_blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let start = line.iter().take_while(|byte| is_blank(byte)).count();
    let end = line[start..].iter().rev().take_while(|byte| is_blank(byte)).count();
    let bare = &line[start..line.len() - end];
    let text: String = String::from_utf8_lossy(bare).chars().map(clean_char).collect();
    text.trim_start_matches(is_unseen).to_owned()
}

fn is_unseen(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

/// Whether a clean text is nothing to look at.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(is_unseen)
}

fn clean_char(c: char) -> char {
    let code = u32::from(c);
    match code {
        9 => ' ',
        0..=31 => char::from_u32(0x2400 + code).expect("these are the pictures"),
        127 => '␡',
        _ if is_forbidden(c) => '\u{fffd}',
        _ => c,
    }
}

/// What must never reach anybody, line endings aside.
pub(super) fn is_forbidden(c: char) -> bool {
    let code = u32::from(c);
    c.is_control() || [0x2028, 0x2029].contains(&code) || is_bidi(code)
}

fn is_bidi(code: u32) -> bool {
    (0x202a..=0x202e).contains(&code) || (0x2066..=0x2069).contains(&code)
}
