//! Heads as browsers and others send them, and what they are answered with.

use super::*;

fn web() -> Web {
    Web {
        proxies: Vec::new(),
        page: "the page".to_owned(),
        policy: "default-src 'none'".to_owned(),
        hosts: vec!["chat.example".to_owned()],
        origins: vec!["https://other.example".to_owned()],
        labels: vec!["json".to_owned(), "native".to_owned()],
    }
}

fn read_head(bytes: &[u8]) -> Option<Head> {
    read(bytes, None, &web()).map(|asked| asked.head)
}

fn head(start: &str, headers: &str) -> Option<Head> {
    read_head(format!("{start}\r\n{headers}\r\n").as_bytes())
}

fn status(start: &str, headers: &str) -> u16 {
    match head(start, headers) {
        None => 0,
        Some(Head::Answered(status, answer)) => {
            let answer = String::from_utf8(answer).unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            if start.starts_with("HEAD ") {
                assert_eq!(body, "");
            } else {
                assert!(head.contains(&format!("Content-Length: {}", body.len())), "{answer}");
            }
            status
        }
        Some(Head::Upgraded { .. }) => 101,
    }
}

const UPGRADE: &str = "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

#[test]
fn the_handshake_of_the_rfc_gets_its_answer() {
    let Some(Head::Upgraded { answer, label, used }) =
        head("GET /ws?dialect=Native HTTP/1.1", &format!("Host: localhost:80\r\n{UPGRADE}"))
    else {
        panic!("it is sound")
    };
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_eq!(label.as_deref(), Some("native"));
    assert!(used > 150);
}

#[test]
fn each_request_has_its_status() {
    let host = "Host: localhost\r\n";
    assert_eq!(status("GET / HTTP/1.1", host), 200);
    assert_eq!(status("GET /?x HTTP/1.1", host), 200);
    assert_eq!(status("GET /favicon.ico HTTP/1.1", host), 404);
    assert_eq!(status("GET ftp://localhost/ HTTP/1.1", host), 404);
    assert_eq!(status("GET /ws/ HTTP/1.1", host), 404);
    assert_eq!(status("POST / HTTP/1.1", host), 405);
    assert_eq!(status("HEAD / HTTP/1.1", host), 200);
    assert_eq!(status("HEAD /favicon.ico HTTP/1.1", host), 404);
    assert_eq!(status("HEAD /ws HTTP/1.1", &format!("{host}{UPGRADE}")), 426);
    assert_eq!(status("GET /ws HTTP/1.1", host), 426);
    assert_eq!(status("GET / HTTP/1.0", host), 200);
    assert_eq!(status("GET /ws HTTP/1.0", &format!("{host}{UPGRADE}")), 426);
    assert_eq!(status("HEAD / HTTP/1.1", ""), 400);
    assert_eq!(status("GET / HTTP/1.1", ""), 400);
    assert_eq!(status("GET / HTTP/1.1", &host.repeat(2)), 400);
    assert_eq!(status("hello there", host), 400);
    let old = UPGRADE.replace("13", "8");
    assert_eq!(status("GET /ws HTTP/1.1", &format!("{host}{old}")), 426);
    let short = UPGRADE.replace("dGhl", "");
    assert_eq!(status("GET /ws HTTP/1.1", &format!("{host}{short}")), 400);
    assert_eq!(status("GET /ws?dialect=op HTTP/1.1", &format!("{host}{UPGRADE}")), 400);
}

#[test]
fn a_head_may_be_so_long_and_no_longer() {
    let start = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ";
    let whole = |len: usize| format!("{start}{}\r\n\r\n", "x".repeat(len - start.len() - 4));
    let code = |text: &str| match read_head(text.as_bytes()) {
        Some(Head::Answered(status, _)) => status,
        head => panic!("{head:?}"),
    };
    assert_eq!((code(&whole(HEAD_MAX)), code(&whole(HEAD_MAX + 1))), (200, 431));
    assert_eq!(code(&whole(HEAD_MAX + 1)[..HEAD_MAX]), 431);
    assert_eq!(read_head(&whole(HEAD_MAX).as_bytes()[..HEAD_MAX - 1]), None);
    assert_eq!(code(&format!("GET / HTTP/1.1\r\n{}\r\n", "X: x\r\n".repeat(HEADERS_MAX + 1))), 431);
}

