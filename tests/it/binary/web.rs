//! Browsers: the page, and WebSocket spoken by hand.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

#[cfg(target_os = "linux")]
use super::upgrade::upgrade;
use super::{Folder, Program};
use crate::client::{Client, PATIENCE};
use crate::frames::{MASK, frame};

/// One WebSocket, or a connection that may become one.
pub(super) struct Browser(TcpStream);

impl Browser {
    fn connect(addr: SocketAddr) -> Browser {
        let stream = TcpStream::connect_timeout(&addr, PATIENCE).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Browser(stream)
    }

    /// Sends a request, and reads the head of the answer.
    pub(super) fn request(addr: SocketAddr, start: &str, headers: &str) -> (Browser, String) {
        let mut browser = Browser::connect(addr);
        let request = format!("{start} HTTP/1.1\r\nHost: {addr}\r\n{headers}\r\n");
        browser.0.write_all(request.as_bytes()).unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(browser.read(1));
        }
        (browser, String::from_utf8(head).unwrap())
    }

    fn open(addr: SocketAddr, target: &str) -> Browser {
        let headers = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let (browser, head) = Browser::request(addr, &format!("GET {target}"), headers);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        browser
    }

    fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).expect("to read in time");
        bytes
    }

    /// The next frame: its first byte, and its payload.
    fn frame(&mut self) -> (u8, Vec<u8>) {
        let head = self.read(2);
        let len = match head[1] {
            126 => {
                let len = self.read(2);
                u16::from_be_bytes([len[0], len[1]]).into()
            }
            len => len.into(),
        };
        (head[0], self.read(len))
    }

    fn message(&mut self) -> String {
        let (first, payload) = self.frame();
        assert_eq!(first, 0x81, "{payload:?}");
        String::from_utf8(payload).unwrap()
    }

    /// Reads messages up to one with this in it.
    fn expect(&mut self, what: &str) -> String {
        loop {
            let message = self.message();
            if message.contains(what) {
                return message;
            }
        }
    }

    /// Reads the close frame, and what it says; messages before it are passed over.
    fn closed(&mut self) -> (u16, String) {
        loop {
            let (first, payload) = self.frame();
            if first == 0x88 {
                let reason = String::from_utf8(payload[2..].to_vec()).unwrap();
                return (u16::from_be_bytes([payload[0], payload[1]]), reason);
            }
        }
    }

    fn send(&mut self, first: u8, payload: &[u8]) {
        self.0.write_all(&frame(first, payload)).unwrap();
    }

    fn say(&mut self, line: &str) {
        self.send(0x81, line.as_bytes());
    }

    /// Waits until the server has closed the connection itself.
    fn ends(&mut self) {
        let end = self.0.read(&mut [0]).map_err(|error| error.kind());
        assert!(matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset)), "{end:?}");
    }
}

fn start(more: &[&str]) -> Program {
    let mut program =
        Program::start(&[&["-l", "web=127.0.0.1:0", "-l", "127.0.0.1:0"], more].concat());
    // What browsers use is told last.
    program.addrs.reverse();
    program
}

fn status(addr: SocketAddr, start: &str, headers: &str) -> String {
    Browser::request(addr, start, headers).1[9..12].to_owned()
}

#[test]
fn the_page_comes_whole_with_a_policy_that_allows_what_is_in_it() {
    let program = start(&[]);
    let (mut browser, head) = Browser::request(program.addr(), "GET /", "");
    let mut body = String::new();
    browser.0.read_to_string(&mut body).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
    for part in [
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: no-referrer",
        "Cross-Origin-Opener-Policy: same-origin",
        "Cache-Control: no-cache",
        "default-src 'none'; style-src 'sha256-",
        "trusted-types 'none'",
    ] {
        assert!(head.contains(part), "{part}: {head}");
    }
    assert!(body.contains("<style>") && body.contains("<script>") && !body.contains("page.js"));
    assert!(body.trim_end().ends_with("</html>") && body.len() <= 30 << 10, "{}", body.len());
}

#[test]
fn everything_else_has_its_status() {
    let program = start(&[]);
    let addr = program.addr();
    assert_eq!(status(addr, "GET /ws", ""), "426");
    assert_eq!(status(addr, "GET /page.js", ""), "404");
    assert_eq!(status(addr, "POST /", "Content-Length: 3\r\n"), "405");
    assert_eq!(status(addr, "GET /", "Host: twice\r\n"), "400");
    assert_eq!(status(addr, "GET /", &format!("X: {}\r\n", "x".repeat(9000))), "431");
    let mut plain = Client::connect(addr);
    plain.say("hello room");
    assert!(plain.rest().starts_with("HTTP/1.1 400 "));
}

