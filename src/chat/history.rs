//! A room's history: a ring of lines, bounded in number and in bytes.

use std::collections::VecDeque;
use std::fmt::{self, Write};

use super::dialect::{Kind, LineNumber};
use super::name::Shown;
use super::user_id::UserId;
use crate::pack::impl_pack;
use crate::work;

/// A line of history. Names are as they were then.
pub(super) struct Record<'a> {
    pub(super) number: LineNumber,
    /// Milliseconds since the epoch.
    pub(super) at: i64,
    pub(super) kind: Kind,
    pub(super) speaker: UserId,
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

/// A record without its text: its lengths, and the rest.
struct Entry {
    at: i64,
    kind: Kind,
    speaker: UserId,
    text_len: u32,
    name_len: u8,
    is_withdrawn: bool,
}

// There may be some hundred of them in a room.
const _: () = assert!(size_of::<Entry>() <= 24);

impl Entry {
    fn name_len(&self) -> usize {
        self.name_len.into()
    }

    fn len(&self) -> usize {
        self.name_len() + self.text_len as usize
    }
}

/// A line that is said, with its speaker's name.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) speaker: UserId,
    pub(super) name: Shown<'a>,
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// Milliseconds since 1970.
    pub(super) at: i64,
}

/// The most that a room keeps.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) lines: usize,
    /// Bytes of names and texts.
    pub(super) bytes: usize,
}

/// The last lines of a room. They are numbered from 1, without gaps.
pub(super) struct History {
    entries: VecDeque<Entry>,
    /// Names and texts, one after the other. Once it has grown it allocates no more.
    bytes: VecDeque<u8>,
    last_seq: u64,
    epoch: i64,
    /// The earlier numberings of which lines are kept, oldest first: the number of the last line of
    /// each, and its epoch.
    earlier: Vec<(u64, i64)>,
}

impl History {
    /// Of a room where nothing has been said: no numbering has this epoch.
    pub(super) const NONE: History = History::new(0);

    pub(super) const fn new(epoch: i64) -> History {
        History {
            entries: VecDeque::new(),
            bytes: VecDeque::new(),
            last_seq: 0,
            epoch,
            earlier: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether there is nothing to show: all that is kept was withdrawn.
    pub(super) fn is_blank(&self) -> bool {
        self.entries.iter().all(|entry| entry.is_withdrawn)
    }

    /// The number of the last line; 0 before the first.
    pub(super) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// The epoch of this number: which numbering of the room it belongs to.
    pub(super) fn epoch_of(&self, seq: u64) -> i64 {
        let earlier = self.earlier.iter().find(|(last, _)| seq <= *last);
        earlier.map_or(self.epoch, |(_, epoch)| *epoch)
    }

    /// The time of the last line.
    pub(super) fn last_at(&self) -> Option<i64> {
        self.entries.back().map(|entry| entry.at)
    }

    /// The number of the first line that is kept; of the next line, if none is.
    pub(super) fn first_seq(&self) -> u64 {
        self.last_seq + 1 - self.entries.len() as u64
    }

    /// The next line has this number, which the log has given. If lines are missing before it, or a
    /// new numbering begins lower, the lines that are kept are dropped; if a new numbering
    /// continues behind them, they stay. Returns false if the line is known already.
    pub(super) fn go_on_at(&mut self, number: LineNumber) -> bool {
        let LineNumber { seq, epoch } = number;
        let Some(before) = seq.checked_sub(1) else { return false };
        if epoch == self.epoch && seq <= self.last_seq {
            return false;
        }
        if before != self.last_seq {
            *self = History { last_seq: before, ..History::new(epoch) };
        } else if epoch != self.epoch {
            self.earlier.push((before, self.epoch));
            self.epoch = epoch;
        }
        true
    }

    /// Adds a line under the next number, which it returns, and drops the oldest ones beyond the
    /// bounds.
    pub(super) fn push(&mut self, line: Line<'_>, bounds: Bounds) -> LineNumber {
        let Line { speaker, name, kind, text, at } = line;
        self.last_seq += 1;
        let before = self.bytes.len();
        write!(Bytes(&mut self.bytes), "{name}").expect("a ring takes everything");
        let name_len = u8::try_from(self.bytes.len() - before).expect("names are short");
        self.bytes.extend(text.as_bytes());
        let text_len = u32::try_from(text.len()).expect("lines are shorter than 4 GiB");
        let entry = Entry { at, kind, speaker, text_len, name_len, is_withdrawn: false };
        self.entries.push_back(entry);
        while self.entries.len() > bounds.lines || self.bytes.len() > bounds.bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes.drain(..oldest.len());
        }
        let first = self.first_seq();
        self.earlier.retain(|(last, _)| *last >= first);
        LineNumber { seq: self.last_seq, epoch: self.epoch }
    }

    /// Uses up this number, which the log has given, for a line that is not shown.
    pub(super) fn leave_out(&mut self, number: LineNumber, at: i64, bounds: Bounds) {
        if self.go_on_at(number) {
            let (speaker, name, kind) = (UserId::NOBODY, Shown::Named(""), Kind::Say);
            self.push(Line { speaker, name, kind, text: "", at }, bounds);
            if let Some(entry) = self.entries.back_mut() {
                entry.is_withdrawn = true;
            }
        }
    }

    /// Withdraws what these users said, and what was said under a name in any spelling. Their
    /// lines are not shown again; the numbers stay taken. Returns whether the last line that set a
    /// topic is among them.
    pub(super) fn withdraw(&mut self, is_one: impl Fn(UserId) -> bool, name: &str) -> bool {
        let (mut start, mut is_topic_gone) = (0, false);
        work::walk(self.entries.len());
        for entry in &mut self.entries {
            let own = self.bytes.range(start..start + entry.name_len());
            let is_called_so = own.len() == name.len()
                && own.zip(name.bytes()).all(|(one, other)| one.eq_ignore_ascii_case(&other));
            entry.is_withdrawn |= is_called_so || is_one(entry.speaker);
            if entry.kind == Kind::Topic {
                is_topic_gone = entry.is_withdrawn;
            }
            start += entry.len();
        }
        is_topic_gone
    }

    /// Calls `show` with each line from number `seq` on.
    pub(super) fn each_from(&self, seq: u64, mut show: impl FnMut(&Record<'_>)) {
        let first = self.first_seq();
        let count = (self.last_seq + 1).saturating_sub(seq.max(first));
        let skipped = self.entries.len() - usize::try_from(count).expect("so many are kept");
        let shown = self.entries.range(skipped..);
        let mut start = self.bytes.len() - shown.clone().map(Entry::len).sum::<usize>();
        // A line may wrap around the end of the ring.
        let mut line = Vec::new();
        for (entry, at_seq) in shown.zip(seq.max(first)..) {
            work::walk(1);
            let end = start + entry.len();
            if !entry.is_withdrawn {
                line.clear();
                line.extend(self.bytes.range(start..end));
                let whole = str::from_utf8(&line).expect("only text is kept, and cut where it was");
                let (name, text) = whole.split_at(entry.name_len());
                let Entry { at, kind, speaker, .. } = *entry;
                let number = LineNumber { seq: at_seq, epoch: self.epoch_of(at_seq) };
                show(&Record { number, at, kind, speaker, name, text });
            }
            start = end;
        }
    }
}

/// Writes text into a ring.
struct Bytes<'a>(&'a mut VecDeque<u8>);

impl Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(text.as_bytes());
        Ok(())
    }
}

