//! Lines and messages whose bytes are left alone: framed by LF, or by a length before each. No
//! I/O, and no connection.

#[cfg(test)]
mod tests;

use crate::net::decoder::Item;
use crate::net::line::{Ending, Line};
use crate::pack::impl_pack;

/// Bytes that cost as much as a line.
const KIB: usize = 1024;

/// The size of a length, in bytes.
const LENGTH: usize = 4;

/// How the end of the present item is found.
#[derive(Clone, Copy, Debug)]
enum End {
    /// An LF.
    Lf,
    /// Inside a length: its bytes so far, and how many they are.
    Length([u8; LENGTH], usize),
    /// The message goes on for so many bytes.
    After(usize),
}

/// What one step has led to.
enum Step<'b> {
    On,
    Item(Item<'static>),
    /// The item has ended, and this is the last piece of it.
    End(&'b [u8]),
}

/// Turns one connection's bytes into lines or messages.
///
/// Whatever the pieces that the bytes arrive in, the same items come out.
#[derive(Debug)]
pub(crate) struct Raw {
    end: End,
    line: Line,
    line_max: usize,
    /// Bytes since the last ending.
    unended: usize,
    /// Bytes of them that the rate limit was not charged for.
    unpaid: usize,
    endless: usize,
}

impl Raw {
    /// Lines of at most `line_max` bytes; `endless` bytes may come without an ending.
    pub(crate) fn lines(line_max: usize, endless: usize) -> Raw {
        // One byte more, as a CR is kept until the next byte shows whether it belongs to the
        // ending.
        let line = Line::new(line_max + 1);
        Raw { end: End::Lf, line, line_max, unended: 0, unpaid: 0, endless }
    }

    /// Messages of at most `line_max` bytes; one of more than `endless` ends the connection.
    pub(crate) fn messages(line_max: usize, endless: usize) -> Raw {
        let end = End::Length([0; LENGTH], 0);
        let line = Line::new(line_max);
        Raw { end, line, line_max, unended: 0, unpaid: 0, endless }
    }

    /// How many bytes of the present line there are.
    pub(crate) fn held(&self) -> usize {
        self.line.partial().len()
    }

    /// Whether it holds no state, so that a new one would do as well.
    pub(crate) fn is_new(&self) -> bool {
        let is_between = matches!(self.end, End::Lf | End::Length(_, 0));
        is_between && self.line.is_new() && self.unended == 0
    }

    /// The next item, taken from the front of `bytes`; `None` once they are used up.
    pub(crate) fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Item<'a>> {
        self.line.clear_given();
        loop {
            match self.step(bytes)? {
                Step::On => {}
                Step::Item(item) => return Some(item),
                Step::End(part) => return Some(self.give(part)),
            }
        }
    }

    /// The unterminated last line, when no more bytes will come. Half a message is none.
    pub(crate) fn finish(&mut self) -> Option<Item<'_>> {
        self.line.clear_given();
        if !matches!(self.end, End::Lf) || self.line.partial().is_empty() {
            return None;
        }
        let line = self.line.end(b"")?;
        Some(if line.len() > self.line_max { Item::TooLong } else { Item::Line(line, None) })
    }

    fn step<'b>(&mut self, bytes: &mut &'b [u8]) -> Option<Step<'b>> {
        if self.unended > self.endless {
            self.unended = 0;
            *bytes = &[];
            return Some(Step::Item(Item::Endless));
        }
        if self.unpaid == KIB {
            self.unpaid = 0;
            return Some(Step::Item(Item::Bulk));
        }
        if let End::Length(length, count) = self.end {
            return self.length(length, count, bytes);
        }
        let window = self.window(bytes)?;
        if let Some(len) = self.len_to_end(window) {
            let is_line = matches!(self.end, End::Lf);
            *bytes = &bytes[len + usize::from(is_line)..];
            return Some(Step::End(&window[..len]));
        }
        *bytes = &bytes[window.len()..];
        self.take(window.len());
        let has_room = self.line.push(window);
        Some(if has_room { Step::On } else { Step::Item(Item::TooLong) })
    }

    /// The bytes that may be looked at now: not past the one at which the next KiB is full, or a
    /// limit is reached. `None` if more bytes have to come first.
    fn window<'b>(&self, bytes: &&'b [u8]) -> Option<&'b [u8]> {
        let room = (KIB - self.unpaid).min(self.endless.saturating_add(1) - self.unended);
        let window = &bytes[..bytes.len().min(room).min(self.line.room())];
        (!window.is_empty() || matches!(self.end, End::After(0))).then_some(window)
    }

    /// How much of the window belongs to the present item, if that ends there.
    fn len_to_end(&self, window: &[u8]) -> Option<usize> {
        match self.end {
            End::After(left) => (left <= window.len()).then_some(left),
            End::Lf | End::Length(..) => memchr::memchr(b'\n', window),
        }
    }

    /// Takes as much of a length as there is; `None` if that is not all of it.
    fn length(
        &mut self,
        mut length: [u8; LENGTH],
        count: usize,
        bytes: &mut &[u8],
    ) -> Option<Step<'static>> {
        let taken = bytes.len().min(LENGTH - count);
        length[count..count + taken].copy_from_slice(&bytes[..taken]);
        *bytes = &bytes[taken..];
        self.end = End::Length(length, count + taken);
        if count + taken < LENGTH {
            return None;
        }
        let len = u32::from_be_bytes(length) as usize;
        self.end = End::After(len);
        if len > self.endless {
            *bytes = &[];
            return Some(Step::Item(Item::Endless));
        }
        if len > self.line_max {
            self.line.discard();
            return Some(Step::Item(Item::TooLong));
        }
        Some(Step::On)
    }

    /// So many bytes have been taken, and the item goes on.
    fn take(&mut self, count: usize) {
        self.unended += count;
        self.unpaid += count;
        if let End::After(left) = &mut self.end {
            *left -= count;
        }
    }

    /// The item ends with this piece.
    fn give<'a>(&'a mut self, part: &'a [u8]) -> Item<'a> {
        (self.unended, self.unpaid) = (0, 0);
        let is_line = matches!(self.end, End::Lf);
        if !is_line {
            self.end = End::Length([0; LENGTH], 0);
        }
        let Some(bytes) = self.line.end(part) else {
            return Item::Discarded(if is_line { Ending::Lf } else { Ending::LengthPrefix });
        };
        if !is_line {
            return Item::Line(bytes, Some(Ending::LengthPrefix));
        }
        let (line, ending) = match bytes.strip_suffix(b"\r") {
            Some(line) => (line, Ending::CrLf),
            None => (bytes, Ending::Lf),
        };
        if line.len() > self.line_max { Item::TooLong } else { Item::Line(line, Some(ending)) }
    }
}

impl_pack! {
    enum End { 0 => Lf, 1 => Length(length, count), 2 => After(left) }
    else "end of an item"
}

impl_pack! {
    struct Raw { end, line, line_max, unended, unpaid, endless }
}
