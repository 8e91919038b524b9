//! Both servers of TLS, ours and that of rustls, and a client that seals whatever it is told to.

use std::io::{ErrorKind, Read, Write};
use std::mem;
use std::sync::{Arc, LazyLock};

use chinwag::testing::Stream;
use chinwag::{Certificate, Tls, Transport};
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, Iv, MessageDecrypter, MessageEncrypter, OutboundPlainMessage,
};
use rustls::crypto::ring;
use rustls::kernel::KernelConnection;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::version::TLS13;
use rustls::{
    ClientConfig, ConnectionTrafficSecrets, ContentType, ProtocolVersion, RootCertStore,
    ServerConfig, ServerConnection, SupportedCipherSuite, Tls13CipherSuite,
};

const CHAIN: &[u8] = include_bytes!("../../tests/certificates/chat.crt");
const KEY: &[u8] = include_bytes!("../../tests/certificates/chat.key");
const SUITE: SupportedCipherSuite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256;

/// Type, version and length, before each record.
const HEADER: usize = 5;

/// What a server makes of some records, and what it sends then.
#[derive(Debug)]
pub struct Outcome {
    /// The content of the records.
    pub read: Vec<u8>,
    /// Whether the client has said that this is all.
    pub has_ended: bool,
    /// Whether the client has broken the rules.
    pub has_failed: bool,
    /// The records of the server, opened.
    pub sent: Vec<(ContentType, Vec<u8>)>,
}

/// A client after its handshake.
pub struct Forger {
    next: KernelConnection<ClientConnectionData>,
    sealing: (Box<dyn MessageEncrypter>, u64),
    opening: (Box<dyn MessageDecrypter>, u64),
}

impl Forger {
    /// A record.
    ///
    /// # Panics
    ///
    /// If it is sealed too much.
    pub fn seal(&mut self, typ: ContentType, bytes: &[u8]) -> Vec<u8> {
        let (version, payload) = (ProtocolVersion::TLSv1_2, bytes.into());
        let (cipher, count) = &mut self.sealing;
        *count += 1;
        let record = cipher.encrypt(OutboundPlainMessage { typ, version, payload }, *count - 1);
        record.expect("there is room for it").encode()
    }

    /// What follows is sealed with the next key.
    ///
    /// # Panics
    ///
    /// If rustls has none.
    pub fn change_key(&mut self) {
        self.sealing = sealing(self.next.update_tx_secret().expect("there is always a next key"));
    }

    /// What the server has sent.
    fn open(&mut self, mut records: &mut [u8]) -> Vec<(ContentType, Vec<u8>)> {
        let mut opened = Vec::new();
        while let Some((&mut [.., high, low], rest)) = records.split_first_chunk_mut::<HEADER>() {
            let (body, rest) = rest.split_at_mut(u16::from_be_bytes([high, low]).into());
            records = rest;
            let (cipher, count) = &mut self.opening;
            let version = ProtocolVersion::TLSv1_2;
            let message = InboundOpaqueMessage::new(ContentType::ApplicationData, version, body);
            let message = cipher.decrypt(message, *count).expect("it is sealed for us");
            *count += 1;
            opened.push((message.typ, message.payload.to_vec()));
            if message.typ == ContentType::Handshake {
                self.opening = opening(self.next.update_rx_secret().expect("as for sending"));
            }
        }
        opened
    }
}

fn suite() -> &'static Tls13CipherSuite {
    SUITE.tls13().expect("it is one of TLS 1.3")
}

fn sealing((count, secrets): (u64, ConnectionTrafficSecrets)) -> (Box<dyn MessageEncrypter>, u64) {
    let (key, iv) = parts(secrets);
    (suite().aead_alg.encrypter(key, iv), count)
}

fn opening((count, secrets): (u64, ConnectionTrafficSecrets)) -> (Box<dyn MessageDecrypter>, u64) {
    let (key, iv) = parts(secrets);
    (suite().aead_alg.decrypter(key, iv), count)
}

fn parts(secrets: ConnectionTrafficSecrets) -> (AeadKey, Iv) {
    match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } => (key, iv),
        _ => panic!("another cipher was agreed on"),
    }
}

