//! A head is answered in the same way whatever the pieces that it comes in, and with nothing or
//! with an answer as HTTP has it.
//!
//! The input: how a request begins that is mostly sound, and then bytes.
#![no_main]

use chinwag_fuzz::browser::converse;
use chinwag_fuzz::decisions::Decisions;
use libfuzzer_sys::fuzz_target;

const STARTS: [&str; 5] = [
    "",
    "GET / HTTP/1.1\r\nHost: localhost\r\n",
    "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ",
    "GET / HTTP/1.1\r\nHost: ",
];

/// What a TLS client is told: a fatal alert, unexpected message.
const NO_TLS: [u8; 7] = [21, 3, 3, 0, 2, 2, 10];

fuzz_target!(|input: &[u8]| {
    let mut decisions = Decisions::new(input);
    let start = decisions.pick(&STARTS);
    let end = decisions.pick(&["", "\r\n\r\n"]);
    let head = [start.as_bytes(), decisions.rest(), end.as_bytes()].concat();
    let whole = converse(&[&head]);
    assert_eq!(whole, converse(&head.chunks(1).collect::<Vec<_>>()));
    let asks_for_head = head.trim_ascii_start().starts_with(b"HEAD ");
    let is_no_tls = head.starts_with(&[22]) && whole.answer == NO_TLS;
    let is_answer = is_no_tls || is_answer(&whole.answer, asks_for_head);
    assert!(whole.answer.is_empty() || is_answer, "{:?}", whole.answer);
});

/// A status, a head and a body of the length that it says, which HEAD is not sent; or a WebSocket,
/// and what is said there.
fn is_answer(answer: &[u8], asks_for_head: bool) -> bool {
    let Some(at) = answer.windows(4).position(|end| end == b"\r\n\r\n") else { return false };
    let head = str::from_utf8(&answer[..at]).expect("heads are text");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status = status.and_then(|status| status.get(..3)).unwrap_or("");
    let length = lines.find_map(|line| line.strip_prefix("Content-Length: "));
    let body = answer.len() - at - 4;
    let is_bare = asks_for_head && body == 0;
    let is_whole = length.is_some_and(|length| length.parse() == Ok(body) || is_bare);
    status == "101"
        || ["200", "400", "403", "404", "405", "426", "431", "503"].contains(&status) && is_whole
}
