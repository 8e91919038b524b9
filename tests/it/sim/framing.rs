//! The oracle of framing: telnet and lines, one byte at a time, written from the
//! protocol's page alone. Slow and simple, where the server is fast and borrows.

use std::collections::BTreeSet;
use std::mem;

use chinwag::Ending;

const IAC: u8 = 255;

/// What a client's bytes amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// The first ending of all.
    Ending(Ending),
    Line(Vec<u8>),
    TooLong,
    /// The end of a line that was too long, after so many bytes.
    Discarded(usize),
    /// To a telnet question.
    Answer(Vec<u8>),
    /// So much without an ending that nothing more is listened to.
    Endless,
}

#[derive(Default)]
pub(super) struct Framing {
    /// Each with the number of bytes that it took to say so.
    pub(super) items: Vec<(usize, Item)>,
    taken: usize,
    /// Whatever the first line once was, while it had not ended.
    pub(super) beginnings: BTreeSet<Vec<u8>>,
    line_max: usize,
    telnet: Telnet,
    answered: BTreeSet<(u8, u8)>,
    line: Vec<u8>,
    is_too_long: bool,
    after_cr: bool,
    has_ended: bool,
    since_ending: usize,
}

#[derive(Clone, Copy, Default)]
enum Telnet {
    #[default]
    Text,
    Command,
    Option(u8),
    Inside,
    CommandInside,
}

/// So many bytes stand for the end behind all of them.
pub(super) const AT_THE_END: usize = usize::MAX;

/// What comes out of these bytes, behind the first `from`; `at_end` if nothing can follow
/// them.
pub(super) fn frame(bytes: &[u8], from: usize, at_end: bool, line_max: usize) -> Framing {
    let mut framing = Framing { line_max, taken: from, ..Framing::default() };
    for byte in &bytes[from..] {
        if !framing.is_over() {
            framing.taken += 1;
            framing.byte(*byte);
        }
    }
    framing.taken = AT_THE_END;
    if at_end && !framing.is_over() && !framing.is_too_long && !framing.line.is_empty() {
        framing.push_line();
    }
    framing
}

impl Framing {
    fn byte(&mut self, byte: u8) {
        self.telnet = match (self.telnet, byte) {
            (Telnet::Text, IAC) => Telnet::Command,
            (Telnet::Text, _) => return self.text(byte),
            (Telnet::Command, IAC) => {
                self.telnet = Telnet::Text;
                return self.text(IAC);
            }
            (Telnet::Command, 251..=254) => Telnet::Option(byte),
            (Telnet::Command, 250) | (Telnet::CommandInside, 0..=239 | 241..) => Telnet::Inside,
            (Telnet::Command, _) | (Telnet::CommandInside, 240) => Telnet::Text,
            (Telnet::Inside, IAC) => Telnet::CommandInside,
            (Telnet::Inside, _) => Telnet::Inside,
            (Telnet::Option(verb), option) => {
                self.answer(verb, option);
                Telnet::Text
            }
        };
        self.count();
    }

    /// DO is declined with WONT, WILL with DONT: once each, but for the timing mark,
    /// which is no option but a question each time.
    fn answer(&mut self, verb: u8, option: u8) {
        let reply = match verb {
            253 => 252,
            251 => 254,
            _ => return,
        };
        if self.answered.insert((verb, option)) || (verb, option) == (253, 6) {
            self.push(Item::Answer(vec![IAC, reply, option]));
        }
    }

    fn text(&mut self, byte: u8) {
        if byte == b'\n' || byte == 0 {
            return self.end_line(byte);
        }
        if !self.is_too_long {
            match byte {
                0x08 | 0x7f => self.erase(),
                _ => self.line.push(byte),
            }
            // A CR in the place behind the last one may turn out to be the ending's.
            let room = self.line_max + usize::from(self.line.ends_with(b"\r"));
            if self.line.len() > room {
                self.push(Item::TooLong);
                self.is_too_long = true;
                self.line.clear();
            }
        }
        if !self.has_ended {
            self.beginnings.insert(self.line.clone());
        }
        self.after_cr = byte == b'\r';
        self.count();
    }

    /// The simulation never erases what is not UTF-8.
    fn erase(&mut self) {
        let text = std::str::from_utf8(&self.line).expect("only text is erased");
        let left = text.char_indices().next_back().map_or(0, |(start, _)| start);
        self.line.truncate(left);
    }

    fn end_line(&mut self, last: u8) {
        let after_cr = if self.is_too_long { self.after_cr } else { self.line.ends_with(b"\r") };
        if !self.has_ended {
            self.has_ended = true;
            self.push(Item::Ending(match (after_cr, last) {
                (true, _) => Ending::CrLf,
                (false, b'\n') => Ending::Lf,
                (false, _) => Ending::Nul,
            }));
        }
        if mem::take(&mut self.is_too_long) {
            self.push(Item::Discarded(self.since_ending));
        } else {
            self.push_line();
        }
        self.after_cr = false;
        self.since_ending = 0;
    }

    fn push_line(&mut self) {
        if self.line.ends_with(b"\r") {
            self.line.pop();
        }
        let line = mem::take(&mut self.line);
        self.push(Item::Line(line));
    }

    fn push(&mut self, item: Item) {
        self.items.push((self.taken, item));
    }

    fn count(&mut self) {
        self.since_ending += 1;
        if self.since_ending > 16 * self.line_max {
            self.push(Item::Endless);
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.items.last(), Some((_, Item::Endless)))
    }
}
