//! Recognises other protocols by a connection's first line. Knows no connection: bytes and lines
//! in, a verdict out.
//!
//! The first line that is not blank decides. Binary protocols are known by its first bytes, at
//! once; text protocols only when it has ended. Only a few first bytes are kept.

use crate::net::decoder::Item;
use crate::net::line::Ending;
use crate::net::proxy_header;
use crate::net::scan::IAC;
use crate::net::telnet::{Command, Step, Telnet};
use crate::pack::impl_pack;

/// A protocol other than lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// A request of any method and version.
    Http,
    /// A PROXY header that was not asked for: from a proxy that the configuration does not name.
    Proxy,
    /// TLS, or SSL.
    Tls,
    /// A request or version line of something else: RTSP, SIP, SSH, a RESP array.
    Text,
    /// Bytes that no keyboard and no line client sends.
    Binary,
}

impl Protocol {
    /// A word for the log.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Protocol::Http => "http",
            Protocol::Proxy => "proxy_header",
            Protocol::Tls => "tls",
            Protocol::Text => "other_protocol",
            Protocol::Binary => "binary",
        }
    }
}

/// What a first line tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is blank, and the next one counts.
    Undecided,
    Lines,
    Foreign(Protocol),
}

/// How every connection of a TLS client begins: with a record of this type.
pub(crate) const TLS_HANDSHAKE: u8 = 0x16;

/// Bytes of a line that are enough to see that it begins like a request.
const START: usize = 32;

/// A control character marks a protocol only this near the start: four letters that name it, and
/// then a number. Further on it is a slip of the finger.
const MAGIC: usize = 5;

/// How the first lines of some protocols begin.
const GREETINGS: [&[u8]; 16] = [
    b"SSH-1.5-",
    b"SSH-1.99-",
    b"SSH-2.0-",
    b"RFB 003.",
    b"@RSYNCD: ",
    b"JDWP-Handshake",
    // IRC, SMTP, NATS, XMPP, and what a Flash player asks for before it lets its program connect.
    b"CAP LS",
    b"CAP REQ",
    b"EHLO ",
    b"CONNECT {",
    b"<?xml ",
    b"<stream:stream ",
    b"<policy-file-request/>",
    // Asterisk, Niagara, and printers.
    b"Action: Login",
    b"fox a 1 -1 fox hello",
    b"\x1b%-12345X",
];

/// Whole first lines of STOMP, POP3, FTP, SMTP, NNTP and CVS.
const LINES: [&[u8]; 8] = [
    b"CONNECT",
    b"STOMP",
    b"CAPA",
    b"FEAT",
    b"STARTTLS",
    b"CAPABILITIES",
    b"MODE READER",
    b"BEGIN AUTH REQUEST",
];

/// Words before a password or a user name in many protocols, IRC, Redis and POP3 among them.
const INTRODUCTIONS: [&[u8]; 3] = [b"PASS", b"AUTH", b"USER"];

/// Words before a host name in SMTP and LMTP.
const HELLOS: [&[u8]; 2] = [b"HELO", b"LHLO"];

/// What comes after a tag of IMAP.
const TAGGED: [&[u8]; 5] = [b"CAPABILITY", b"LOGIN", b"AUTHENTICATE", b"STARTTLS", b"NOOP"];

/// Names of protocols, with a zero byte behind them. Flash clients end their lines with one, too,
/// but say other words.
const NAMES: [&[u8]; 11] = [
    b"AMQP", b"CNXN", b"DmdT", b"ES", b"HBas", b"HELF", b"ICA", b"JRMI", b"NTLMSSP", b"TSH",
    b"hrpc",
];

/// The start of a PROXY header of version 2, up to the byte that tells it from blank lines.
const PROXY: &[u8] = b"\r\n\r\n\0";

/// The mark at the start of a text in UTF-16. Telnet would read DONT.
const UTF_16: &[u8] = b"\xff\xfe";

/// Looks at the first bytes of one connection.
#[derive(Debug, Default)]
pub(crate) struct Sniffer {
    /// The very first bytes, as they came.
    first: [u8; 5],
    first_len: usize,
    telnet: Telnet,
    /// How the first line begins that is not blank.
    start: [u8; START],
    len: usize,
    is_whole: bool,
    is_after_cr: bool,
}

