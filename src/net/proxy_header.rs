//! The header in which a proxy gives its client's address (PROXY protocol, versions 1 and
//! 2). Knows no connection: bytes in, an address out.
//!
//! It is parsed here and not by a crate: it is little code, and the one crate that there was
//! refuses the LOCAL command with a family and no addresses, as health checks send it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How version 2 begins.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// How version 1 begins.
const NAME: &[u8] = b"PROXY ";

/// The longest header of version 1, its line ending included.
const LINE_MAX: usize = 107;

/// More than any header of version 2 needs that a server could make use of.
const BINARY_MAX: usize = 4096;

/// What there is of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// It may still become one.
    Unfinished,
    /// It is complete: the client's origin, and the header's length in bytes.
    Complete(Source, usize),
    /// It is no header, whatever follows.
    Invalid,
}

/// The client that a proxy connects for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Client(SocketAddr),
    /// None: it connects for itself, or does not say for whom.
    Itself,
}

/// Reads the header that these bytes begin with.
pub(crate) fn parse(bytes: &[u8]) -> Header {
    let starts_like = |start: &[u8]| {
        let len = bytes.len().min(start.len());
        bytes[..len] == start[..len]
    };
    let header = if starts_like(SIGNATURE) {
        binary(bytes)
    } else if starts_like(NAME) {
        text(bytes)
    } else {
        Some(Header::Invalid)
    };
    header.unwrap_or(Header::Unfinished)
}

/// Whether a line, without its ending, is a header of version 1, or one with an address in it that
/// is otherwise wrong.
pub(crate) fn is_header(line: &[u8]) -> bool {
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|it| !it.is_empty());
    let has_addr = words.next() == Some(b"PROXY") && words.nth(1).is_some_and(is_like_addr);
    line.len() + 2 <= LINE_MAX && (has_addr || line_source(line).is_some())
}

/// Whether a word is an address, or may be one that is wrong in a digit or has a zone behind it.
fn is_like_addr(word: &[u8]) -> bool {
    let addr = word.split(|byte| *byte == b'%').next().unwrap_or(word);
    let is_mark = |byte: &&u8| matches!(byte, b'.' | b':');
    addr.iter().filter(is_mark).count() >= 2
        && addr.iter().all(|byte| is_mark(&byte) || byte.is_ascii_hexdigit())
}

/// `PROXY TCP4 192.0.2.7 192.0.2.1 4001 1337`, and CR LF.
fn text(bytes: &[u8]) -> Option<Header> {
    let window = &bytes[..bytes.len().min(LINE_MAX)];
    let Some(end) = window.iter().position(|byte| *byte == b'\r') else {
        return (bytes.len() >= LINE_MAX).then_some(Header::Invalid);
    };
    let is_ended = match bytes.get(end + 1) {
        None if end + 1 < LINE_MAX => return None,
        last => last == Some(&b'\n') && end + 2 <= LINE_MAX,
    };
    let source = line_source(&bytes[..end]).filter(|_| is_ended);
    Some(source.map_or(Header::Invalid, |source| Header::Complete(source, end + 2)))
}

fn line_source(line: &[u8]) -> Option<Source> {
    let words = str::from_utf8(line.strip_prefix(NAME)?).ok()?;
    if words == "UNKNOWN" || words.starts_with("UNKNOWN ") {
        return Some(Source::Itself);
    }
    let words: Vec<&str> = words.split(' ').collect();
    let [family, source, destination, source_port, destination_port] = words[..] else {
        return None;
    };
    let source: IpAddr = source.parse().ok()?;
    let destination: IpAddr = destination.parse().ok()?;
    let is_right = match family {
        "TCP4" => source.is_ipv4() && destination.is_ipv4(),
        "TCP6" => source.is_ipv6() && destination.is_ipv6(),
        _ => false,
    };
    port(destination_port)?;
    let addr = SocketAddr::new(source, port(source_port)?);
    is_right.then_some(Source::Client(addr))
}

/// Digits only; `parse` would take a sign as well.
fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The signature, version and command, family, length, and then addresses of that length,
/// with more behind them that is not looked at.
fn binary(bytes: &[u8]) -> Option<Header> {
    let [command, family, high, low] = *bytes.get(SIGNATURE.len()..)?.first_chunk()?;
    let start = SIGNATURE.len() + 4;
    let end = start + usize::from(u16::from_be_bytes([high, low]));
    if end > BINARY_MAX {
        return Some(Header::Invalid);
    }
    let rest = bytes.get(start..end)?;
    let source = match (command, family) {
        (0x20, _) | (0x21, 0x00) => Some(Source::Itself),
        (0x21, 0x11 | 0x12) => ipv4(rest).map(Source::Client),
        (0x21, 0x21 | 0x22) => ipv6(rest).map(Source::Client),
        // Of a Unix socket's client there is nothing to be known.
        (0x21, 0x31 | 0x32) => (rest.len() >= 216).then_some(Source::Itself),
        _ => None,
    };
    Some(source.map_or(Header::Invalid, |source| Header::Complete(source, end)))
}

