//! The line that is being typed, edited as terminals do it, and bounded. Knows no connection.

use crate::net::scan::{BS, CTRL_W, DEL};
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// How a connection ends its lines, and so how lines to it should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A line feed: `nc`, and most programs.
    Lf,
    /// Carriage return and line feed, telnet's carriage return and NUL, or a raw
    /// terminal's carriage return.
    CrLf,
    /// A NUL byte: clients of Flash's time.
    Nul,
    /// Nothing: each line is a WebSocket message ([`Ending::frame`]).
    WebSocket,
    /// Nothing: its length comes before each line ([`Framing::LengthPrefix`](crate::Framing)).
    LengthPrefix,
}

impl Ending {
    /// All of them.
    pub(crate) const ALL: [Ending; 5] =
        [Ending::Lf, Ending::CrLf, Ending::Nul, Ending::WebSocket, Ending::LengthPrefix];

    /// What to end a line with.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Ending::Lf => "\n",
            Ending::CrLf => "\r\n",
            Ending::Nul => "\0",
            Ending::WebSocket | Ending::LengthPrefix => "",
        }
    }
}

/// How a connection has shown which ending it reads best.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndingSeen {
    None,
    /// It has sent a telnet command, so CR LF is likely.
    Telnets,
    /// It has ended a line.
    Own(Ending),
}

impl EndingSeen {
    pub(crate) fn ending(self) -> Option<Ending> {
        match self {
            EndingSeen::None => None,
            EndingSeen::Telnets => Some(Ending::CrLf),
            EndingSeen::Own(ending) => Some(ending),
        }
    }

    pub(crate) fn is_own(self) -> bool {
        matches!(self, EndingSeen::Own(_))
    }
}

/// The present line, as far as it is kept.
#[derive(Debug)]
pub(crate) struct Line {
    /// Its start; erasures are done.
    text: Vec<u8>,
    /// `text` has been given out as a line, and is to be emptied.
    given: bool,
    /// It was too long, and what is still to come of it is dropped.
    discarding: bool,
    max: usize,
}

impl Line {
    /// It may be `max` bytes long.
    pub(crate) fn new(max: usize) -> Line {
        Line { text: Vec::new(), given: false, discarding: false, max }
    }

    /// How many bytes show whether it is too long.
    pub(crate) fn room(&self) -> usize {
        if self.discarding {
            return usize::MAX;
        }
        self.max.saturating_add(1).saturating_sub(self.text.len())
    }

    /// Adds a piece, no longer than there is room. False if the line is too long with it.
    pub(crate) fn push(&mut self, piece: &[u8]) -> bool {
        if self.discarding {
            return true;
        }
        if self.text.len() + piece.len() > self.max {
            self.discard();
            return false;
        }
        self.text.extend_from_slice(piece);
        true
    }

    /// Does what one of the editing keys asks for: BS and DEL take the last code point, Ctrl-W
    /// the last word, Ctrl-C and Ctrl-U everything.
    pub(crate) fn edit(&mut self, key: u8) {
        match key {
            BS | DEL => erase_one(&mut self.text),
            CTRL_W => erase_word(&mut self.text),
            _ => self.text.clear(),
        }
    }

    /// The line, which ends with `part`; `None` if it was too long.
    pub(crate) fn end<'a>(&'a mut self, part: &'a [u8]) -> Option<&'a [u8]> {
        if std::mem::take(&mut self.discarding) {
            return None;
        }
        self.given = true;
        if self.text.is_empty() {
            return Some(part);
        }
        self.text.extend_from_slice(part);
        Some(&self.text)
    }

    /// It is too long: what is still to come of it is dropped.
    pub(crate) fn discard(&mut self) {
        self.text = Vec::new();
        self.discarding = true;
    }

    /// The line that was given out last is done with.
    pub(crate) fn clear_given(&mut self) {
        if std::mem::take(&mut self.given) {
            self.text.clear();
        }
    }

    /// What there is of it.
    pub(crate) fn partial(&self) -> &[u8] {
        if self.given { b"" } else { &self.text }
    }

    /// Whether nothing is to be remembered, so that a new one would do as well.
    pub(crate) fn is_new(&self) -> bool {
        !self.discarding && self.partial().is_empty()
    }
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

/// Removes the last word, and the white space behind it.
fn erase_word(line: &mut Vec<u8>) {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    while line.pop_if(|last| is_space(last)).is_some() {}
    while line.pop_if(|last| !is_space(last)).is_some() {}
}

impl Pack for Ending {
    fn pack(&self, to: &mut Packer) {
        to.tag(match self {
            Ending::Lf => 0,
            Ending::CrLf => 1,
            Ending::Nul => 2,
            Ending::WebSocket => 3,
            Ending::LengthPrefix => 4,
        });
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Ending, Damaged> {
        Ok(match from.tag()? {
            0 => Ending::Lf,
            1 => Ending::CrLf,
            2 => Ending::Nul,
            3 => Ending::WebSocket,
            4 => Ending::LengthPrefix,
            _ => return Err(from.wrong("ending of a line")),
        })
    }
}

impl Pack for Line {
    fn pack(&self, to: &mut Packer) {
        let Line { text, given, discarding, max } = self;
        to.put(text).put(given).put(discarding).put(max);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Line, Damaged> {
        Ok(Line {
            text: from.get()?,
            given: from.get()?,
            discarding: from.get()?,
            max: from.get()?,
        })
    }
}

impl Pack for EndingSeen {
    fn pack(&self, to: &mut Packer) {
        match self {
            EndingSeen::None => to.tag(0),
            EndingSeen::Telnets => to.tag(1),
            EndingSeen::Own(ending) => to.tag(2).put(ending),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<EndingSeen, Damaged> {
        Ok(match from.tag()? {
            0 => EndingSeen::None,
            1 => EndingSeen::Telnets,
            2 => EndingSeen::Own(from.get()?),
            _ => return Err(from.wrong("ending that was seen")),
        })
    }
}
