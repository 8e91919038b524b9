//! Frames come to the same lines and pongs as in tungstenite, and are refused where it refuses
//! them, whatever the pieces that they come in.
//!
//! The input: how many bytes of the last frame are missing, how the pieces are cut, and frames,
//! each with its first byte, how its length is written, whether it is masked, and its payload.
#![no_main]

use chinwag::testing::Stream;
use chinwag_fuzz::browser::{Outcome, UPGRADE, converse};
use chinwag_fuzz::decisions::Decisions;
use libfuzzer_sys::fuzz_target;
use tungstenite::error::Error;
use tungstenite::protocol::{Message, Role, WebSocket};

const FIRSTS: [u8; 8] = [0x81, 0x01, 0x00, 0x80, 0x89, 0x8a, 0x88, 0xff];
const BINARY: u8 = 2;
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// What clients send, and whether its last frame is one that only this server refuses: a binary
/// one, or one whose length is not written as short as may be.
struct Frames {
    bytes: Vec<u8>,
    /// Where that frame begins.
    refused: Option<usize>,
    is_cut: bool,
    has_lf: bool,
}

/// What became of them elsewhere.
#[derive(Default)]
struct Judged {
    lines: Vec<Vec<u8>>,
    pings: Vec<Vec<u8>>,
    end: Option<Error>,
    /// What it answered.
    written: Vec<u8>,
}

fuzz_target!(|input: &[u8]| {
    let mut decisions = Decisions::new(input);
    let (missing, cut) = (decisions.below(8), decisions.below(64) + 1);
    let frames = frames(decisions, missing);
    let all = [UPGRADE, &frames.bytes].concat();
    let ours = converse(&[&all]);
    for pieces in [1, cut] {
        let head = [UPGRADE];
        let pieces: Vec<&[u8]> = head.into_iter().chain(frames.bytes.chunks(pieces)).collect();
        assert_eq!(ours, converse(&pieces));
    }
    compare(&ours, &judge(&frames.bytes[..frames.refused.unwrap_or(frames.bytes.len())]), &frames);
});

fn frames(mut decisions: Decisions, missing: usize) -> Frames {
    let mut frames = Frames { bytes: Vec::new(), refused: None, is_cut: false, has_lf: false };
    while !decisions.is_over() && frames.refused.is_none() {
        let start = frames.bytes.len();
        let first = decisions.pick(&FIRSTS);
        let first = if first == 0xff { decisions.byte() } else { first };
        let (len, how) = (decisions.byte(), decisions.byte());
        let payload = decisions.take(len.into());
        let masked = if how & 0xf0 == 0xf0 { 0 } else { 0x80 };
        let len = u8::try_from(payload.len()).expect("it is at most a byte's worth");
        let longer = usize::from(how & 0x0f == 1) + 2 * usize::from(how & 0x0f == 2);
        match longer + usize::from(len >= 126 && longer == 0) {
            0 => frames.bytes.extend([first, masked | len]),
            1 => frames.bytes.extend([first, masked | 0x7e, 0, len]),
            _ => frames.bytes.extend([first, masked | 127, 0, 0, 0, 0, 0, 0, 0, len]),
        }
        let mask = if masked == 0 { [0; 4] } else { MASK };
        frames.bytes.extend(&mask[..usize::from(masked) / 32]);
        frames
            .bytes
            .extend(payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frames.has_lf |= payload.contains(&b'\n');
        let is_short = longer == 0 || longer == 1 && len >= 126;
        if first & 0x0f == BINARY || !is_short {
            frames.refused = Some(start);
        }
    }
    if frames.refused.is_none() && missing > 0 {
        frames.bytes.truncate(frames.bytes.len().saturating_sub(missing));
        frames.is_cut = true;
    }
    frames
}

fn judge(bytes: &[u8]) -> Judged {
    let stream = Stream::default();
    stream.send(bytes);
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, None);
    let mut judged = Judged::default();
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => judged.lines.extend(lines(text.as_bytes())),
            Ok(Message::Ping(payload)) => judged.pings.push(payload.to_vec()),
            Ok(_) => {}
            Err(Error::Io(_)) => break,
            Err(error) => {
                judged.end = Some(error);
                break;
            }
        }
    }
    judged.written = socket.get_mut().receive();
    judged
}

/// The lines of a message: an LF ends one, and so does the message's end.
fn lines(text: &[u8]) -> Vec<Vec<u8>> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines = text.split(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line).to_vec()).collect()
}

fn compare(ours: &Outcome, judged: &Judged, frames: &Frames) {
    let (pongs, close) = answers(&ours.answer);
    assert!(ours.lines.starts_with(&judged.lines), "{:?} {:?}", ours.lines, judged.lines);
    assert!(pongs.starts_with(&judged.pings), "{pongs:?} {:?}", judged.pings);
    match &judged.end {
        // It does not wait for the line's end.
        Some(Error::Utf8(_)) => return,
        Some(Error::ConnectionClosed) => {
            let code = answers(&judged.written).1.expect("it answers");
            // It does not know of 1014, a gateway's.
            if close != Some(1014) {
                assert_eq!(close, Some(if code == NONE { 1000 } else { code }));
            }
        }
        Some(_) => assert!(close.is_some(), "{:?}", judged.end),
        None if frames.refused.is_some() => assert!(close.is_some(), "it must be refused"),
        // Two bytes of a header may be enough to refuse it.
        None if frames.is_cut => {}
        None => assert_eq!(close, None),
    }
    // Lines of a message that has no end yet are heard.
    assert!(frames.has_lf || ours.lines.len() == judged.lines.len());
    assert_eq!(pongs.len(), judged.pings.len());
}

/// A close frame without a code.
const NONE: u16 = 0;

/// What a server has sent: its pongs, and with which code it has closed.
fn answers(sent: &[u8]) -> (Vec<Vec<u8>>, Option<u16>) {
    let head = sent.windows(4).position(|end| end == b"\r\n\r\n").filter(|_| sent[0] == b'H');
    let mut rest = &sent[head.map_or(0, |at| at + 4)..];
    let (mut pongs, mut close) = (Vec::new(), None);
    while let [first, len, more @ ..] = rest {
        let (payload, after) = more.split_at((*len).into());
        rest = after;
        match first {
            0x8a => pongs.push(payload.to_vec()),
            0x88 => {
                assert_eq!(close, None, "it closes once");
                close = Some(payload.first_chunk().map_or(NONE, |code| u16::from_be_bytes(*code)));
            }
            first => panic!("{first:#x} is no answer"),
        }
    }
    (pongs, close)
}
