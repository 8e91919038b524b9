//! The oracle of rooms: which there are, and what of them is kept.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::sim::rules::Rules;

/// Where everybody starts. It is never gone.
pub(super) const LOBBY: &str = "lobby";

/// A line that was said to a room.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) seq: u64,
    pub(super) millis: i64,
    /// Whose it is, by now.
    pub(super) speaker: usize,
    /// As it was read.
    pub(super) line: String,
}

/// What those in the room are to be told of together.
#[derive(Clone)]
pub(super) struct Happened {
    pub(super) kind: Coming,
    pub(super) what: String,
    /// In lower case.
    pub(super) names: Vec<String>,
    /// Who took notices when it happened, and has not been told of it.
    pub(super) takers: BTreeSet<usize>,
}

/// The kinds of notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Coming {
    Join,
    Leave,
    Rename,
}

#[derive(Default)]
pub(super) struct Room {
    pub(super) name: String,
    /// Each with the length of its name and text.
    records: VecDeque<(Record, usize)>,
    last_seq: u64,
    pub(super) happened: Vec<Happened>,
    /// When the second ends for which it gathers.
    pub(super) second: Option<Duration>,
}

impl Room {
    /// Gives a line the next number, and keeps it for as long as the rules say.
    pub(super) fn keep(&mut self, mut record: Record, length: usize, rules: &Rules) {
        self.last_seq += 1;
        record.seq = self.last_seq;
        self.records.push_back((record, length));
        while self.records.len() > rules.history_lines
            || self.records.iter().map(|(_, length)| length).sum::<usize>() > rules.history_bytes
        {
            self.records.pop_front();
        }
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.records.is_empty()
    }

    /// The number of the first line that is kept, or else of the next one.
    pub(super) fn first_kept(&self) -> u64 {
        self.records.front().map_or(self.last_seq + 1, |(record, _)| record.seq)
    }

    /// The number behind the last line.
    pub(super) fn next_seq(&self) -> u64 {
        self.last_seq + 1
    }

    /// What is kept from a number on.
    pub(super) fn since(&self, seq: u64) -> Vec<Record> {
        let records = self.records.iter().map(|(record, _)| record);
        records.filter(|record| record.seq >= seq).cloned().collect()
    }
}

/// All rooms.
pub(super) struct Rooms(Vec<Room>);

impl Rooms {
    pub(super) fn new() -> Rooms {
        Rooms(vec![Room { name: LOBBY.to_owned(), ..Room::default() }])
    }

    /// One that is there, by its name as it is spelled.
    pub(super) fn get(&self, name: &str) -> &Room {
        self.0.iter().find(|room| room.name == name).expect("somebody is there")
    }

    pub(super) fn get_mut(&mut self, name: &str) -> &mut Room {
        self.0.iter_mut().find(|room| room.name == name).expect("somebody is there")
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().map(|room| room.name.clone()).collect()
    }

    /// How a room is spelled, if there is one of this name.
    pub(super) fn find(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|room| room.name.eq_ignore_ascii_case(name))?;
        Some(found.name.clone())
    }

    /// The same; it is made if need be.
    pub(super) fn find_or_make(&mut self, name: &str) -> String {
        self.find(name).unwrap_or_else(|| {
            self.0.push(Room { name: name.to_owned(), ..Room::default() });
            name.to_owned()
        })
    }

    /// What one connection said counts as another's from now on.
    pub(super) fn pass_on(&mut self, was: usize, who: usize) {
        let records = self.0.iter_mut().flat_map(|room| &mut room.records);
        for (record, _) in records.filter(|(record, _)| record.speaker == was) {
            record.speaker = who;
        }
    }

    pub(super) fn drop(&mut self, name: &str) {
        self.0.retain(|room| room.name != name);
    }
}
