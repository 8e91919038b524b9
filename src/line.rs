//! Bytes become lines, bounded, whatever the segmentation. Knows no connection.
//!
//! A line ends at LF or NUL; one CR just before either belongs to the ending. A complete
//! line is borrowed from the bytes it came in; only an unfinished one is copied, and waits
//! here for its rest.

use memchr::memchr2;

use crate::scan;

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
    /// The first bytes of the last line that was too long.
    head: [u8; HEAD],
    /// Bytes since the last ending, whatever became of them.
    unended: usize,
    line_max: usize,
    endless: usize,
}

type AfterCr = bool;

/// So much is kept of a line that is too long: as much as tells of an HTTP request.
const HEAD: usize = 8;

impl LineSplitter {
    /// Lines may be `line_max` bytes long, and `endless` bytes may come without an
    /// ending.
    #[must_use]
    pub fn new(line_max: usize, endless: usize) -> LineSplitter {
        LineSplitter {
            tail: Vec::new(),
            given: false,
            discarding: None,
            head: [0; HEAD],
            unended: 0,
            line_max,
            endless,
        }
    }

    /// The next piece, taken from the front of `bytes`; `None` once they are used up. Ask
    /// also when there are none, after [`LineSplitter::skip`] or [`LineSplitter::erase`].
    /// Each byte is looked at once, and those behind the one that is too many not at all.
    pub fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Piece<'a>> {
        self.clear_given();
        loop {
            if self.unended > self.endless {
                self.unended = 0;
                *bytes = &[];
                return Some(Piece::Endless);
            }
            let window = &bytes[..bytes.len().min(self.room())];
            if window.is_empty() {
                return None;
            }
            if let Some(end) = scan::counted(window, memchr2(b'\n', 0, window)) {
                let (part, last) = (&bytes[..end], bytes[end]);
                *bytes = &bytes[end + 1..];
                return Some(self.end(part, last));
            }
            *bytes = &bytes[window.len()..];
            if !self.take(window) {
                return Some(Piece::TooLong);
            }
        }
    }

    /// Takes back the last code point of the present line; at its start, nothing.
    pub fn erase(&mut self) {
        self.clear_given();
        match &mut self.discarding {
            Some(after_cr) => *after_cr = false,
            None => erase_one(&mut self.tail),
        }
        self.skip(1);
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

    /// Counts bytes that came on the connection and are not part of a line.
    pub fn skip(&mut self, count: usize) {
        self.unended += count;
    }

    /// How the last line that was too long began: eight bytes of it, or with less a zero in
    /// the place of each that there was not.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
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

    /// So many bytes decide whether the line is too long, or comes without an end.
    fn room(&self) -> usize {
        let endless = self.endless.saturating_add(1) - self.unended;
        match self.discarding {
            Some(_) => endless,
            None => endless.min(self.one_too_many().saturating_sub(self.tail.len()).max(1)),
        }
    }

    fn one_too_many(&self) -> usize {
        self.line_max.saturating_add(1)
    }

    /// Takes a piece from the middle of a line. False if that is too long with it; a CR
    /// in the place behind the last may turn out to be part of the ending.
    fn take(&mut self, part: &[u8]) -> bool {
        self.unended += part.len();
        let after_cr = part.ends_with(b"\r");
        let len = self.tail.len() + part.len();
        let is_short = len <= self.line_max || (len == self.one_too_many() && after_cr);
        let was_short = self.discarding.is_none();
        if was_short && is_short {
            self.tail.extend_from_slice(part);
            return true;
        }
        if was_short {
            let mut start = self.tail.iter().chain(part).copied();
            self.head = std::array::from_fn(|_| start.next().unwrap_or(0));
            self.tail = Vec::new();
        }
        self.discarding = Some(after_cr);
        !was_short
    }

    /// The line ends with `part`, and then the byte `last`.
    fn end<'a>(&'a mut self, part: &'a [u8], last: u8) -> Piece<'a> {
        let len = std::mem::take(&mut self.unended) + part.len();
        if let Some(after_cr) = self.discarding.take() {
            let after_cr = part.last().map_or(after_cr, |byte| *byte == b'\r');
            return Piece::Discarded(ending(after_cr, last), len);
        }
        self.given = true;
        let line = if self.tail.is_empty() {
            part
        } else {
            self.tail.extend_from_slice(part);
            &self.tail
        };
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
