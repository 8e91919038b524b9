//! TLS under a loop that is driven by hand.

use std::fs;
use std::io::{Read, Write};

use chinwag::testing::Stream;
use chinwag::{Certificate, Limits};
use rustls::ClientConnection;

use crate::secure::{config, file, session};
use crate::wire::World;

/// A client, and its end of the wire.
struct Secure {
    session: ClientConnection,
    end: Stream,
}

impl World {
    fn connect_secure(&mut self) -> Secure {
        let [chain, key] = ["chat.crt", "chat.key"].map(|name| fs::read(file(name)).unwrap());
        let end = self.connect_encrypted(&Certificate::from_pem(&chain, &key).unwrap());
        let mut secure = Secure { session: session(config()), end };
        while secure.session.is_handshaking() {
            self.exchange(&mut secure);
        }
        self.exchange(&mut secure);
        secure
    }

    /// What the client has to send, and what it reads then.
    fn exchange(&mut self, secure: &mut Secure) -> String {
        let mut sent = Vec::new();
        while secure.session.wants_write() {
            secure.session.write_tls(&mut sent).unwrap();
        }
        self.say(&secure.end, sent);
        let written = secure.end.receive();
        let (mut rest, mut text) = (&written[..], Vec::new());
        while !rest.is_empty() {
            secure.session.read_tls(&mut rest).unwrap();
            let count = secure.session.process_new_packets().unwrap().plaintext_bytes_to_read();
            let mut part = vec![0; count];
            secure.session.reader().read_exact(&mut part).unwrap();
            text.extend(part);
        }
        String::from_utf8(text).unwrap()
    }

    fn queued(&self) -> usize {
        self.hub.outbox().traffic().bytes_queued
    }
}

/// A record has a header, the type of what is in it, and a tag.
const RECORD: usize = 22;

#[test]
fn what_the_library_holds_back_for_a_stalled_reader_is_part_of_its_queue() {
    let limits = Limits::default().with(|it| it.queue_total = 5000);
    let mut world = World::new(&limits);
    let ann = world.connect("native");
    let mut bob = world.connect_secure();
    world.say(&ann, "hello\n");
    assert_eq!(world.exchange(&mut bob), "[guest] hello\n");
    bob.end.narrow(0);
    // One line is encrypted at once; the next waits as it is.
    let line = format!("{}\n", "x".repeat(2000));
    let said = "[guest] ".len() + line.len();
    world.say(&ann, &line);
    assert_eq!(world.queued(), said + RECORD);
    world.say(&ann, &line);
    assert_eq!((world.queued(), world.hub.open_count()), (2 * said + RECORD, 2));
    // What is read in time is no longer counted.
    bob.end.narrow(usize::MAX);
    world.hub.mark_writable(1);
    let expected = format!("[guest] {line}").repeat(2);
    assert_eq!((world.exchange(&mut bob), world.queued()), (expected, 0));
    bob.end.narrow(0);
    (0..3).for_each(|_| world.say(&ann, &line));
    assert_eq!((world.queued(), world.hub.open_count()), (0, 1));
    // Nor does a record that is larger than all may have need anything behind it.
    let mut world = World::new(&limits.with(|it| it.queue_total = 1000));
    let ann = world.connect("native");
    let bob = world.connect_secure();
    bob.end.narrow(0);
    world.say(&ann, &line);
    assert_eq!((world.queued(), world.hub.open_count()), (0, 1));
}

#[test]
fn monitors_see_what_is_encrypted() {
    let mut world = World::new(&Limits::default());
    let plain = world.connect("native");
    let _secure = world.connect_secure();
    let monitor = world.connect("metrics");
    world.say(&monitor, "GET /metrics HTTP/1.1\r\nHost: chat.example\r\n\r\n");
    let answer = String::from_utf8(monitor.receive()).unwrap();
    for transport in ["tls", "other"] {
        let labels = format!("transport=\"{transport}\",framing=\"lines\",listener=\"native\"");
        let line = format!("chinwag_connections{{{labels}}} 1\n");
        assert!(answer.contains(&line), "{line}: {answer}");
    }
    drop(plain);
}

#[test]
fn a_record_that_is_cut_anywhere_is_read_once_it_is_whole() {
    let mut world = World::new(&Limits::default().with(|it| it.rate = None));
    let mut bob = world.connect_secure();
    for cut in 1.. {
        bob.session.writer().write_all(b"/up one\n/up two\n").unwrap();
        let mut record = Vec::new();
        bob.session.write_tls(&mut record).unwrap();
        let Some((start, rest)) = record.split_at_checked(cut).filter(|(_, rest)| rest != b"")
        else {
            assert_eq!(cut, 16 + RECORD);
            break;
        };
        world.say(&bob.end, start);
        assert_eq!(world.exchange(&mut bob), "", "cut at {cut}");
        world.say(&bob.end, rest);
        assert_eq!(world.exchange(&mut bob), "ONE\nTWO\n", "cut at {cut}");
    }
}
