//! Who is here, and under which name.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem;
use std::net::SocketAddr;
use std::time::Instant;

use hashbrown::HashTable;

use super::dialect::{Dialect, Format, Person};
use super::name::{Name, NameHasher, Shown};
use super::operators::Mute;
use super::room::{Group, RoomNo};
use crate::net::conn::ConnId;
use crate::net::network::Network;
use crate::net::transport::Origin;

/// One connection, as the chat sees it. There are many, so it is small.
pub(super) struct User {
    pub(super) id: ConnId,
    pub(super) name: Name,
    pub(super) room: RoomNo,
    /// Its index among the room's members of the same group.
    pub(super) place: u32,
    pub(super) format: Format,
    /// Whether what it says comes back to it.
    pub(super) echo: bool,
    /// Whether it is told who comes and goes.
    pub(super) notices: bool,
    pub(super) stage: Stage,
    pub(super) arrival: Arrival,
    /// Where they are from.
    pub(super) from: AddressKey,
    /// What few users have.
    more: Option<Box<Extras>>,
}

/// An address, an IPv6 one by its /64, as far as one is known from another: everybody has
/// one, so it is small. One in 65 536 is like this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AddressKey(u16);

impl AddressKey {
    fn of(origin: Origin) -> AddressKey {
        let mut hasher = DefaultHasher::new();
        origin.ip().map(Network::of_one).hash(&mut hasher);
        #[expect(clippy::cast_possible_truncation)] // It is a part that is wanted.
        AddressKey(hasher.finish() as u16)
    }
}

/// How far a user has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its first line has not come.
    Silent {
        /// Whether the ending in its format goes by what it has sent.
        ending_seen: bool,
    },
    Speaking,
    /// It goes of its own will: nothing is held for it.
    Leaving,
}

impl Stage {
    pub(super) fn is_silent(self) -> bool {
        matches!(self, Stage::Silent { .. })
    }
}

/// Who has been told that a user is here: they alone are told when it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Untold,
    /// Those whose dialect tells of connections.
    Connected,
    /// Everybody whom it may concern, even if there was nobody: it has said something that
    /// others can see.
    Announced,
}

/// What few users have.
#[derive(Default)]
pub(super) struct Extras {
    /// Who last wrote to it privately.
    pub(super) writer: Option<ConnId>,
    pub(super) away: Option<Box<str>>,
    /// Whom it ignores, and who ignores it.
    pub(super) ignores: Vec<ConnId>,
    pub(super) ignored_by: HashSet<ConnId>,
    /// The key under which its name is held if it is cut off.
    pub(super) seat: Option<u64>,
    pub(super) mute: Option<Mute>,
    /// By the door that they came through.
    pub(super) is_operator: bool,
    /// It has shown that its name, which is protected, is its own.
    pub(super) has_account: bool,
}

impl User {
    pub(super) fn shown(&self) -> Shown<'_> {
        self.name.shown()
    }

    pub(super) fn is_named(&self) -> bool {
        self.own_name().is_some()
    }

    pub(super) fn is_announced(&self) -> bool {
        self.arrival == Arrival::Announced
    }

    pub(super) fn group(&self) -> Group {
        Group { format: self.format, is_announced: self.is_announced() }
    }

    pub(super) fn extras(&self) -> Option<&Extras> {
        self.more.as_deref()
    }

    pub(super) fn extras_mut(&mut self) -> &mut Extras {
        self.more.get_or_insert_default()
    }

    pub(super) fn has_account(&self) -> bool {
        self.extras().is_some_and(|more| more.has_account)
    }

    pub(super) fn take_mute(&mut self) -> Option<Mute> {
        self.more.as_mut()?.mute.take()
    }

    pub(super) fn take_seat(&mut self) -> Option<u64> {
        self.more.as_mut()?.seat.take()
    }

    /// Its own name, if it has one.
    pub(super) fn own_name(&self) -> Option<&str> {
        self.name.as_own()
    }

    pub(super) fn ignores(&self, id: ConnId) -> bool {
        self.extras().is_some_and(|more| more.ignores.contains(&id))
    }

    /// Those who do not want to see what it says.
    pub(super) fn ignored_by(&self) -> Option<&HashSet<ConnId>> {
        self.extras().map(|more| &more.ignored_by).filter(|ignored_by| !ignored_by.is_empty())
    }
}

