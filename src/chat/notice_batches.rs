//! Batched notices: the joins, leaves and renames that each room has not been shown yet.
//!
//! A notice is added to its line when it happens, and notices that a reader must not see are
//! counted, not searched: one notice costs the same however many are pending. One set of tables
//! serves all rooms. Batches live for a second only, and memory allocated for each would fragment
//! the heap.

mod hand_over;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::iter::successors;
use std::time::Duration;

use slab::Slab;

use super::name::{Name, NameHasher, Shown, listed};
use crate::net::conn::ConnId;
use crate::work;

/// Join, leave and rename notices within this time are batched.
pub(super) const BATCH_TIME: Duration = Duration::from_secs(1);

/// A presence notice. Names are as they were then.
pub(super) enum Notice {
    Joined(Name),
    Left(Name),
    /// From the one to the other.
    Renamed(Box<[Name; 2]>),
}

impl Notice {
    const KINDS: usize = 3;

    fn kind(&self) -> usize {
        match self {
            Notice::Joined(_) => 0,
            Notice::Left(_) => 1,
            Notice::Renamed(_) => 2,
        }
    }

    fn names(&self) -> &[Name] {
        match self {
            Notice::Joined(name) | Notice::Left(name) => std::slice::from_ref(name),
            Notice::Renamed(names) => &names[..],
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Joined(name) | Notice::Left(name) => name.shown().fmt(f),
            Notice::Renamed(names) => write!(f, "{} is now {}", names[0].shown(), names[1].shown()),
        }
    }
}

/// A key of one of the tables.
type Key = u32;

/// The end of a linked list.
const NONE: Key = Key::MAX;

/// A batch of this many lines is flushed early. There is mostly one line a kind; only users who
/// join and leave over and over make more.
const LINES_MAX: u32 = 16;

struct Note {
    notice: Notice,
    /// The next note of the same line.
    next: Key,
}

/// Notices of one kind, shown as one line.
struct Line {
    /// Its number among the lines of its batch.
    at: u32,
    first: Key,
    last: Key,
    count: usize,
    next: Key,
}

/// The lines of one room.
struct Lines {
    first: Key,
    last: Key,
    count: u32,
    /// The last line of each kind. Only these can become longer.
    open: [Key; Notice::KINDS],
}

/// One room's pending notices. The owner must pass it to [`NoticeBatches::forget`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Batch(Key);

/// Part of a line: what was added after this note. `count` notes come before.
#[derive(Clone, Copy)]
struct Rest {
    line: Key,
    after: Key,
    count: usize,
}

/// The notices of a batch that one reader must not see.
#[derive(Default)]
struct Reader {
    /// If they began to take notices in mid-batch: the lines that were open then, in order, and
    /// the last line of all.
    begins: Option<([Option<Rest>; Notice::KINDS], Key)>,
    /// The line's number, and the note. The notes of one line are in order.
    hidden: Vec<(u32, Key)>,
}

/// The pending notices of all rooms.
#[derive(Default)]
pub(super) struct NoticeBatches {
    batches: Slab<Lines>,
    lines: Slab<Line>,
    notes: Slab<Note>,
    /// The number of the last line in which a name stands, by the name's hash.
    last_lines: HashMap<(Batch, u64), u32>,
    /// Readers who must not see all that the others in their room see.
    readers: HashMap<ConnId, Reader>,
    hasher: NameHasher,
}

impl NoticeBatches {
    pub(super) fn begin(&mut self) -> Batch {
        let lines = Lines { first: NONE, last: NONE, count: 0, open: [NONE; Notice::KINDS] };
        Batch(key(self.batches.insert(lines)))
    }

    /// Adds a notice to the last line of its kind. If one of its names is in a later line, the
    /// notice starts a new line: what happens to one user, or to one name, is shown in order.
    pub(super) fn push(
        &mut self,
        batch: Batch,
        notice: Notice,
        hidden_from: impl IntoIterator<Item = ConnId>,
    ) {
        let line_of = |name: &Name| self.last_lines.get(&(batch, hash(&self.hasher, name)));
        let since = notice.names().iter().filter_map(line_of).max().copied();
        let open = self.batches[batch.0 as usize].open[notice.kind()];
        let is_open = self.lines.get(open as usize).is_some_and(|open| Some(open.at) >= since);
        let line = if is_open { open } else { self.add_line(batch, notice.kind()) };
        let note = key(self.notes.insert(Note { notice, next: NONE }));
        let line = &mut self.lines[line as usize];
        match self.notes.get_mut(line.last as usize) {
            Some(last) => last.next = note,
            None => line.first = note,
        }
        line.last = note;
        line.count += 1;
        for name in self.notes[note as usize].notice.names() {
            self.last_lines.insert((batch, hash(&self.hasher, name)), line.at);
        }
        for id in hidden_from {
            self.readers.entry(id).or_default().hidden.push((line.at, note));
        }
    }

    fn add_line(&mut self, batch: Batch, kind: usize) -> Key {
        let lines = &mut self.batches[batch.0 as usize];
        let line = Line { at: lines.count, first: NONE, last: NONE, count: 0, next: NONE };
        let line = key(self.lines.insert(line));
        match self.lines.get_mut(lines.last as usize) {
            Some(last) => last.next = line,
            None => lines.first = line,
        }
        lines.last = line;
        lines.count += 1;
        lines.open[kind] = line;
        line
    }

