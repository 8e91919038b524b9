//! Browsers at a loop that is driven by hand: pings, late heads, and what proxies say.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use chinwag::chat::{Ban, Persisted};
use chinwag::testing::Stream;
use chinwag::{Limits, Now, Web};

use crate::frames::{frame, take_frame};
use crate::wire::{UPGRADE, World};

const PING: &[u8] = &[0x89, 0];

impl World {
    /// A browser's connection that says this, and what it is answered with.
    fn request(&mut self, label: &str, head: &str) -> (Stream, String) {
        let end = self.connect(label);
        self.say(&end, head);
        let answer = String::from_utf8_lossy(&end.receive()).into_owned();
        (end, answer)
    }
}

#[test]
fn quiet_websockets_are_pinged_and_busy_ones_are_not() {
    let time = Duration::from_secs(25);
    let mut world = World::new(&Limits::default().with(|it| it.ping_time = time));
    let (browser, answer) = world.request("web", &format!("{UPGRADE}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let mut pings = Vec::new();
    for _ in 0..4 {
        world.hand_over();
        world.pass(time);
        pings.push(browser.receive());
    }
    // It was sent something when it came, and a ping is something.
    assert_eq!(pings, [b"", PING, b"", PING]);
    // A pong is no reason to be sent less, or more.
    world.say(&browser, b"\x8a\x80abcd");
    assert_eq!(browser.receive(), b"");
    let mut plain = world.connect("native");
    for _ in 0..3 {
        world.say(&plain, "hello\n");
        assert!(browser.receive().ends_with(b"hello"));
        world.pass(time);
        assert_eq!(browser.receive(), b"");
    }
    plain = world.connect("native");
    world.pass(time);
    assert_eq!((browser.receive(), plain.receive()), (PING.to_vec(), Vec::new()));
}

/// What the program before has encrypted for it, and nothing that only looks like an answer ends it.
#[test]
fn a_websocket_that_was_left_behind_is_sent_what_was_sealed_and_no_more() {
    let mut world = World::new(&Limits::default());
    let (browser, answer) = world.request("web", &format!("{UPGRADE}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    world.say(&browser, b"\x81\x84ab");
    assert_eq!(world.hub.leave_behind(vec![(0, b"sealed".to_vec())]), 1);
    world.say(&browser, b"\x88\x80abcd");
    assert_eq!((browser.receive(), world.hub.is_empty()), (b"sealed".to_vec(), false));
    browser.end();
    world.turn();
    assert!(world.hub.is_empty());
}

#[test]
fn a_head_has_five_seconds_and_is_told_so_if_it_has_begun() {
    let mut world = World::new(&Limits::default());
    let (begun, silent) = (world.connect("web"), world.connect("web"));
    world.say(&begun, "GET / HTTP/1.1\r\nHost: local");
    world.pass(Duration::from_secs(4));
    assert_eq!(world.hub.open_count(), 2);
    world.pass(Duration::from_secs(1));
    let answer = String::from_utf8(begun.receive()).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!((silent.receive(), world.hub.open_count()), (Vec::new(), 0));
}

/// One connection from each address.
fn world_of_one_each(web: Web) -> World {
    let mut world = World::new(&Limits::default().with(|it| it.per_ip_max = 1));
    world.hub.serve_web(web);
    world
}

#[test]
fn a_proxy_header_may_come_before_a_head_and_whom_it_names_counts() {
    let mut world = world_of_one_each(Web::default());
    let from = |host: u8| format!("PROXY TCP4 203.0.113.{host} 192.0.2.1 4000 80\r\n{UPGRADE}\r\n");
    let (_first, answer) = world.request("proxied", &from(1));
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(world.request("proxied", &from(2)).1.starts_with("HTTP/1.1 101 "));
    assert!(world.request("proxied", &from(1)).1.starts_with("HTTP/1.1 503 "));
    assert_eq!(world.request("proxied", UPGRADE).1, "");
}

#[test]
fn who_is_banned_before_the_request_has_come_whole_is_turned_down() {
    let mut world = World::new(&Limits::default());
    let browser = world.connect("web");
    world.say(&browser, UPGRADE);
    let target = "192.0.2.1".parse().expect("it is an address");
    let ban = Ban { target, until: None, by: "op".to_owned(), why: String::new() };
    let persisted = Persisted { bans: [ban].into_iter().collect(), ..Persisted::default() };
    world.hub.between_turns(|chat, _| chat.restore(persisted));
    world.say(&browser, "\r\n");
    let answer = String::from_utf8_lossy(&browser.receive()).into_owned();
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("You are banned"), "{answer}");
}

#[test]
fn forwarded_addresses_count_from_named_proxies_only() {
    let proxies = ["192.0.2.1", "198.51.100.0/24"].map(|text| text.parse().unwrap());
    let mut world = world_of_one_each(Web { proxies: proxies.into(), ..Web::default() });
    let mut status = |value: &str| {
        let (end, answer) = world.request("web", &format!("{UPGRADE}{value}\r\n"));
        (end, answer.get(9..12).unwrap_or("").to_owned())
    };
    let (_one, first) = status("X-Forwarded-For: 203.0.113.1\r\n");
    assert_eq!(first, "101");
    let mut kept = Vec::new();
    for (value, expected) in [
        ("X-Forwarded-For: 203.0.113.1\r\n", "503"),
        // What the client itself has written stands further to the left.
        ("X-Forwarded-For: 203.0.113.9, 203.0.113.1\r\n", "503"),
        ("X-Forwarded-For: nobody, 203.0.113.1 , 198.51.100.7\r\n", "503"),
        ("X-Forwarded-For: 203.0.113.9\r\nx-forwarded-for: ::ffff:203.0.113.1\r\n", "503"),
        ("X-Forwarded-For: 203.0.113.1:4711\r\n", "503"),
        ("X-Forwarded-For: 203.0.113.2\r\n", "101"),
        ("X-Forwarded-For: [2001:db8::1]:80\r\n", "101"),
        ("X-Forwarded-For: 198.51.100.7, 198.51.100.8\r\n", "101"),
        ("X-Forwarded-For: 203.0.113.3, unknown\r\n", "400"),
        ("X-Forwarded-For: 203.0.113.3,\r\n", "400"),
        // It asks for itself.
        ("", "101"),
        ("", "503"),
    ] {
        let (end, status) = status(value);
        assert_eq!(status, expected, "{value}");
        kept.push(end);
    }
    let mut world = world_of_one_each(Web::default());
    let _first = world.request("web", &format!("{UPGRADE}X-Forwarded-For: 203.0.113.1\r\n\r\n"));
    // What it says is not even read: not 400.
    let (_, answer) = world.request("web", &format!("{UPGRADE}X-Forwarded-For: nobody\r\n\r\n"));
    assert_eq!(&answer[9..12], "101");
    let counts = |host: [u8; 4]| world.hub.is_full_for(SocketAddr::from((host, 80)).into());
    assert!(counts([192, 0, 2, 1]) && !counts([203, 0, 113, 1]));
}

const CLIENTS: usize = 3;

/// Who says what.
type Script = Vec<(usize, String)>;

fn script(u: &mut Unstructured<'_>) -> Result<Script> {
    let mut script = Vec::new();
    for n in 0..u.int_in_range(1..=12)? {
        let line = match u.int_in_range(0..=9)? {
            0 => format!("/nick name-{n}"),
            1 => "/join tea".to_owned(),
            2 => "/join lobby".to_owned(),
            3 => "/who".to_owned(),
            4 => "/help".to_owned(),
            5 => "/history".to_owned(),
            6 => "two\nlines".to_owned(),
            7 => "grüße ".repeat(u.int_in_range(0..=100)?),
            8 => "x".repeat(u.int_in_range(100..=600)?),
            _ => format!("line {n}"),
        };
        script.push((u.int_in_range(0..=CLIENTS - 1)?, line));
    }
    Ok(script)
}

/// A line as a message, in fragments, with pings and pongs between them, cut anywhere.
fn pieces(line: &str, u: &mut Unstructured<'_>) -> Result<Vec<Vec<u8>>> {
    let mut bytes = Vec::new();
    let (mut rest, mut opcode, mut is_last) = (line.as_bytes(), 1, false);
    while !is_last {
        // Bytes that have run out ask for no more fragments.
        is_last = u.is_empty() || u.arbitrary()?;
        let len = if is_last { rest.len() } else { u.int_in_range(0..=rest.len())? };
        let (fragment, after) = rest.split_at(len);
        bytes.extend(frame(u8::from(is_last) << 7 | opcode, fragment));
        (rest, opcode) = (after, 0);
        if u.ratio(1, 4)? {
            bytes.extend(frame(*u.choose(&[0x89, 0x8a])?, b"there?"));
        }
    }
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let len = u.int_in_range(1..=bytes.len())?;
        pieces.push(bytes.drain(..len).collect());
    }
    Ok(pieces)
}

/// What each reads of the conversation by json over TCP.
fn heard_plainly(script: &Script, now: Now) -> Vec<Vec<String>> {
    let mut world = World::at(now, &Limits::default());
    let ends: Vec<Stream> = (0..CLIENTS).map(|_| world.connect("json")).collect();
    for (who, line) in script {
        world.say(&ends[*who], format!("{line}\n"));
        world.pass(Duration::from_secs(1));
    }
    let text = |end: &Stream| String::from_utf8(end.receive()).unwrap();
    ends.iter().map(|end| text(end).lines().map(str::to_owned).collect()).collect()
}

/// And by WebSocket, with sockets that are full now and then.
fn heard_by_browsers(
    script: &Script,
    now: Now,
    u: &mut Unstructured<'_>,
) -> Result<Vec<Vec<String>>> {
    let mut world = World::at(now, &Limits::default());
    world.hub.serve_web(Web { labels: vec!["json".to_owned()], ..Web::default() });
    let head = UPGRADE.replace("/ws", "/ws?dialect=json");
    let mut open = || {
        let end = world.connect("web");
        world.say(&end, format!("{head}\r\n"));
        end
    };
    let ends: Vec<Stream> = (0..CLIENTS).map(|_| open()).collect();
    for (who, line) in script {
        for piece in pieces(line, u)? {
            let room = if u.arbitrary()? { 0 } else { usize::MAX };
            ends[u.int_in_range(0..=CLIENTS - 1)?].narrow(room);
            (0..CLIENTS).for_each(|slot| world.hub.mark_writable(slot));
            world.say(&ends[*who], piece);
        }
        world.pass(Duration::from_secs(1));
    }
    for end in &ends {
        end.narrow(usize::MAX);
    }
    (0..CLIENTS).for_each(|slot| world.hub.mark_writable(slot));
    world.turn();
    Ok(ends.iter().map(messages).collect())
}

/// All text messages that a browser was sent, behind the head.
fn messages(end: &Stream) -> Vec<String> {
    let mut written = end.receive();
    assert!(written.starts_with(b"HTTP/1.1 101 "));
    let head = written.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    written.drain(..head + 4);
    let mut messages = Vec::new();
    while let Some((first, payload)) = take_frame(&mut written) {
        if first == 0x81 {
            messages.push(String::from_utf8(payload).unwrap());
        }
    }
    assert_eq!(written, b"");
    messages
}

#[test]
fn over_websocket_it_is_the_same_conversation() {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    arbtest(|u| {
        let script = script(u)?;
        let plain = heard_plainly(&script, now);
        assert_eq!(heard_by_browsers(&script, now, u)?, plain, "{script:?}");
        Ok(())
    })
    .size_min(2000);
}
