//! Rooms: who is in each, by how lines are worded for them and whether they have shown
//! themselves, and what was said there.

use hashbrown::HashTable;
use slab::Slab;
use smallvec::SmallVec;

use super::dialect::Format;
use super::history::History;
use super::name::{NameHasher, RoomName};
use super::notices::Pending;
use crate::net::conn::ConnId;
use crate::net::shared_log::LogId;

/// In larger rooms nobody is told who comes and goes: that a crowd arrives should cost
/// as much as the crowd is large, and not the square of that.
const CROWD: usize = 200;

/// The place of a room among the others; used again once a room is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RoomNo(u32);

impl RoomNo {
    /// Where everybody starts. It is never gone.
    pub(super) const LOBBY: RoomNo = RoomNo(0);

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which of a room's lists somebody is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) format: Format,
    /// Others have been told that they are here. The silent have a list of their own, so that
    /// `/who` has to look at none of them.
    pub(super) is_announced: bool,
}

/// A room. Each group has its own dense list of members, so that a line is rendered once a
/// group and handed to a whole list.
pub(super) struct Room {
    number: RoomNo,
    name: RoomName,
    pub(super) topic: Option<Box<str>>,
    /// Since something was said.
    history: Option<Box<History>>,
    /// While it gathers comings and goings.
    pub(super) pending: Option<Pending>,
    lists: SmallVec<[(Group, Members); 1]>,
}

/// Those who are told things in the same words: nearly always all of a room, and nearly
/// always a few. Then a room has no memory of its own besides its place among the rooms: many
/// small pieces that stay would keep all that is freed around them from being given back.
type Members = SmallVec<[ConnId; 12]>;

// They stand side by side in one table.
const _: () = assert!(size_of::<Room>() <= 208);

impl Room {
    fn new(number: RoomNo, name: &str) -> Room {
        let name = RoomName::new(name);
        Room { number, name, topic: None, history: None, pending: None, lists: SmallVec::new() }
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(super) fn history(&self) -> &History {
        static NONE: History = History::NEW;
        self.history.as_deref().unwrap_or(&NONE)
    }

    pub(super) fn history_mut(&mut self) -> &mut History {
        self.history.get_or_insert_with(|| Box::new(History::NEW))
    }

    /// Shows nobody any more what these have said, and what was said under a name.
    pub(super) fn withdraw(&mut self, is_one: impl Fn(ConnId) -> bool, name: &str) {
        if let Some(history) = &mut self.history {
            history.withdraw(is_one, name);
        }
    }

    /// Adds a member, and tells its place, which [`Room::remove`] wants back.
    pub(super) fn add(&mut self, id: ConnId, group: Group) -> u32 {
        let known = self.lists.iter().position(|(of, _)| *of == group);
        let at = known.unwrap_or_else(|| {
            self.lists.push((group, Members::new()));
            self.lists.len() - 1
        });
        let list = &mut self.lists[at].1;
        list.push(id);
        u32::try_from(list.len() - 1).expect("there are fewer members than slots")
    }

    /// Removes a member, in constant time: the last takes its place. Whoever that was
    /// has to be told.
    pub(super) fn remove(&mut self, place: u32, group: Group) -> Option<ConnId> {
        let at = self.lists.iter().position(|(of, _)| *of == group)?;
        let list = &mut self.lists[at].1;
        list.swap_remove(place as usize);
        let moved = list.get(place as usize).copied();
        if list.is_empty() {
            self.lists.remove(at);
        }
        moved
    }

    /// The members by group: those in a list are sent the same bytes.
    pub(super) fn lists(&self) -> impl Iterator<Item = (Group, &[ConnId])> {
        self.lists.iter().map(|(group, list)| (*group, list.as_slice()))
    }

    /// Those who have shown themselves, by group.
    pub(super) fn announced(&self) -> impl Iterator<Item = &[ConnId]> {
        self.lists().filter(|(group, _)| group.is_announced).map(|(_, list)| list)
    }

    /// Everybody, in no order that means anything.
    pub(super) fn all(&self) -> impl Iterator<Item = ConnId> + '_ {
        self.lists.iter().flat_map(|(_, list)| list).copied()
    }