/// All users, by slot, by name, and by number for those without a name.
pub(super) struct Users {
    by_slot: Vec<Option<User>>,
    /// Slots; the names themselves are with the users.
    by_name: HashTable<u32>,
    hasher: NameHasher,
    guests: Guests,
    /// By slot, and only where a dialect or an operator is shown them, or failed passwords
    /// are counted by them. Over a Unix socket nobody has one.
    addrs: Option<Vec<Option<SocketAddr>>>,
    /// When each last said something, by slot, and only where there are operators.
    last_activity: Option<Vec<Option<Instant>>>,
    count: usize,
    most: usize,
}

impl Users {
    pub(super) fn new(with_addrs: bool, with_times: bool) -> Users {
        Users {
            by_slot: Vec::new(),
            by_name: HashTable::new(),
            hasher: NameHasher::default(),
            guests: Guests::default(),
            addrs: with_addrs.then(Vec::new),
            last_activity: with_times.then(Vec::new),
            count: 0,
            most: 0,
        }
    }

    /// Adds somebody, as a guest. It is in no room yet.
    pub(super) fn add(&mut self, id: ConnId, origin: Origin, format: Format) {
        if self.by_slot.len() <= id.slot() {
            self.by_slot.resize_with(id.slot() + 1, || None);
        }
        if let Some(addrs) = &mut self.addrs {
            addrs.resize(self.by_slot.len(), None);
            addrs[id.slot()] = origin.addr();
        }
        self.by_slot[id.slot()] = Some(User {
            id,
            name: Name::Guest(self.guests.add(id)),
            room: RoomNo::LOBBY,
            place: 0,
            format,
            echo: format.dialect.echoes(),
            notices: format.dialect.has_notices() && format.dialect != Dialect::Native,
            stage: Stage::Silent { ending_seen: false },
            arrival: Arrival::Untold,
            from: AddressKey::of(origin),
            more: None,
        });
        self.count += 1;
        self.most = self.most.max(self.count);
    }

    /// Removes somebody; the name is free at once.
    pub(super) fn remove(&mut self, id: ConnId) -> Option<User> {
        let user = self.detach(id)?;
        self.free_number(&user.name);
        Some(user)
    }

    /// Removes somebody who may come back. A guest's number is nobody else's until it is
    /// freed, or borne again; an own name has to be held elsewhere.
    pub(super) fn detach(&mut self, id: ConnId) -> Option<User> {
        self.get(id)?;
        self.unlist_name(id);
        self.count -= 1;
        self.by_slot[id.slot()].take()
    }

    /// If it is a guest's name, others may have its number.
    pub(super) fn free_number(&mut self, name: &Name) {
        if let Name::Guest(number) = name {
            self.guests.remove(*number);
        }
    }

    /// Gives somebody a name that has been lifted out with somebody before.
    pub(super) fn assign_name(&mut self, id: ConnId, name: &Name) {
        match name.shown() {
            Shown::Named(name) => drop(self.rename(id, name)),
            Shown::Guest(number) => {
                self.forget_name(id);
                self.guests.pass_on(number, id);
                if let Some(user) = self.get_mut(id) {
                    user.name = Name::Guest(number);
                }
            }
        }
    }

    pub(super) fn get(&self, id: ConnId) -> Option<&User> {
        self.by_slot.get(id.slot())?.as_ref().filter(|user| user.id == id)
    }

    pub(super) fn get_mut(&mut self, id: ConnId) -> Option<&mut User> {
        self.by_slot.get_mut(id.slot())?.as_mut().filter(|user| user.id == id)
    }

    /// Everybody, by slot.
    pub(super) fn all(&self) -> impl Iterator<Item = &User> {
        self.by_slot.iter().flatten()
    }

    /// Where somebody is from, as far as that is kept.
    pub(super) fn addr(&self, id: ConnId) -> Option<SocketAddr> {
        self.get(id)?;
        *self.addrs.as_ref()?.get(id.slot())?
    }

