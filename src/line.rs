//! Bytes become lines, bounded, whatever the segmentation. Knows no connection.
//!
//! A line ends at LF or NUL; one CR just before either belongs to the ending. BS and
//! DEL erase the code point before them. A complete line is borrowed from the bytes
//! it came in; only an unfinished one is copied, and waits here for its rest.

use memchr::{memchr2, memchr2_iter};

/// What a connection ends its lines with, and so reads best itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A line feed: `nc`, and most programs.
    Lf,
    /// Carriage return and line feed, or telnet's carriage return and NUL.
    CrLf,
    /// A NUL byte: clients of Flash's time.
    Nul,
}

impl Ending {
    /// What to end a line with.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Lf => "\n",
            Ending::CrLf => "\r\n",
            Ending::Nul => "\0",
        }
    }
}

/// What comes out of a [`LineSplitter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// A line without its ending, and the ending; at the end of input there is none.
    Line(&'a [u8], Option<Ending>),
    /// The present line is too long; what is still to come of it is discarded.
    TooLong,
    /// Here a line ended that was too long: so, and after so many bytes.
    Discarded(Ending, usize),
    /// So much came without an ending that none is to be expected. Nothing follows.
    Endless,
}

/// Splits one connection's bytes into lines.
///
/// Whatever the pieces that the bytes arrive in, the same lines come out.
#[derive(Debug)]
pub struct LineSplitter {
    /// The start of a line whose end has not come; its erasures are done.
    tail: Vec<u8>,
    /// `tail` has been given out as a line and is to be emptied.
    given: bool,
    /// In a line that was too long, and whether its last byte was a CR.
    discarding: Option<AfterCr>,
    /// Bytes since the last ending, whatever became of them.
    unended: usize,
    line_max: usize,
    endless: usize,
}

type AfterCr = bool;

impl LineSplitter {
    /// Lines may be `line_max` bytes long, and `endless` bytes may come without an
    /// ending.
    #[must_use]
    pub fn new(line_max: usize, endless: usize) -> LineSplitter {
        LineSplitter {
            tail: Vec::new(),
            given: false,
            discarding: None,
            unended: 0,
            line_max,
            endless,
        }
    }

    /// The next piece, taken from the front of `bytes`; `None` once they are used up.
    pub fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Piece<'a>> {
        self.clear_given();
        if bytes.is_empty() {
            return None;
        }
        let end = memchr2(b'\n', 0, bytes);
        let part = &bytes[..end.unwrap_or(bytes.len())];
        // Nothing behind the byte that is one too many is looked at, whatever came with it.
        let part = &part[..part.len().min((self.endless + 1).saturating_sub(self.unended))];
        if self.discarding.is_none() && !self.take(part, end.is_some()) {
            self.tail = Vec::new();
            self.discarding = Some(false);
            return Some(Piece::TooLong);
        }
        if !self.skip(part.len()) {
            *bytes = &[];
            return Some(Piece::Endless);
        }
        let Some(end) = end else {
            *bytes = &[];
            self.discarding = self.discarding.map(|_| part.ends_with(b"\r"));
            return None;
        };
        let last = bytes[end];
        *bytes = &bytes[end + 1..];
        let len = std::mem::take(&mut self.unended);
        Some(self.ended(part, last, len))
    }

    /// The unterminated last line, if there is one, when no more bytes will come.
    pub fn finish(&mut self) -> Option<Piece<'_>> {
        self.clear_given();
        self.discarding = None;
        if self.tail.is_empty() {
            return None;
        }
        self.given = true;
        Some(Piece::Line(without_cr(&self.tail), None))
    }

    /// Counts bytes that came on the connection and are not part of a line. False once
    /// too many have come without an ending.
    pub fn skip(&mut self, count: usize) -> bool {
        self.unended += count;
        self.unended <= self.endless
    }

    /// What there is of the present line.
    #[must_use]
    pub fn partial(&self) -> &[u8] {
        if self.given { b"" } else { &self.tail }
    }

    /// Whether it stands between two lines, so that a new one would do as well.
    #[must_use]
    pub fn is_between_lines(&self) -> bool {
        self.unended == 0 && self.discarding.is_none() && self.partial().is_empty()
    }

    fn clear_given(&mut self) {
        if std::mem::take(&mut self.given) {
            self.tail.clear();
        }
    }

    /// Adds to the tail, unless `part` is a whole line that can stay where it is.
    /// False if the line is too long with it.
    fn take(&mut self, part: &[u8], ended: bool) -> bool {
        if memchr2(0x08, 0x7f, part).is_some() {
            return self.take_erasing(part);
        }
        if !self.fits(part) {
            return false;
        }
        if !(ended && self.tail.is_empty()) {
            self.tail.extend_from_slice(part);
        }
        true
    }

    /// Erasures are done as they come, so that only what is left counts as long.
    fn take_erasing(&mut self, part: &[u8]) -> bool {
        let mut from = 0;
        for at in memchr2_iter(0x08, 0x7f, part).chain([part.len()]) {
            let typed = &part[from..at];
            if !self.fits(typed) {
                return false;
            }
            self.tail.extend_from_slice(typed);
            if at < part.len() {
                erase_one(&mut self.tail);
            }
            from = at + 1;
        }
        true
    }

    /// Whether the line is still short enough with `more`; a CR at its end may turn out
    /// to be part of the ending.
    fn fits(&self, more: &[u8]) -> bool {
        let len = self.tail.len() + more.len();
        let last = more.last().or(self.tail.last());
        len <= self.line_max || (len == self.line_max + 1 && last == Some(&b'\r'))
    }

    /// A line has ended: with `part`, and then the byte `last`, after `len` bytes.
    fn ended<'a>(&'a mut self, part: &'a [u8], last: u8, len: usize) -> Piece<'a> {
        if let Some(after_cr) = self.discarding.take() {
            let after_cr = part.last().map_or(after_cr, |byte| *byte == b'\r');
            return Piece::Discarded(ending(after_cr, last), len);
        }
        // `take` left it where it was, or has put all of it into the tail. The tail may
        // also be empty because everything was erased.
        let erased = memchr2(0x08, 0x7f, part).is_some();
        let line = if self.tail.is_empty() && !erased { part } else { &self.tail[..] };
        self.given = true;
        Piece::Line(without_cr(line), Some(ending(line.ends_with(b"\r"), last)))
    }
}

fn ending(after_cr: bool, last: u8) -> Ending {
    match (after_cr, last) {
        (true, _) => Ending::CrLf,
        (false, b'\n') => Ending::Lf,
        (false, _) => Ending::Nul,
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Removes the last code point, or the last byte of what is none.
fn erase_one(line: &mut Vec<u8>) {
    let is_code_point = |len: &usize| {
        let end = line.len().checked_sub(*len).map(|start| &line[start..]);
        end.and_then(|end| str::from_utf8(end).ok()).is_some_and(|end| end.chars().count() == 1)
    };
    let len = (1..=4).find(is_code_point).unwrap_or(1);
    line.truncate(line.len().saturating_sub(len));
}
