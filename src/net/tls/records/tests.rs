//! Beside rustls as it is: whatever a client sends, both make the same of it.

use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::crypto::ring::{self, cipher_suite};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConnection};

use super::*;
use crate::net::timeouts::Now;
use crate::net::tls::handshake::Handshake;
use crate::net::tls::keys::Keys;

const CHAIN: &[u8] = include_bytes!("../../../../tests/certificates/chat.crt");
const KEY: &[u8] = include_bytes!("../../../../tests/certificates/chat.key");

const CONTENT: ContentType = ContentType::ApplicationData;
const ALERT: ContentType = ContentType::Alert;
const HANDSHAKE: ContentType = ContentType::Handshake;
const CHANGE_CIPHER_SPEC: ContentType = ContentType::ChangeCipherSpec;

/// A client that seals whatever it is told to.
struct Forger {
    next: KernelConnection<ClientConnectionData>,
    suite: &'static Tls13CipherSuite,
    sealing: Direction,
    opening: Direction,
}

impl Forger {
    fn seal(&mut self, typ: ContentType, bytes: &[u8]) -> Vec<u8> {
        let mut record = Vec::new();
        self.sealing.seal(typ, bytes, &mut record).unwrap();
        record
    }

    /// One after the other.
    fn seal_all(&mut self, typ: ContentType, all: &[&[u8]]) -> Vec<u8> {
        all.iter().flat_map(|bytes| self.seal(typ, bytes)).collect()
    }

    /// What follows is sealed with the next key.
    fn change_key(&mut self) {
        self.sealing = Direction::new(self.suite, self.next.update_tx_secret().unwrap()).unwrap();
    }

    fn key_update(&mut self, request: u8) -> Vec<u8> {
        let record = self.seal(HANDSHAKE, &[KEY_UPDATE, 0, 0, 1, request]);
        self.change_key();
        record
    }

    /// What the server has sent.
    fn open(&mut self, mut records: &mut [u8]) -> Vec<(ContentType, Vec<u8>)> {
        let mut opened = Vec::new();
        while let Some(length) = first_record(records) {
            let (record, rest) = records.split_at_mut(length);
            records = rest;
            let body = &mut record[HEADER..];
            let message = self.opening.open(CONTENT, body).expect("it is sealed for us");
            opened.push((message.typ, message.payload.to_vec()));
            if message.typ == HANDSHAKE {
                let secrets = self.next.update_rx_secret().unwrap();
                self.opening = Direction::new(self.suite, secrets).unwrap();
            }
        }
        assert!(records.is_empty());
        opened
    }
}

/// A client, and the end of its handshake, which it has not sent yet.
fn shake_hands(
    suite: SupportedCipherSuite,
    mut server: impl FnMut(&[u8]) -> Vec<u8>,
) -> (Forger, Vec<u8>) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CHAIN).unwrap()).unwrap();
    let provider = ring::default_provider();
    let provider = rustls::crypto::CryptoProvider { cipher_suites: vec![suite], ..provider };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider));
    let builder = builder.with_protocol_versions(&[&TLS13]).unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.enable_secret_extraction = true;
    let name = "localhost".try_into().unwrap();
    let mut client = UnbufferedClientConnection::new(Arc::new(config), name).unwrap();
    let (mut incoming, mut outgoing) = (Vec::new(), Vec::new());
    loop {
        let UnbufferedStatus { discard, state, .. } = client.process_tls_records(&mut incoming);
        let mut is_blocked = false;
        match state.unwrap() {
            ConnectionState::EncodeTlsData(mut data) => {
                let mut room = [0; 4096];
                let count = data.encode(&mut room).unwrap();
                outgoing.extend_from_slice(&room[..count]);
            }
            ConnectionState::TransmitTlsData(data) => data.done(),
            ConnectionState::BlockedHandshake => is_blocked = true,
            ConnectionState::WriteTraffic(_) => break,
            state => panic!("{state:?}"),
        }
        incoming.drain(..discard);
        if is_blocked {
            incoming.extend(server(&mem::take(&mut outgoing)));
        }
    }
    let (secrets, next) = client.dangerous_into_kernel_connection().unwrap();
    let SupportedCipherSuite::Tls13(suite) = suite else { panic!("{suite:?}") };
    let sealing = Direction::new(suite, secrets.tx).unwrap();
    let opening = Direction::new(suite, secrets.rx).unwrap();
    (Forger { next, suite, sealing, opening }, outgoing)
}