    /// Somebody is here, or says something.
    pub(super) fn hear(&mut self, id: ConnId, now: Instant) {
        if let Some(heard) = &mut self.last_activity {
            heard.resize(self.by_slot.len(), None);
            heard[id.slot()] = Some(now);
        }
    }

    /// When somebody last said something, or came; as far as that is kept.
    pub(super) fn heard(&self, id: ConnId) -> Option<Instant> {
        self.get(id)?;
        *self.last_activity.as_ref()?.get(id.slot())?
    }

    /// How many there are, and how many there were at most.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.count, self.most)
    }

    /// Somebody as others may be shown it.
    pub(super) fn person<'a>(&self, user: &'a User) -> Person<'a> {
        let addr = self.addrs.as_ref().and_then(|addrs| addrs[user.id.slot()]);
        Person { name: user.shown(), addr, number: user.id.serial() }
    }

    /// Who bears this name, in any spelling.
    pub(super) fn find(&self, name: &str) -> Option<&User> {
        if let Some(number) = Shown::guest_number(name) {
            return self.get(self.guests.holder(number)?);
        }
        let is_it = |slot: &u32| self.name_of(*slot).eq_ignore_ascii_case(name);
        let slot = self.by_name.find(self.hasher.hash(name), is_it)?;
        self.by_slot[*slot as usize].as_ref()
    }

    /// Gives somebody a name that nobody else has. Returns what it was called before.
    pub(super) fn rename(&mut self, id: ConnId, name: &str) -> Option<Name> {
        let is_respelled = self.find(name).is_some_and(|owner| owner.id == id);
        self.forget_name(id);
        let user = self.get_mut(id)?;
        if let Some(more) = user.more.as_mut().filter(|_| !is_respelled) {
            more.has_account = false;
        }
        let old = mem::replace(&mut user.name, Name::own(name));
        let slot = id.slot;
        let hash = self.hasher.hash(name);
        // Taken apart, because growing the table looks names up in the other field.
        let mut by_name = mem::take(&mut self.by_name);
        by_name.insert_unique(hash, slot, |slot| self.hasher.hash(self.name_of(*slot)));
        self.by_name = by_name;
        Some(old)
    }

    /// Takes the name or the guest's number away.
    fn forget_name(&mut self, id: ConnId) {
        match self.get(id).map(|user| &user.name) {
            Some(Name::Guest(number)) => self.guests.remove(*number),
            _ => self.unlist_name(id),
        }
    }

    /// Takes an own name out of the index.
    fn unlist_name(&mut self, id: ConnId) {
        let Some(name) = self.get(id).and_then(User::own_name) else { return };
        let hash = self.hasher.hash(name);
        if let Ok(entry) = self.by_name.find_entry(hash, |slot| *slot == id.slot) {
            entry.remove();
        }
    }

    fn name_of(&self, slot: u32) -> &str {
        let user = self.by_slot[slot as usize].as_ref();
        user.and_then(User::own_name).expect("only the named are indexed")
    }
}

// There are many of them; what few have goes into `Extras`.
const _: () = assert!(size_of::<User>() <= 48);

/// The numbers of those without a name: each gets the lowest that is free.
#[derive(Default)]
struct Guests {
    /// Who has number 1, 2 and so on; the last of them is somebody.
    holders: Vec<Option<ConnId>>,
    /// The free places among them.
    free: BTreeSet<u32>,
}

impl Guests {
    fn add(&mut self, id: ConnId) -> u32 {
        let number = self.free.pop_first().unwrap_or_else(|| {
            self.holders.push(None);
            u32::try_from(self.holders.len()).expect("there are fewer guests than slots")
        });
        self.holders[number as usize - 1] = Some(id);
        number
    }

    fn remove(&mut self, number: u32) {
        self.holders[number as usize - 1] = None;
        self.free.insert(number);
        while let Some(None) = self.holders.last() {
            let last = u32::try_from(self.holders.len()).expect("they were counted in u32");
            self.free.remove(&last);
            self.holders.pop();
        }
    }

    /// Another has it now.
    fn pass_on(&mut self, number: u32, id: ConnId) {
        self.holders[number as usize - 1] = Some(id);
    }

    fn holder(&self, number: u32) -> Option<ConnId> {
        *self.holders.get(number as usize - 1)?
    }
}
