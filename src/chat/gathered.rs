//! What rooms have not been told yet of who came, who went and who has a new name.
//!
//! All of it stands in one table, and what a room gathers is a chain through it. Many rooms
//! gather at once, and only for a second: memory for each, between what stays for long, could
//! not be given back after that.

use std::fmt;
use std::iter::successors;

use slab::Slab;

use super::name::Name;
use crate::conn::ConnId;

/// With more names than this, the first two are told and the rest is counted.
const NAMES: usize = 3;

/// Something to tell a room. Names are as they were then.
pub(super) enum News {
    Joined(Name),
    Left(Name),
    /// From the one to the other.
    Renamed(Box<[Name; 2]>),
}

impl News {
    fn is_like(&self, other: &News) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
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

/// What one room has gathered, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    first: u32,
    last: u32,
}

/// Where no note is.
const NONE: u32 = u32::MAX;

impl Chain {
    pub(super) const EMPTY: Chain = Chain { first: NONE, last: NONE };

    pub(super) fn is_empty(self) -> bool {
        self == Chain::EMPTY
    }
}

/// What all rooms have gathered. A chain that nobody needs any more has to be forgotten.
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

    fn notes(&self, chain: Chain) -> impl Iterator<Item = &Note> {
        let note = |key: u32| self.notes.get(key as usize);
        successors(note(chain.first), move |before| note(before.next))
    }

    /// What there is to tell one user, a line a kind, in the order of the kinds.
    pub(super) fn lines_for(&self, chain: Chain, id: ConnId) -> Vec<String> {
        let mut kinds: Vec<Vec<&News>> = Vec::new();
        for note in self.notes(chain) {
            match &note.news {
                None if note.id == id => kinds.clear(),
                Some(news) if note.id != id => {
                    match kinds.iter_mut().find(|like| like[0].is_like(news)) {
                        Some(like) => like.push(news),
                        None => kinds.push(vec![news]),
                    }
                }
                _ => {}
            }
        }
        kinds.iter().map(|news| together(news)).collect()
    }

    /// Whether all get the same lines but for these.
    pub(super) fn is_special(&self, chain: Chain, id: ConnId) -> bool {
        self.notes(chain).any(|note| note.id == id)
    }

    pub(super) fn forget(&mut self, chain: Chain) {
        let mut key = chain.first;
        while let Some(note) = self.notes.try_remove(key as usize) {
            key = note.next;
        }
        if self.notes.is_empty() {
            self.notes = Slab::new();
        }
    }
}

/// `alice, bob and 7 others joined the chat.`
fn together(news: &[&News]) -> String {
    let mut line = match news {
        [] => return String::new(),
        [one] => one.to_string(),
        [one, last] => format!("{one} and {last}"),
        [first, second, last] => format!("{first}, {second} and {last}"),
        [first, second, rest @ ..] => format!("{first}, {second} and {} others", rest.len()),
    };
    line.push_str(match news[0] {
        News::Joined(_) => " joined the chat.",
        News::Left(_) => " left the chat.",
        News::Renamed(_) if news.len() > NAMES => " have new names",
        News::Renamed(_) => "",
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
        let names = ["ann", "bob", "cat", "dan", "eve"];
        let joined = names.map(|name| News::Joined(Name::own(name)));
        let joined: Vec<&News> = joined.iter().collect();
        let cases = [
            (1, "ann joined the chat."),
            (2, "ann and bob joined the chat."),
            (3, "ann, bob and cat joined the chat."),
            (4, "ann, bob and 2 others joined the chat."),
            (5, "ann, bob and 3 others joined the chat."),
        ];
        for (count, line) in cases {
            assert_eq!(together(&joined[..count]), line);
        }
        assert_eq!(together(&[&News::Left(Name::own("ann"))]), "ann left the chat.");
        let renamed = News::Renamed(Box::new([Name::own("ann"), Name::own("bob")]));
        let renamed = [&renamed; 5];
        assert_eq!(together(&renamed[..2]), "ann is now bob and ann is now bob");
        let line = "ann is now bob, ann is now bob and 3 others have new names";
        assert_eq!(together(&renamed), line);
    }

    #[test]
    fn rooms_gather_side_by_side_and_each_user_is_told_its_own() {
        let mut gathered = Gathered::default();
        let (mut one, mut other) = (Chain::EMPTY, Chain::EMPTY);
        gathered.begin_for(&mut one, id(9));
        assert!(one.is_empty(), "with nothing gathered there is nothing to keep from anybody");
        for (slot, name) in ["ann", "bob", "cat"].into_iter().enumerate() {
            let id = id(u32::try_from(slot).unwrap());
            gathered.push(&mut one, id, News::Joined(Name::own(name)));
            gathered.push(&mut other, id, News::Left(Name::own(name)));
            gathered.begin_for(&mut one, id);
        }
        let nobody = id(7);
        assert_eq!(gathered.lines_for(one, nobody), ["ann, bob and cat joined the chat."]);
        assert_eq!(gathered.lines_for(one, id(1)), ["cat joined the chat."]);
        assert_eq!(gathered.lines_for(other, id(1)), ["ann and cat left the chat."]);
        assert!(gathered.is_special(other, id(2)) && !gathered.is_special(other, nobody));
        gathered.forget(one);
        assert_eq!(gathered.lines_for(other, nobody), ["ann, bob and cat left the chat."]);
        gathered.forget(other);
        assert_eq!(gathered.notes.capacity(), 0, "what nobody needs takes no memory");
    }
}
