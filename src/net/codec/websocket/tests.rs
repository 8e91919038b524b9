//! Frames as clients send them, whole and in pieces.

use super::*;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A client's frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        len @ 0..126 => frame.push(MASKED | u8::try_from(len).unwrap()),
        len => {
            frame.push(MASKED + 126);
            frame.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// What comes of bytes that arrive in these pieces.
fn items(pieces: &[&[u8]]) -> Vec<String> {
    let mut decoder = Decoder::new(200);
    let mut items = Vec::new();
    for piece in pieces {
        let mut left = *piece;
        while let Some(item) = decoder.next(&mut left) {
            items.push(match item {
                Item::Line(line, _) => format!("line {}", str::from_utf8(line).unwrap()),
                Item::Answer(pong) => format!("pong {}", str::from_utf8(&pong[2..]).unwrap()),
                Item::Close(code) => format!("close {code}"),
                Item::Malformed(code) => format!("malformed {code}"),
                Item::Bulk => "bulk".to_owned(),
                item => panic!("{item:?}"),
            });
        }
        assert!(left.is_empty());
    }
    items
}

#[test]
fn the_examples_of_the_rfc_are_understood() {
    let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(items(&[&hello]), ["line Hello"]);
    let ping = [0x89, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    assert_eq!(items(&[&ping]), ["pong Hello"]);
    let mut written = Vec::new();
    write_text("Hello", &mut written);
    assert_eq!(written, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
    assert_eq!(control(PONG, b"Hello"), [0x8a, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
}

#[test]
fn the_same_items_come_of_every_split() {
    let mut bytes = frame(0x81, "grüße\nund mehr\r\n".as_bytes());
    bytes.extend(frame(0x01, b"in \xc3"));
    bytes.extend(frame(0x89, b"there?"));
    bytes.extend(frame(0x8a, b""));
    bytes.extend(frame(0x80, b"\xbc pieces"));
    let long = "x".repeat(200);
    bytes.extend(frame(0x81, format!("{long}\r\n{long}\r").as_bytes()));
    bytes.extend(frame(0x81, b"one\n"));
    bytes.extend(frame(0x81, b""));
    bytes.extend(frame(0x88, b"\x03\xe9bye"));
    bytes.extend(b"whatever follows");
    let long = format!("line {long}");
    let wanted = [
        "line grüße",
        "line und mehr",
        "pong there?",
        "line in ü pieces",
        &long,
        &long,
        "line one",
        "line ",
        "close 1001",
    ];
    for at in 0..=bytes.len() {
        let (start, rest) = bytes.split_at(at);
        assert_eq!(items(&[start, rest]), wanted, "split at {at}");
    }
    assert_eq!(items(&bytes.chunks(1).collect::<Vec<_>>()), wanted);
}

#[test]
fn what_breaks_the_rules_is_named_by_a_code() {
    let cases: [(&[u8], u16); 20] = [
        (&[0x81, 0x05], 1002),                     // not masked
        (&frame(0xc1, b"x"), 1002),                // a reserved bit
        (&frame(0x83, b"x"), 1002),                // a reserved opcode
        (&frame(0x8b, b"x"), 1002),                // and one of a control frame
        (&frame(0x80, b"x"), 1002),                // goes on with nothing
        (&frame(0x09, b"x"), 1002),                // a control frame in pieces
        (&[0x89, 0xfe, 0, 126], 1002),             // a control frame that is too long
        (&[0x81, 0xfe, 0, 125, 0, 0, 0, 0], 1002), // a length in too many bytes
        (&[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0], 1002),
        (&[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 1002),
        (&frame(0x82, b"x"), 1003), // binary
        (&frame(0x81, b"\xff"), 1007),
        (&frame(0x81, b"\xed\xa0\x80"), 1007),
        (&frame(0x81, b"\xc3\n\xbc"), 1007),
        (&frame(0x88, b"\x03"), 1002),     // half a code
        (&frame(0x88, b"\x03\xed"), 1002), // 1005 is never sent
        (&frame(0x88, b"\x03\xe8\xff"), 1007),
        (&frame(0x81, &[b'x'; 201]), 1009),
        (&frame(0x81, &[[b'x'; 200].as_slice(), b"\r\r\n"].concat()), 1009),
        (&frame(0x81, &[[b'x'; 200].as_slice(), b"\rx"].concat()), 1009),
    ];
    for (bytes, code) in cases {
        let item = format!("malformed {code}");
        assert_eq!(items(&[bytes]), [&*item], "{bytes:x?}");
        assert_eq!(items(&bytes.chunks(1).collect::<Vec<_>>()), [&*item], "{bytes:x?}");
    }
    let twice = [frame(0x01, b"x"), frame(0x81, b"y")].concat();
    assert_eq!(items(&[&twice]), ["malformed 1002"]);
    assert_eq!(items(&[&frame(0x88, b"")]), ["close 1000"]);
}

#[test]
fn a_flood_of_frames_that_are_no_line_is_paid_for() {
    let empty = frame(0x00, b"").repeat(400);
    let bytes = [frame(0x01, b"a"), empty, frame(0x80, b"b")].concat();
    assert_eq!(items(&[&bytes]), ["bulk", "bulk", "line ab"]);
}

#[test]
fn nothing_is_remembered_between_messages() {
    let mut decoder = Decoder::new(200);
    assert!(decoder.is_new());
    let bytes = [frame(0x01, b"a"), frame(0x80, b"b"), frame(0x8a, b"")].concat();
    let mut left = &bytes[..];
    while decoder.next(&mut left).is_some() {}
    assert!(decoder.is_new());
    let mut half = &bytes[..8];
    while decoder.next(&mut half).is_some() {}
    assert!(!decoder.is_new());
}

#[test]
fn lengths_are_written_in_as_few_bytes_as_there_can_be() {
    for (len, head) in [
        (125, vec![0x81, 125]),
        (126, vec![0x81, 126, 0, 126]),
        (65535, vec![0x81, 126, 0xff, 0xff]),
        (65536, vec![0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
    ] {
        let mut written = Vec::new();
        write_text(&"x".repeat(len), &mut written);
        assert_eq!((&written[..head.len()], written.len()), (&head[..], head.len() + len));
    }
    let reason = "ü".repeat(100);
    let close = close(1008, &reason);
    assert_eq!(close[..4], [0x88, 124, 0x03, 0xf0]);
    assert_eq!(&close[4..], "ü".repeat(61).as_bytes());
}