impl Sniffer {
    /// Looks at bytes that have just come, before they are decoded. Returns the protocol, once it
    /// is known.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Option<Protocol> {
        if let Some(protocol) = self.read_first(bytes) {
            return Some(protocol);
        }
        let mut left = bytes;
        // No more is looked at than counts.
        while !self.is_whole
            && let Some(&byte) = left.first()
        {
            if self.telnet.wants(byte) {
                match self.telnet.step(&mut left)? {
                    Step::Data => self.add(IAC),
                    // Nothing that follows is input.
                    Step::Done(Command::EndOfInput) => self.is_whole = true,
                    Step::Done(Command::EraseLine) => self.len = 0,
                    Step::Done(Command::EraseCharacter) => self.len = self.len.saturating_sub(1),
                    _ => {}
                }
                continue;
            }
            left = &left[1..];
            if let Some(protocol) = self.byte(byte) {
                return Some(protocol);
            }
        }
        None
    }

    /// The verdict on the first line, which may be too long for one. Asked until it has decided.
    pub(crate) fn judge(&self, item: Item<'_>) -> Verdict {
        let found = match item {
            Item::Line(line, _) if is_blank(line) => return Verdict::Undecided,
            Item::Line(line, ending) => protocol_of(trim(line), ending),
            Item::TooLong => protocol_of_start(&self.start[..self.len]),
            _ => return Verdict::Undecided,
        };
        found.map_or(Verdict::Lines, Verdict::Foreign)
    }

    /// Whether nothing is to be remembered, so that a new one would do as well.
    pub(crate) fn is_new(&self) -> bool {
        let first = &self.first[..self.first_len];
        let may_be_mark = first.starts_with(&UTF_16[..first.len().min(UTF_16.len())]);
        let matters = !first.is_empty() && first.len() < PROXY.len();
        let matters = matters && (PROXY.starts_with(first) || may_be_mark);
        !matters && self.telnet.is_new() && self.len == 0 && !self.is_after_cr
    }

    fn read_first(&mut self, bytes: &[u8]) -> Option<Protocol> {
        let room = &mut self.first[self.first_len..];
        let count = room.len().min(bytes.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.first_len += count;
        match &self.first[..self.first_len] {
            first if first == PROXY => Some(Protocol::Proxy),
            // UTF-16: the high byte of the first letter, in nearly every script that has letters.
            [0xff, 0xfe, _, 0..=8, ..] => Some(Protocol::Binary),
            _ => None,
        }
    }

    fn byte(&mut self, byte: u8) -> Option<Protocol> {
        let is_after_cr = std::mem::replace(&mut self.is_after_cr, byte == b'\r');
        match byte {
            // Telnet's Return.
            0 if is_after_cr => {}
            0 if self.len == 0 => return Some(Protocol::Binary),
            b'\r' | b'\n' | 0 => self.is_whole = self.len > 0,
            b' ' | b'\t' if self.len == 0 => {}
            // What the keys of a terminal send.
            0x08 | 0x7f => self.len = self.len.saturating_sub(1),
            0x03 | 0x15 | 0x17 => self.len = 0,
            0x04 | 0x1b => {}
            TLS_HANDSHAKE if self.len == 0 => return Some(Protocol::Tls),
            ..b' ' if byte != b'\t' && self.len < MAGIC => return Some(Protocol::Binary),
            _ => self.add(byte),
        }
        None
    }

    fn add(&mut self, byte: u8) {
        self.is_after_cr = false;
        self.start[self.len] = byte;
        self.len += 1;
        self.is_whole = self.len == START;
    }
}

/// Whether it is blank. Ctrl-D alone is blank, too.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | 0x04))
}

