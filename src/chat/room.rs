//! A room: who is in it, by how lines are worded for them.

use super::dialect::Wording;
use crate::conn::ConnId;
use crate::lanes::Lane;

/// The members of a room. Each wording has its own dense list, so that a line is
/// rendered once a wording and handed to a whole list.
pub(super) struct Room {
    number: usize,
    pub(super) name: &'static str,
    members: [Vec<ConnId>; Wording::COUNT],
}

impl Room {
    pub(super) fn new(number: usize, name: &'static str) -> Room {
        Room { number, name, members: [const { Vec::new() }; Wording::COUNT] }
    }

    /// Adds a member, and tells its place, which [`Room::remove`] wants back.
    pub(super) fn add(&mut self, id: ConnId, wording: Wording) -> u32 {
        let list = &mut self.members[wording.index()];
        list.push(id);
        u32::try_from(list.len() - 1).expect("there are fewer members than slots")
    }

    /// Removes a member, in constant time: the last takes its place. Whoever that was
    /// has to be told.
    pub(super) fn remove(&mut self, place: u32, wording: Wording) -> Option<ConnId> {
        let list = &mut self.members[wording.index()];
        list.swap_remove(place as usize);
        if list.is_empty() {
            *list = Vec::new();
        }
        list.get(place as usize).copied()
    }

    /// Those for whom lines are worded alike.
    pub(super) fn members(&self, wording: Wording) -> &[ConnId] {
        &self.members[wording.index()]
    }

    /// Everybody, in no order that means anything.
    pub(super) fn all(&self) -> impl Iterator<Item = ConnId> + '_ {
        self.members.iter().flatten().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.members.iter().map(Vec::len).sum()
    }

    /// Where lines to [`Room::members`] go: the same people, the same lane.
    pub(super) fn lane(&self, wording: Wording) -> Lane {
        Lane::of(self.number * Wording::COUNT + wording.index())
    }
}
