//! Over a transport in memory, with the client's side of rustls.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{AlertDescription, CipherSuite, ClientConfig, ClientConnection, Error, RootCertStore};

use super::*;
use crate::testing::{Call, Stream};

const CHAIN: &[u8] = include_bytes!("../../../tests/certificates/chat.crt");
const KEY: &[u8] = include_bytes!("../../../tests/certificates/chat.key");

fn certificate() -> Certificate {
    Certificate::from_pem(CHAIN, KEY).unwrap()
}

/// Both ends, and the wire between them.
struct Pair {
    server: Tls<Stream>,
    client: ClientConnection,
    wire: Stream,
    /// What the server has read, and why it read no further.
    read: Vec<u8>,
}

impl Pair {
    fn new(version: &'static rustls::SupportedProtocolVersion) -> Pair {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(CHAIN).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(&[version]).unwrap();
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        let client = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap());
        let wire = Stream::default();
        let server = Tls::encrypted(wire.clone(), &certificate());
        Pair { server, client: client.unwrap(), wire, read: Vec::new() }
    }

    /// A session whose handshake is done.
    fn connected(version: &'static rustls::SupportedProtocolVersion) -> Pair {
        let mut pair = Pair::new(version);
        pair.server.begin(b"");
        pair.exchange();
        assert!(!pair.server.is_handshaking() && !pair.client.is_handshaking());
        pair
    }

    /// What the client has to send.
    fn take_to_send(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut bytes).unwrap();
        }
        bytes
    }

    /// Hands that on.
    fn send(&mut self) {
        let bytes = self.take_to_send();
        self.wire.send(&bytes);
    }

    /// Has the server read until it says why it reads no further.
    fn serve(&mut self) -> io::Result<()> {
        loop {
            let mut chunk = [0; 4096];
            match self.server.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(count) => self.read.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Hands on what the server has sent. What the client has read of it; an end is one that the
    /// server vouches for.
    fn receive(&mut self) -> Result<(Vec<u8>, bool), Error> {
        let bytes = self.wire.receive();
        self.decrypt(&bytes)
    }

    fn decrypt(&mut self, mut rest: &[u8]) -> Result<(Vec<u8>, bool), Error> {
        let mut read = Vec::new();
        let mut has_ended = false;
        while !rest.is_empty() && !has_ended {
            self.client.read_tls(&mut rest).unwrap();
            let state = self.client.process_new_packets()?;
            has_ended = state.peer_has_closed();
            let from = read.len();
            read.resize(from + state.plaintext_bytes_to_read(), 0);
            self.client.reader().read_exact(&mut read[from..]).unwrap();
        }
        Ok((read, has_ended))
    }

    /// All that both have to say, until the server waits for more.
    fn exchange(&mut self) -> Vec<u8> {
        let mut read = Vec::new();
        for _ in 0..4 {
            self.send();
            let why = self.serve().map_err(|error| error.kind());
            assert!(matches!(why, Ok(()) | Err(ErrorKind::WouldBlock)), "{why:?}");
            read.extend(self.receive().expect("the client is content").0);
        }
        read
    }

    fn say(&mut self, text: &[u8]) {
        self.client.writer().write_all(text).unwrap();
        self.send();
    }
}

#[test]
fn a_handshake_and_records_may_come_in_any_pieces() {
    for version in [&TLS12, &TLS13] {
        for piece in (1..60).chain((60..600).step_by(31)) {
            let mut pair = Pair::new(version);
            pair.wire.limit(piece);
            pair.server.begin(b"");
            pair.exchange();
            pair.say(b"hello\n");
            pair.say(b"there\n");
            pair.exchange();
            assert_eq!(pair.read, b"hello\nthere\n", "{version:?}, pieces of {piece}");
            assert_eq!(pair.server.write(b"hi\n").unwrap(), 3);
            assert_eq!(pair.receive().unwrap(), (b"hi\n".to_vec(), false));
            pair.client.send_close_notify();
            pair.send();
            pair.serve().expect("close_notify is an end that is vouched for");
            // A client that has ended its input still reads.
            pair.server.write_all(b"bye\n").unwrap();
            pair.server.shutdown_write().unwrap();
            assert_eq!(pair.receive().unwrap(), (b"bye\n".to_vec(), true));
            assert!(pair.wire.is_shut());
        }
    }
}

#[test]
fn the_log_is_told_the_version() {
    assert_eq!(Pair::connected(&TLS13).server.tls_version(), Some("1.3"));
    assert_eq!(Pair::connected(&TLS12).server.tls_version(), Some("1.2"));
    assert_eq!(Pair::new(&TLS13).server.tls_version(), None);
}

#[test]
fn the_end_of_a_handshake_is_acknowledged_at_once_where_nothing_answers_it() {
    for (version, times) in [(&TLS13, 1), (&TLS12, 0)] {
        for piece in [1, usize::MAX] {
            let mut pair = Pair::new(version);
            pair.wire.limit(piece);
            pair.server.begin(b"");
            pair.exchange();
            assert!(!pair.server.is_handshaking());
            pair.say(b"hello\n");
            pair.exchange();
            assert_eq!(pair.wire.acknowledged(), times, "{version:?}, pieces of {piece}");
        }
    }
}

#[test]
fn of_the_ciphers_that_a_client_knows_the_one_of_the_cheapest_handshake_is_taken() {
    let suite = Pair::connected(&TLS13).client.negotiated_cipher_suite().unwrap().suite();
    assert_eq!(suite, CipherSuite::TLS13_AES_128_GCM_SHA256);
}

#[test]
fn what_was_read_before_the_handshake_is_part_of_it() {
    // The whole hello is the last: no more comes, and it is answered all the same.
    for count in [1, 5, 60, 150, usize::MAX] {
        let mut pair = Pair::new(&TLS13);
        let hello = pair.take_to_send();
        let (before, later) = hello.split_at(count.min(hello.len()));
        pair.wire.send(later);
        pair.server.begin(before);
        pair.exchange();
        assert!(!pair.server.is_handshaking());
    }
}

#[test]
fn bytes_that_become_no_content_are_counted() {
    let mut pair = Pair::connected(&TLS13);
    pair.say(b"hello\n");
    pair.exchange();
    // A header, the type and a tag.
    assert!(!pair.server.take_overhead(23) && pair.server.take_overhead(22));
    for _ in 0..10 {
        pair.client.refresh_traffic_keys().unwrap();
    }
    pair.exchange();
    assert!(pair.server.take_overhead(10 * 27) && !pair.server.take_overhead(1));
}

#[test]
fn before_the_handshake_begins_bytes_are_read_as_they_are() {
    let mut pair = Pair::new(&TLS13);
    pair.wire.send(b"PROXY UNKNOWN\r\n");
    let mut chunk = [0; 100];
    assert_eq!(pair.server.read(&mut chunk).unwrap(), 15);
    pair.server.begin(b"");
    pair.exchange();
    assert!(!pair.server.is_handshaking());
}

#[test]
fn an_end_without_close_notify_is_one_that_nobody_vouches_for() {
    let mut pair = Pair::connected(&TLS13);
    pair.say(b"hello\nand th");
    pair.wire.end();
    assert_eq!(pair.serve().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(pair.read, b"hello\nand th");
    // It is answered all the same.
    pair.server.write_all(b"hi\n").unwrap();
    pair.server.shutdown_write().unwrap();
    assert_eq!(pair.receive().unwrap(), (b"hi\n".to_vec(), true));
    let mut pair = Pair::new(&TLS13);
    pair.server.begin(b"");
    pair.wire.end();
    assert_eq!(pair.serve().unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_client_without_a_handshake_is_told_that_this_port_speaks_tls() {
    let mut pair = Pair::new(&TLS13);
    pair.server.begin(b"");
    pair.wire.send(b"/nick alice\n");
    assert_eq!(pair.serve().unwrap_err().kind(), ErrorKind::InvalidData);
    assert!(pair.server.is_handshaking());
    pair.server.shutdown_write().unwrap();
    assert_eq!(pair.wire.receive(), b"This port speaks TLS.\n");
    assert!(pair.wire.is_shut());
    // A client that waits for a greeting, too.
    let mut pair = Pair::new(&TLS13);
    pair.server.begin(b"");
    pair.server.shutdown_write().unwrap();
    assert_eq!(pair.wire.receive(), b"This port speaks TLS.\n");
}

#[test]
fn a_refusal_is_an_alert() {
    for has_begun in [false, true] {
        let mut pair = Pair::new(&TLS13);
        pair.send();
        if has_begun {
            pair.server.begin(b"");
        }
        assert_eq!(pair.server.write(b"Server is full.\n").unwrap(), 16);
        pair.server.shutdown_write().unwrap();
        let sent = pair.wire.receive();
        assert_eq!(sent, ACCESS_DENIED);
        assert!(pair.wire.is_shut());
        assert_eq!(pair.decrypt(&sent), Err(Error::AlertReceived(AlertDescription::AccessDenied)));
        // What it had sent is nothing that anybody said.
        assert_eq!(pair.serve().unwrap_err().kind(), ErrorKind::WouldBlock);
        assert_eq!(pair.read, b"");
    }
}

#[test]
fn what_goes_wrong_is_told_the_client_before_it_is_an_error() {
    for version in [&TLS12, &TLS13] {
        let mut pair = Pair::connected(version);
        pair.client.writer().write_all(b"hello\n").unwrap();
        let mut record = pair.take_to_send();
        *record.last_mut().unwrap() ^= 1;
        pair.wire.send(&record);
        assert_eq!(pair.serve().unwrap_err().kind(), ErrorKind::InvalidData);
        assert_eq!(pair.receive(), Err(Error::AlertReceived(AlertDescription::BadRecordMac)));
        assert_eq!(pair.server.write(b"hi\n").unwrap_err().kind(), ErrorKind::BrokenPipe);
        pair.server.shutdown_write().unwrap();
        assert!(pair.wire.is_shut());
    }
    let mut pair = Pair::new(&TLS13);
    pair.server.begin(b"");
    pair.wire.send(&[22, 3, 1, 0, 4, 1, 0, 0, 0]);
    assert_eq!(pair.serve().unwrap_err().kind(), ErrorKind::InvalidData);
    assert!(matches!(pair.receive(), Err(Error::AlertReceived(_))));
    // Its own alert is not answered.
    let mut pair = Pair::new(&TLS13);
    pair.server.begin(b"");
    pair.wire.send(&[21, 3, 3, 0, 2, 2, 48]);
    assert_eq!(pair.serve().unwrap_err().kind(), ErrorKind::InvalidData);
}

/// One conversation, again and again, each time with another call of the transport's failing.
#[test]
fn whatever_call_fails_is_told_and_what_is_harmless_does_no_harm() {
    use ErrorKind::{BrokenPipe, ConnectionReset, Interrupted, WouldBlock};
    for kind in [Interrupted, WouldBlock, ConnectionReset, BrokenPipe] {
        for (at, call) in (0..8).flat_map(|at| [(at, Call::Read), (at, Call::Write)]) {
            let mut pair = Pair::new(&TLS13);
            pair.wire.fail(call, at, Some(kind));
            let result = converse(&mut pair);
            let is_harmless = matches!(kind, Interrupted | WouldBlock) || pair.wire.is_to_fail();
            match result {
                Ok(()) => assert!(is_harmless, "{call:?} {at}: {kind:?} was not told"),
                Err(error) => {
                    assert!(!is_harmless && error.kind() == kind, "{call:?} {at}: {error}");
                }
            }
        }
    }
}

/// A line in, one out, and the ends. What blocks is tried again, as after an edge.
fn converse(pair: &mut Pair) -> io::Result<()> {
    let unless_blocked = |result: io::Result<()>| match result {
        Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
        _ => Ok(()),
    };
    pair.server.begin(b"");
    for _ in 0..4 {
        pair.send();
        unless_blocked(pair.serve())?;
        unless_blocked(pair.serve())?;
        unless_blocked(pair.server.flush())?;
        pair.receive().expect("the client is content");
    }
    pair.say(b"hello\n");
    pair.client.send_close_notify();
    pair.send();
    unless_blocked(pair.serve())?;
    pair.serve()?;
    assert_eq!(pair.read, b"hello\n");
    loop {
        match pair.server.write(b"hi\n") {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
            Ok(count) => break assert_eq!(count, 3),
        }
    }
    unless_blocked(pair.server.shutdown_write())?;
    pair.server.shutdown_write()?;
    assert_eq!(pair.receive().unwrap(), (b"hi\n".to_vec(), true));
    Ok(())
}

#[test]
fn keys_may_change() {
    let mut pair = Pair::connected(&TLS13);
    for _ in 0..3 {
        pair.client.refresh_traffic_keys().unwrap();
        pair.say(b"hello\n");
        pair.exchange();
        pair.server.write_all(b"hi\n").unwrap();
        assert_eq!(pair.receive().unwrap(), (b"hi\n".to_vec(), false));
    }
    assert_eq!(pair.read, b"hello\nhello\nhello\n");
}

/// A change of keys that asks for another, and a line, as soon as the client may.
#[test]
fn what_comes_with_the_end_of_the_handshake_is_read_and_answered() {
    for piece in (1..200).step_by(7).chain([usize::MAX]) {
        let mut pair = Pair::new(&TLS13);
        pair.server.begin(b"");
        pair.send();
        assert_eq!(pair.serve().unwrap_err().kind(), ErrorKind::WouldBlock);
        pair.receive().expect("the client is content");
        assert!(pair.server.is_handshaking() && !pair.client.is_handshaking());
        pair.client.refresh_traffic_keys().unwrap();
        pair.say(b"hello\n");
        pair.wire.limit(piece);
        pair.exchange();
        assert_eq!(pair.read, b"hello\n");
        pair.server.write_all(b"hi\n").unwrap();
        assert_eq!(pair.receive().unwrap(), (b"hi\n".to_vec(), false));
    }
}

#[test]
fn what_the_transport_does_not_take_is_held_back_and_at_most_a_record_of_it() {
    let mut pair = Pair::connected(&TLS13);
    let text: Vec<u8> = (0..=255).cycle().take(40_000).collect();
    pair.wire.narrow(100);
    let mut sent = pair.server.write(&text).unwrap();
    assert!(sent <= 16 << 10 && pair.server.unsent() > sent - 100, "{sent}");
    for what in
        [pair.server.write(&text).map(drop), pair.server.flush(), pair.server.shutdown_write()]
    {
        assert_eq!(what.unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    assert!(!pair.wire.is_shut());
    let mut pair = Pair::connected(&TLS13);
    let mut read = Vec::new();
    pair.wire.narrow(1000);
    sent = 0;
    while sent < text.len() || pair.server.unsent() > 0 {
        let result = match &text[sent..] {
            b"" => pair.server.flush().map(|()| 0),
            rest => pair.server.write(rest),
        };
        match result {
            Ok(count) => sent += count,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        read.extend(pair.receive().unwrap().0);
    }
    assert!(read == text);
    let session = pair.server.session.as_ref().unwrap();
    assert_eq!(session.capacity(), 0, "buffers are given back");
}

#[test]
fn more_than_is_asked_for_is_read_later() {
    let mut pair = Pair::connected(&TLS13);
    pair.say(&[b'x'; 10_000]);
    let mut read = 0;
    let mut chunk = [0; 256];
    while read < 10_000 {
        read += pair.server.read(&mut chunk).or_else(unless_progress).expect("it has come");
    }
    assert_eq!(pair.server.read(&mut chunk).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(pair.server.session.as_ref().unwrap().capacity(), 0, "buffers are given back");
}

fn unless_progress(error: io::Error) -> io::Result<usize> {
    if error.kind() == ErrorKind::Interrupted { Ok(0) } else { Err(error) }
}
