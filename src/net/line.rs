//! The line that is being typed, edited as terminals do it, and bounded. Knows no connection.

use crate::net::scan::{BS, CTRL_W, DEL};
use crate::pack::impl_pack;

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

impl_pack! {
    enum Ending { 0 => Lf, 1 => CrLf, 2 => Nul, 3 => WebSocket, 4 => LengthPrefix }
    else "ending of a line"
}

impl_pack! {
    struct Line { text, given, discarding, max }
}

impl_pack! {
    enum EndingSeen { 0 => None, 1 => Telnets, 2 => Own(ending) }
    else "ending that was seen"
}
