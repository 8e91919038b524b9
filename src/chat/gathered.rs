//! What rooms have not been told yet of who came, who went and who has a new name.
//!
//! All of it stands in one table, and what a room gathers is a chain through it. Many rooms
//! gather at once, and only for a second: with memory for each, as much would be lost as lies
//! around what stays for long.

use std::collections::HashMap;
use std::fmt;
use std::iter::successors;
use std::mem;

use slab::Slab;

use super::name::{Name, listed};
use crate::conn::ConnId;

/// Something to tell a room. Names are as they were then.
pub(super) enum News {
    Joined(Name),
    Left(Name),
    /// From the one to the other.
    Renamed(Box<[Name; 2]>),
}

impl News {
    fn is_like(&self, other: &News) -> bool {
        mem::discriminant(self) == mem::discriminant(other)
    }
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            News::Joined(name) | News::Left(name) => name.shown().fmt(f),
            News::Renamed(names) => write!(f, "{} is now {}", names[0].shown(), names[1].shown()),
        }
    }
}

struct Note {
    /// Whom it is about.
    id: ConnId,
    /// `None`: it takes notices only from here on.
    news: Option<News>,
    next: u32,
}

/// What one room has gathered, in order. Whoever has it has to see that it is forgotten.
pub(super) struct Chain {
    first: u32,
    last: u32,
}

/// Where no note is.
const NONE: u32 = u32::MAX;

impl Default for Chain {
    fn default() -> Chain {
        Chain { first: NONE, last: NONE }
    }
}

impl Chain {
    pub(super) fn is_empty(&self) -> bool {
        self.first == NONE
    }
}

/// What all rooms have gathered.
#[derive(Default)]
pub(super) struct Gathered {
    notes: Slab<Note>,
}

impl Gathered {
    pub(super) fn push(&mut self, chain: &mut Chain, id: ConnId, news: News) {
        self.append(chain, Note { id, news: Some(news), next: NONE });
    }

    /// From now on this user takes notices; what has happened so far is not for it.
    pub(super) fn begin_for(&mut self, chain: &mut Chain, id: ConnId) {
        if !chain.is_empty() {
            self.append(chain, Note { id, news: None, next: NONE });
        }
    }

    fn append(&mut self, chain: &mut Chain, note: Note) {
        let key = u32::try_from(self.notes.insert(note)).expect("a second's news are few");
        match self.notes.get_mut(chain.last as usize) {
            Some(last) => last.next = key,
            None => chain.first = key,
        }
        chain.last = key;
    }

    /// What there is in a chain, to be told.
    pub(super) fn told(&self, chain: &Chain) -> Told<'_> {
        let note = |key: u32| self.notes.get(key as usize);
        let (mut notes, mut last) = (Vec::new(), HashMap::new());
        for note in successors(note(chain.first), |before| note(before.next)) {
            let before = note.news.as_ref().and_then(|_| last.insert(note.id, notes.len()));
            notes.push((note, before));
        }
        Told { notes }
    }

    pub(super) fn forget(&mut self, chain: &mut Chain) {
        let mut key = mem::take(chain).first;
        while let Some(note) = self.notes.try_remove(key as usize) {
            key = note.next;
        }
        if self.notes.is_empty() {
            self.notes = Slab::new();
        }
    }
}

/// What a room has gathered, each with the place of what was before it about the same user.
pub(super) struct Told<'a> {
    notes: Vec<(&'a Note, Option<usize>)>,
}

impl Told<'_> {
    /// What there is to tell one user, a line a kind, in order. Only where it would be told
    /// before what happened to the same user earlier does something begin a line of its own.
    pub(super) fn lines_for(&self, id: ConnId) -> Vec<String> {
        let mut lines: Vec<Vec<&News>> = Vec::new();
        // The line that each has got into.
        let mut line_of = vec![None; self.notes.len()];
        for (at, (note, before)) in self.notes.iter().enumerate() {
            match &note.news {
                None if note.id == id => {
                    lines.clear();
                    line_of.fill(None);
                }
                Some(news) if note.id != id => {
                    let since = before.and_then(|before| line_of[before]);
                    let like = lines.iter().rposition(|line| line[0].is_like(news));
                    let line = like.filter(|like| Some(*like) >= since).unwrap_or(lines.len());
                    if line == lines.len() {
                        lines.push(Vec::new());
                    }
                    lines[line].push(news);
                    line_of[at] = Some(line);
                }
                _ => {}
            }
        }
        lines.iter().map(|line| together(line)).collect()
    }

    /// Whether all get the same lines but for these.
    pub(super) fn is_special(&self, id: ConnId) -> bool {
        self.notes.iter().any(|(note, _)| note.id == id)
    }
}