#[test]
fn a_browser_and_a_terminal_talk() {
    let program = start(&[]);
    let mut browser = Browser::open(program.addr(), "/ws");
    assert!(browser.message().contains(r#""type":"hello""#));
    browser.say("/nick webber");
    browser.expect("renamed");
    let mut plain = Client::named(program.addrs[1], "plain");
    browser.say("grüße");
    plain.expect("[webber] grüße");
    plain.say("hello");
    plain.expect("[plain] hello");
    assert!(browser.expect("hello").contains(r#""from":"plain""#));
    // In pieces, with a ping between them, and two lines in one message.
    browser.send(0x01, b"one\ntw\xc3");
    browser.send(0x89, b"there?");
    browser.send(0x80, b"\xb6");
    plain.expect("[webber] one");
    plain.expect("[webber] tw\u{f6}");
    browser.expect("one");
    // Longer than a length in one byte.
    plain.say(&"x".repeat(300));
    let (mut first, mut payload) = browser.frame();
    let mut pongs = 0;
    while !payload.ends_with(b"\"}") || !payload.windows(300).any(|part| part == [b'x'; 300]) {
        pongs += usize::from(first == 0x8a && payload == b"there?");
        (first, payload) = browser.frame();
    }
    assert_eq!(pongs, 1);
    browser.send(0x88, &1000_u16.to_be_bytes());
    assert_eq!(browser.closed(), (1000, String::new()));
    browser.ends();
}

#[test]
fn the_log_counts_the_messages_that_a_browser_was_sent() {
    let program = start(&["-v"]);
    let mut browser = Browser::open(program.addr(), "/ws");
    for line in ["/up one", "/who", "/help", "hello", "quit"] {
        browser.say(line);
    }
    let mut messages = 0;
    while browser.frame().0 == 0x81 {
        messages += 1;
    }
    browser.send(0x88, &1000_u16.to_be_bytes());
    browser.ends();
    let line = program.logged("event=ended");
    assert!(
        line.contains(&format!(" lines_in=5 lines_out={messages} ")) && messages > 10,
        "{line}"
    );
}

#[test]
fn a_dialect_may_be_chosen_that_is_offered() {
    let program = start(&[]);
    let mut browser = Browser::open(program.addr(), "/ws?dialect=native");
    browser.say("REGISTER bob");
    assert_eq!(browser.message(), "Registered as bob");
    let headers = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for name in ["op", "tutorial", "klingon"] {
        assert_eq!(status(program.addr(), &format!("GET /ws?dialect={name}"), headers), "400");
    }
    let foreign = format!("{headers}Origin: https://evil.example\r\n");
    assert_eq!(status(program.addr(), "GET /ws", &foreign), "403");
}

#[test]
fn what_breaks_the_rules_is_closed_with_its_code() {
    let program = start(&["--max-line", "64"]);
    let cases: [(u8, &[u8], u16); 4] =
        [(0x81, b"\xff", 1007), (0x81, &[b'x'; 65], 1009), (0x80, b"", 1002), (0x82, b"", 1003)];
    for (first, payload, code) in cases {
        let mut browser = Browser::open(program.addr(), "/ws");
        browser.send(first, payload);
        assert_eq!(browser.closed().0, code);
        browser.send(0x88, &code.to_be_bytes());
        browser.ends();
    }
}

#[test]
fn a_kicked_browser_is_closed_with_1008_and_a_refused_one_gets_a_503() {
    let folder = Folder::new("web-ban");
    std::fs::create_dir_all(folder.path()).unwrap();
    let socket = format!("op=unix:{}/op", folder.path());
    let program = start(&["-l", &socket]);
    let mut operator = program.operator();
    for (command, reason) in [("/kick webber enough", "enough"), ("/ban webber spam", "spam")] {
        let mut browser = Browser::open(program.addr(), "/ws");
        browser.say("/nick webber");
        browser.expect("renamed");
        operator.say(command);
        let (code, why) = browser.closed();
        assert!(code == 1008 && why.contains(reason), "{code} {why}");
        browser.send(0x88, &code.to_be_bytes());
        browser.ends();
    }
    let program = start(&["--max-clients", "1"]);
    let _client = Client::named(program.addrs[1], "ann");
    assert_eq!(status(program.addr(), "GET /", ""), "503");
}

#[test]
fn a_shutdown_is_a_going_away() {
    let program = start(&[]);
    let mut browser = Browser::open(program.addr(), "/ws");
    browser.expect("hello");
    program.signal("TERM");
    assert_eq!(browser.closed().0, 1001);
    browser.send(0x88, &1001_u16.to_be_bytes());
    browser.ends();
    assert_eq!(program.outcome().code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn an_upgrade_keeps_browsers_and_what_they_have_half_said() {
    let program = start(&["-v"]);
    let mut whole = Browser::open(program.addr(), "/ws?dialect=native");
    let mut half = Browser::open(program.addr(), "/ws?dialect=native");
    for (browser, name) in [(&mut whole, "whole"), (&mut half, "half")] {
        browser.say(&format!("REGISTER {name}"));
        assert_eq!(browser.message(), format!("Registered as {name}"));
    }
    // The first frame of a message, and of the next one its head and half of its mask.
    half.send(0x01, b"half a ");
    half.0.write_all(&[0x80, 0x84, MASK[0], MASK[1]]).unwrap();
    whole.say("/up all that came before is read");
    assert_eq!(whole.message(), "ALL THAT CAME BEFORE IS READ");
    assert!(upgrade(&program).contains(" connections=2 left=0"));
    half.0.write_all(&[MASK[2], MASK[3]]).unwrap();
    let line: Vec<u8> = b"line".iter().zip(MASK).map(|(byte, mask)| byte ^ mask).collect();
    half.0.write_all(&line).unwrap();
    for browser in [&mut half, &mut whole] {
        assert_eq!(browser.message(), "[half] half a line");
    }
    half.send(0x89, b"are you there?");
    assert_eq!(half.frame(), (0x8a, b"are you there?".to_vec()));
    half.send(0x88, &1000_u16.to_be_bytes());
    assert_eq!(half.closed().0, 1000);
}
