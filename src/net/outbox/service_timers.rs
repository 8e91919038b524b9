//! A service's own timers, one a key. Knows no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// When each fires. A timer can be moved, and cancelled.
#[derive(Debug, Default)]
pub(super) struct ServiceTimers {
    due: BTreeSet<(Instant, u64)>,
    at: BTreeMap<u64, Instant>,
}

impl ServiceTimers {
    /// Sets the timer of this key, or moves it.
    pub(super) fn set(&mut self, key: u64, at: Instant) {
        self.cancel(key);
        self.at.insert(key, at);
        self.due.insert((at, key));
    }

    pub(super) fn cancel(&mut self, key: u64) {
        if let Some(at) = self.at.remove(&key) {
            self.due.remove(&(at, key));
        }
    }

    /// When the next timer fires.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes a timer that is due: its key.
    pub(super) fn expired(&mut self, now: Instant) -> Option<u64> {
        let (_, key) = self.due.first().copied().filter(|(at, _)| *at <= now)?;
        self.cancel(key);
        Some(key)
    }

    pub(super) fn pack(&self, to: &mut Packer) {
        let ServiceTimers { due, at: _ } = self;
        to.put(&due.iter().copied().collect::<Vec<_>>());
    }

    /// Those that were packed, beside those that are set already.
    pub(super) fn restore(&mut self, from: &mut Unpacker<'_>) -> Result<(), Damaged> {
        for (at, key) in Vec::<(Instant, u64)>::unpack(from)? {
            self.set(key, at);
        }
        Ok(())
    }
}
