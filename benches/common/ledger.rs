//! What the receivers of the fan-out bench have got, and whether that is right.
//!
//! Every receiver counts its lines and bytes. A sample of them, the senders among
//! it, reads every line, and notices when a sender's lines are lost, doubled or
//! out of order.

use super::crowd::name;
use super::rooms::Rooms;
use std::collections::BTreeMap;

/// The length of a delivered line, its LF included.
pub(crate) const LINE_LENGTH: usize = 64;
/// Where `[u00000] ` ends, and what the sender itself has said begins.
pub(crate) const PREFIX_LENGTH: usize = 9;
const SEQUENCE_LENGTH: usize = 10;

/// Every so many-th client reads its lines; a prime, so that no rhythm of the
/// server's can hide from it.
const SAMPLE_EVERY: usize = 61;

/// A line as it is delivered.
pub(crate) fn line(sender: usize, sequence: u64) -> String {
    let text = format!("[{}] {sequence:0SEQUENCE_LENGTH$} ", name(sender));
    format!("{text:.<width$}\n", width = LINE_LENGTH - 1)
}

/// The sender and the sequence number of a delivered line.
fn parse(line: &[u8]) -> Option<(usize, u64)> {
    let (prefix, said) = line.split_at_checked(PREFIX_LENGTH)?;
    let sender = prefix.strip_prefix(b"[u")?.strip_suffix(b"] ")?;
    let sequence = said.get(..SEQUENCE_LENGTH)?;
    Some((usize::try_from(number(sender)?).ok()?, number(sequence)?))
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
    /// Senders that have got lines of their own back, and have not been asked for yet.
    acknowledged: Vec<usize>,
}

#[derive(Clone, Default)]
struct Tally {
    lines: u64,
    bytes: u64,
}

impl Ledger {
    pub(crate) fn new(rooms: Rooms, senders: &[usize]) -> Ledger {
        let sample = (0..rooms.clients()).step_by(SAMPLE_EVERY);
        let readers = sample.chain(senders.iter().copied());
        let reader = |id| {
            let heard = senders.iter().filter(|sender| rooms.of(**sender) == rooms.of(id));
            (id, Reader::new(id, heard))
        };
        Ledger {
            lines: 0,
            tallies: vec![Tally::default(); rooms.clients()],
            readers: readers.map(reader).collect(),
            acknowledged: Vec::new(),
        }
    }

    /// How many lines all clients together have received.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Enters what one read has brought a client, wherever it begins and ends.
    pub(crate) fn enter(&mut self, id: usize, bytes: &[u8]) {
        let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.lines += lines;
        self.tallies[id].lines += lines;
        self.tallies[id].bytes += bytes.len() as u64;
        if let Some(reader) = self.readers.get_mut(&id) {
            let before = reader.acknowledged;
            reader.read(bytes);
            if before == 0 && reader.acknowledged > 0 {
                self.acknowledged.push(id);
            }
        }
    }

    /// The senders that have got lines of their own back since this was last asked,
    /// and how many.
    pub(crate) fn take_acknowledged(&mut self) -> Vec<(usize, usize)> {
        let readers = &mut self.readers;
        let take = |id| {
            let reader = readers.get_mut(&id)?;
            Some((id, std::mem::take(&mut reader.acknowledged)))
        };
        self.acknowledged.drain(..).filter_map(take).collect()
    }

    /// How many lines the clients have too few or too many, if each should have had
    /// as many as `sent` says. Where only the bytes are wrong it is at least one.
    pub(crate) fn lost(&self, sent: impl Fn(usize) -> u64) -> u64 {
        let lost = |(id, tally): (usize, &Tally)| {
            let wrong_bytes = tally.bytes != sent(id) * LINE_LENGTH as u64;
            tally.lines.abs_diff(sent(id)).max(u64::from(wrong_bytes))
        };
        self.tallies.iter().enumerate().map(lost).sum()
    }

    /// How many lines were not what the sample expected.
    pub(crate) fn disordered(&self) -> u64 {
        self.readers.values().map(|reader| reader.disordered).sum()
    }
}

/// A client that reads every line it gets.
struct Reader {
    id: usize,
    /// The beginning of a line whose end is still to come.
    unfinished: Vec<u8>,
    /// The next sequence number of each sender in its room.
    next: BTreeMap<usize, u64>,
    acknowledged: usize,
    disordered: u64,
}

impl Reader {
    fn new<'a>(id: usize, senders: impl Iterator<Item = &'a usize>) -> Reader {
        Reader {
            id,
            unfinished: Vec::new(),
            next: senders.map(|&sender| (sender, 0)).collect(),
            acknowledged: 0,
            disordered: 0,
        }
    }

    fn read(&mut self, mut bytes: &[u8]) {
        while let Some(newline) = memchr::memchr(b'\n', bytes) {
            let (end, rest) = bytes.split_at(newline + 1);
            if self.unfinished.is_empty() {
                self.check(end);
            } else {
                let mut line = std::mem::take(&mut self.unfinished);
                line.extend_from_slice(end);
                self.check(&line);
            }
            bytes = rest;
        }
        self.unfinished.extend_from_slice(bytes);
    }

    fn check(&mut self, line: &[u8]) {
        let expected = parse(line).and_then(|(sender, sequence)| {
            let next = self.next.get_mut(&sender)?;
            self.acknowledged += usize::from(sender == self.id);
            let expected = sequence == *next;
            *next = sequence + 1;
            Some(expected)
        });
        self.disordered += u64::from(expected != Some(true));
    }
}