impl_pack! {
    struct History { entries, bytes, last_seq, epoch, earlier }
}

impl_pack! {
    struct Entry { at, kind, speaker, text_len, name_len, is_withdrawn }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(history: &mut History, text: &str) {
        let speaker = UserId { index: 0, number: 1 };
        let bounds = Bounds { lines: 3, bytes: 40 };
        let name = Shown::Named("añn");
        history.push(Line { speaker, name, kind: Kind::Say, text, at: 0 }, bounds);
    }

    fn all(history: &History, from: u64) -> String {
        let mut all = String::new();
        history.each_from(from, |line| {
            write!(all, "{}:{}:{} ", line.number.seq, line.name, line.text).unwrap();
        });
        all
    }

    #[test]
    fn the_last_lines_are_kept_under_their_numbers() {
        let mut history = History::NONE;
        assert_eq!(
            (history.first_seq(), history.last_seq(), all(&history, 0).as_str()),
            (1, 0, "")
        );
        for text in ["one", "two", "three", "four"] {
            say(&mut history, text);
        }
        assert_eq!(all(&history, 0), "2:añn:two 3:añn:three 4:añn:four ");
        assert_eq!(all(&history, 4), "4:añn:four ");
        assert_eq!(all(&history, 5), "");
        assert_eq!((history.first_seq(), history.last_seq()), (2, 4));
    }

    #[test]
    fn bytes_are_bounded_too_and_numbers_go_on() {
        let mut history = History::NONE;
        say(&mut history, "short");
        say(&mut history, &"x".repeat(30));
        assert_eq!(history.first_seq(), 2);
        say(&mut history, &"x".repeat(41));
        assert!(history.is_empty());
        assert_eq!((history.first_seq(), history.last_seq()), (4, 3));
        say(&mut history, "again");
        assert_eq!(all(&history, 0), "4:añn:again ");
    }

    #[test]
    fn a_line_has_the_number_that_others_have_given_it() {
        let mut history = History::NONE;
        let mut go_on_at = |seq, epoch| {
            let is_new = history.go_on_at(LineNumber { seq, epoch });
            if is_new {
                say(&mut history, "hi");
            }
            (is_new, history.first_seq(), history.last_seq())
        };
        assert_eq!(go_on_at(0, 7), (false, 1, 0), "there is no such number");
        assert_eq!(go_on_at(5, 7), (true, 5, 5));
        assert_eq!(go_on_at(6, 7), (true, 5, 6));
        assert_eq!(go_on_at(6, 7), (false, 5, 6));
        assert_eq!(go_on_at(7, 8), (true, 5, 7));
        assert_eq!(go_on_at(2, 9), (true, 2, 2));
    }

    #[test]
    fn kept_lines_have_the_numbers_of_their_own_time() {
        let mut history = History::new(1);
        let mut say_of = |epoch| {
            assert!(history.go_on_at(LineNumber { seq: history.last_seq() + 1, epoch }));
            say(&mut history, "hi");
            let mut epochs = Vec::new();
            history.each_from(0, |line| epochs.push(line.number.epoch));
            assert!(
                (history.first_seq()..).zip(&epochs).all(|(seq, it)| history.epoch_of(seq) == *it)
            );
            (epochs, history.earlier.len())
        };
        assert_eq!(say_of(1), (vec![1], 0));
        assert_eq!(say_of(2), (vec![1, 2], 1));
        assert_eq!(say_of(3), (vec![1, 2, 3], 2));
        assert_eq!(say_of(3), (vec![2, 3, 3], 1), "three lines are kept");
        assert_eq!(say_of(3), (vec![3, 3, 3], 0));
    }

    #[test]
    fn lines_that_wrap_around_the_ring_are_whole() {
        let mut history = History::NONE;
        for number in 0..100 {
            say(&mut history, &format!("grüße {number}"));
            assert!(all(&history, 0).ends_with(&format!("grüße {number} ")));
        }
    }
}
