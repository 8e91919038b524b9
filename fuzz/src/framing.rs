//! How bytes become lines, twice: as the loop does it, whatever the pieces that they come
//! in, and one byte at a time, slowly, from the protocol's page alone.

use std::collections::BTreeSet;

use chinwag::{Ending, LineSplitter, Piece, Telnet, Token};

/// What comes out of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A line; at the end of input it has no ending.
    Line(Vec<u8>, Option<Ending>),
    /// A line is too long, and dropped.
    TooLong,
    /// The end of one that was too long, after so many bytes.
    Discarded(Ending, usize),
    /// To a telnet question.
    Answer([u8; 3]),
    /// So much without an ending that nothing more is listened to.
    Endless,
}

/// Without an ending, so many times the longest line may come.
const ENDLESS: usize = 16;

/// Feeds the server's framing with the bytes in these pieces.
///
/// # Panics
///
/// If it keeps more of a line than may be kept.
#[must_use]
pub fn framed(pieces: &[&[u8]], line_max: usize) -> Vec<Item> {
    let mut telnet = Telnet::default();
    let mut lines = LineSplitter::new(line_max, ENDLESS * line_max);
    let mut items = Vec::new();
    for mut bytes in pieces.iter().copied() {
        while let Some(token) = telnet.next(&mut bytes) {
            let mut data: &[u8] = b"";
            match token {
                Token::Data(bytes) => data = bytes,
                Token::Erase => lines.erase(),
                Token::Command(count, answer) => {
                    items.extend(answer.map(Item::Answer));
                    lines.skip(count);
                }
            }
            while let Some(piece) = lines.next(&mut data) {
                items.push(item(piece));
            }
            if items.last() == Some(&Item::Endless) {
                return items;
            }
        }
        // One more, in case it is the CR of the ending.
        assert!(lines.partial().len() <= line_max + 1, "more is kept than a line may have");
    }
    items.extend(lines.finish().map(item));
    assert!(lines.finish().is_none(), "the last line comes once");
    items
}

fn item(piece: Piece<'_>) -> Item {
    match piece {
        Piece::Line(line, ending) => Item::Line(line.to_vec(), ending),
        Piece::TooLong => Item::TooLong,
        Piece::Discarded(ending, count) => Item::Discarded(ending, count),
        Piece::Endless => Item::Endless,
    }
}

/// What is to come out of the bytes.
#[must_use]
pub fn expected(bytes: &[u8], line_max: usize) -> Vec<Item> {
    let mut oracle = Oracle { line_max, ..Oracle::default() };
    for byte in bytes {
        oracle.byte(*byte);
        if oracle.items.last() == Some(&Item::Endless) {
            return oracle.items;
        }
    }
    if !oracle.line.is_empty() {
        oracle.end_line(None);
    }
    oracle.items
}

/// Where a byte stands, as far as telnet is concerned.
#[derive(Clone, Copy, Default)]
enum Place {
    #[default]
    Text,
    AfterIac,
    AfterVerb(u8),
    Inside,
    AfterIacInside,
}

#[derive(Default)]
struct Oracle {
    items: Vec<Item>,
    line_max: usize,
    place: Place,
    answered: BTreeSet<[u8; 2]>,
    line: Vec<u8>,
    is_too_long: bool,
    is_after_cr: bool,
    /// Bytes since the last ending.
    count: usize,
}

impl Oracle {
    fn byte(&mut self, byte: u8) {
        const IAC: u8 = 255;
        self.place = match (self.place, byte) {
            (Place::Text, IAC) => Place::AfterIac,
            (Place::Text, _) => return self.text(byte),
            (Place::AfterIac, IAC) => {
                self.place = Place::Text;
                return self.text(IAC);
            }
            (Place::AfterIac, 251..=254) => Place::AfterVerb(byte),
            (Place::AfterIac, 250) => Place::Inside,
            (Place::AfterIac, _) | (Place::AfterIacInside, 240) => Place::Text,
            (Place::AfterVerb(verb), option) => {
                self.answer(verb, option);
                Place::Text
            }
            (Place::Inside, IAC) => Place::AfterIacInside,
            (Place::Inside | Place::AfterIacInside, _) => Place::Inside,
        };
        self.count_one();
    }

    /// DO is answered with WONT, WILL with DONT: each once, but for DO TIMING-MARK, which
    /// is a question each time.
    fn answer(&mut self, verb: u8, option: u8) {
        let answer = match verb {
            253 => 252,
            251 => 254,
            _ => return,
        };
        let question = [verb, option];
        if self.answered.insert(question) || question == [253, 6] {
            self.items.push(Item::Answer([255, answer, option]));
        }
    }

    fn text(&mut self, byte: u8) {
        match byte {
            b'\n' | 0 => return self.end_line(Some(byte)),
            _ if self.is_too_long => {}
            0x08 | 0x7f => self.erase(),
            _ => self.line.push(byte),
        }
        self.is_after_cr = byte == b'\r';
        // A CR in the place behind the last one may turn out to be the ending's.
        let room = self.line_max + usize::from(self.line.ends_with(b"\r"));
        if self.line.len() > room {
            self.items.push(Item::TooLong);
            self.is_too_long = true;
            self.line.clear();
        }
        self.count_one();
    }

    /// The last code point goes, or the last byte of what is none.
    fn erase(&mut self) {
        let count = self.line.utf8_chunks().last().map_or(0, |chunk| match chunk.invalid() {
            [] => chunk.valid().chars().next_back().map_or(0, char::len_utf8),
            _ => 1,
        });
        self.line.truncate(self.line.len() - count);
    }

    fn end_line(&mut self, last: Option<u8>) {
        let is_after_cr =
            if self.is_too_long { self.is_after_cr } else { self.line.ends_with(b"\r") };
        let ending = last.map(|last| match (is_after_cr, last) {
            (true, _) => Ending::CrLf,
            (false, b'\n') => Ending::Lf,
            (false, _) => Ending::Nul,
        });
        let mut line = std::mem::take(&mut self.line);
        if let Some(ending) = ending.filter(|_| self.is_too_long) {
            self.items.push(Item::Discarded(ending, self.count));
        } else {
            line.pop_if(|last| *last == b'\r');
            self.items.push(Item::Line(line, ending));
        }
        self.is_too_long = false;
        self.is_after_cr = false;
        self.count = 0;
    }

    fn count_one(&mut self) {
        self.count += 1;
        if self.count > ENDLESS * self.line_max {
            self.items.push(Item::Endless);
        }
    }
}