#[test]
fn a_name_that_somebody_else_has_pointed_here_is_none_of_this_servers() {
    let of = |host: &str| status("GET / HTTP/1.1", &format!("Host: {host}\r\n"));
    for host in [
        "localhost",
        "LOCALHOST:8080",
        "localhost.",
        "localhost:",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:80",
        "[::1]:",
        "chat.example:443",
        "chat.example.:443",
    ] {
        assert_eq!(of(host), 200, "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil",
        "[::1]evil",
        "a:b",
        "",
        ".",
        "localhost..",
    ] {
        assert_eq!(of(host), 403, "{host}");
    }
}

#[test]
fn a_host_in_the_target_counts_and_not_the_header() {
    let of = |target: &str, host: &str, more: &str| {
        status(&format!("GET {target} HTTP/1.1"), &format!("Host: {host}\r\n{more}"))
    };
    for target in ["http://localhost", "HTTP://localhost:80/", "https://[::1]/?x", "http://[::1]?x"]
    {
        assert_eq!(of(target, "evil.example", ""), 200, "{target}");
    }
    assert_eq!(of("http://localhost/x", "localhost", ""), 404);
    for target in ["http://evil.example/", "http:///", "http://me@localhost/"] {
        assert_eq!(of(target, "localhost", ""), 403, "{target}");
    }
    let upgrade =
        |origin: &str| of("http://localhost:8/ws", "[::1]", &format!("{origin}{UPGRADE}"));
    assert_eq!(upgrade("Origin: http://localhost:8\r\n"), 101);
    assert_eq!(upgrade("Origin: http://[::1]\r\n"), 403);
    // It is still needed.
    assert_eq!(status("GET http://localhost/ HTTP/1.1", ""), 400);
}

#[test]
fn only_known_pages_may_connect() {
    let of = |origin: &str| {
        let headers = format!("Host: chat.example\r\nOrigin: {origin}\r\n{UPGRADE}");
        status("GET /ws HTTP/1.1", &headers)
    };
    for origin in ["http://chat.example", "https://chat.example", "https://other.example"] {
        assert_eq!(of(origin), 101, "{origin}");
    }
    for origin in ["null", "https://chat.example:8", "http://other.example", "https://evil.example"]
    {
        assert_eq!(of(origin), 403, "{origin}");
    }
    assert_eq!(of("http://chat.example\r\nOrigin: https://evil.example"), 403);
    let of = |host: &str, origin: &str| {
        let headers = format!("Host: {host}\r\nOrigin: {origin}\r\n{UPGRADE}");
        status("GET /ws HTTP/1.1", &headers)
    };
    // The port that a scheme implies may stand there or not.
    assert_eq!(of("chat.example:443", "https://chat.example"), 101);
    assert_eq!(of("[::1]", "http://[::1]:80"), 101);
    assert_eq!(of("localhost", "https://other.example:443"), 101);
    assert_eq!(of("chat.example:443", "http://chat.example"), 403);
    assert_eq!(of("chat.example:8080", "http://chat.example"), 403);
}

#[test]
fn a_head_that_comes_byte_by_byte_is_not_read_again_with_each() {
    let whole = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(90));
    let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(9000));
    for head in [whole, long, "GET / HTTP/1.1\nHost: localhost\n\n".into(), "\r\n".repeat(4500)] {
        let (mut looked_at, mut answer) = (0, None);
        for end in 1..=head.len() {
            if answer.is_none() && may_be_read(&head.as_bytes()[..end], end - 1) {
                looked_at += end;
                answer = read_head(&head.as_bytes()[..end]);
            }
        }
        assert!(answer.is_some(), "{head}");
        // With each byte only at the start.
        assert!(looked_at <= 2 * head.len() + 64 * 64, "{looked_at} of {}", head.len());
    }
}

#[test]
fn the_answer_is_the_same_however_a_head_is_split() {
    let start = "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: somebody's own program\r\n";
    let ends = ["\u{80}\0\0", "\u{80}\0\r\n\r\n", "a b\r\n\r\n", "X: y\r\n\r\nbehind\0"];
    let many = format!("{start}{}", "X: y\r\n".repeat(110));
    let long = format!("{start}X: {}\0", "x".repeat(9000));
    let blank = format!("{}{start}\r\n", "\r\n".repeat(40));
    let others = [many, long, blank, "GET\0".to_owned(), "\r".repeat(100)];
    let heads = ends.map(|end| format!("{start}{end}")).into_iter().chain(others);
    for head in heads.map(String::into_bytes) {
        let read_by = |size: usize| {
            let ends = (size..head.len()).step_by(size).chain([head.len()]);
            let mut before = 0;
            ends.into_iter().find_map(|end| {
                let may_be = may_be_read(&head[..end], std::mem::replace(&mut before, end));
                may_be.then(|| read_head(&head[..end])).flatten()
            })
        };
        let whole = format!("{:?}", read_by(head.len()));
        for size in [1, 7, 63, 64, 65, 100] {
            assert_eq!(format!("{:?}", read_by(size)), whole, "{}", head.escape_ascii());
        }
    }
}
