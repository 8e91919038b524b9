//! The oracle of first bytes: who speaks another protocol. One byte at a time, written from
//! the protocol's page alone.

use chinwag::Ending;

/// How a connection begins, as far as that is known.
#[derive(Default)]
pub(super) struct First {
    all: Vec<u8>,
    /// Of the first line that is not blank, what counts of it.
    start: Vec<u8>,
    start_is_over: bool,
    pub(super) is_known: bool,
}

/// What has come: the first two are told something in their own words, the others nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stranger {
    Http,
    Tls,
    Other,
}

impl Stranger {
    fn new(is_http: bool) -> Stranger {
        if is_http { Stranger::Http } else { Stranger::Other }
    }
}

impl First {
    /// A byte as it came: telnet's, too.
    pub(super) fn any(&mut self, byte: u8) -> bool {
        if self.is_known || self.all.len() == 5 {
            return false;
        }
        self.all.push(byte);
        let is_wide = matches!(self.all[..], [255, 254, _, high] if high < 9);
        is_wide || self.all == *b"\r\n\r\n\0"
    }

    /// A byte that is not telnet's.
    pub(super) fn text(&mut self, byte: u8, after_cr: bool) -> Option<Stranger> {
        if self.is_known || self.start_is_over {
            return None;
        }
        match byte {
            0 if after_cr => return None,
            0 if self.start.is_empty() => return Some(Stranger::Other),
            0 | b'\n' | b'\r' => self.start_is_over = !self.start.is_empty(),
            8 | 127 => drop(self.start.pop()),
            3 | 21 | 23 => self.start.clear(),
            4 | 27 => {}
            b' ' | b'\t' if self.start.is_empty() => {}
            22 if self.start.is_empty() => return Some(Stranger::Tls),
            0..32 if byte != b'\t' && self.start.len() < 5 => return Some(Stranger::Other),
            _ => {
                self.start.push(byte);
                self.start_is_over = self.start.len() == 32;
            }
        }
        None
    }

    /// A line, or the last words without an end. Some: it is another protocol's.
    pub(super) fn line(&mut self, line: &[u8], ending: Option<Ending>) -> Option<Stranger> {
        if self.is_known {
            return None;
        }
        if line.iter().all(|byte| b" \t\x04".contains(byte)) {
            return None;
        }
        self.is_known = true;
        let text = String::from_utf8_lossy(line);
        let text = text.trim_matches([' ', '\t']);
        let by_zero = ending == Some(Ending::Nul);
        let is_odd = |c: char| (c < ' ' && c != '\t' && c != '\x1b') || c == '\u{fffd}';
        let is_binary = by_zero && (text.chars().count() < 2 || text.contains(is_odd));
        // The end of input may come within the version.
        let is_http = text.starts_with("GET /")
            && [" HTTP/1", " HTTP/1.", " HTTP/1.1"].iter().any(|end| text.ends_with(end));
        let is_begun =
            ["SSH-2.0-", "PROXY TCP4 192.0."].iter().any(|start| text.starts_with(start));
        let is_other =
            is_begun || OTHERS.contains(&text) || (text == "*1" && ending == Some(Ending::CrLf));
        (is_binary || is_other || is_http).then_some(Stranger::new(is_http))
    }

    pub(super) fn too_long(&mut self) -> Option<Stranger> {
        let is_known = std::mem::replace(&mut self.is_known, true);
        let is_http = self.start.starts_with(b"GET /");
        let is_header = self.start.starts_with(b"PROXY TCP4 ");
        (!is_known && (is_http || is_header)).then_some(Stranger::new(is_http))
    }
}

/// What clients of the simulation begin with besides, as a line.
const OTHERS: [&str; 6] = [
    "OPTIONS sip:nm SIP/2.0",
    "OPTIONS sip:nm SIP/2.",
    "OPTIONS sip:nm SIP/2",
    "SSH-2.0-",
    "SSH-2.0-G",
    "SSH-2.0-Go",
];

/// Beginnings of strangers, and of some who only look like them.
pub(super) const BEGINNINGS: [&[u8]; 17] = [
    b"GET / HTTP/1.1\r\nHost: chat\r\n\r\n",
    b"\r\n\r\nGET /a/path/that/is/longer/than/any/line/may/be/here/or/elsewhere/in/the/run HTTP/1.1\r\n",
    b"OPTIONS sip:nm SIP/2.0\r\n",
    b"SSH-2.0-Go\r\n",
    b"PROXY TCP4 192.0.2.1 10.0.0.1 4 5\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00",
    b"*1\r\n$4\r\nPING\r\n",
    b"\0\0\0\x08\x04\xd2\x16\x2f",
    b"\xff\xfeh\0e\0l\0l\0o\0\n\0",
    b"h\0e\0l\0l\0o\0",
    b"0\x0c\x02\x01\x01",
    b"\xff\xfb\x1f\xff\xfd\x03\r\0 \t\nGET / HTTP/1.1\n",
    b"GET well soon\n",
    b"*1\n",
    b"caf\xe9\r\n",
    b"\x08\x7f\t\x04\r\0\x1bhello\x07\n",
    b"/exit\n",
];
