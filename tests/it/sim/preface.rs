//! What a proxy says first on a connection that it makes for another (PROXY protocol,
//! versions 1 and 2), or should say; and what that means. Every byte is written out here,
//! so that nothing is taken for right because the server's own parser says so.

use std::net::{IpAddr, SocketAddr};

use super::rng::Rng;

/// The first bytes of a connection, and what they amount to.
#[derive(Clone, Debug)]
pub(super) struct Preface {
    pub(super) bytes: Vec<u8>,
    pub(super) meaning: Meaning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The connection is for somebody there.
    From(SocketAddr),
    /// It is the proxy's own.
    Itself,
    /// Nothing: once so many bytes have come, that is certain.
    Nonsense(usize),
}

const SIGNATURE: &[u8] = b"\r\n\r\n\x00\r\nQUIT\n";

/// What comes first on a connection of a proxy for somebody at this address.
pub(super) fn write_preface(rng: &mut Rng, source: SocketAddr) -> Preface {
    match rng.below(12) {
        0..3 => for_another(version_1(source), source),
        3..6 => for_another(version_2(rng, source), source),
        6..8 => its_own(rng),
        // Somebody who does not know that there is a proxy between, or is none.
        8 => Preface { bytes: Vec::new(), meaning: Meaning::Nonsense(16) },
        _ => nonsense(rng),
    }
}

fn for_another(bytes: Vec<u8>, source: SocketAddr) -> Preface {
    let canonical = SocketAddr::new(source.ip().to_canonical(), source.port());
    Preface { bytes, meaning: Meaning::From(canonical) }
}

fn version_1(source: SocketAddr) -> Vec<u8> {
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let own = if source.is_ipv4() { "10.0.0.1" } else { "2001:db8::10" };
    format!("PROXY {family} {} {own} {} 1337\r\n", source.ip(), source.port()).into_bytes()
}

/// With more behind the addresses, now and then, that nobody here wants to know.
fn version_2(rng: &mut Rng, source: SocketAddr) -> Vec<u8> {
    let mut addresses = match source.ip() {
        IpAddr::V4(ip) => [ip.octets(), [10, 0, 0, 1]].concat(),
        IpAddr::V6(ip) => [ip.octets(), [7; 16]].concat(),
    };
    addresses.extend(source.port().to_be_bytes());
    addresses.extend(1337_u16.to_be_bytes());
    if rng.one_in(2) {
        addresses.extend(b"\x04\x00\x03\r\n\0");
    }
    binary(0x21, if source.is_ipv4() { 0x11 } else { 0x21 }, &addresses)
}

fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).expect("it is short").to_be_bytes();
    [SIGNATURE, &[command, family], &length, rest].concat()
}

/// The proxy looks whether anybody is there, or knows no address.
fn its_own(rng: &mut Rng) -> Preface {
    let bytes = match rng.below(3) {
        0 => b"PROXY UNKNOWN\r\n".to_vec(),
        1 => binary(0x20, 0, b""),
        _ => binary(0x21, 0x31, &[0; 216]),
    };
    Preface { bytes, meaning: Meaning::Itself }
}

fn nonsense(rng: &mut Rng) -> Preface {
    let (by, bytes) = match rng.below(5) {
        0 => (15, b"GET / HTTP/1.1\r\nHost: chat\r\n\r\n".to_vec()),
        1 => (23, b"PROXY TCP5 192.0.2.1 \r\n".to_vec()),
        2 => (107, [b"PROXY TCP6 ".to_vec(), vec![b':'; 150]].concat()),
        3 => (28, [binary(0x21, 0x11, b"abcd"), vec![b'x'; 8]].concat()),
        // It announces more than anybody would keep for it.
        _ => (4096, [SIGNATURE, b"\x21\x11\xff\xff", &[0; 4200]].concat()),
    };
    Preface { bytes, meaning: Meaning::Nonsense(by) }
}
