//! Scanners, and others who have come to the wrong port: nobody in the room hears of them.

use super::Program;
use crate::client::Client;

/// What a room says to somebody who has seen everything that was said in it.
fn listen(room: &mut Client) -> Vec<String> {
    room.say("/up that was all");
    let lines = std::iter::repeat_with(|| room.line());
    lines.take_while(|line| line != "THAT WAS ALL").collect()
}

#[test]
fn other_protocols_are_turned_away_and_nobody_hears_of_it() {
    let program = Program::start(&["-l", "127.0.0.1:0"]);
    let mut alice = program.client("alice");
    alice.say("/notices on");
    assert_eq!(alice.line(), "Notices on.");
    let strangers: [&[u8]; 13] = [
        b"OPTIONS / RTSP/1.0\r\n\r\n",
        b"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"\0\0\0\xa4\xffSMBr\0\0\0\0\x08\x01@\0",
        b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
        b"0\x0c\x02\x01\x01`\x07\x02\x01\x02\x04\0\x80\0",
        b"l\0\x0b\0\0\0\0\0\0\0\0\0",
        b"\xff\xfeh\0e\0l\0l\0o\0\r\0\n\0",
        b"h\0e\0l\0l\0o\0\r\0\n\0",
        b"PROXY TCP4 192.0.2.7 127.0.0.1 4001 1337\r\nhello\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0hello\r\n",
    ];
    for bytes in strangers {
        let mut whole = Client::connect(program.addr());
        whole.write(bytes);
        assert_eq!(whole.rest(), "", "{}", bytes.escape_ascii());
        let mut slow = Client::connect(program.addr());
        for byte in bytes {
            slow.write([*byte]);
        }
        assert!(slow.is_over(), "{}", bytes.escape_ascii());
    }
    // TLS has a word for it: a fatal alert, unexpected message.
    let mut tls = Client::connect(program.addr());
    tls.write(b"\x16\x03\x01\x02\0\x01\0");
    assert_eq!(tls.rest(), "\x15\x03\x03\0\x02\x02\n");
    for start in ["GET / HTTP/1.0", "\r\n\r\nPROPFIND /a HTTP/1.1", "PRI * HTTP/2.0"] {
        let mut browser = Client::connect(program.addr());
        browser.write(format!("{start}\r\n\r\nhello\r\n"));
        assert_eq!(browser.rest(), "This is a chat server, not a web server.\r\n");
    }
    let mut browser = Client::connect(program.addr());
    browser.write("GET / HTTP/1.0");
    browser.finish_writing();
    assert_eq!(browser.rest(), "This is a chat server, not a web server.\n");
    assert_eq!(listen(&mut alice), [""; 0]);
}

#[test]
fn what_looks_like_another_protocol_is_said_by_who_has_spoken() {
    let program = Program::start(&["-l", "127.0.0.1:0"]);
    let mut alice = program.client("alice");
    for line in ["GET / HTTP/1.1", "SSH-2.0-Go", "*1", "PROXY UNKNOWN"] {
        assert_eq!(alice.ask(line), format!("[alice] {line}"));
    }
    alice.write("\x01\r\n");
    alice.expect("[alice] \u{2401}");
}

#[test]
fn people_who_begin_with_keys_telnet_or_odd_words_are_heard() {
    let program = Program::start(&["-l", "127.0.0.1:0"]);
    for (bytes, said) in [
        (&b"GET well soon\r\n"[..], "[guest] GET well soon"),
        (b"* hello\r\n", "[guest] * hello"),
        (b"* 1\r\n", "[guest] * 1"),
        (b"*1\n", "[guest] *1"),
        (b"SSH is down\n", "[guest] SSH is down"),
        (b"0 points\r\n", "[guest] 0 points"),
        (b"caf\xe9\r\n", "[guest] caf\u{fffd}"),
        (b"\thello\tthere\n", "[guest] hello there"),
        (b"\x08\x7f\r\nhello\r\n", "[guest] hello"),
        (b"\xff\xfc\x1f\xff\xfa\x1f\0\x50\0\x18\xff\xf0\r\0hello\r\0", "[guest] hello"),
        (b"hola\0", "[guest] hola"),
    ] {
        let mut client = Client::connect(program.addr());
        client.write(bytes);
        client.finish_writing();
        let rest = client.rest();
        assert!(rest.contains(said), "{}: {rest:?}", bytes.escape_ascii());
        assert!(client.is_over());
    }
}

#[test]
fn a_proxy_that_was_not_named_is_logged_once_in_a_while_with_the_option_that_names_it() {
    let program = Program::start(&["-l", "127.0.0.1:0"]);
    for bytes in [&b"PROXY TCP4 192.0.2.7 127.0.0.1 4001 1337\r\n"[..], b"\r\n\r\n\0\r\nQUIT\n"] {
        let mut proxy = Client::connect(program.addr());
        proxy.write(bytes);
        assert_eq!(proxy.rest(), "");
    }
    let line = program.log_line();
    assert!(line.contains(" event=refused addr=127.0.0.1 port="), "{line}");
    let option = r#" why=proxy_header option="--proxy-protocol 127.0.0.1""#;
    assert!(line.ends_with(option), "{line}");
    let line = program.log_line();
    assert!(line.ends_with(" why=proxy_header suppressed=0"), "{line}");
}