/// What a server makes of some records, and what it sends then.
#[derive(Debug, PartialEq)]
struct Outcome {
    read: Vec<u8>,
    has_ended: bool,
    has_failed: bool,
    sent: Vec<(ContentType, Vec<u8>)>,
}

/// A server of ours, and a client.
fn connect(suite: SupportedCipherSuite) -> (Records, Buffers, Forger) {
    let mut buffers = Buffers::default();
    let mut handshake = Handshake::new(&Keys::from_pem(CHAIN, KEY).unwrap());
    let (forger, end) = shake_hands(suite, |bytes| {
        buffers.incoming.extend_from_slice(bytes);
        handshake.process(&mut buffers, Then::Wait).unwrap();
        mem::take(&mut buffers.outgoing)
    });
    buffers.incoming.extend(end);
    handshake.process(&mut buffers, Then::Wait).unwrap();
    assert!(handshake.is_done());
    (handshake.into_records().unwrap(), buffers, forger)
}

/// Ours, which gets so many bytes at a time.
fn ours(forge: &dyn Fn(&mut Forger) -> Vec<u8>, piece: usize) -> Outcome {
    let (mut records, mut buffers, mut forger) = connect(cipher_suite::TLS13_AES_128_GCM_SHA256);
    let mut has_failed = false;
    for piece in forge(&mut forger).chunks(piece) {
        buffers.incoming.extend_from_slice(piece);
        has_failed = has_failed || records.process(&mut buffers, Then::Wait).is_err();
    }
    if !has_failed {
        records.process(&mut buffers, Then::Send(b"hi")).unwrap();
        records.process(&mut buffers, Then::Close).unwrap();
    }
    let sent = forger.open(&mut buffers.outgoing);
    Outcome { read: buffers.plain, has_ended: buffers.has_ended, has_failed, sent }
}

/// rustls.
fn theirs(forge: &dyn Fn(&mut Forger) -> Vec<u8>) -> Outcome {
    let config = Keys::from_pem(CHAIN, KEY).unwrap().config();
    let mut server = ServerConnection::new(config).unwrap();
    let feed = |mut bytes: &[u8], server: &mut ServerConnection| {
        let (mut read, mut has_ended, mut has_failed) = (Vec::new(), false, false);
        while !bytes.is_empty() && !has_ended && !has_failed {
            server.read_tls(&mut bytes).unwrap();
            let state = server.process_new_packets();
            has_failed = state.is_err();
            has_ended = state.is_ok_and(|state| state.peer_has_closed());
            // Until there is nothing more to be read, however it says so.
            let _ = server.reader().read_to_end(&mut read);
        }
        (read, has_ended, has_failed)
    };
    let take = |server: &mut ServerConnection| {
        let mut sent = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut sent).unwrap();
        }
        sent
    };
    let (mut forger, end) = shake_hands(cipher_suite::TLS13_AES_128_GCM_SHA256, |bytes| {
        feed(bytes, &mut server);
        take(&mut server)
    });
    feed(&end, &mut server);
    let (read, has_ended, has_failed) = feed(&forge(&mut forger), &mut server);
    if !has_failed {
        server.writer().write_all(b"hi").unwrap();
        server.send_close_notify();
    }
    let sent = forger.open(&mut take(&mut server));
    Outcome { read, has_ended, has_failed, sent }
}

/// With a byte of the header or of the body that is another.
fn changed(mut record: Vec<u8>, at: usize, by: u8) -> Vec<u8> {
    record[at] ^= by;
    record
}

type Forge = fn(&mut Forger) -> Vec<u8>;

