//! Monitors at the built program: `/metrics`, `/livez` and `/readyz`.

use std::net::SocketAddr;
use std::thread;

use super::{Folder, Program, web::Browser};
use crate::client::Client;
use crate::exposition::Scrape;

fn start(more: &[&str]) -> Program {
    Program::start(&[&["-l", "127.0.0.1:0", "-l", "metrics=127.0.0.1:0"], more].concat())
}

impl Program {
    /// Where monitors connect, which is told last.
    fn monitored_at(&self) -> SocketAddr {
        *self.addrs.last().expect("it listens")
    }
}

/// Asks for something. Returns the status and the body of the answer.
fn ask(addr: SocketAddr, target: &str) -> (String, String) {
    let mut client = Client::connect(addr);
    client.write(format!("GET {target} HTTP/1.1\r\nHost: {addr}\r\n\r\n"));
    let answer = client.rest();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head[9..12].to_owned(), body.to_owned())
}

fn scrape(addr: SocketAddr) -> Scrape {
    let (status, body) = ask(addr, "/metrics");
    assert_eq!(status, "200");
    assert!(!body.contains("127.0.0.1"), "{body}");
    Scrape::read(&body)
}

/// Everything that a server with all features tells.
pub(crate) fn scrape_with_everything() -> Scrape {
    let folder = Folder::new("metrics-state");
    let program = start(&["--state", folder.path()]);
    let _client = program.client("alice");
    scrape(program.monitored_at())
}

#[test]
fn under_load_the_numbers_are_right_and_never_fall() {
    let program = start(&["-l", "json=127.0.0.1:0", "--rate", "off"]);
    let (addr, monitor) = (program.addr(), program.monitored_at());
    let readers: Vec<Client> =
        (0..10).map(|number| program.client(&format!("reader{number}"))).collect();
    let reads = readers.into_iter().map(|mut reader| {
        thread::spawn(move || {
            while reader.line() != "[alice] last" {}
            reader
        })
    });
    let reads: Vec<_> = reads.collect();
    let talker = thread::spawn(move || {
        let mut alice = Client::named(addr, "alice");
        (0..2000).for_each(|number| drop(alice.ask(&format!("{number}"))));
        alice.say("last");
        alice
    });
    let mut before = scrape(monitor);
    for _ in 0..50 {
        let next = scrape(monitor);
        for series in [
            "chinwag_lines_received_total",
            "chinwag_lines_sent_total",
            "chinwag_received_bytes_total",
            "chinwag_sent_bytes_total",
            "chinwag_turn_seconds_count",
            "chinwag_flush_lag_seconds_count",
        ] {
            assert!(next.get(series) >= before.get(series), "{series}");
        }
        before = next;
    }
    let _readers: Vec<Client> = reads.into_iter().map(|read| read.join().unwrap()).collect();
    let _alice = talker.join().unwrap();
    let after = scrape(monitor);
    // Eleven names, and what was said.
    assert_eq!(after.get("chinwag_lines_received_total"), 11 + 2001);
    assert_eq!(after.get("chinwag_accepted_total"), 11);
    let labels = "{transport=\"tcp\",framing=\"lines\",listener=\"native\"}";
    assert_eq!(after.get(&format!("chinwag_connections{labels}")), 11);
    assert!(after.get("chinwag_lines_sent_total") > 11 * 2001);
    assert!(after.get("chinwag_flush_lag_seconds_count") > 1000);
}

#[test]
fn a_full_server_lives_and_is_not_ready_and_one_that_stops_says_so() {
    let program = start(&["--max-clients", "1", "--max-per-ip", "1", "--limit-loopback"]);
    let monitor = program.monitored_at();
    assert_eq!(ask(monitor, "/readyz"), ("200".to_owned(), "ready\n".to_owned()));
    let mut alice = program.client("alice");
    assert_eq!(ask(monitor, "/readyz"), ("503".to_owned(), "full\n".to_owned()));
    assert_eq!(ask(monitor, "/livez"), ("200".to_owned(), "alive\n".to_owned()));
    assert_eq!(alice.ask("/who"), "1 in lobby: alice");
    // She does not close her side, so there are some seconds.
    program.signal("TERM");
    alice.expect("Server is shutting down.");
    assert_eq!(ask(monitor, "/readyz"), ("503".to_owned(), "shutting down\n".to_owned()));
    drop(alice);
    assert_eq!(program.outcome().code, Some(0));
}

#[test]
fn a_monitor_is_not_logged_and_its_listener_is_no_chat() {
    let program = start(&["-v"]);
    program.logged("event=started");
    assert_eq!(ask(program.monitored_at(), "/metrics").0, "200");
    let mut silent = Client::connect(program.monitored_at());
    silent.finish_writing();
    silent.expect_end();
    let mut stray = Client::connect(program.monitored_at());
    stray.say("hello room");
    assert!(stray.rest().starts_with("HTTP/1.1 400 "));
    let mut encrypted = Client::connect(program.monitored_at());
    encrypted.write(b"\x16\x03\x01\0\x50");
    assert_eq!(encrypted.read(7), [21, 3, 3, 0, 2, 2, 10]);
    let _alice = program.client("alice");
    assert!(program.log_line().contains("event=accepted conn=5 "));
    let browser = Browser::request(program.monitored_at(), "GET /ws", "");
    assert!(browser.1.starts_with("HTTP/1.1 404 "));
}
