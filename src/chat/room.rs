//! Rooms: their members, by format and whether they were announced, and their history.

use std::time::Instant;

use hashbrown::HashTable;
use slab::Slab;
use smallvec::{Array, SmallVec};

use super::dialect::{Format, Kind};
use super::history::History;
use super::name::{NameHasher, RoomName};
use super::notice_batches::Batch;
use super::user_id::UserId;
use crate::net::conn::ConnId;
use crate::net::shared_log::LogId;
use crate::pack::{Damaged, Pack, Packer, Unpacker, impl_pack};
use crate::work;

/// Larger rooms get no join, leave and rename notices: with them, the arrival of n users would
/// cost n² lines.
const CROWD: usize = 200;

/// The name of [`RoomNo::LOBBY`].
pub(super) const LOBBY: &str = "lobby";

/// A room's number. It is reused once the room is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RoomNo(u32);

impl RoomNo {
    /// The room that all users start in. It is never dropped.
    pub(super) const LOBBY: RoomNo = RoomNo(0);

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which of a room's member lists a user is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) format: Format,
    /// Whether others got a join notice. Users who were not announced have a list of their own,
    /// so that `/who` can skip them.
    pub(super) is_announced: bool,
    /// Users of other nodes have lists of their own: they are members, and nothing is sent to them.
    pub(super) is_elsewhere: bool,
}

/// A room's running second, and the batch that waits for its end.
pub(super) struct Pending {
    pub(super) batch: Option<Batch>,
    /// When the batch is due.
    pub(super) ends: Instant,
}

/// A room. Each group has its own dense list of members, so that an event is rendered once a
/// group and sent to a whole list.
pub(super) struct Room {
    number: RoomNo,
    name: RoomName,
    pub(super) topic: Option<Box<str>>,
    /// `None` until something is said.
    history: Option<Box<History>>,
    /// The running second in which notices are batched.
    pub(super) pending: Option<Pending>,
    lists: SmallVec<[(Group, Members); 1]>,
}

/// The members of a group. Most rooms have one group of a few members, and then need no
/// allocation of their own: many small long-lived allocations would fragment the heap.
type Members = SmallVec<[ConnId; 12]>;

// All rooms are stored in one table.
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
        static NONE: History = History::NONE;
        self.history.as_deref().unwrap_or(&NONE)
    }

    /// A line was said: perhaps it sets the topic. An empty text clears it.
    pub(super) fn note_topic(&mut self, kind: Kind, text: &str) {
        if kind == Kind::Topic {
            self.topic = Some(text.into()).filter(|_| !text.is_empty());
        }
    }

    /// Withdraws from history what these users said, and what was said under a name. If they set
    /// the topic, the one before is in force again, as far as history has it.
    pub(super) fn withdraw(&mut self, is_one: impl Fn(UserId) -> bool, name: &str) {
        let Some(history) = &mut self.history else { return };
        if history.withdraw(is_one, name) {
            let mut topics = Vec::new();
            history.each_from(0, |line| {
                if line.kind == Kind::Topic {
                    topics.push(line.text.to_owned());
                }
            });
            self.note_topic(Kind::Topic, topics.last().map_or("", String::as_str));
        }
    }

    /// Adds a member. Returns their member index, for [`Room::remove`].
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

    /// Removes a member in constant time: the last one takes over their member index. Returns
    /// that one, whose record the caller has to update.
    pub(super) fn remove(&mut self, member_index: u32, group: Group) -> Option<ConnId> {
        let at = self.lists.iter().position(|(of, _)| *of == group)?;
        let list = &mut self.lists[at].1;
        list.swap_remove(member_index as usize);
        let moved = list.get(member_index as usize).copied();
        if list.is_empty() {
            self.lists.remove(at);
        }
        moved
    }

    /// The members at this node, by group. All in one list are sent the same bytes.
    pub(super) fn lists(&self) -> impl Iterator<Item = (Group, &[ConnId])> {
        let lists = self.lists.iter().filter(|(group, _)| !group.is_elsewhere);
        let lists = lists.map(|(group, list)| (*group, list.as_slice()));
        lists.inspect(|(_, list)| work::walk(list.len()))
    }

    /// The members who were announced, by group, those of other nodes among them.
    pub(super) fn announced(&self) -> impl Iterator<Item = &[ConnId]> {
        let lists = self.lists.iter().filter(|(group, _)| group.is_announced);
        lists.map(|(_, list)| list.as_slice())
    }

    /// All members at this node, in no meaningful order.
    pub(super) fn all(&self) -> impl Iterator<Item = ConnId> + '_ {
        self.lists().flat_map(|(_, list)| list).copied()
    }

    /// How many members there are, those at other nodes among them.
    pub(super) fn len(&self) -> usize {
        self.lists.iter().map(|(_, list)| list.len()).sum()
    }

    pub(super) fn is_crowd(&self) -> bool {
        self.len() > CROWD
    }

    /// Whether one more member makes it a crowd.
    pub(super) fn is_almost_a_crowd(&self) -> bool {
        self.len() == CROWD
    }

    /// The shared log for one of [`Room::lists`]: the same readers, the same log.
    pub(super) fn log_id(&self, group: Group) -> LogId {
        // Far from the log ids of neighbouring rooms, to avoid collisions.
        let silent = if group.is_announced { 0 } else { LogId::COUNT / 2 };
        LogId::of(self.number.index() * Format::COUNT + group.format.index() + silent)
    }

    /// Whether it is empty and has no history to lose.
    fn is_done_with(&self) -> bool {
        self.number != RoomNo::LOBBY && self.len() == 0 && self.history().is_blank()
    }
}