/// A client, and the end of its handshake, which it has not sent yet.
fn shake_hands(mut server: impl FnMut(&[u8]) -> Vec<u8>) -> (Forger, Vec<u8>) {
    static CONFIG: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
        let mut roots = RootCertStore::empty();
        let own = CertificateDer::from_pem_slice(CHAIN).expect("it is a certificate");
        roots.add(own).expect("it makes sense");
        let mut provider = ring::default_provider();
        provider.cipher_suites = vec![SUITE];
        let builder = ClientConfig::builder_with_provider(Arc::new(provider));
        let builder = builder.with_protocol_versions(&[&TLS13]).expect("the cipher is of 1.3");
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.enable_secret_extraction = true;
        Arc::new(config)
    });
    let name = "localhost".try_into().expect("it is a name");
    let mut client = UnbufferedClientConnection::new(CONFIG.clone(), name).expect("it can begin");
    let (mut incoming, mut outgoing) = (Vec::new(), Vec::new());
    loop {
        let UnbufferedStatus { discard, state, .. } = client.process_tls_records(&mut incoming);
        let mut is_blocked = false;
        match state.expect("the server is sound") {
            ConnectionState::EncodeTlsData(mut data) => {
                let mut room = [0; 4096];
                let count = data.encode(&mut room).expect("there is room");
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
    let (secrets, next) = client.dangerous_into_kernel_connection().expect("it is configured");
    let (sealing, opening) = (sealing(secrets.tx), opening(secrets.rx));
    (Forger { next, sealing, opening }, outgoing)
}

/// Ours, which gets so many bytes at a time.
///
/// # Panics
///
/// If something else than the client is at fault.
pub fn ours(forge: impl FnOnce(&mut Forger) -> Vec<u8>, piece: usize) -> Outcome {
    static CERTIFICATE: LazyLock<Certificate> =
        LazyLock::new(|| Certificate::from_pem(CHAIN, KEY).expect("they are sound"));
    let stream = Stream::default();
    let mut server = Tls::encrypted(stream.clone(), &CERTIFICATE);
    server.begin(b"");
    let mut outcome =
        Outcome { read: Vec::new(), has_ended: false, has_failed: false, sent: Vec::new() };
    let feed = |bytes: &[u8], server: &mut Tls<Stream>, outcome: &mut Outcome| {
        stream.send(bytes);
        let mut chunk = [0; 1024];
        while !outcome.has_ended && !outcome.has_failed {
            match server.read(&mut chunk) {
                Ok(0) => outcome.has_ended = true,
                Ok(count) => outcome.read.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => outcome.has_failed = true,
            }
        }
        stream.receive()
    };
    let (mut forger, end) = shake_hands(|bytes| feed(bytes, &mut server, &mut outcome));
    feed(&end, &mut server, &mut outcome);
    assert!(!server.is_handshaking());
    let mut sent = Vec::new();
    for piece in forge(&mut forger).chunks(piece) {
        sent.extend(feed(piece, &mut server, &mut outcome));
    }
    if !outcome.has_failed {
        server.write_all(b"hi").expect("it takes everything");
        server.shutdown_write().expect("as before");
        sent.extend(feed(b"", &mut server, &mut outcome));
    }
    outcome.sent = forger.open(&mut sent);
    outcome
}

/// That of rustls.
///
/// # Panics
///
/// If something else than the client is at fault.
pub fn theirs(forge: impl FnOnce(&mut Forger) -> Vec<u8>) -> Outcome {
    static CONFIG: LazyLock<Arc<ServerConfig>> = LazyLock::new(|| {
        let chain = vec![CertificateDer::from_pem_slice(CHAIN).expect("it is a certificate")];
        let key = PrivateKeyDer::from_pem_slice(KEY).expect("it is a key");
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(&[&TLS13]).expect("there are ciphers for it");
        let config = builder.with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.expect("they belong together");
        config.send_tls13_tickets = 0;
        Arc::new(config)
    });
    let mut server = ServerConnection::new(CONFIG.clone()).expect("it can begin");
    let mut outcome =
        Outcome { read: Vec::new(), has_ended: false, has_failed: false, sent: Vec::new() };
    let feed = |mut bytes: &[u8], server: &mut ServerConnection, outcome: &mut Outcome| {
        while !bytes.is_empty() && !outcome.has_ended && !outcome.has_failed {
            server.read_tls(&mut bytes).expect("they are in memory");
            let state = server.process_new_packets();
            outcome.has_failed = state.is_err();
            outcome.has_ended = state.is_ok_and(|state| state.peer_has_closed());
            // Until there is nothing more to be read, however it says so.
            let _ = server.reader().read_to_end(&mut outcome.read);
        }
        let mut sent = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut sent).expect("they are in memory");
        }
        sent
    };
    let (mut forger, end) = shake_hands(|bytes| feed(bytes, &mut server, &mut outcome));
    feed(&end, &mut server, &mut outcome);
    let mut sent = feed(&forge(&mut forger), &mut server, &mut outcome);
    if !outcome.has_failed {
        server.writer().write_all(b"hi").expect("it takes everything");
        server.send_close_notify();
        sent.extend(feed(b"", &mut server, &mut outcome));
    }
    outcome.sent = forger.open(&mut sent);
    outcome
}
