//! What has come into the log, as the oracle sees it: each event once, in the order in which it was
//! appended, also what was rolled back later.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use chinwag::cluster::{Action, Entry, Event, NodeId, Outcome, Report};

use super::reading::token;
use crate::cluster::log::Log;

/// Why clients read something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Something at their own node.
    Local,
    /// The event of the record with this index.
    Event(usize),
    Past,
    Lost(u64),
    CutOff,
    NewEra,
}

pub(super) struct Record {
    /// Which node, by its number in the world.
    pub(super) node: usize,
    pub(super) number: u64,
    pub(super) outcome: Outcome,
    pub(super) action: Option<Action>,
    pub(super) token: Option<u64>,
    /// Whether the same was appended before: its node did not know.
    pub(super) is_again: bool,
}

impl Record {
    /// Whether somebody has got this name with it.
    pub(super) fn claims(&self, name: &str) -> bool {
        let is_it =
            |action: &Action| matches!(action, Action::Claim { name: own, .. } if own == name);
        self.outcome == Outcome::Claimed && self.action.as_ref().is_some_and(is_it)
    }
}

#[derive(Default)]
pub(super) struct Records {
    all: Vec<Record>,
    /// Their indices, by what an event has.
    by_event: BTreeMap<(u64, i64, NodeId, u64), usize>,
    actions: BTreeMap<(NodeId, u64), Action>,
    tokens: BTreeSet<u64>,
    /// The era that was read last, and its last event.
    era: u64,
    last: u64,
}

impl Records {
    pub(super) fn get(&self, index: usize) -> &Record {
        &self.all[index]
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    pub(super) fn appended(&mut self, node: NodeId, entry: &Entry) {
        self.actions.insert((node, entry.number), entry.action.clone());
    }

    /// Takes in what was appended meanwhile. To be called before anything is lost.
    pub(super) fn collect(&mut self, log: &Log) {
        let (era, begin) = log.era();
        if self.era != era {
            (self.era, self.last) = (era, begin);
        }
        while let Some((event, _)) = log.event(self.last + 1) {
            self.last += 1;
            let action = self.actions.get(&(event.node, event.number)).cloned();
            self.by_event.insert(key(event), self.all.len());
            let token = token(&event.payload);
            let is_again = token.is_some_and(|token| !self.tokens.insert(token));
            self.all.push(Record {
                node: usize::try_from(event.node.0 - 1).expect("there are few nodes"),
                number: event.number,
                outcome: event.outcome.clone(),
                action,
                token,
                is_again,
            });
        }
    }

    pub(super) fn cause(&self, report: &Report) -> Cause {
        match report {
            Report::Event(event) => Cause::Event(self.by_event[&key(event)]),
            Report::Past(_) => Cause::Past,
            Report::Lost(count) => Cause::Lost(*count),
            Report::CutOff => Cause::CutOff,
            Report::NewEra => Cause::NewEra,
        }
    }

    /// For a trace.
    pub(super) fn show(&self, cause: &Cause) -> String {
        let mut text = String::new();
        if let Cause::Event(index) = cause {
            let Record { node, number, outcome, action, token, .. } = self.get(*index);
            write!(text, "(node {node}, entry {number}, {outcome:?} {action:?} {token:?})")
                .expect("a String takes everything");
        }
        text
    }
}

fn key(event: &Event) -> (u64, i64, NodeId, u64) {
    (event.id, event.at, event.node, event.number)
}
