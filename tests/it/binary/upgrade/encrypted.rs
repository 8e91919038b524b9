//! Encrypted clients at an upgrade: the keys of TLS 1.3 go along, those of TLS 1.2 do not.
#![cfg(feature = "tls")]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::sync::Arc;

use rustls::{ClientConfig, StreamOwned};

use super::successors::{checks_well, replace};
use super::{ask, install, start, upgrade};
use crate::binary::tls::Secure;
use crate::binary::{Folder, Program};
use crate::client::{Client, PATIENCE, eventually};
use crate::secure::{config, config_of_1_2, file, session};

const TOLD: &str = "The server is upgraded, and this connection cannot go along: connect again.\n";

/// Starts a server that listens for TLS as well, where programs can be installed.
fn start_encrypted(name: &str, options: &[&str]) -> (Folder, Program) {
    let folder = install(name);
    let (cert, key) = (file("chat.crt"), file("chat.key"));
    let tls = ["-l", "tls=127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key];
    let program = start(&folder, &[&tls[..], options].concat());
    (folder, program)
}

#[test]
fn encrypted_clients_talk_on() {
    let (_folder, program) = start_encrypted("upgrade-encrypted", &[]);
    let mut ann = program.client("ann");
    let mut bob = Secure::named(program.addrs[1], "bob");
    for text in ["half a line", "half another"] {
        let (start, end) = text.split_at(5);
        bob.0.write_all(start.as_bytes()).unwrap();
        eventually("it is read", || ann.ask("/up all?") == "ALL?");
        assert!(upgrade(&program).contains(" connections=2 left=0 "));
        bob.say(end);
        ann.expect(&format!("[bob] {text}"));
        assert_eq!(bob.line(), format!("[bob] {text}"));
    }
    assert_eq!(bob.ask("/exit"), "Bye.");
    assert_eq!(bob.rest(), "");
}

#[test]
fn encrypted_clients_that_read_slowly_miss_nothing() {
    let options = ["--rate", "off", "--queue-soft", "900K", "--queue-park", "900K"];
    let (_folder, program) = start_encrypted("upgrade-encrypted-along-slow", &options);
    let mut slow = Secure::named(program.addrs[1], "slow");
    let lines = queue_lines(&program, &mut slow);
    assert!(upgrade(&program).contains(" left=0 "));
    for line in lines {
        assert_eq!(slow.line(), line);
    }
    assert_eq!(slow.ask("/up still here"), "STILL HERE");
}

/// What makes the next keys stays in the old process.
#[test]
fn keys_cannot_change_after_an_upgrade() {
    let (_folder, program) = start_encrypted("upgrade-encrypted-keys", &[]);
    let mut bob = Secure::named(program.addrs[1], "bob");
    bob.0.conn.refresh_traffic_keys().unwrap();
    assert_eq!(bob.ask("/up new keys"), "NEW KEYS");
    upgrade(&program);
    assert_eq!(bob.ask("/up the same"), "THE SAME");
    bob.0.conn.refresh_traffic_keys().unwrap();
    bob.0.flush().unwrap();
    let error = bob.0.read(&mut [0]).unwrap_err().to_string();
    assert!(error.contains("InternalError"), "{error}");
    assert!(program.logged("event=ended").contains(" why=broken "));
}

#[test]
fn those_whose_keys_cannot_go_along_are_closed_and_the_named_get_a_token() {
    let (_folder, program) = start_encrypted("upgrade-encrypted-left", &[]);
    let mut ann = program.client("ann");
    let mut bob = Secure::connect_as(config_of_1_2(), program.addrs[1]).register("bob");
    let mut guest = Secure::connect_as(config_of_1_2(), program.addrs[1]);
    assert_eq!(guest.ask("/up here"), "HERE");
    // They are still shaking hands.
    let mut silent = Client::connect(program.addrs[1]);
    let mut slow = Client::connect(program.addrs[1]);
    slow.write(b"\x16\x03\x01\0\x50\x01");
    eventually("all are here", || ann.ask("/up all?") == "ALL?");
    let line = upgrade(&program);
    assert!(line.contains(" connections=1 left=") && !line.contains("left=0"), "{line}");
    assert_eq!(guest.rest(), TOLD);
    assert_eq!(silent.rest(), "This port speaks TLS.\n");
    // An alert: an internal error.
    assert_eq!(slow.read(7), [21, 3, 3, 0, 2, 2, 80]);
    slow.expect_end();
    let rest = bob.rest();
    let token = rest.strip_prefix(TOLD).and_then(|rest| rest.trim().rsplit(' ').next()).unwrap();
    let mut bob = Secure::connect(program.addrs[1]);
    assert_eq!(bob.ask(&format!("/resume {token}")), "You are now bob");
    bob.say("I am back");
    ann.expect("[bob] I am back");
}

#[test]
fn slow_clients_are_sent_all_before_they_are_closed() {
    let options = ["--rate", "off", "--queue-soft", "900K", "--queue-park", "900K"];
    let (_folder, program) = start_encrypted("upgrade-encrypted-slow", &options);
    let mut slow = Secure::connect_as(config_of_1_2(), program.addrs[1]).register("slow");
    let lines = queue_lines(&program, &mut slow);
    upgrade(&program);
    let rest = slow.rest();
    let expected = lines.iter().map(String::as_str).chain([TOLD.trim_end()]);
    // Then comes their token.
    assert!(rest.lines().take(lines.len() + 1).eq(expected));
}

/// They say more than their socket takes, and less than would be shed, and read none of it.
fn queue_lines(program: &Program, slow: &mut Secure) -> Vec<String> {
    let mut ann = program.client("ann");
    let text = "x".repeat(4000);
    for number in 0..200 {
        slow.say(&format!("{number} {text}"));
    }
    let lines: Vec<String> = (0..200).map(|number| format!("[slow] {number} {text}")).collect();
    for line in &lines {
        ann.expect(line);
    }
    lines
}

#[cfg(feature = "web")]
#[test]
fn encrypted_browsers_talk_on() {
    let (_folder, program) =
        start_encrypted("upgrade-encrypted-along-web", &["-l", "web+tls=127.0.0.1:0"]);
    let mut browser = browse(config(), program.addrs[2]);
    assert!(upgrade(&program).contains(" connections=1 left=0 "));
    // A text frame, with a mask of zeros.
    browser.0.write_all(b"\x81\x85\0\0\0\0/up x").unwrap();
    // Before that comes the greeting.
    while !browser.text_frame().contains("\"X\"") {}
}

#[cfg(feature = "web")]
fn browse(config: Arc<ClientConfig>, addr: SocketAddr) -> Secure {
    let mut browser = Secure::connect_as(config, addr);
    let request = format!("GET /ws HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\n");
    browser.0.write_all(request.as_bytes()).unwrap();
    let rest = "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    browser.0.write_all(format!("{rest}{key}").as_bytes()).unwrap();
    while browser.line() != "\r" {}
    browser
}

#[cfg(feature = "web")]
#[test]
fn browsers_whose_keys_cannot_go_along_are_told_to_come_back() {
    let (_folder, program) =
        start_encrypted("upgrade-encrypted-web", &["-l", "web+tls=127.0.0.1:0"]);
    let mut browser = browse(config_of_1_2(), program.addrs[2]);
    let line = upgrade(&program);
    assert!(line.contains(" connections=0 left=1 "), "{line}");
    let mut frames = Vec::new();
    browser.0.read_to_end(&mut frames).expect("close_notify, and in time");
    assert!(String::from_utf8_lossy(&frames).contains("left_behind"));
    // A close frame: the service restarts (1012).
    assert!(frames.ends_with(&[0x88, 2, 3, 0xf4]), "{frames:?}");
    let line = program.logged("event=ended");
    assert!(line.contains(" why=upgrade ") && line.contains(" lines_out=1 "), "{line}");
}

/// They are closed only for a program that was checked and is there still.
#[test]
fn encrypted_clients_talk_on_when_the_program_is_replaced_after_its_check() {
    let (folder, program) = start_encrypted("upgrade-encrypted-gone", &[]);
    let mut bob = Secure::connect_as(config_of_1_2(), program.addrs[1]).register("bob");
    replace(&folder, &checks_well("#!/bin/sh\nrm \"$0\""));
    assert!(ask(&program).contains("event=not_upgraded"));
    assert_eq!(bob.ask("/up still here"), "STILL HERE");
}

/// The program is still the one that was checked, and the system does not execute it any more.
#[test]
fn encrypted_clients_talk_on_when_exec_fails_after_a_good_check() {
    let (folder, program) = start_encrypted("upgrade-encrypted-exec", &[]);
    let mut bob = Secure::connect_as(config_of_1_2(), program.addrs[1]).register("bob");
    let mut eve = Secure::connect(program.addrs[1]);
    // Half-way through a handshake, and a line.
    let mut slow = TcpStream::connect_timeout(&program.addrs[1], PATIENCE).unwrap();
    let mut hello = Vec::new();
    let mut handshake = session(config());
    handshake.write_tls(&mut hello).unwrap();
    slow.write_all(&hello[..100]).unwrap();
    bob.0.write_all(b"half a ").unwrap();
    assert_eq!(eve.ask("/up here"), "HERE");
    let shell = folder.0.join("shell");
    for _ in 0..2 {
        symlink("/bin/sh", &shell).unwrap();
        let shell = shell.display();
        replace(&folder, &checks_well(&format!("#!{shell}\nrm {shell}")));
        let line = ask(&program);
        assert!(line.contains("No such file or directory"), "{line}");
        assert_eq!(eve.ask("/up still here"), "STILL HERE");
    }
    bob.say("line");
    assert_eq!((bob.line(), eve.line()), ("[bob] half a line".into(), "[bob] half a line".into()));
    slow.write_all(&hello[100..]).unwrap();
    let mut slow = Secure(StreamOwned::new(handshake, slow));
    assert_eq!(slow.ask("/up and I"), "AND I");
    // What was encrypted and not sent has left no gap: this is read, and so is the end.
    fs::remove_file(folder.0.join("chinwag")).unwrap();
    fs::hard_link(env!("CARGO_BIN_EXE_chinwag"), folder.0.join("chinwag")).unwrap();
    assert!(upgrade(&program).contains(" connections=2 left=1 "));
    assert!(bob.rest().starts_with(TOLD));
    assert_eq!(eve.ask("/up still here"), "STILL HERE");
}
