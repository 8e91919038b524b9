//! The oracle of framing: telnet, keys and lines, one byte at a time, written from the
//! protocol's page alone. Slow and simple, where the server is fast and borrows. The fuzz
//! targets go by it, too.

use std::collections::BTreeSet;
use std::mem;

use chinwag::Ending;

use super::first::{First, Stranger};

const IAC: u8 = 255;

/// What a client's bytes amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// How it ends its lines, as far as that shows: after a telnet command, and after the
    /// first ending of all.
    Ending(Ending),
    Line(Vec<u8>),
    TooLong,
    /// A KiB without a line.
    Bulk,
    /// To a telnet question.
    Answer(Vec<u8>),
    /// Whether anybody is there.
    Asked,
    /// Telnet's end of input.
    End,
    /// It speaks another protocol, which may be HTTP.
    Foreign(Stranger),
    /// So much without an ending that nothing more is listened to.
    Endless,
}

#[expect(clippy::struct_excessive_bools, reason = "each says something else of the bytes before")]
#[derive(Default)]
pub(super) struct Framing {
    /// Each with the number of bytes that it took to say so.
    pub(super) items: Vec<(usize, Item)>,
    taken: usize,
    line_max: usize,
    telnet: Telnet,
    answered: BTreeSet<(u8, u8)>,
    key: Key,
    line: Vec<u8>,
    is_too_long: bool,
    first: First,
    after_cr: bool,
    spoke_telnet: bool,
    has_ended: bool,
    /// What counts towards one without an end, and what is to be paid for.
    since_ending: usize,
    unpaid: usize,
}

#[derive(Clone, Copy, Default)]
enum Telnet {
    #[default]
    Text,
    Command,
    Option(u8),
    /// After so many bytes of it.
    Inside(usize),
    CommandInside(usize),
}

/// How far the sequence of a key has come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Key {
    #[default]
    None,
    Escape,
    Parameters(usize),
    Last,
    /// So many bytes of a mouse's report are to come.
    Mouse(usize),
    /// After what may begin a terminal's answer.
    Answer(u8),
    /// After so many bytes of one.
    Inside(usize),
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
        framing.push_line(None);
    }
    framing
}

impl Framing {
    fn byte(&mut self, byte: u8) {
        if self.first.any(byte) {
            return self.push(Item::Foreign(Stranger::Other));
        }
        self.telnet_byte(byte);
    }

    fn telnet_byte(&mut self, byte: u8) {
        match (self.telnet, byte) {
            (Telnet::Text | Telnet::Inside(1024..), IAC) => {
                self.telnet = Telnet::Command;
                self.count(false);
            }
            (Telnet::Text | Telnet::Inside(1024..), _) => {
                self.telnet = Telnet::Text;
                self.text(byte);
            }
            // The IAC was a byte like others, and has been paid for.
            (Telnet::Command, 0..=235 | IAC) => {
                self.telnet = Telnet::Text;
                (self.after_cr, self.key) = (false, Key::None);
                self.first.text(IAC, false);
                self.add(IAC);
                if byte == IAC {
                    return self.count(true);
                }
                self.count_unended();
                if !self.is_over() {
                    self.text(byte);
                }
            }
            (Telnet::Command, 251..=254) => {
                self.telnet = Telnet::Option(byte);
                self.count(false);
            }
            (Telnet::Command, _) => {
                let is_inside = byte == 250;
                self.telnet = if is_inside { Telnet::Inside(0) } else { Telnet::Text };
                self.command(byte);
            }
            (Telnet::Option(verb), option) => {
                self.telnet = Telnet::Text;
                self.show_ending(true, Ending::CrLf);
                self.answer(verb, option);
                self.count(false);
            }
            (Telnet::Inside(count), IAC) => {
                self.telnet = Telnet::CommandInside(count + 1);
                self.count(true);
            }
            (Telnet::Inside(count), _) | (Telnet::CommandInside(count), IAC) => {
                self.telnet = Telnet::Inside(count + 1);
                self.count(true);
            }
            (Telnet::CommandInside(_), 240) => {
                self.telnet = Telnet::Text;
                self.count(true);
            }
            (Telnet::CommandInside(_), _) => {
                self.telnet = Telnet::Command;
                self.telnet_byte(byte);
            }
        }
    }

