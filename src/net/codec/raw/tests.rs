//! Which items come of which bytes, whatever the pieces.

use super::*;

const LINE_MAX: usize = 8;

/// What comes of bytes that arrive in these pieces, and then end.
fn items(mut raw: Raw, pieces: &[&[u8]]) -> Vec<String> {
    let mut items = Vec::new();
    let told = |item: Item<'_>| match item {
        Item::Line(line, ending) => format!("{} {ending:?}", line.escape_ascii()),
        item => format!("{item:?}"),
    };
    for piece in pieces {
        let mut left = *piece;
        while let Some(item) = raw.next(&mut left) {
            items.push(told(item));
            assert!(raw.held() <= LINE_MAX + 1);
        }
        assert!(left.is_empty());
    }
    items.extend(raw.finish().map(told));
    items
}

fn lines(pieces: &[&[u8]]) -> Vec<String> {
    items(Raw::lines(LINE_MAX, 16 * LINE_MAX), pieces)
}

fn messages(pieces: &[&[u8]]) -> Vec<String> {
    items(Raw::messages(LINE_MAX, 16 * LINE_MAX), pieces)
}

fn message(bytes: &[u8]) -> Vec<u8> {
    let mut framed = Vec::new();
    Ending::LengthPrefix.write(bytes, &mut framed);
    framed
}

#[test]
fn every_byte_of_a_line_is_left_alone() {
    assert_eq!(lines(&[b"a\x08b\x7f\n"]), [r"a\x08b\x7f Some(Lf)"]);
    assert_eq!(lines(&[b"\xff\xf4\0\x1b[A\n"]), [r"\xff\xf4\x00\x1b[A Some(Lf)"]);
    assert_eq!(lines(&[b"\xef\xbb\xbfa\r\r\n"]), [r"\xef\xbb\xbfa\r Some(CrLf)"]);
    assert_eq!(lines(&[b"\n\r\nend"]), [" Some(Lf)", " Some(CrLf)", "end None"]);
}

#[test]
fn a_line_may_be_as_long_as_the_limit_and_a_cr() {
    assert_eq!(lines(&[b"12345678\r\n"]), ["12345678 Some(CrLf)"]);
    assert_eq!(lines(&[b"123456789\nx\n"]), ["TooLong", "x Some(Lf)"]);
    assert_eq!(lines(&[b"1234567890\nx\n"]), ["TooLong", "Discarded(Lf)", "x Some(Lf)"]);
    assert_eq!(lines(&[b"123456789"]), ["TooLong"]);
    assert_eq!(lines(&[&[b'x'; 16 * LINE_MAX + 1]]), ["TooLong", "Endless"]);
}

#[test]
fn messages_may_hold_anything_and_half_a_one_is_none() {
    let bytes = [message(b"a\r\n\0\xff"), message(b""), message(b"12345678")].concat();
    let ending = "Some(LengthPrefix)";
    let whole = [r"a\r\n\x00\xff", "", "12345678"].map(|text| format!("{text} {ending}"));
    assert_eq!(messages(&[&bytes]), whole);
    assert_eq!(messages(&[&bytes[..bytes.len() - 1]]), whole[..2]);
}

#[test]
fn a_message_that_is_too_long_is_skipped_and_one_far_too_long_is_the_end() {
    let bytes = [message(&[b'x'; LINE_MAX + 1]), message(b"y")].concat();
    let skipped = ["TooLong", "Discarded(LengthPrefix)", "y Some(LengthPrefix)"];
    assert_eq!(messages(&[&bytes]), skipped);
    assert_eq!(messages(&[&message(&[b'x'; 16 * LINE_MAX + 1])]), ["Endless"]);
}

#[test]
fn what_comes_without_an_end_is_paid_for() {
    let bulk =
        |raw: Raw, bytes: &[u8]| items(raw, &[bytes]).iter().filter(|item| *item == "Bulk").count();
    assert_eq!(bulk(Raw::lines(LINE_MAX, 4 * KIB), &[b'x'; 3 * KIB + 1]), 3);
    let long = message(&[b'x'; 3 * KIB + 1]);
    assert_eq!(bulk(Raw::messages(LINE_MAX, 4 * KIB), &long), 3);
}

#[test]
fn the_same_items_come_of_every_split() {
    arbtest::arbtest(|u| {
        let mut bytes = Vec::new();
        for _ in 0..u.int_in_range(1..=6)? {
            let len = u.int_in_range(0..=LINE_MAX + 2)?;
            let part: Vec<u8> =
                (0..len).map(|_| u.choose(b"\r\n\0\xffab").copied()).collect::<Result<_, _>>()?;
            bytes.extend(message(&part));
        }
        let mut pieces: Vec<&[u8]> = Vec::new();
        let mut left = &bytes[..];
        while !left.is_empty() {
            let (piece, rest) = left.split_at(u.int_in_range(1..=left.len())?);
            pieces.push(piece);
            left = rest;
        }
        assert_eq!(messages(&pieces), messages(&[&bytes]));
        assert_eq!(lines(&pieces), lines(&[&bytes]));
        Ok(())
    });
}
