//! What rooms have not been told yet of who came, who went and who has a new name.
//!
//! Notice is put into its line as it comes, and a reader's lines are counted, not walked: what
//! somebody does costs the same, however much has gathered. All of it stands in one set of
//! tables. Many rooms gather at once, and only for a second: with memory for each, as much
//! would be lost as lies around what stays for long.

use std::collections::HashMap;
use std::fmt;
use std::iter::successors;

use slab::Slab;

use super::name::{Name, NameHasher, Shown, listed};
use crate::net::conn::ConnId;

/// Something to tell a room. Names are as they were then.
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

/// What is no key.
const NONE: Key = Key::MAX;

/// So many lines are told before the second is over. Mostly there is one a kind; it takes
/// somebody who comes and goes all the time to make more.
const LINES_MAX: u32 = 16;

struct Note {
    news: Notice,
    /// The next one of the same line.
    next: Key,
}

/// Notice of one kind, to be told in one line.
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

/// What one room has gathered. Whoever has it has to see that it is forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Batch(Key);

/// Part of a line: what was added after this note, and how many there were up to it.
#[derive(Clone, Copy)]
struct Rest {
    line: Key,
    after: Key,
    count: usize,
}

/// What of its room's batch is not for a reader.
#[derive(Default)]
struct Reader {
    /// If it takes notices only from some point on: the lines that were open then, in order,
    /// and the last line of all.
    begins: Option<([Option<Rest>; Notice::KINDS], Key)>,
    /// The line's number, and the note. Of one line they are in order.
    hidden: Vec<(u32, Key)>,
}

/// What all rooms have gathered.
#[derive(Default)]
pub(super) struct NoticeBatches {
    batches: Slab<Lines>,
    lines: Slab<Line>,
    notes: Slab<Note>,
    /// The number of the last line in which a name stands, by the name's hash.
    last_lines: HashMap<(Batch, u64), u32>,
    /// Those who are not told all that the others in their room are.
    readers: HashMap<ConnId, Reader>,
    hasher: NameHasher,
}

