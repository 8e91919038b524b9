//! What the receivers of the fan-out bench have got, and whether that is right.
//!
//! Every line has one `[` in it, whatever a server puts around lines; every receiver
//! counts those, and its bytes. A sample of them, the senders among it, reads the head of
//! every line, and notices when a sender's lines are lost, doubled or out of order.

use super::ask::client_name;
use super::rooms::Rooms;
use std::collections::BTreeMap;
use std::ops::Range;

/// Where `[u00000] ` ends, and what the sender itself has said begins.
pub(crate) const PREFIX_LENGTH: usize = 9;
const SEQUENCE_LENGTH: usize = 10;

/// What begins a line, and stands nowhere else.
const MARK: u8 = b'[';

/// Where the sequence number of `[u00000 → u00000] 0000000000` begins and ends.
const PRIVATE_PREFIX_LENGTH: usize = 20;
const HEAD_LENGTH: usize = PRIVATE_PREFIX_LENGTH + SEQUENCE_LENGTH;

/// Every so many-th client reads its lines; a prime, so that no rhythm of the
/// server's can hide from it.
const SAMPLE_EVERY: usize = 61;

/// A line to a room as it is delivered, so many bytes with its LF.
pub(crate) fn line(sender: usize, sequence: u64, length: usize) -> String {
    let text = format!("[{}] {sequence:0SEQUENCE_LENGTH$} ", client_name(sender));
    format!("{text:.<width$}\n", width = length - 1)
}

/// What is said to one alone, so that as many bytes are delivered.
pub(crate) fn private_line(to: usize, sequence: u64, length: usize) -> String {
    let text = format!("{sequence:0SEQUENCE_LENGTH$} ");
    format!(
        "SEND @{} {text:.<width$}\n",
        client_name(to),
        width = length - 1 - PRIVATE_PREFIX_LENGTH
    )
}

/// A line's sender, whether it was for one alone, and its number.
fn parse(head: &[u8]) -> Option<(usize, bool, u64)> {
    let sender = usize::try_from(number(head.get(2..7)?)?).ok()?;
    let is_private = head[7] == b' ';
    let start = if is_private { PRIVATE_PREFIX_LENGTH } else { PREFIX_LENGTH };
    let sequence = number(head.get(start..start + SEQUENCE_LENGTH)?)?;
    Some((sender, is_private, sequence)).filter(|_| head.starts_with(b"[u"))
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| {
        let is_digit = digit.is_ascii_digit();
        is_digit.then(|| number * 10 + u64::from(digit - b'0'))
    })
}

/// All that has been received.
pub(crate) struct Ledger {
    lines: u64,
    /// By client.
    tallies: Vec<Tally>,
    /// The sample, by client.
    readers: BTreeMap<usize, Reader>,
    /// Senders whose lines have come, and have not been asked for yet.
    acknowledged: BTreeMap<usize, usize>,
}

#[derive(Clone, Default)]
struct Tally {
    lines: u64,
    bytes: u64,
}

impl Ledger {
    /// `listeners` has each sender, and who acknowledges its lines by hearing them.
    pub(crate) fn new(rooms: Rooms, listeners: &BTreeMap<usize, usize>) -> Ledger {
        let sample = (0..rooms.clients()).step_by(SAMPLE_EVERY);
        let readers = sample.chain(listeners.values().copied()).map(|id| {
            let heard = listeners.keys().filter(|sender| rooms.of(**sender) == rooms.of(id));
            let heard_by_it = listeners.iter().filter(|(_, listener)| **listener == id);
            let reader = Reader {
                acknowledges: heard_by_it.map(|(sender, _)| *sender).collect(),
                head: Vec::with_capacity(HEAD_LENGTH),
                next: heard.map(|&sender| (sender, 0)).collect(),
                next_private: BTreeMap::new(),
                disordered: 0,
            };
            (id, reader)
        });
        Ledger {
            lines: 0,
            tallies: vec![Tally::default(); rooms.clients()],
            readers: readers.collect(),
            acknowledged: BTreeMap::new(),
        }
    }

    /// How many lines all clients together have received.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Enters what one read has brought a client, wherever it begins and ends. Returns
    /// which of its lines have begun with that, counted from 0.
    pub(crate) fn enter(&mut self, id: usize, bytes: &[u8]) -> Range<u64> {
        let lines = memchr::memchr_iter(MARK, bytes).count() as u64;
        let tally = &mut self.tallies[id];
        let before = tally.lines;
        self.lines += lines;
        tally.lines += lines;
        tally.bytes += bytes.len() as u64;
        if let Some(reader) = self.readers.get_mut(&id) {
            reader.read(bytes, &mut self.acknowledged);
        }
        before..before + lines
    }

    /// The senders whose lines have come since this was last asked, and how many.
    pub(crate) fn take_acknowledged(&mut self) -> BTreeMap<usize, usize> {
        std::mem::take(&mut self.acknowledged)
    }

    /// How many lines a client has too few or too many, if it should have had so many,
    /// and all of so many bytes where that is known. Where only the bytes are wrong it is
    /// at least one.
    pub(crate) fn lost(&self, id: usize, lines: u64, length: Option<usize>) -> u64 {
        let tally = &self.tallies[id];
        let wrong_bytes = length.is_some_and(|length| tally.bytes != lines * length as u64);
        tally.lines.abs_diff(lines).max(u64::from(wrong_bytes))
    }

    /// How many lines were not what the sample expected.
    pub(crate) fn disordered(&self) -> u64 {
        self.readers.values().map(|reader| reader.disordered).sum()
    }
}

/// A client that reads the head of every line it gets.
struct Reader {
    /// The senders whose lines count as arrived when they come here.
    acknowledges: Vec<usize>,
    /// The head of a line whose rest is still to come.
    head: Vec<u8>,
    /// The next sequence number of each sender in its room.
    next: BTreeMap<usize, u64>,
    /// The least that the next private line of each sender may have.
    next_private: BTreeMap<usize, u64>,
    disordered: u64,
}

impl Reader {
    fn read(&mut self, mut bytes: &[u8], acknowledged: &mut BTreeMap<usize, usize>) {
        loop {
            if self.head.is_empty() {
                let Some(mark) = memchr::memchr(MARK, bytes) else { return };
                bytes = &bytes[mark..];
            }
            let (more, rest) = bytes.split_at(bytes.len().min(HEAD_LENGTH - self.head.len()));
            self.head.extend_from_slice(more);
            if self.head.len() < HEAD_LENGTH {
                return;
            }
            bytes = rest;
            self.check(acknowledged);
            self.head.clear();
        }
    }

    fn check(&mut self, acknowledged: &mut BTreeMap<usize, usize>) {
        let expected = parse(&self.head).and_then(|(sender, is_private, sequence)| {
            if is_private {
                let next = self.next_private.entry(sender).or_default();
                return Some(std::mem::replace(next, sequence + 1) <= sequence);
            }
            let next = self.next.get_mut(&sender)?;
            if self.acknowledges.contains(&sender) {
                *acknowledged.entry(sender).or_default() += 1;
            }
            Some(std::mem::replace(next, sequence + 1) == sequence)
        });
        self.disordered += u64::from(expected != Some(true));
    }
}
