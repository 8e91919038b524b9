//! What any connection may be sent, written from the protocol's page alone.

use chinwag::Ending;

/// What a connection was sent, taken apart.
pub struct Sent<'a> {
    /// Whole lines, and how they ended.
    pub lines: Vec<(&'a str, Ending)>,
    /// Answers to telnet questions, which stand between lines.
    pub answers: Vec<[u8; 3]>,
    /// The start of a line or of an answer, at the end.
    pub unfinished: &'a [u8],
}

/// Takes apart what was sent, and checks each byte of it.
///
/// # Panics
///
/// If anything in there may not be sent to anybody.
#[must_use]
pub fn take_apart(mut bytes: &[u8]) -> Sent<'_> {
    let mut sent = Sent { lines: Vec::new(), answers: Vec::new(), unfinished: b"" };
    loop {
        if let [0xff, rest @ ..] = bytes {
            let Some(option) = rest.get(1) else { break };
            assert!([0xfc, 0xfe].contains(&rest[0]), "no answer: {:x?}", &bytes[..3]);
            sent.answers.push([0xff, rest[0], *option]);
            bytes = &rest[2..];
            continue;
        }
        let Some(end) = bytes.iter().position(|byte| [b'\n', 0].contains(byte)) else { break };
        let (line, ending) = match &bytes[..end] {
            [line @ .., b'\r'] if bytes[end] == b'\n' => (line, Ending::CrLf),
            line if bytes[end] == b'\n' => (line, Ending::Lf),
            line => (line, Ending::Nul),
        };
        sent.lines.push((text(line), ending));
        bytes = &bytes[end + 1..];
    }
    sent.unfinished = bytes;
    if bytes.first() != Some(&0xff) {
        check_start(bytes);
    }
    sent
}

/// A line's text.
fn text(line: &[u8]) -> &str {
    let text =
        str::from_utf8(line).unwrap_or_else(|error| panic!("{error} in '{}'", line.escape_ascii()));
    assert!(text.chars().all(is_allowed), "something forbidden in {text:?}");
    text
}

/// Only what the cut has left incomplete may be wrong with the start of a line.
fn check_start(line: &[u8]) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match str::from_utf8(line) {
        Err(error) if error.error_len().is_none() => {
            text(&line[..error.valid_up_to()]);
        }
        _ => {
            text(line);
        }
    }
}

/// Whether a character may stand in a line: not if it could move a cursor, change a
/// colour, end a line or turn the direction of writing.
#[must_use]
pub fn is_allowed(c: char) -> bool {
    let is_separator = c == '\u{2028}' || c == '\u{2029}';
    let turns = ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    !c.is_control() && !is_separator && !turns
}

/// What is to become of a text that somebody typed.
#[must_use]
pub fn sanitised(typed: &[u8]) -> String {
    let shown = |c: char| match c {
        '\t' => ' ',
        '\u{7f}' => '␡',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or(c),
        _ if is_allowed(c) => c,
        _ => '\u{fffd}',
    };
    String::from_utf8_lossy(typed).chars().map(shown).collect()
}
