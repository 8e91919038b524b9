//! Clients behind a proxy: they count, and are shown, as who they are.

use std::net::{IpAddr, SocketAddr};

use super::{Folder, Program};
use crate::client::{Client, eventually};

const LISTENER: &str = "tutorial=127.0.0.1:0";

fn start(options: &[&str]) -> Program {
    Program::start(&[&["-l", LISTENER, "--proxy-protocol", "127.0.0.0/8"][..], options].concat())
}

/// What a proxy says first, byte by byte as its specification has it.
fn header(version: u8, source: &str) -> Vec<u8> {
    let source: SocketAddr = source.parse().unwrap();
    let (ip, port) = (source.ip(), source.port());
    if version == 1 {
        let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
        return format!("PROXY {family} {ip} {ip} {port} 1337\r\n").into_bytes();
    }
    let ports = [port.to_be_bytes(), 1337_u16.to_be_bytes()].concat();
    match ip {
        IpAddr::V4(ip) => binary(0x21, 0x11, &[&ip.octets(), &ip.octets(), &ports[..]].concat()),
        IpAddr::V6(ip) => binary(0x21, 0x21, &[&ip.octets(), &ip.octets(), &ports[..]].concat()),
    }
}

/// Version 2.
fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[command, family][..], &length, rest].concat()
}

#[test]
fn a_client_behind_a_proxy_is_shown_by_its_own_address() {
    let program = start(&[]);
    for (version, source) in
        [(1, "192.0.2.7:4001"), (2, "192.0.2.7:4002"), (2, "[2001:db8::1]:4003")]
    {
        let mut client = Client::connect(program.addr());
        client.write([&header(version, source)[..], b"hello\n"].concat());
        client.expect(&format!("{source} says: hello"));
    }
    // Whatever the pieces that it comes in, with nothing behind it, or much.
    for version in [1, 2] {
        let mut client = Client::connect(program.addr());
        for byte in header(version, "192.0.2.8:5000") {
            client.write([byte]);
        }
        client.write("/up a\n/up b\n");
        client.expect("A");
        client.expect("B");
    }
}

#[test]
fn what_a_proxy_opens_for_itself_is_from_there() {
    let program = start(&[]);
    // A health check says nothing of addresses, even where it names their family.
    for family in [0, 0x11, 0x21] {
        let mut client = Client::connect(program.addr());
        client.write([&binary(0x20, family, b"")[..], b"hello\n"].concat());
        client.expect(&format!("{} says: hello", client.local_addr()));
    }
}

#[test]
fn a_named_proxy_without_a_header_is_refused() {
    let program = start(&[]);
    let mut watcher = Client::connect(program.addr());
    watcher.write(header(2, "192.0.2.1:4000"));
    assert_eq!(watcher.ask("/up here"), "HERE");
    for bytes in [&b"hello\n"[..], b"PROXY nonsense\r\n", &[0; 5000]] {
        let mut stranger = Client::connect(program.addr());
        stranger.write(bytes);
        assert!(stranger.is_over(), "{}", bytes.escape_ascii());
    }
    // Nobody has heard of them, nor of one that said nothing and left.
    Client::connect(program.addr()).reset();
    assert_eq!(watcher.ask("/who"), "1 in lobby: guest");
}

#[test]
fn limits_hold_for_those_behind_a_proxy_one_by_one() {
    let program = start(&["--max-per-ip", "1"]);
    let from = |source: &str| {
        let mut client = Client::connect(program.addr());
        client.write(header(2, source));
        client
    };
    let mut first = from("192.0.2.7:4001");
    assert_eq!(first.ask("/up first"), "FIRST");
    assert_eq!(from("192.0.2.7:4002").rest(), "Too many connections from your address.\n");
    let mut other = from("192.0.2.9:4001");
    other.say("/up other");
    while other.line() != "OTHER" {}
    first.say("/exit");
    while first.line() != "Bye." {}
    first.expect_end();
    drop(first);
    eventually("its place is free", || {
        let mut next = from("192.0.2.7:4003");
        next.ask("/up next") == "NEXT"
    });
}