    fn command(&mut self, byte: u8) {
        self.show_ending(true, Ending::CrLf);
        match byte {
            244 | 248 => self.edit_by_telnet(0x15),
            247 => self.edit_by_telnet(0x7f),
            246 => self.push(Item::Asked),
            236 => {
                if !self.line.is_empty() {
                    self.push_line(None);
                }
                if !self.is_over() {
                    self.push(Item::End);
                }
                return;
            }
            _ => {}
        }
        self.count(false);
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
        if let Some(stranger) = self.first.text(byte, self.after_cr) {
            return self.push(Item::Foreign(stranger));
        }
        if mem::take(&mut self.after_cr) && (byte == b'\n' || byte == 0) {
            return;
        }
        let next = match (self.key, byte) {
            (_, 0x1b) => Some(Key::Escape),
            (Key::Escape, b'[') => Some(Key::Parameters(0)),
            (Key::Escape, b'O') | (Key::Parameters(0), b'[') => Some(Key::Last),
            (Key::Parameters(0..64), b'/') => None,
            (Key::Escape, b']' | b'P' | b'_') => Some(Key::Answer(byte)),
            (Key::Parameters(0), b'M') => Some(Key::Mouse(3)),
            (Key::Mouse(3), b) if !b" !\"#@ABC`a".contains(&b) => None,
            (Key::Mouse(left), 0x20..) => Some(Key::Mouse(left - 1)),
            (Key::Answer(_), b'0'..=b'9' | b'>' | b'!' | b'G' | b'l' | b'L') => {
                Some(Key::Inside(1))
            }
            (Key::Inside(count @ 0..200), 0x20..=0x7e | 0x80..) => Some(Key::Inside(count + 1)),
            (Key::Parameters(count @ 0..64), 0x20..=0x3f) => Some(Key::Parameters(count + 1)),
            (Key::Last, b'0'..=b'9') => Some(Key::Parameters(1)),
            (Key::Escape, b'\\')
            | (Key::Inside(_), 0x07)
            | (Key::Parameters(_), 0x40..=0x7e)
            | (Key::Last, b' ' | 0x40..=0x7e) => Some(Key::None),
            _ => None,
        };
        if next.is_none() && matches!(self.key, Key::Escape | Key::Answer(_)) {
            self.add(0x1b);
        }
        if let (None, Key::Answer(start)) = (next, self.key) {
            self.add(start);
        }
        self.key = next.filter(|key| *key != Key::Mouse(0)).unwrap_or_default();
        match byte {
            _ if next.is_some() => {}
            b'\n' => return self.end_line(Ending::Lf),
            b'\r' => return self.end_line(Ending::CrLf),
            0 => return self.end_line(Ending::Nul),
            0x03 | 0x08 | 0x15 | 0x17 | 0x7f => self.edit(byte),
            _ => self.add(byte),
        }
        self.count(true);
    }

    fn add(&mut self, byte: u8) {
        if self.is_too_long {
            return;
        }
        self.line.push(byte);
        if self.line.len() > self.line_max {
            let item = self.first.too_long().map_or(Item::TooLong, Item::Foreign);
            self.push(item);
            self.is_too_long = true;
            self.line.clear();
        }
    }

    fn edit_by_telnet(&mut self, key: u8) {
        self.first.text(key, false);
        self.edit(key);
    }

    fn edit(&mut self, key: u8) {
        self.key = Key::None;
        let is_space = |byte: &u8| *byte == b' ' || *byte == b'\t';
        let line = &mut self.line;
        match key {
            // The last code point, or the last byte of what is none.
            0x08 | 0x7f => {
                let count = line.utf8_chunks().last().map_or(0, |chunk| match chunk.invalid() {
                    [] => chunk.valid().chars().next_back().map_or(0, char::len_utf8),
                    _ => 1,
                });
                line.truncate(line.len() - count);
            }
            0x17 => {
                let end = line.iter().rposition(|byte| !is_space(byte)).map_or(0, |last| last + 1);
                let start = line[..end].iter().rposition(is_space).map_or(0, |space| space + 1);
                line.truncate(start);
            }
            _ => line.clear(),
        }
    }

    fn end_line(&mut self, ending: Ending) {
        self.after_cr = ending == Ending::CrLf;
        self.show_ending(false, ending);
        self.has_ended = true;
        if mem::take(&mut self.is_too_long) {
            (self.since_ending, self.unpaid) = (0, 0);
        } else {
            self.push_line(Some(ending));
        }
    }

    /// The first telnet command speaks for one ending, until there is another.
    fn show_ending(&mut self, by_telnet: bool, ending: Ending) {
        let is_known = self.has_ended || (by_telnet && self.spoke_telnet);
        self.spoke_telnet |= by_telnet;
        if !is_known {
            self.push(Item::Ending(ending));
        }
    }

    fn push_line(&mut self, ending: Option<Ending>) {
        let mut line = mem::take(&mut self.line);
        if line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3);
        }
        (self.since_ending, self.unpaid) = (0, 0);
        let foreign = self.first.line(&line, ending);
        self.push(foreign.map_or(Item::Line(line), Item::Foreign));
    }

    fn push(&mut self, item: Item) {
        self.items.push((self.taken, item));
    }

    /// Telnet's commands are paid for, and may go on for ever.
    fn count(&mut self, is_unended: bool) {
        if is_unended {
            self.count_unended();
        }
        if !self.is_over() {
            self.pay();
        }
    }

    fn count_unended(&mut self) {
        self.since_ending += 1;
        if self.since_ending > 16 * self.line_max {
            self.push(Item::Endless);
        }
    }

    fn pay(&mut self) {
        self.unpaid += 1;
        if self.unpaid == 1024 {
            self.unpaid = 0;
            self.push(Item::Bulk);
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.items.last(), Some((_, Item::Endless | Item::End | Item::Foreign(_))))
    }
}