#[cfg(test)]
thread_local! {
    /// How many lines and notes were looked at.
    static WALKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl NoticeBatches {
    pub(super) fn begin(&mut self) -> Batch {
        let lines = Lines { first: NONE, last: NONE, count: 0, open: [NONE; Notice::KINDS] };
        Batch(key(self.batches.insert(lines)))
    }

    /// Adds news to the last line of its kind. If one of its names stands in a later line it
    /// begins a line of its own: what happened to somebody, and to a name, is told in order.
    pub(super) fn push(
        &mut self,
        batch: Batch,
        news: Notice,
        hidden_from: impl IntoIterator<Item = ConnId>,
    ) {
        let place = |name: &Name| self.last_lines.get(&(batch, hash(&self.hasher, name)));
        let since = news.names().iter().filter_map(place).max().copied();
        let open = self.batches[batch.0 as usize].open[news.kind()];
        let is_open = self.lines.get(open as usize).is_some_and(|open| Some(open.at) >= since);
        let line = if is_open { open } else { self.add_line(batch, news.kind()) };
        let note = key(self.notes.insert(Note { news, next: NONE }));
        let line = &mut self.lines[line as usize];
        match self.notes.get_mut(line.last as usize) {
            Some(last) => last.next = note,
            None => line.first = note,
        }
        line.last = note;
        line.count += 1;
        for name in self.notes[note as usize].news.names() {
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

    /// Whether it is time to tell, though the second is not over. Whoever leaves is told all
    /// that has gathered, and that is to stay cheap.
    pub(super) fn is_full(&self, batch: Batch) -> bool {
        self.batches[batch.0 as usize].count >= LINES_MAX
    }

    /// From now on this user takes notices; what has happened so far is not for it.
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

    /// Whether somebody is not told the same as the others.
    pub(super) fn is_special(&self, id: ConnId) -> bool {
        self.readers.contains_key(&id)
    }

    /// What there is to tell one user, a line a kind, in order; `None` is all the others.
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
        let mut told = Vec::new();
        for rest in open.chain(new) {
            let at = self.lines[rest.line as usize].at;
            let (own, others) = hidden.split_at(hidden.partition_point(|(of, _)| *of <= at));
            hidden = others;
            told.extend(self.text(rest, own));
        }
        told
    }

    /// A line without what is hidden in it, if anything is left.
    fn text(&self, rest: Rest, hidden: &[(u32, Key)]) -> Option<String> {
        let line = &self.lines[rest.line as usize];
        let count = line.count - rest.count - hidden.len();
        let start = self.notes.get(rest.after as usize).map_or(line.first, |after| after.next);
        let mut hidden = hidden.iter().map(|(_, note)| *note).peekable();
        let notes = chain(&self.notes, start, |note| note.next);
        let shown = notes.filter(|note| hidden.next_if_eq(note).is_none());
        let shown: Vec<&Notice> =
            shown.take(count.min(3)).map(|note| &self.notes[note as usize].news).collect();
        (count > 0).then(|| together(&shown, count))
    }

    /// All of it has been told, or is for nobody any more.
    pub(super) fn forget(&mut self, batch: Batch) {
        let mut line = self.batches.remove(batch.0 as usize).first;
        while let Some(Line { first: mut note, next, .. }) = self.lines.try_remove(line as usize) {
            line = next;
            while let Some(Note { news, next }) = self.notes.try_remove(note as usize) {
                note = next;
                for name in news.names() {
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

    /// This user is told no more, or has been told all.
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

/// The keys from one on.
fn chain<T>(table: &Slab<T>, first: Key, next: impl Fn(&T) -> Key) -> impl Iterator<Item = Key> {
    let keys = successors(Some(first), move |key| table.get(*key as usize).map(&next));
    keys.take_while(|key| *key != NONE).inspect(|_| {
        #[cfg(test)]
        WALKED.set(WALKED.get() + 1);
    })
}

fn key(index: usize) -> Key {
    Key::try_from(index).expect("a second's news are few")
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

#[cfg(test)]
mod tests {
    use super::*;

    fn id(slot: u32) -> ConnId {
        ConnId { slot, serial: slot + 1 }
    }

    fn joined(name: &str) -> Notice {
        Notice::Joined(Name::own(name))
    }

    #[test]
    fn many_are_counted() {
        let all = ["ann", "bob", "cat"].map(joined);
        let all: Vec<&Notice> = all.iter().collect();
        assert_eq!(together(&all[..1], 1), "ann joined the chat.");
        assert_eq!(together(&all, 4), "ann, bob and 2 others joined the chat.");
        assert_eq!(together(&[&Notice::Left(Name::own("ann"))], 1), "ann left the chat.");
        let renamed = Notice::Renamed(Box::new([Name::own("ann"), Name::own("bob")]));
        let three = "ann is now bob, ann is now bob and ann is now bob";
        assert_eq!(together(&[&renamed; 3], 3), three);
        let four = "ann is now bob, ann is now bob and 2 others have new names";
        assert_eq!(together(&[&renamed; 3], 4), four);
    }

    #[test]
    fn rooms_gather_side_by_side_and_each_user_is_told_its_own() {
        let mut gathered = NoticeBatches::default();
        let (one, other) = (gathered.begin(), gathered.begin());
        for (slot, name) in [(0, "ann"), (1, "bob"), (2, "cat")] {
            gathered.push(one, joined(name), [id(slot + 10)]);
            gathered.push(other, Notice::Left(Name::own(name)), [id(slot)]);
            gathered.begin_for(one, id(slot + 10));
        }
        let all = "ann, bob and cat joined the chat.";
        assert_eq!(gathered.lines_for(one, None), [all]);
        assert_eq!(gathered.lines_for(one, Some(id(11))), ["cat joined the chat."]);
        assert_eq!(gathered.lines_for(one, Some(id(12))), <[&str; 0]>::default());
        assert_eq!(gathered.lines_for(other, Some(id(1))), ["ann and cat left the chat."]);
        assert!(gathered.is_special(id(2)) && !gathered.is_special(id(7)));
        gathered.forget(one);
        assert_eq!(gathered.lines_for(other, None), ["ann, bob and cat left the chat."]);
        gathered.forget(other);
        for slot in [0, 1, 2, 10, 11, 12] {
            gathered.forget_reader(id(slot));
        }
        let kept = gathered.notes.capacity() + gathered.lines.capacity();
        let kept = kept + gathered.last_lines.capacity() + gathered.readers.capacity();
        assert_eq!(kept, 0, "what nobody needs takes no memory");
    }

    #[test]
    fn what_happened_to_somebody_or_to_a_name_is_told_in_that_order() {
        let check = |events: &[(&str, &str)], lines: &[&str]| {
            let mut gathered = NoticeBatches::default();
            let batch = gathered.begin();
            for (name, what) in events {
                let name = Name::own(name);
                let news = match *what {
                    "joined" => Notice::Joined(name),
                    "left" => Notice::Left(name),
                    new => Notice::Renamed(Box::new([name, Name::own(new)])),
                };
                gathered.push(batch, news, []);
            }
            assert_eq!(gathered.lines_for(batch, None), lines);
        };
        let carol = ("carol", "left");
        let (joined, left) = ("bob joined the chat.", "bob left the chat.");
        check(&[carol, ("bob", "joined")], &["carol left the chat.", joined]);
        check(
            &[carol, ("bob", "joined"), ("bob", "left")],
            &["carol left the chat.", joined, left],
        );
        check(
            &[("bob", "joined"), ("bob", "left"), carol, ("dan", "joined")],
            &["bob and dan joined the chat.", "bob and carol left the chat."],
        );
        check(
            &[("eve", "eva"), ("zed", "joined"), ("zed", "zoe"), ("eva", "eve")],
            &["eve is now eva", "zed joined the chat.", "zed is now zoe and eva is now eve"],
        );
        // Another takes a name that is free again.
        check(
            &[("dan", "joined"), ("bob", "left"), ("Bob", "joined")],
            &["dan joined the chat.", left, "Bob joined the chat."],
        );
        check(
            &[("eve", "eva"), ("bob", "left"), ("cat", "bob")],
            &["eve is now eva", left, "cat is now bob"],
        );
    }

    #[test]
    fn what_somebody_does_costs_the_same_however_much_has_gathered() {
        let walked_with = |moves: u32| {
            let mut gathered = NoticeBatches::default();
            let batch = gathered.begin();
            for slot in 0..moves {
                let name = format!("user-{slot}");
                gathered.push(batch, joined(&name), [id(slot % 100)]);
                gathered.push(batch, Notice::Left(Name::own(&name)), []);
            }
            gathered.begin_for(batch, id(200));
            WALKED.set(0);
            gathered.lines_for(batch, None);
            gathered.lines_for(batch, Some(id(200)));
            WALKED.get()
        };
        assert_eq!(walked_with(10_000), walked_with(10));
    }
}