fn trim(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

/// The protocol that a first line belongs to; `None` if a person may have typed it.
fn protocol_of(line: &[u8], ending: Option<Ending>) -> Option<Protocol> {
    if ending == Some(Ending::Nul) && !may_precede_zero(line) {
        return Some(Protocol::Binary);
    }
    if proxy_header::is_header(line) {
        return Some(Protocol::Proxy);
    }
    let is_array = ending == Some(Ending::CrLf)
        && line
            .strip_prefix(b"*")
            .is_some_and(|count| !count.is_empty() && count.iter().all(u8::is_ascii_digit));
    let is_greeting =
        LINES.contains(&line) || GREETINGS.iter().any(|start| line.starts_with(start));
    let is_other =
        [is_introduction, is_tagged, is_log, is_git, is_call].iter().any(|is_it| is_it(line));
    if is_array || is_greeting || is_other {
        return Some(Protocol::Text);
    }
    request(line)
}

/// `PASS WORD` or `HELO example.org`, and nothing more.
fn is_introduction(line: &[u8]) -> bool {
    split(line, b' ').is_some_and(|(word, rest)| {
        let is_known =
            INTRODUCTIONS.contains(&word) || (HELLOS.contains(&word) && rest.contains(&b'.'));
        is_known && !rest.contains(&b' ')
    })
}

/// `a001 LOGIN …`
fn is_tagged(line: &[u8]) -> bool {
    split(line, b' ').is_some_and(|(tag, rest)| {
        let is_tag = tag == b"." || tag.last().is_some_and(u8::is_ascii_digit);
        is_tag && TAGGED.contains(&split(rest, b' ').map_or(rest, |(command, _)| command))
    })
}

/// `{"id":1,"method":"…"}`: JSON-RPC, which is how miners begin.
fn is_call(line: &[u8]) -> bool {
    line.starts_with(b"{\"") && line.windows(9).any(|part| part == b"\"method\":")
}

/// `<34>Oct 11 22:14:15 …`: a line of syslog, perhaps with its length before it.
fn is_log(line: &[u8]) -> bool {
    let line = match split(line, b' ') {
        Some((len, rest)) if len.iter().all(u8::is_ascii_digit) => rest,
        _ => line,
    };
    let number =
        line.strip_prefix(b"<").and_then(|rest| split(rest, b'>')).map(|(number, _)| number);
    number.is_some_and(|it| matches!(it.len(), 1..=3) && it.iter().all(u8::is_ascii_digit))
}

/// `003egit-upload-pack …`: the length comes first.
fn is_git(line: &[u8]) -> bool {
    let rest = line
        .split_first_chunk()
        .filter(|(len, _): &(&[u8; 4], _)| len.iter().all(u8::is_ascii_hexdigit));
    rest.is_some_and(|(_, rest)| rest.starts_with(b"git-"))
}

/// A line that ends with a zero byte may as well be a number's start, or each second letter of
/// UTF-16: it is text that is longer than a letter, or none.
fn may_precede_zero(line: &[u8]) -> bool {
    let is_text = |text: &str| text.chars().nth(1).is_some() && !text.contains(is_control);
    !NAMES.contains(&line) && str::from_utf8(line).is_ok_and(is_text)
}

fn is_control(c: char) -> bool {
    c.is_ascii_control() && c != '\t' && c != '\x1b'
}

/// `METHOD TARGET NAME/VERSION`: HTTP, RTSP, SIP and their kin. What people say has no target
/// where a request has one.
fn request(line: &[u8]) -> Option<Protocol> {
    let end = line.iter().rposition(|byte| *byte == b' ')?;
    let (start, version) = (&line[..end], &line[end + 1..]);
    let (name, number) = split(version, b'/')?;
    let is_number = number.first().is_some_and(u8::is_ascii_digit)
        && number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_uppercase);
    if !is_name || !is_number || !is_request_start(start) {
        return None;
    }
    Some(if name == b"HTTP" { Protocol::Http } else { Protocol::Text })
}

/// Of a line that is too long there is only the start.
fn protocol_of_start(start: &[u8]) -> Option<Protocol> {
    let is_header = [&b"PROXY TCP4 "[..], b"PROXY TCP6 ", b"PROXY UNKNOWN"]
        .iter()
        .any(|it| start.starts_with(it));
    if is_header {
        return Some(Protocol::Proxy);
    }
    is_request_start(start).then_some(Protocol::Http)
}

/// Whether it begins with a method and a target: a path, `*`, a URI, or a host and a port.
fn is_request_start(start: &[u8]) -> bool {
    let Some((method, target)) = split(start, b' ') else { return false };
    let is_letter = |byte: &u8| !byte.is_ascii_lowercase() && byte.is_ascii_alphanumeric();
    let is_method = method.first().is_some_and(u8::is_ascii_uppercase)
        && method.iter().all(|byte| is_letter(byte) || matches!(byte, b'-' | b'_'));
    let target = trim(target);
    let word = target.split(|byte| *byte == b' ').next().unwrap_or(target);
    let is_uri =
        split(word, b':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty());
    is_method && (target == b"*" || target.starts_with(b"/") || is_uri)
}

/// What stands before a byte, and what stands behind it.
fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(at, bytes)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

impl_pack! {
    struct Sniffer { first, first_len, telnet, start, len, is_whole, is_after_cr }
}

#[cfg(test)]
mod tests;
