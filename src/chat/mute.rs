//! A mute, and those of users who have left.

use std::collections::{HashSet, VecDeque};

use crate::pack::impl_pack;
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
pub(super) struct Mutes {
    kept: VecDeque<(Box<str>, Mute)>,
    /// Names, in lower case, whose mutes were taken since [`Mutes::note_taken`].
    taken: Option<HashSet<Box<str>>>,
}

impl Mutes {
    /// By name, the oldest in front.
    pub(super) fn all(&self) -> impl Iterator<Item = &(Box<str>, Mute)> {
        self.kept.iter()
    }

    /// Starts or stops noting which mutes are taken.
    pub(super) fn note_taken(&mut self, is_noted: bool) {
        self.taken = is_noted.then(HashSet::new);
    }

    /// Keeps a mute that another node had some time ago, unless it was taken here meanwhile.
    pub(super) fn learn(&mut self, name: Box<str>, mute: Mute) {
        let is_taken = |taken: &HashSet<Box<str>>| taken.contains(&*name.to_lowercase());
        if !self.taken.as_ref().is_some_and(is_taken) {
            self.keep(name, mute);
        }
    }

    /// Keeps a mute for a name. Of two the longer counts.
    pub(super) fn keep(&mut self, name: Box<str>, mute: Mute) {
        let mute = Mute::longer(self.take(&name), Some(mute)).unwrap_or(mute);
        if self.kept.len() >= WAITING_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back((name, mute));
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Mute> {
        if let Some(taken) = &mut self.taken {
            taken.insert(name.to_lowercase().into());
        }
        let at = self.kept.iter().position(|(own, _)| own.eq_ignore_ascii_case(name))?;
        self.kept.remove(at).map(|(_, mute)| mute)
    }
}

impl_pack! {
    struct Mute { until }
}

impl_pack! {
    struct Mutes { kept; taken = None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_node_has_kept_is_older_than_what_was_taken_since() {
        let mute = Mute { until: None };
        let mut mutes = Mutes::default();
        mutes.note_taken(true);
        assert!(mutes.take("Ann").is_none());
        mutes.learn("ann".into(), mute);
        mutes.learn("bob".into(), mute);
        assert!(mutes.take("ann").is_none() && mutes.take("bob").is_some());
        mutes.note_taken(false);
        mutes.learn("ann".into(), mute);
        assert!(mutes.take("ann").is_some());
    }
}
