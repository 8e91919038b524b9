#!/usr/bin/env bash
# Software: rustls 0.23.46 (crate), TLS 1.3
# Guess: After send_close_notify() the writing side is closed: a write is an error, or takes 0 bytes.
# Behaviour: The write succeeds, and a record with the text goes out behind the close_notify. The receiver
#   has to ignore it (RFC 8446, 6.1), so the text is lost though nobody is told. A task that says goodbye
#   once another has closed believes that it was heard.
# Output seen:
#   before close_notify: write Ok(4), 26 bytes sent, the peer reads b"late"
#   after close_notify:  write Ok(4), 50 bytes sent, the peer reads b"" and the end

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT


echo "Output now:"
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.1.0"
edition = "2021"

[dependencies]
rustls = { version = "=0.23.46", default-features = false, features = ["ring", "std"] }

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use std::io::{Read, Write};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, ClientConnection, ConnectionCommon, RootCertStore, ServerConfig, ServerConnection};

fn connect() -> (ClientConnection, ServerConnection) {
    let certificate = CertificateDer::from(std::fs::read("certificate.der").unwrap());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(std::fs::read("key.der").unwrap()));
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let server = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), "localhost".try_into().unwrap()).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    while carry(&mut client, &mut server) + carry(&mut server, &mut client) > 0 {}
    (client, server)
}

/// Carries what one end has to send to the other, and returns how many bytes that was.
fn carry<A, B>(from: &mut ConnectionCommon<A>, to: &mut ConnectionCommon<B>) -> usize {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).unwrap();
    }
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        to.read_tls(&mut rest).unwrap();
        to.process_new_packets().unwrap();
    }
    bytes.len()
}

fn main() {
    for (name, close) in [("before close_notify:", false), ("after close_notify:", true)] {
        let (mut client, mut server) = connect();
        if close {
            client.send_close_notify();
        }
        let written = client.writer().write(b"late");
        let sent = carry(&mut client, &mut server);
        let mut text = Vec::new();
        let end = if server.reader().read_to_end(&mut text).is_ok() { " and the end" } else { "" };
        let text = text.escape_ascii();
        println!("{name:<20} write {written:?}, {sent} bytes sent, the peer reads b\"{text}\"{end}");
    }
}
RUST
CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: rustls =0.23.46" >&2; tail -3 "$work/install.log" >&2; exit 2; }
cat >"$work/openssl.cnf" <<CNF
[req]
distinguished_name = name
x509_extensions = server
prompt = no
[name]
CN = localhost
[server]
subjectAltName = DNS:localhost
basicConstraints = critical, CA:FALSE
CNF
openssl req -x509 -newkey ed25519 -nodes -days 2 -config "$work/openssl.cnf" -keyout "$work/key.pem" \
    -outform DER -out "$work/certificate.der" 2>>"$work/install.log"
openssl pkcs8 -topk8 -nocrypt -in "$work/key.pem" -outform DER -out "$work/key.der"
cd "$work"
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='before close_notify: write Ok(4), 26 bytes sent, the peer reads b"late"
after close_notify:  write Ok(4), 50 bytes sent, the peer reads b"" and the end'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
