//! Encrypted clients at an upgrade: their keys cannot go along.
#![cfg(feature = "tls")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;

use rustls::StreamOwned;

use super::successors::{checks_well, replace};
use super::{ask, install, start, upgrade};
use crate::binary::tls::Secure;
use crate::binary::{Folder, Program};
use crate::client::{Client, PATIENCE, eventually};
use crate::secure::{config, file, session};

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
fn encrypted_clients_are_closed_and_the_named_get_a_token() {
    let (_folder, program) = start_encrypted("upgrade-encrypted", &[]);
    let mut ann = program.client("ann");
    let mut bob = Secure::named(program.addrs[1], "bob");
    let mut guest = Secure::connect(program.addrs[1]);
    assert_eq!(guest.ask("/up here"), "HERE");
    // It is still shaking hands.
    let mut slow = Client::connect(program.addrs[1]);
    eventually("all are here", || ann.ask("/up all?") == "ALL?");
    let line = upgrade(&program);
    assert!(line.contains(" connections=1 left=") && !line.contains("left=0"), "{line}");
    assert_eq!(guest.rest(), TOLD);
    assert!(slow.is_over());
    let rest = bob.rest();
    let token = rest.strip_prefix(TOLD).and_then(|rest| rest.trim().rsplit(' ').next()).unwrap();
    let mut bob = Secure::connect(program.addrs[1]);
    assert_eq!(bob.ask(&format!("/resume {token}")), "You are now bob");
    bob.say("I am back");
    ann.expect("[bob] I am back");
}

#[test]
fn slow_encrypted_clients_are_sent_all_before_they_are_closed() {
    let options = ["--rate", "off", "--queue-soft", "900K", "--queue-park", "900K"];
    let (_folder, program) = start_encrypted("upgrade-encrypted-slow", &options);
    let mut ann = program.client("ann");
    let mut slow = Secure::named(program.addrs[1], "slow");
    let text = "x".repeat(4000);
    // More than the sockets take, and less than would be shed.
    let count = 200;
    for number in 0..count {
        slow.say(&format!("{number} {text}"));
    }
    for number in 0..count {
        ann.expect(&format!("[slow] {number} {text}"));
    }
    upgrade(&program);
    let rest = slow.rest();
    let mut lines = rest.lines();
    for number in 0..count {
        assert_eq!(lines.next(), Some(&*format!("[slow] {number} {text}")));
    }
    assert_eq!(lines.next(), Some(TOLD.trim_end()));
}

#[cfg(feature = "web")]
#[test]
fn encrypted_browsers_are_told_to_come_back() {
    let (_folder, program) =
        start_encrypted("upgrade-encrypted-web", &["-l", "web+tls=127.0.0.1:0"]);
    let addr = program.addrs[2];
    let mut browser = Secure::connect(addr);
    let request = format!("GET /ws HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\n");
    browser.0.write_all(request.as_bytes()).unwrap();
    let rest = "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    browser.0.write_all(format!("{rest}{key}").as_bytes()).unwrap();
    while browser.line() != "\r" {}
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
    let mut bob = Secure::named(program.addrs[1], "bob");
    replace(&folder, &checks_well("#!/bin/sh\nrm \"$0\""));
    assert!(ask(&program).contains("event=not_upgraded"));
    assert_eq!(bob.ask("/up still here"), "STILL HERE");
}

/// The program is still the one that was checked, and the system does not execute it any more.
#[test]
fn encrypted_clients_talk_on_when_exec_fails_after_a_good_check() {
    let (folder, program) = start_encrypted("upgrade-encrypted-exec", &[]);
    let mut bob = Secure::named(program.addrs[1], "bob");
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
    assert!(upgrade(&program).contains(" connections=0 left=3 "));
    assert!(bob.rest().starts_with(TOLD));
    assert_eq!(eve.rest(), TOLD);
}