/// Each of the things that a client may do, or may not.
const FORGERIES: &[(&str, Forge)] = &[
    ("content", |it| it.seal(CONTENT, b"hello")),
    ("empty content", |it| it.seal(CONTENT, b"")),
    ("16 KiB", |it| it.seal(CONTENT, &[b'x'; 16 << 10])),
    ("too much", |it| it.seal(CONTENT, &[b'x'; (16 << 10) + 1])),
    ("padding", |it| it.seal(ContentType::Unknown(0), b"padded\x17\0\0\0")),
    ("too much padding", |it| {
        let padded = [&b"padded\x17"[..], &[0; 16 << 10]].concat();
        it.seal(ContentType::Unknown(0), &padded)
    }),
    ("nothing but padding", |it| it.seal(ContentType::Unknown(0), &[0; 10])),
    ("32 empty records", |it| it.seal_all(CONTENT, &[b"".as_slice(); 32])),
    ("32 of handshakes", |it| it.seal_all(HANDSHAKE, &[b"".as_slice(); 32])),
    ("another key's", |it| changed(it.seal(CONTENT, b"hello"), 7, 1)),
    ("shorter than a tag", |_| vec![23, 3, 3, 0, 3, 1, 2, 3]),
    ("an empty body", |_| vec![23, 3, 3, 0, 0]),
    ("an alert without a body", |_| vec![21, 3, 3, 0, 0]),
    ("a long body", |_| [&[23, 3, 3, 0x41, 0][..], &[0; 0x4100]].concat()),
    ("a body too long", |_| vec![23, 3, 3, 0x48, 0]),
    ("sealed, as if it were a handshake", |it| changed(it.seal(CONTENT, b"hello"), 0, 0x17 ^ 0x16)),
    ("sealed, as if it were a heartbeat", |it| changed(it.seal(CONTENT, b"hello"), 0, 0x17 ^ 0x18)),
    ("an unknown type", |it| changed(it.seal(CONTENT, b"hello"), 0, 0x17 ^ 0x63)),
    ("TLS 1.0", |it| changed(it.seal(CONTENT, b"hello"), 2, 0x03 ^ 0x01)),
    ("TLS 2", |it| changed(it.seal(CONTENT, b"hello"), 1, 0x03 ^ 0x04)),
    ("an alert as it is", |_| vec![21, 3, 3, 0, 2, 1, 0]),
    ("change of cipher", |_| vec![20, 3, 3, 0, 1, 1]),
    ("change of something", |_| vec![20, 3, 3, 0, 1, 2]),
    ("change of cipher, sealed", |it| it.seal(CHANGE_CIPHER_SPEC, &[1])),
    ("a heartbeat", |it| it.seal(ContentType::Heartbeat, &[1, 0, 0])),
    ("an unknown message", |it| it.seal(ContentType::Unknown(99), b"hello")),
    ("the end", |it| it.seal(ALERT, &[1, 0])),
    ("a fatal end", |it| it.seal(ALERT, &[2, 0])),
    ("cancelled", |it| it.seal(ALERT, &[1, 90])),
    ("cancelled four times", |it| it.seal_all(ALERT, &[[1, 90].as_slice(); 4])),
    ("a warning", |it| it.seal(ALERT, &[1, 100])),
    ("an alert", |it| it.seal(ALERT, &[2, 10])),
    ("an alert of a third level", |it| it.seal(ALERT, &[3, 0])),
    ("half an alert", |it| it.seal(ALERT, &[1])),
    ("an alert and a half", |it| it.seal(ALERT, &[1, 90, 1])),
    ("no alert", |it| it.seal(ALERT, b"")),
    ("a new key", |it| it.key_update(0)),
    ("new keys", |it| it.key_update(1)),
    ("32 new keys", |it| (0..32).flat_map(|_| it.key_update(1)).collect()),
    ("32 new keys, and content", |it| {
        let mut records: Vec<u8> = (0..32).flat_map(|_| it.key_update(0)).collect();
        records.extend(it.seal(CONTENT, b"hello"));
        records
    }),
    ("an unknown change of keys", |it| it.key_update(2)),
    ("a new key in pieces", |it| {
        let pieces: &[&[u8]] = &[&[24], &[0, 0], b"", &[1], &[1]];
        let records = it.seal_all(HANDSHAKE, pieces);
        it.change_key();
        records
    }),
    ("two new keys in one", |it| it.seal(HANDSHAKE, &[24, 0, 0, 1, 0, 24, 0, 0, 1, 0])),
    ("a new key and a half", |it| it.seal(HANDSHAKE, &[24, 0, 0, 1, 0, 24])),
    ("a new key, cut", |it| it.seal(HANDSHAKE, &[24, 0, 0, 1])),
    ("a new key of no bytes", |it| it.seal(HANDSHAKE, &[24, 0, 0, 0])),
    ("a new key of two bytes", |it| it.seal(HANDSHAKE, &[24, 0, 0, 2, 0, 0])),
    ("the end of a handshake", |it| it.seal(HANDSHAKE, &[20, 0, 0, 1, 0])),
    ("an unknown handshake", |it| it.seal(HANDSHAKE, &[77, 0, 0, 1, 0])),
];