#[test]
fn behind_a_proxy_a_64_is_one_address() {
    let program = start(&["--max-per-ip", "1"]);
    let from = |source: &str| {
        let mut client = Client::connect(program.addr());
        client.write([&header(2, source)[..], b"/up here\n"].concat());
        client
    };
    let mut first = from("[2001:db8:1:2::1]:4001");
    first.expect("HERE");
    let mut second = from("[2001:db8:1:2:ffff::9]:4001");
    second.expect("Too many connections from your address.");
    from("[2001:db8:1:3::1]:4001").expect("HERE");
}

#[test]
fn others_need_no_header() {
    let program = Program::start(&["-l", "127.0.0.1:0", "--proxy-protocol", "192.0.2.1"]);
    let mut client = program.client("alice");
    assert_eq!(
        client.ask("PROXY TCP4 1.2.3.4 5.6.7.8 9 10"),
        "[alice] PROXY TCP4 1.2.3.4 5.6.7.8 9 10"
    );
}

#[test]
fn a_proxy_that_is_there_itself_may_still_connect_for_others() {
    let program = start(&["--max-per-ip", "1", "--limit-loopback"]);
    let mut own = Client::connect(program.addr());
    own.write([&binary(0x20, 0, b"")[..], b"/up here\n"].concat());
    own.expect("HERE");
    let mut other = Client::connect(program.addr());
    other.write([&header(1, "192.0.2.9:5001")[..], b"/up there\n"].concat());
    other.expect("THERE");
}

#[test]
fn the_log_says_who_is_behind_a_proxy_and_what_has_kept_others_out() {
    let program = start(&["--max-per-ip", "1", "-vv"]);
    let logged = |line: &str| drop(program.logged(line));
    let mut first = Client::connect(program.addr());
    first.write([&header(2, "192.0.2.7:4001")[..], b"/up here\n"].concat());
    first.expect("HERE");
    logged(" conn=1 addr=192.0.2.7 port=4001 proxy=127.0.0.1 listener=tutorial");
    let mut second = Client::connect(program.addr());
    second.write(header(1, "192.0.2.7:4002"));
    second.expect("Too many connections from your address.");
    logged(" event=refused addr=192.0.2.7 port=4002 why=address suppressed=0");
    let mut stranger = Client::connect(program.addr());
    stranger.write("hello\n");
    assert!(stranger.is_over());
    logged(&format!(" port={} why=no_proxy_header suppressed=0", stranger.local_addr().port()));
    Client::connect(program.addr()).finish_writing();
    logged(" event=ended_before_header conn=4 proxy=127.0.0.1");
    let silent = Client::connect(program.addr());
    logged(&format!(" port={} why=no_proxy_header suppressed=0", silent.local_addr().port()));
}

#[cfg(unix)]
#[test]
fn a_proxy_may_connect_to_a_unix_socket_and_operators_need_none() {
    let folder = Folder::new("proxy-unix");
    let place = |name: &str| format!("{}/{name}", folder.path());
    std::fs::create_dir_all(folder.path()).unwrap();
    let unix = format!("tutorial=unix:{}", place("chat"));
    let op = format!("op=unix:{}", place("op"));
    let program = Program::start(&["-l", &unix, "-l", &op, "--proxy-protocol", "unix"]);
    let connect = |name: &str| Client::connect_unix(place(name).as_ref()).unwrap();
    let mut client = connect("chat");
    client.write([&header(2, "192.0.2.7:4001")[..], b"hello\n"].concat());
    client.expect("192.0.2.7:4001 says: hello");
    // Its own, of a health check.
    let mut own = connect("chat");
    own.write([&binary(0x20, 0x31, b"")[..], b"/up here\n"].concat());
    own.expect("HERE");
    let mut op = connect("op");
    assert_eq!(op.ask("/up op"), "OP");
    let mut stranger = connect("chat");
    stranger.write("hello\n");
    assert!(stranger.is_over());
    drop(program);
    // Without the option it is told of, and not said.
    let program = Program::start(&["-l", &unix]);
    let mut proxy = connect("chat");
    proxy.write(header(1, "192.0.2.7:4001"));
    assert_eq!(proxy.rest(), "");
    let line = program.log_line();
    assert!(line.ends_with(r#" why=proxy_header option="--proxy-protocol unix""#), "{line}");
}
