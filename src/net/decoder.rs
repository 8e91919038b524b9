//! Bytes become lines, bounded, whatever the segmentation: telnet's commands are taken out,
//! the keys that edit a line do so. No I/O, and no connection.
//!
//! A line ends at LF, NUL or CR; an LF or NUL just after a CR belongs to it. A complete line
//! is borrowed from the bytes that it came in; only an unfinished one is copied, and waits
//! here for its rest.

use std::mem;

use crate::net::escape::{self, Escape};
use crate::net::line::{Ending, Line};
use crate::net::scan::{self, CTRL_U, DEL, ESC, IAC};
use crate::net::telnet::{self, Command, Telnet};
use crate::pack::impl_pack;
use crate::work;

/// What comes out of a codec ([`Codec`](crate::Codec), [`Decoder`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// A line without its ending, and the ending; at the end of input there is none.
    Line(&'a [u8], Option<Ending>),
    /// The present line is too long; the rest of it is discarded.
    TooLong,
    /// A line that was too long has ended.
    Discarded(Ending),
    /// A full KiB has come without a line: text, erased text or telnet. The rate limit charges it
    /// like a line.
    Bulk,
    /// A telnet command, and the answer to send.
    Telnet(Option<[u8; 3]>),
    /// Telnet's question whether anybody is there.
    AreYouThere,
    /// Telnet's end of input. Nothing follows.
    EndOfInput,
    /// Too many bytes came without an ending. Nothing follows.
    Endless,
    /// An answer of the framing itself, to send as it is: a pong.
    Answer(&'a [u8]),
    /// The other side closes its WebSocket, and the code to answer with. Nothing follows.
    Close(u16),
    /// The bytes break the rules of the framing. Nothing follows. A WebSocket is closed with this
    /// code, which tells the rule.
    Malformed(u16),
}

/// Turns one connection's bytes into items.
///
/// The same bytes give the same items, however they are cut into pieces.
#[derive(Debug)]
pub struct Decoder {
    telnet: Telnet,
    escape: Escape,
    line: Line,
    /// An LF or NUL that comes next belongs to the CR before it.
    after_cr: bool,
    /// Telnet has said that nothing more will come.
    has_ended: bool,
    /// Bytes since the last ending, erased ones included, but not telnet's commands: with those a
    /// client may keep an idle connection alive for as long as it likes.
    unended: usize,
    /// All bytes since the last ending or [`Item::Bulk`].
    unpaid: usize,
    endless: usize,
}

/// Some editors put it at the start of a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Bytes that cost as much as a line.
const KIB: usize = 1024;

/// What one step has led to.
enum Step<'b> {
    On,
    Item(Item<'static>),
    /// The line has ended, and this is the last piece of it.
    Line(&'b [u8], Option<Ending>),
}

impl Decoder {
    /// Lines may be `line_max` bytes long, and `endless` bytes may come without an
    /// ending.
    #[must_use]
    pub fn new(line_max: usize, endless: usize) -> Decoder {
        Decoder {
            telnet: Telnet::default(),
            escape: Escape::None,
            line: Line::new(line_max),
            after_cr: false,
            has_ended: false,
            unended: 0,
            unpaid: 0,
            endless,
        }
    }

    /// The next item, taken from the front of `bytes`; `None` once they are used up. Call it until
    /// then, even with no bytes left: an item may be due that needs none.
    /// Each byte is looked at twice at most, and those behind the item not at all.
    pub fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Item<'a>> {
        self.line.clear_given();
        loop {
            match self.step(bytes)? {
                Step::On => {}
                Step::Item(item) => return Some(item),
                Step::Line(part, ending) => return self.end(part, ending),
            }
        }
    }

    /// The unterminated last line, if there is one, when no more bytes will come.
    pub fn finish(&mut self) -> Option<Item<'_>> {
        self.line.clear_given();
        if self.line.partial().is_empty() { None } else { self.end(b"", None) }
    }

    /// What there is of the present line.
    #[must_use]
    pub fn partial(&self) -> &[u8] {
        self.line.partial()
    }

    /// Whether nothing is to be remembered, so that a new one would do as well.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.telnet.is_new()
            && self.escape == Escape::None
            && self.line.is_new()
            && !self.after_cr
            && !self.has_ended
            && self.unpaid == 0
            && self.unended == 0
    }

    fn step<'b>(&mut self, bytes: &mut &'b [u8]) -> Option<Step<'b>> {
        if let Some(step) = self.due(bytes) {
            return Some(step);
        }
        // Not past the byte at which the next KiB is full, or a limit is reached.
        let room = (KIB - self.unpaid).min(self.endless.saturating_add(1) - self.unended);
        let window = &bytes[..bytes.len().min(room).min(self.line.room())];
        let first = *window.first()?;
        if self.telnet.wants(first) {
            return self.telnet(bytes).map(Step::Item).or(Some(Step::On));
        }
        if mem::take(&mut self.after_cr) && matches!(first, b'\n' | 0) {
            *bytes = &bytes[1..];
            return Some(Step::On);
        }
        if self.escape.wants(first) {
            return Some(self.escape(first, bytes));
        }
        Some(self.text(window, bytes))
    }

    /// An item that is due without further bytes.
    fn due(&mut self, bytes: &mut &[u8]) -> Option<Step<'static>> {
        if self.has_ended && !self.line.partial().is_empty() {
            return Some(Step::Line(b"", None));
        }
        if mem::take(&mut self.has_ended) {
            *bytes = &[];
            return Some(Step::Item(Item::EndOfInput));
        }
        if self.unended > self.endless {
            self.unended = 0;
            *bytes = &[];
            return Some(Step::Item(Item::Endless));
        }
        if self.unpaid == KIB {
            self.unpaid = 0;
            return Some(Step::Item(Item::Bulk));
        }
        None
    }

    fn telnet(&mut self, bytes: &mut &[u8]) -> Option<Item<'static>> {
        let before = bytes.len();
        let step = self.telnet.step(bytes)?;
        self.unpaid += before - bytes.len();
        match step {
            telnet::Step::Command => None,
            telnet::Step::Subnegotiation => {
                self.unended += 1;
                None
            }
            telnet::Step::Data => {
                (self.after_cr, self.escape) = (false, Escape::None);
                self.unended += 1;
                (!self.line.push(&[IAC])).then_some(Item::TooLong)
            }
            telnet::Step::Done(command) => Some(self.obey(command)),
        }
    }

    fn obey(&mut self, command: Command) -> Item<'static> {
        match command {
            Command::Nothing => {}
            Command::Answer(answer) => return Item::Telnet(Some(answer)),
            Command::AreYouThere => return Item::AreYouThere,
            Command::EraseLine => self.edit(CTRL_U),
            Command::EraseCharacter => self.edit(DEL),
            Command::EndOfInput => self.has_ended = true,
        }
        Item::Telnet(None)
    }

    /// An editing key. It cuts short the sequence of another key.
    fn edit(&mut self, key: u8) {
        self.escape = Escape::None;
        self.line.edit(key);
    }

    fn escape(&mut self, byte: u8, bytes: &mut &[u8]) -> Step<'static> {
        work::look_at(1);
        match self.escape.step(byte) {
            escape::Step::Taken => {
                *bytes = &bytes[1..];
                self.count(1);
            }
            escape::Step::Left(text) if !self.line.push(text) => {
                return Step::Item(Item::TooLong);
            }
            escape::Step::Left(_) => {}
        }
        Step::On
    }

    /// Text up to the first byte that is none, and that byte, if it ends or edits the line.
    fn text<'b>(&mut self, window: &'b [u8], bytes: &mut &'b [u8]) -> Step<'b> {
        let end = scan::find_special(window).unwrap_or(window.len());
        let (text, rest) = (&window[..end], &bytes[end..]);
        let special = window.get(end).copied();
        let ending = match special {
            Some(b'\n') => Some(Ending::Lf),
            Some(b'\r') => Some(Ending::CrLf),
            Some(0) => Some(Ending::Nul),
            _ => None,
        };
        if ending.is_some() {
            *bytes = &rest[1..];
            self.after_cr = special == Some(b'\r');
            return Step::Line(text, ending);
        }
        *bytes = rest;
        self.count(text.len());
        if !self.line.push(text) {
            return Step::Item(Item::TooLong);
        }
        if let Some(key) = special.filter(|byte| !matches!(*byte, IAC | ESC)) {
            *bytes = &rest[1..];
            self.count(1);
            self.line.edit(key);
        }
        Step::On
    }

    fn count(&mut self, bytes: usize) {
        self.unended += bytes;
        self.unpaid += bytes;
    }

    fn end<'a>(&'a mut self, part: &'a [u8], ending: Option<Ending>) -> Option<Item<'a>> {
        (self.unended, self.unpaid) = (0, 0);
        match (self.line.end(part), ending) {
            (Some(line), ending) => {
                Some(Item::Line(line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line), ending))
            }
            (None, Some(ending)) => Some(Item::Discarded(ending)),
            (None, None) => None,
        }
    }
}

impl_pack! {
    struct Decoder { telnet, escape, line, after_cr, has_ended, unended, unpaid, endless }
}