/// All rooms. A room is made for its first member and dropped with its last, unless it has
/// history.
pub(super) struct Rooms {
    by_number: Slab<Room>,
    /// The names themselves are stored with the rooms.
    by_name: HashTable<RoomNo>,
    hasher: NameHasher,
    last_epoch: i64,
}

impl Rooms {
    pub(super) fn new() -> Rooms {
        let mut rooms = Rooms {
            by_number: Slab::new(),
            by_name: HashTable::new(),
            hasher: NameHasher::default(),
            last_epoch: 0,
        };
        rooms.make(LOBBY);
        rooms
    }

    /// If there is no such room. Members hold valid numbers: a room with members is never
    /// dropped.
    pub(super) fn get(&self, number: RoomNo) -> &Room {
        &self.by_number[number.index()]
    }

    pub(super) fn get_mut(&mut self, number: RoomNo) -> &mut Room {
        &mut self.by_number[number.index()]
    }

    /// What was said in a room, to add to it. Its numbering begins with its first line, whose
    /// time is the epoch; or the next millisecond that is no other room's.
    pub(super) fn history_mut(&mut self, number: RoomNo, at: i64) -> &mut History {
        let last_epoch = &mut self.last_epoch;
        self.by_number[number.index()].history.get_or_insert_with(|| {
            *last_epoch = at.max(last_epoch.saturating_add(1));
            Box::new(History::new(*last_epoch))
        })
    }

    /// A room that may have been dropped.
    pub(super) fn try_get_mut(&mut self, number: RoomNo) -> Option<&mut Room> {
        self.by_number.get_mut(number.index())
    }

    pub(super) fn find(&self, name: &str) -> Option<RoomNo> {
        let is_it = |number: &RoomNo| self.get(*number).name().eq_ignore_ascii_case(name);
        self.by_name.find(self.hasher.hash(name), is_it).copied()
    }

    /// The room of this name, which is made if needed. `None` if there are `max` already, and all
    /// have members except the lobby, which is never dropped.
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

    /// The same for a room that is there at other nodes: it is made even beyond `max`, as this node
    /// may have made other rooms before.
    pub(super) fn find_or_make_beyond(&mut self, name: &str, max: usize) -> RoomNo {
        let room = self.find_or_make(name, max);
        room.unwrap_or_else(|| self.make(name))
    }

    /// Whether no room can be made, as the lobby and those with members are `max` already. There may be
    /// more rooms than that, which were made at other nodes.
    pub(super) fn is_full(&self, max: usize) -> bool {
        let is_used = |room: &&Room| room.number == RoomNo::LOBBY || room.len() > 0;
        self.by_name.len() >= max && self.iter().filter(is_used).count() >= max
    }

    /// Drops a room after a member has left, if it is empty and has no history.
    pub(super) fn drop_if_done_with(&mut self, number: RoomNo) {
        if self.get(number).is_done_with() {
            self.drop(number);
        }
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Room> {
        self.by_number.iter_mut().inspect(|_| work::walk(1)).map(|(_, room)| room)
    }

    pub(super) fn numbers(&self) -> impl Iterator<Item = RoomNo> {
        self.iter().map(|room| room.number)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.by_number.iter().inspect(|_| work::walk(1)).map(|(_, room)| room)
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

impl_pack! {
    struct RoomNo(index)
}

impl_pack! {
    struct Group { format, is_announced, is_elsewhere }
}

impl_pack! {
    struct Room { number, name, topic, history, pending, lists }
}

impl Pack for Rooms {
    fn pack(&self, to: &mut Packer) {
        let Rooms { by_number, by_name: _, hasher: _, last_epoch } = self;
        to.put(by_number).put(last_epoch);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Rooms, Damaged> {
        let (by_number, hasher) = (from.get::<Slab<Room>>()?, NameHasher::default());
        let hash = |number: &RoomNo| hasher.hash(by_number[number.index()].name());
        let mut by_name = HashTable::new();
        for (_, room) in &by_number {
            by_name.insert_unique(hasher.hash(room.name()), room.number, hash);
        }
        Ok(Rooms { by_number, by_name, hasher, last_epoch: from.get()? })
    }
}

/// As a [`Vec`] of the same.
impl<A: Array<Item: Pack>> Pack for SmallVec<A> {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.len());
        A::Item::pack_all(self, to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<SmallVec<A>, Damaged> {
        Ok(from.get::<Vec<A::Item>>()?.into_iter().collect())
    }
}