/// What is held against a client, or expected of it, after some of them.
const SEQUELS: [(&str, &[&str]); 7] = [
    ("32 empty records", &["content", "empty content"]),
    ("32 of handshakes", &["empty content", "the end"]),
    ("the end", &["content", "another key's", "a body too long"]),
    ("cancelled four times", &["content", "cancelled", "a warning", "the end"]),
    ("32 new keys", &["content", "new keys", "empty content"]),
    ("32 new keys, and content", &["32 new keys"]),
    ("a new key, cut", &["content", "the end", "change of cipher", "a new key", "empty content"]),
];

#[test]
fn whatever_a_client_does_is_answered_as_rustls_answers_it() {
    let check = |what: &[&str]| {
        let find = |name| FORGERIES.iter().find(|(it, _)| *it == name).expect("there is one").1;
        let forge = |it: &mut Forger| {
            let mut records: Vec<u8> = what.iter().flat_map(|&name| find(name)(it)).collect();
            records.extend(it.seal(CONTENT, b"so"));
            records
        };
        assert_eq!(ours(&forge, 4096), theirs(&forge), "{what:?}");
    };
    for (name, _) in FORGERIES {
        check(&[name]);
    }
    for (first, sequels) in SEQUELS {
        for then in sequels {
            check(&[first, then]);
        }
    }
}

#[test]
fn records_may_come_in_any_pieces() {
    for (name, forge) in FORGERIES {
        let forge = |it: &mut Forger| [forge(it), it.seal(CONTENT, b"so")].concat();
        let whole = ours(&forge, usize::MAX);
        for piece in [1, 4, 5, 30] {
            assert_eq!(ours(&forge, piece), whole, "{name}, pieces of {piece}");
        }
    }
}

/// Of handshake messages there are changes of keys only: for others rustls would wait longer.
#[test]
fn whatever_is_sealed_in_whatever_pieces_rustls_makes_the_same_of_it() {
    arbtest::arbtest(|u| {
        let mut steps = Vec::new();
        for _ in 0..u.int_in_range(1..=8)? {
            let typ = *u.choose(&[0, 20, 21, 21, 22, 22, 22, 23, 23, 23, 99])?;
            let count = if typ == 21 { 2 } else { u.int_in_range(0..=5)? };
            let bytes: Result<Vec<u8>, _> =
                (0..count).map(|_| u.choose(&[0, 1, 2, 21, 23, 90]).copied()).collect();
            steps.push((ContentType::from(typ), bytes?));
        }
        let forge = |it: &mut Forger| {
            let mut records = Vec::new();
            for (typ, bytes) in &steps {
                if *typ == HANDSHAKE {
                    let request = bytes.len() % 2;
                    let message = [KEY_UPDATE, 0, 0, 1, u8::from(request == 1)];
                    let (start, end) = message.split_at(bytes.len());
                    records.extend(it.seal_all(HANDSHAKE, &[start, end]));
                    it.change_key();
                } else {
                    records.extend(it.seal(*typ, bytes));
                }
            }
            records
        };
        assert_eq!(ours(&forge, u.int_in_range(1..=100)?), theirs(&forge));
        Ok(())
    })
    .budget_ms(1000);
}

#[test]
fn keys_change_before_they_have_sealed_too_much() {
    use cipher_suite::{
        TLS13_AES_128_GCM_SHA256, TLS13_AES_256_GCM_SHA384, TLS13_CHACHA20_POLY1305_SHA256,
    };
    for (suite, limit) in [(TLS13_AES_128_GCM_SHA256, 1 << 24), (TLS13_AES_256_GCM_SHA384, 1 << 24)]
    {
        let (mut records, mut buffers, mut forger) = connect(suite);
        records.sealing.count = limit - 3;
        forger.opening.count = limit - 3;
        for _ in 0..4 {
            records.process(&mut buffers, Then::Send(b"hi")).unwrap();
        }
        let sent = forger.open(&mut buffers.outgoing);
        let kinds: Vec<ContentType> = sent.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [CONTENT, CONTENT, HANDSHAKE, CONTENT, CONTENT]);
        assert_eq!(sent[2].1, [KEY_UPDATE, 0, 0, 1, 0]);
        assert_eq!(records.sealing.count, 2);
    }
    let (mut records, mut buffers, mut forger) = connect(TLS13_CHACHA20_POLY1305_SHA256);
    records.process(&mut buffers, Then::Send(b"hi")).unwrap();
    assert_eq!(forger.open(&mut buffers.outgoing), [(CONTENT, b"hi".to_vec())]);
}

