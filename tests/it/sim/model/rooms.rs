//! The oracle of rooms: which there are, and what of them is kept.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::format::Record;
use crate::sim::rules::Rules;

/// Where everybody starts. It is never gone.
pub(super) const LOBBY: usize = 0;

/// Between two rooms.
pub(super) const NOWHERE: usize = usize::MAX;

/// What the native are to be told of together.
#[derive(Clone, Debug)]
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
    records: VecDeque<Record>,
    last_seq: u64,
    /// Since something was said.
    pub(super) epoch: Option<i64>,
    pub(super) happened: Vec<Happened>,
    /// When the second ends for which it gathers.
    pub(super) second: Option<Duration>,
}

impl Room {
    /// Gives a line the next number, and keeps it for as long as the rules say.
    fn say(&mut self, mut record: Record, rules: &Rules) -> Record {
        self.last_seq += 1;
        record.seq = self.last_seq;
        record.epoch = self.epoch.expect("it has begun");
        self.records.push_back(record.clone());
        let length = |record: &Record| record.name.len() + record.text.len();
        while self.records.len() > rules.history_lines
            || self.records.iter().map(length).sum::<usize>() > rules.history_bytes
        {
            self.records.pop_front();
        }
        record
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.records.is_empty()
    }

    /// The number of the first line that is kept, or else of the next one.
    pub(super) fn first_kept(&self) -> u64 {
        self.records.front().map_or(self.last_seq + 1, |record| record.seq)
    }

    /// The number behind the last line.
    pub(super) fn next_seq(&self) -> u64 {
        self.last_seq + 1
    }

    /// What is kept from a number on.
    pub(super) fn since(&self, seq: u64) -> Vec<Record> {
        self.records.iter().filter(|record| record.seq >= seq).cloned().collect()
    }
}

/// All rooms. A room that is gone leaves its number to the next one that is made.
pub(super) struct Rooms {
    places: Vec<Option<Room>>,
    free: Vec<usize>,
    last_epoch: i64,
}

impl Rooms {
    pub(super) fn new() -> Rooms {
        let lobby = Room { name: "lobby".to_owned(), ..Room::default() };
        Rooms { places: vec![Some(lobby)], free: Vec::new(), last_epoch: 0 }
    }

    pub(super) fn get(&self, number: usize) -> &Room {
        self.places[number].as_ref().expect("somebody is there")
    }

    pub(super) fn get_mut(&mut self, number: usize) -> &mut Room {
        self.places[number].as_mut().expect("somebody is there")
    }

    /// Says a line; the first in a room is the beginning of an epoch like no other.
    pub(super) fn say(&mut self, number: usize, record: Record, rules: &Rules) -> Record {
        if self.get(number).epoch.is_none() {
            self.last_epoch = record.millis.max(self.last_epoch + 1);
            self.get_mut(number).epoch = Some(self.last_epoch);
        }
        self.get_mut(number).say(record, rules)
    }

    /// What one connection said counts as another's from now on.
    pub(super) fn pass_on(&mut self, was: usize, who: usize) {
        let records = self.places.iter_mut().flatten().flat_map(|room| &mut room.records);
        for record in records.filter(|record| record.speaker == was) {
            record.speaker = who;
        }
    }

    pub(super) fn numbers(&self) -> Vec<usize> {
        (0..self.places.len()).filter(|number| self.places[*number].is_some()).collect()
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let is_it = |number: &usize| self.get(*number).name.eq_ignore_ascii_case(name);
        self.numbers().into_iter().find(is_it)
    }

    pub(super) fn make(&mut self, name: &str) -> usize {
        let room = Room { name: name.to_owned(), ..Room::default() };
        let number = self.free.pop().unwrap_or(self.places.len());
        if number == self.places.len() {
            self.places.push(None);
        }
        self.places[number] = Some(room);
        number
    }

    /// The one in which nothing has been said for the longest time, among these.
    pub(super) fn stalest(&self, among: impl Iterator<Item = usize>) -> Option<usize> {
        among.min_by_key(|number| self.get(*number).records.back().map(|last| last.millis))
    }

    pub(super) fn drop(&mut self, number: usize) {
        self.places[number] = None;
        self.free.push(number);
        if self.numbers().len() == 1 {
            // Only the lobby is left: numbers begin anew.
            self.places.truncate(1);
            self.free.clear();
        }
    }
}

/// A line that nobody has said yet.
pub(super) fn unsaid(speaker: usize, name: String, text: &str, at: i64) -> Record {
    Record { seq: 0, epoch: 0, millis: at, speaker, name, text: text.to_owned() }
}