/// `alice, bob and 7 others joined the chat.`
fn together(news: &[&News]) -> String {
    let mut line = listed(news);
    line.push_str(match news {
        [News::Joined(_), ..] => " joined the chat.",
        [News::Left(_), ..] => " left the chat.",
        [News::Renamed(_), _, _, _, ..] => " have new names",
        [News::Renamed(_), ..] | [] => "",
    });
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(slot: u32) -> ConnId {
        ConnId { slot, serial: slot + 1 }
    }

    #[test]
    fn many_are_counted() {
        let joined = ["ann", "bob", "cat", "dan"].map(|name| News::Joined(Name::own(name)));
        let joined: Vec<&News> = joined.iter().collect();
        assert_eq!(together(&joined[..1]), "ann joined the chat.");
        assert_eq!(together(&joined), "ann, bob and 2 others joined the chat.");
        assert_eq!(together(&[&News::Left(Name::own("ann"))]), "ann left the chat.");
        let renamed = News::Renamed(Box::new([Name::own("ann"), Name::own("bob")]));
        let renamed = [&renamed; 4];
        let three = "ann is now bob, ann is now bob and ann is now bob";
        assert_eq!(together(&renamed[..3]), three);
        let four = "ann is now bob, ann is now bob and 2 others have new names";
        assert_eq!(together(&renamed), four);
    }

    #[test]
    fn rooms_gather_side_by_side_and_each_user_is_told_its_own() {
        let mut gathered = Gathered::default();
        let (mut one, mut other) = (Chain::default(), Chain::default());
        gathered.begin_for(&mut one, id(9));
        assert!(one.is_empty(), "with nothing gathered there is nothing to keep from anybody");
        for (slot, name) in [(0, "ann"), (1, "bob"), (2, "cat")] {
            gathered.push(&mut one, id(slot), News::Joined(Name::own(name)));
            gathered.push(&mut other, id(slot), News::Left(Name::own(name)));
            gathered.begin_for(&mut one, id(slot));
        }
        let nobody = id(7);
        assert_eq!(gathered.told(&one).lines_for(nobody), ["ann, bob and cat joined the chat."]);
        assert_eq!(gathered.told(&one).lines_for(id(1)), ["cat joined the chat."]);
        assert_eq!(gathered.told(&other).lines_for(id(1)), ["ann and cat left the chat."]);
        let told = gathered.told(&other);
        assert!(told.is_special(id(2)) && !told.is_special(nobody));
        gathered.forget(&mut one);
        let told = gathered.told(&other);
        assert_eq!(told.lines_for(nobody), ["ann, bob and cat left the chat."]);
        gathered.forget(&mut other);
        assert_eq!(gathered.notes.capacity(), 0, "what nobody needs takes no memory");
    }

    #[test]
    fn what_happened_to_somebody_is_told_in_that_order() {
        let check = |events: &[(u32, &str, &str)], lines: &[&str]| {
            let (mut gathered, mut chain) = (Gathered::default(), Chain::default());
            for (slot, name, what) in events {
                let name = Name::own(name);
                let news = match *what {
                    "joined" => News::Joined(name),
                    "left" => News::Left(name),
                    new => News::Renamed(Box::new([name, Name::own(new)])),
                };
                gathered.push(&mut chain, id(*slot), news);
            }
            assert_eq!(gathered.told(&chain).lines_for(id(9)), lines);
        };
        let carol = (3, "carol", "left");
        let (joined, left) = ("bob joined the chat.", "bob left the chat.");
        check(&[carol, (1, "bob", "joined")], &["carol left the chat.", joined]);
        check(
            &[carol, (1, "bob", "joined"), (1, "bob", "left")],
            &["carol left the chat.", joined, left],
        );
        check(
            &[(1, "bob", "joined"), (1, "bob", "left"), carol, (2, "dan", "joined")],
            &["bob and dan joined the chat.", "bob and carol left the chat."],
        );
        check(
            &[(4, "eve", "eva"), (2, "zed", "joined"), (2, "zed", "zoe"), (4, "eva", "eve")],
            &["eve is now eva", "zed joined the chat.", "zed is now zoe and eva is now eve"],
        );
    }
}