#[test]
fn nothing_is_sent_after_the_end() {
    let (mut records, mut buffers, mut forger) = connect(cipher_suite::TLS13_AES_128_GCM_SHA256);
    records.process(&mut buffers, Then::Close).unwrap();
    buffers.incoming = changed(forger.seal(CONTENT, b"hello"), 7, 1);
    records.process(&mut buffers, Then::Wait).unwrap_err();
    assert_eq!(forger.open(&mut buffers.outgoing), [(ALERT, vec![1, 0])]);
}

#[test]
fn a_record_may_be_so_long() {
    assert_eq!(check_header([23, 3, 3, 0x47, 0xff]), Ok(0x47ff));
    assert_eq!(check_header([23, 3, 3, 0x48, 0]), Err(InvalidMessage::MessageTooLarge));
}

/// What another process makes of the bytes that a session was packed into.
fn unpacked<T: Pack>(bytes: &[u8]) -> Result<T, Damaged> {
    let mut from = Unpacker::new(bytes, now())?;
    let value = from.get()?;
    from.finish().map(|()| value)
}

fn packed(value: &impl Pack) -> Vec<u8> {
    let mut to = Packer::new(now());
    to.put(value);
    to.finish()
}

fn now() -> Now {
    Now { monotonic: Instant::now(), wall: SystemTime::now() }
}

#[test]
fn another_process_goes_on_in_the_middle_of_anything() {
    for suite in ring::ALL_CIPHER_SUITES.iter().filter(|suite| suite.tls13().is_some()).copied() {
        let (mut records, mut buffers, mut forger) = connect(suite);
        let mut input = forger.key_update(0);
        records.process(&mut buffers, Then::Wait).unwrap();
        input.extend(forger.seal_all(CONTENT, &[b"", b"one", b"two"]));
        // The first bytes of a message that goes on in the next record.
        input.extend(forger.seal(HANDSHAKE, &[KEY_UPDATE, 0]));
        let length = first_record(&input).unwrap();
        buffers.incoming.extend(input.drain(..length));
        for byte in input {
            records.process(&mut buffers, Then::Wait).unwrap();
            records.process(&mut buffers, Then::Send(b"hi")).unwrap();
            assert_eq!(forger.open(&mut buffers.outgoing), [(CONTENT, b"hi".to_vec())]);
            buffers.outgoing.clear();
            assert!(records.can_be_handed_over());
            let bytes = packed(&records);
            records = unpacked(&bytes).unwrap();
            assert_eq!(packed(&records), bytes);
            buffers = unpacked(&packed(&buffers)).unwrap();
            buffers.incoming.push(byte);
        }
        records.process(&mut buffers, Then::Wait).unwrap();
        assert_eq!(
            (buffers.plain.as_slice(), records.partial.as_slice()),
            (&b"onetwo"[..], &[KEY_UPDATE, 0][..])
        );
    }
}

/// It would have to make the next key there.
#[test]
fn what_owes_a_change_of_keys_cannot_be_handed_over() {
    let (mut records, mut buffers, mut forger) = connect(cipher_suite::TLS13_AES_256_GCM_SHA384);
    buffers.incoming = forger.key_update(1);
    records.process(&mut buffers, Then::Wait).unwrap();
    assert!(!records.can_be_handed_over());
    records.process(&mut buffers, Then::Send(b"hi")).unwrap();
    assert!(records.can_be_handed_over());
}

#[test]
fn damaged_bytes_do_no_harm() {
    let (records, ..) = connect(cipher_suite::TLS13_AES_256_GCM_SHA384);
    let bytes = packed(&records);
    for length in 0..bytes.len() {
        assert!(unpacked::<Records>(&bytes[..length]).is_err(), "{length}");
    }
    // Among them are other ciphers.
    for index in 0..bytes.len() {
        for bits in 1..=255 {
            let mut changed = bytes.clone();
            changed[index] ^= bits;
            let _ = unpacked::<Records>(&changed);
        }
    }
}