    pub(super) fn len(&self) -> usize {
        self.lists.iter().map(|(_, list)| list.len()).sum()
    }

    pub(super) fn is_crowd(&self) -> bool {
        self.len() > CROWD
    }

    /// Whether one more makes it a crowd.
    pub(super) fn is_almost_a_crowd(&self) -> bool {
        self.len() == CROWD
    }

    /// Where lines to one of [`Room::lists`] go: the same people, the same log.
    pub(super) fn log_id(&self, group: Group) -> LogId {
        // Far from those of the rooms that were made before and after.
        let silent = if group.is_announced { 0 } else { LogId::COUNT / 2 };
        LogId::of(self.number.index() * Format::COUNT + group.format.index() + silent)
    }

    /// Nobody is here, and nothing would be lost with it.
    fn is_done_with(&self) -> bool {
        self.number != RoomNo::LOBBY && self.history().is_empty() && self.len() == 0
    }
}

/// All rooms. They come with their first member, and go with the last one, unless
/// something was said that is still kept.
pub(super) struct Rooms {
    by_number: Slab<Room>,
    /// The names themselves are with the rooms.
    by_name: HashTable<RoomNo>,
    hasher: NameHasher,
}

impl Rooms {
    pub(super) fn new() -> Rooms {
        let mut rooms = Rooms {
            by_number: Slab::new(),
            by_name: HashTable::new(),
            hasher: NameHasher::default(),
        };
        rooms.make("lobby");
        rooms
    }

    /// # Panics
    ///
    /// If there is no such room. Only members rely on numbers, and while it has some it stays.
    pub(super) fn get(&self, number: RoomNo) -> &Room {
        &self.by_number[number.index()]
    }

    pub(super) fn get_mut(&mut self, number: RoomNo) -> &mut Room {
        &mut self.by_number[number.index()]
    }

    /// A room that may be gone by now.
    pub(super) fn try_get_mut(&mut self, number: RoomNo) -> Option<&mut Room> {
        self.by_number.get_mut(number.index())
    }

    pub(super) fn find(&self, name: &str) -> Option<RoomNo> {
        let is_it = |number: &RoomNo| self.get(*number).name().eq_ignore_ascii_case(name);
        self.by_name.find(self.hasher.hash(name), is_it).copied()
    }

    /// The room of this name, made if there is none yet. `None` if there are `max`
    /// already, and somebody is in each but the lobby, which stays.
    pub(super) fn find_or_make(&mut self, name: &str, max: usize) -> Option<RoomNo> {
        if let Some(number) = self.find(name) {
            return Some(number);
        }
        if self.by_name.len() >= max {
            let quiet = self.iter().filter(|room| room.number != RoomNo::LOBBY && room.len() == 0);
            let oldest = quiet.min_by_key(|room| room.history().last_at())?.number;
            self.drop(oldest);
        }
        Some(self.make(name))
    }

    /// Somebody has left it.
    pub(super) fn drop_if_done_with(&mut self, number: RoomNo) {
        if self.get(number).is_done_with() {
            self.drop(number);
        }
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Room> {
        self.by_number.iter_mut().map(|(_, room)| room)
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = RoomNo> {
        self.iter().map(|room| room.number)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.by_number.iter().map(|(_, room)| room)
    }

    fn make(&mut self, name: &str) -> RoomNo {
        let entry = self.by_number.vacant_entry();
        let number = RoomNo(u32::try_from(entry.key()).expect("rooms are few"));
        entry.insert(Room::new(number, name));
        let (by_number, hasher) = (&self.by_number, &self.hasher);
        let hash = |number: &RoomNo| hasher.hash(by_number[number.index()].name());
        self.by_name.insert_unique(hasher.hash(name), number, hash);
        number
    }

    fn drop(&mut self, number: RoomNo) {
        let room = self.by_number.remove(number.index());
        let hash = self.hasher.hash(room.name());
        if let Ok(entry) = self.by_name.find_entry(hash, |other| *other == number) {
            entry.remove();
        }
        if self.by_number.len() == 1 {
            // Only the lobby is left.
            self.by_number.shrink_to_fit();
        }
    }
}