    /// Whether a batch has to be flushed early. A user who leaves is sent all that is pending,
    /// which must stay cheap.
    pub(super) fn is_full(&self, batch: Batch) -> bool {
        self.batches[batch.0 as usize].count >= LINES_MAX
    }

    /// This user takes notices from now on, and must not see what is pending.
    pub(super) fn begin_for(&mut self, batch: Batch, id: ConnId) {
        let lines = &self.batches[batch.0 as usize];
        let rest = |line: Key| {
            let Line { last: after, count, .. } = *self.lines.get(line as usize)?;
            Some(Rest { line, after, count })
        };
        let mut open = lines.open.map(rest);
        open.sort_unstable_by_key(|rest| rest.map(|rest| self.lines[rest.line as usize].at));
        let begins = Some((open, lines.last));
        self.readers.insert(id, Reader { begins, hidden: Vec::new() });
    }

    /// Whether this reader must not see all that the others see.
    pub(super) fn is_special(&self, id: ConnId) -> bool {
        self.readers.contains_key(&id)
    }

    /// The lines for one special reader, in order; `None` is all other readers.
    pub(super) fn lines_for(&self, batch: Batch, id: Option<ConnId>) -> Vec<String> {
        let reader = id.and_then(|id| self.readers.get(&id));
        let begins = reader.and_then(|reader| reader.begins);
        let lines = &self.batches[batch.0 as usize];
        let first = begins.map_or(lines.first, |(_, last)| self.lines[last as usize].next);
        let new = chain(&self.lines, first, |line| line.next);
        let new = new.map(|line| Rest { line, after: NONE, count: 0 });
        let open = begins.into_iter().flat_map(|(open, _)| open).flatten();
        let mut hidden = reader.map_or_else(Vec::new, |reader| reader.hidden.clone());
        hidden.sort_by_key(|(at, _)| *at);
        let mut hidden = &hidden[..];
        let mut texts = Vec::new();
        for rest in open.chain(new) {
            let at = self.lines[rest.line as usize].at;
            let (own, others) = hidden.split_at(hidden.partition_point(|(of, _)| *of <= at));
            hidden = others;
            texts.extend(self.text(rest, own));
        }
        texts
    }

    /// The text of a line without its hidden notices, if anything is left.
    fn text(&self, rest: Rest, hidden: &[(u32, Key)]) -> Option<String> {
        let line = &self.lines[rest.line as usize];
        let count = line.count - rest.count - hidden.len();
        let start = self.notes.get(rest.after as usize).map_or(line.first, |after| after.next);
        let mut hidden = hidden.iter().map(|(_, note)| *note).peekable();
        let notes = chain(&self.notes, start, |note| note.next);
        let shown = notes.filter(|note| hidden.next_if_eq(note).is_none());
        let shown: Vec<&Notice> =
            shown.take(count.min(3)).map(|note| &self.notes[note as usize].notice).collect();
        (count > 0).then(|| together(&shown, count))
    }

    /// Drops a batch that was sent, or that has no readers any more.
    pub(super) fn forget(&mut self, batch: Batch) {
        let mut line = self.batches.remove(batch.0 as usize).first;
        while let Some(Line { first: mut note, next, .. }) = self.lines.try_remove(line as usize) {
            line = next;
            while let Some(Note { notice, next }) = self.notes.try_remove(note as usize) {
                note = next;
                for name in notice.names() {
                    self.last_lines.remove(&(batch, hash(&self.hasher, name)));
                }
            }
        }
        if self.batches.is_empty() {
            *self = NoticeBatches {
                readers: std::mem::take(&mut self.readers),
                ..NoticeBatches::default()
            };
        }
    }

    /// Drops a reader's exceptions: they left the room, or the batch was sent.
    pub(super) fn forget_reader(&mut self, id: ConnId) {
        self.readers.remove(&id);
        if self.readers.is_empty() {
            self.readers = HashMap::new();
        }
    }
}

fn hash(hasher: &NameHasher, name: &Name) -> u64 {
    match name.shown() {
        Shown::Named(name) => hasher.hash(name),
        Shown::Guest(number) => number.into(),
    }
}

/// The keys of a linked list, from `first` on.
fn chain<T>(table: &Slab<T>, first: Key, next: impl Fn(&T) -> Key) -> impl Iterator<Item = Key> {
    let keys = successors(Some(first), move |key| table.get(*key as usize).map(&next));
    keys.take_while(|key| *key != NONE).inspect(|_| work::walk(1))
}

fn key(index: usize) -> Key {
    Key::try_from(index).expect("one second has few notices")
}

/// `alice, bob and 7 others joined the chat.`
fn together(first: &[&Notice], count: usize) -> String {
    let mut line = listed(first, count);
    line.push_str(match first {
        [Notice::Joined(_), ..] => " joined the chat.",
        [Notice::Left(_), ..] => " left the chat.",
        [Notice::Renamed(_), ..] if count > 3 => " have new names",
        [Notice::Renamed(_), ..] | [] => "",
    });
    line
}
