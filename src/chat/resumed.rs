//! Ids that users had before they resumed: each leads to the user that they are now. Between the
//! servers of a cluster users have other ids (`Id`).

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use super::user_id::UserId;
use crate::pack::{Pack, impl_pack};

/// How many earlier ids are remembered; older ones lead nowhere.
const MAX: usize = 1 << 14;

/// How many resumes in a row are followed.
const HOPS: usize = 16;

/// Ids of users before they resumed, where others may have noted such an id.
pub(super) struct Resumed<Id = UserId> {
    into: HashMap<Id, Id>,
    /// The oldest in front.
    order: VecDeque<Id>,
}

impl<Id> Default for Resumed<Id> {
    fn default() -> Resumed<Id> {
        Resumed { into: HashMap::new(), order: VecDeque::new() }
    }
}

impl<Id: Copy + Eq + Hash> Resumed<Id> {
    /// From now on the id `was` means the user `user`.
    pub(super) fn pass_on(&mut self, was: Id, user: Id) {
        if self.into.insert(was, user).is_none() {
            self.order.push_back(was);
        }
        while self.order.len() > MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.into.remove(&oldest);
        }
    }

    /// Forgets what these ids lead to.
    pub(super) fn forget(&mut self, is_it: impl Fn(&Id) -> bool) {
        self.into.retain(|was, _| !is_it(was));
        self.order.retain(|was| !is_it(was));
    }

    /// Whether the user of an id has resumed as another.
    pub(super) fn has(&self, was: Id) -> bool {
        self.into.contains_key(&was)
    }

    /// All ids whose users have resumed as others, and as whom; the newest in front.
    pub(super) fn newest(&self) -> impl Iterator<Item = (Id, Id)> {
        self.order.iter().rev().filter_map(|was| Some((*was, *self.into.get(was)?)))
    }

    /// The user that an id means now.
    pub(super) fn now(&self, user: Id) -> Id {
        self.all_of(user).last().unwrap_or(user)
    }

    /// An id, and those that its user has had since, up to the one that they have now.
    pub(super) fn all_of(&self, user: Id) -> impl Iterator<Item = Id> {
        let next = |user: &Id| self.into.get(user).copied();
        std::iter::successors(Some(user), next).take(HOPS + 1)
    }
}

impl_pack! {
    [Id: Pack + Eq + Hash] struct Resumed<Id> { into, order }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> UserId {
        UserId { index: 0, number: u32::try_from(number).unwrap() }
    }

    #[test]
    fn a_resumed_user_keeps_its_id_and_the_oldest_are_forgotten() {
        let mut resumed = Resumed::default();
        resumed.pass_on(id(1), id(0));
        resumed.pass_on(id(2), id(0));
        resumed.pass_on(id(0), id(3));
        for number in 0..=3 {
            assert_eq!(resumed.now(id(number)), id(3));
        }
        assert_eq!(resumed.now(id(4)), id(4));
        for number in 0..MAX - 1 {
            resumed.pass_on(id(number + 10), id(5));
        }
        assert_eq!((resumed.order.len(), resumed.into.len()), (MAX, MAX));
        assert_eq!((resumed.now(id(1)), resumed.now(id(0))), (id(1), id(3)));
    }

    #[test]
    fn a_long_chain_is_followed_so_far() {
        let mut resumed = Resumed::default();
        for number in 0..100 {
            resumed.pass_on(id(number), id(number + 1));
        }
        assert_eq!((resumed.now(id(50)), resumed.now(id(90))), (id(66), id(100)));
    }
}