/// Both addresses, both ports; of which the first is the client's.
fn ipv4(rest: &[u8]) -> Option<SocketAddr> {
    let [a, b, c, d, _, _, _, _, high, low, _, _] = *rest.first_chunk()?;
    Some(SocketAddr::from((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low]))))
}

fn ipv6(rest: &[u8]) -> Option<SocketAddr> {
    let addresses: [u8; 36] = *rest.first_chunk()?;
    let source: [u8; 16] = *addresses.first_chunk()?;
    let port = u16::from_be_bytes([addresses[32], addresses[33]]);
    Some(SocketAddr::from((Ipv6Addr::from(source), port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [SIGNATURE, &[command, family], &length, rest].concat()
    }

    fn from(addr: &str) -> Source {
        Source::Client(addr.parse().unwrap())
    }

    #[test]
    fn a_header_says_for_whom_a_connection_is_in_whatever_pieces_it_comes() {
        let six = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1], &[7; 16], &[15, 163, 0, 1]].concat();
        let four = [&[192, 0, 2, 7, 10, 0, 0, 1, 15, 162, 0, 1][..], b"\x04\0\x01x"].concat();
        let cases = [
            (b"PROXY TCP4 192.0.2.7 10.0.0.1 4001 1337\r\n".to_vec(), from("192.0.2.7:4001")),
            (b"PROXY TCP6 2001:db8::1 ::1 65535 0\r\n".to_vec(), from("[2001:db8::1]:65535")),
            (b"PROXY UNKNOWN\r\n".to_vec(), Source::Itself),
            (b"PROXY UNKNOWN 2001:db8::7 what ever\r\n".to_vec(), Source::Itself),
            (binary(0x21, 0x11, &four), from("192.0.2.7:4002")),
            (binary(0x21, 0x12, &four), from("192.0.2.7:4002")),
            (binary(0x21, 0x21, &six), from("[2001:db8::1]:4003")),
            (binary(0x21, 0x31, &[0; 216]), Source::Itself),
            (binary(0x21, 0, b""), Source::Itself),
            // A health check, with and without what it does not mean.
            (binary(0x20, 0, b""), Source::Itself),
            (binary(0x20, 0x11, b""), Source::Itself),
            (binary(0x20, 0x11, &four), Source::Itself),
            (binary(0x20, 0x21, b"abc"), Source::Itself),
            (binary(0x20, 0xff, b""), Source::Itself),
        ];
        for (bytes, source) in cases {
            for end in 0..bytes.len() {
                assert_eq!(parse(&bytes[..end]), Header::Unfinished, "{}", bytes.escape_ascii());
            }
            let more = [&bytes[..], b"hello\n"].concat();
            for bytes in [&bytes, &more] {
                assert_eq!(parse(bytes), Header::Complete(source, more.len() - 6));
            }
        }
    }

    #[test]
    fn what_is_no_header_is_known_for_it_and_does_not_wait_for_more() {
        let cases = [
            b"hello".to_vec(),
            b"\r\n\r\nhello".to_vec(),
            b"PROXY\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 10.0.0.1 4001\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 10.0.0.1 +4001 1\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 10.0.0.1 70000 1\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::1 10.0.0.1 1 1\r\n".to_vec(),
            b"PROXY TCP6 192.0.2.7 ::1 1 1\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 ::1 1 1\r\n".to_vec(),
            b"PROXY TCP6 2001:db8::1 10.0.0.1 1 1\r\n".to_vec(),
            b"PROXY TCP5 192.0.2.7 10.0.0.1 1 1\r\n".to_vec(),
            b"PROXY UNKNOWN\rX".to_vec(),
            b"PROXY UNKNOWNS\r\n".to_vec(),
            [&b"PROXY UNKNOWN "[..], &[b'x'; 93]].concat(),
            [&b"PROXY UNKNOWN "[..], &[b'x'; 92], b"\r\n"].concat(),
            binary(0x11, 0x11, &[0; 12]),
            binary(0x22, 0x11, &[0; 12]),
            binary(0x21, 0x41, &[0; 12]),
            binary(0x21, 0x13, &[0; 12]),
            binary(0x21, 0x11, &[0; 11]),
            binary(0x21, 0x21, &[0; 35]),
            binary(0x21, 0x31, &[0; 215]),
            [SIGNATURE, b"\x21\x11\xff\xff"].concat(),
        ];
        for bytes in cases {
            assert_eq!(parse(&bytes), Header::Invalid, "{}", bytes.escape_ascii());
        }
        let longest = [&b"PROXY UNKNOWN "[..], &[b'x'; 91], b"\r\n"].concat();
        assert_eq!(parse(&longest), Header::Complete(Source::Itself, LINE_MAX));
    }
}
