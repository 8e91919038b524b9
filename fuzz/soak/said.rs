//! What is said in one room, and whether everybody hears it in the same order.

use std::ops::Range;

/// So many lines are remembered: more than a room's history, and more than are on their
/// way to anybody who reads.
const KEPT: usize = 1024;

/// How long a line may be: talkative rooms have to fill the queues of stalled readers.
const SHORT: Range<usize> = 20..120;
const LONG: Range<usize> = 300..500;

/// The lines of a room, numbered as they were sent. The server may take those of
/// different speakers in another order, but everybody must then hear that order.
pub(crate) struct Said {
    last: u64,
    lengths: Range<usize>,
    /// For the latest lines the number of the line and of the one that followed it, as
    /// the first who heard both has heard them.
    follows: Vec<(u64, u64)>,
}

impl Said {
    pub(crate) fn new(is_talkative: bool) -> Said {
        let lengths = if is_talkative { LONG } else { SHORT };
        Said { last: 0, lengths, follows: vec![(0, 0); KEPT] }
    }

    /// Another line: its number, and what it says.
    pub(crate) fn next(&mut self) -> (u64, String) {
        self.last += 1;
        let (letter, length) = self.looks(self.last);
        (self.last, format!("#{} {}", self.last, letter.to_string().repeat(length)))
    }

    /// Reads a line that was heard, after the one before it if nothing can have come
    /// between. Returns its number.
    pub(crate) fn hear(&mut self, before: Option<u64>, text: &str) -> Result<u64, String> {
        let number = self.read(text).ok_or("a line that nobody said")?;
        let Some(before) = before else { return Ok(number) };
        let slot = &mut self.follows[usize::try_from(before).unwrap_or(0) % KEPT];
        if slot.0 < before {
            *slot = (before, number);
        } else if slot.0 == before && slot.1 != number {
            return Err(format!("after #{before} others heard #{}, not this", slot.1));
        }
        Ok(number)
    }

    fn read(&self, text: &str) -> Option<u64> {
        let (number, filler) = text.strip_prefix('#')?.split_once(' ')?;
        let number = number.parse().ok()?;
        let (letter, length) = self.looks(number);
        let is_whole = filler.len() == length && filler.bytes().all(|byte| byte == letter as u8);
        (is_whole && number <= self.last).then_some(number)
    }

    /// The letter that a line is filled with, and how many of it.
    fn looks(&self, number: u64) -> (char, usize) {
        let letter = char::from(b'a' + u8::try_from(number % 26).expect("it is below 26"));
        let spread = u64::try_from(self.lengths.len()).expect("lengths are small");
        let more = usize::try_from(number * 37 % spread).expect("lengths are small");
        (letter, self.lengths.start + more)
    }
}
