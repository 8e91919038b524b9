//! A mute, and those of users who have left.

use std::collections::VecDeque;

use crate::pack::{Damaged, Pack, Packer, Unpacker};
use jiff::Timestamp;

/// Mutes kept for names without a user; beyond it the oldest is dropped.
const WAITING_MAX: usize = 1024;

/// A user's mute.
#[derive(Clone, Copy)]
pub(super) struct Mute {
    /// `None` is for good.
    pub(super) until: Option<Timestamp>,
}

impl Mute {
    /// The mute that ends later.
    pub(super) fn longer(one: Option<Mute>, other: Option<Mute>) -> Option<Mute> {
        let all = one.into_iter().chain(other);
        all.max_by_key(|mute| (mute.until.is_none(), mute.until))
    }

    pub(super) fn is_over(self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// Mutes of users who have left, by name.
#[derive(Default)]
pub(super) struct Mutes(VecDeque<(Box<str>, Mute)>);

impl Mutes {
    /// By name, the oldest in front.
    pub(super) fn all(&self) -> impl Iterator<Item = &(Box<str>, Mute)> {
        self.0.iter()
    }

    /// Keeps a mute for a name. Of two the longer counts.
    pub(super) fn keep(&mut self, name: Box<str>, mute: Mute) {
        let mute = Mute::longer(self.take(&name), Some(mute)).unwrap_or(mute);
        if self.0.len() >= WAITING_MAX {
            self.0.pop_front();
        }
        self.0.push_back((name, mute));
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Mute> {
        let at = self.0.iter().position(|(own, _)| own.eq_ignore_ascii_case(name))?;
        self.0.remove(at).map(|(_, mute)| mute)
    }
}

impl Pack for Mute {
    fn pack(&self, to: &mut Packer) {
        let Mute { until } = self;
        to.put(until);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Mute, Damaged> {
        Ok(Mute { until: from.get()? })
    }
}

impl Pack for Mutes {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.0);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Mutes, Damaged> {
        Ok(Mutes(from.get()?))
    }
}
