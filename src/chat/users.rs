//! The users: by connection, by name, and by guest number.

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

/// A connected user. There are many, so the record is small.
pub(super) struct User {
    pub(super) id: ConnId,
    pub(super) name: Name,
    pub(super) room: RoomNo,
    /// Member index: their position among the room's members of the same group.
    pub(super) member_index: u32,
    pub(super) format: Format,
    /// Whether they get a copy of what they say.
    pub(super) echo: bool,
    /// Whether they get join, leave and rename notices.
    pub(super) notices: bool,
    pub(super) stage: Stage,
    pub(super) arrival: Arrival,
    /// The address that limits are counted by.
    pub(super) from: AddressKey,
    /// What few users have.
    extras: Option<Box<Extras>>,
}

/// A 16-bit hash of an address (of the /64 for IPv6). Every user has one, so it is small; one in
/// 65 536 pairs collides.
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

/// The stage of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// They have not sent a line yet.
    Silent {
        /// Whether the line ending in their format is the one they use themselves.
        ending_seen: bool,
    },
    Speaking,
    /// They leave on purpose, or are disconnected for good: no session is kept.
    Leaving,
}

impl Stage {
    pub(super) fn is_silent(self) -> bool {
        matches!(self, Stage::Silent { .. })
    }
}

/// Who got a notice of this user's arrival. Only they get one when the user leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Unannounced,
    /// The dialects that announce connections.
    Connected,
    /// Everybody who takes notices, even if there was nobody: the user has sent a line that
    /// others can see.
    Announced,
}

/// What few users have.
#[derive(Default)]
pub(super) struct Extras {
    /// The sender of the last private line to them, for `/reply`.
    pub(super) writer: Option<ConnId>,
    pub(super) away: Option<Box<str>>,
    /// The users they ignore, and the users who ignore them.
    pub(super) ignores: Vec<ConnId>,
    pub(super) ignored_by: HashSet<ConnId>,
    /// The lookup key of their resume token.
    pub(super) token_key: Option<u64>,
    pub(super) mute: Option<Mute>,
    /// Whether they connected to an operators' listener.
    pub(super) is_operator: bool,
    /// Whether they logged in with their name's password.
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
        self.extras.as_deref()
    }

    pub(super) fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    pub(super) fn has_account(&self) -> bool {
        self.extras().is_some_and(|extras| extras.has_account)
    }

    pub(super) fn take_mute(&mut self) -> Option<Mute> {
        self.extras.as_mut()?.mute.take()
    }

    pub(super) fn take_token_key(&mut self) -> Option<u64> {
        self.extras.as_mut()?.token_key.take()
    }

    /// Their name, unless they are a guest.
    pub(super) fn own_name(&self) -> Option<&str> {
        self.name.as_own()
    }

    pub(super) fn ignores(&self, id: ConnId) -> bool {
        self.extras().is_some_and(|extras| extras.ignores.contains(&id))
    }

    /// The users who do not want to see what this one says.
    pub(super) fn ignored_by(&self) -> Option<&HashSet<ConnId>> {
        self.extras().map(|extras| &extras.ignored_by).filter(|ignored_by| !ignored_by.is_empty())
    }
}

/// All users, by slot, by name, and by number for those without a name.
pub(super) struct Users {
    by_slot: Vec<Option<User>>,
    /// Slots. The names themselves are stored with the users.
    by_name: HashTable<u32>,
    hasher: NameHasher,
    guests: Guests,
    /// By slot. Kept only where a dialect or an operator is shown addresses, or wrong passwords
    /// are counted by them. Peers on Unix sockets have none.
    addrs: Option<Vec<Option<SocketAddr>>>,
    /// By slot. Kept only where there are operators.
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

    /// Adds a user as a guest. They are in no room yet.
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
            member_index: 0,
            format,
            echo: format.dialect.echoes(),
            notices: format.dialect.has_notices() && format.dialect != Dialect::Native,
            stage: Stage::Silent { ending_seen: false },
            arrival: Arrival::Unannounced,
            from: AddressKey::of(origin),
            extras: None,
        });
        self.count += 1;
        self.most = self.most.max(self.count);
    }

    /// Removes a user and frees their name.
    pub(super) fn remove(&mut self, id: ConnId) -> Option<User> {
        let user = self.detach(id)?;
        self.free_number(&user.name);
        Some(user)
    }

    /// Removes a user whose session may be resumed. A guest number stays reserved until
    /// [`Users::free_number`] or [`Users::assign_name`]; the caller has to reserve an own name.
    pub(super) fn detach(&mut self, id: ConnId) -> Option<User> {
        self.get(id)?;
        self.unlist_name(id);
        self.count -= 1;
        self.by_slot[id.slot()].take()
    }

    /// Frees a guest number; does nothing for an own name.
    pub(super) fn free_number(&mut self, name: &Name) {
        if let Name::Guest(number) = name {
            self.guests.remove(*number);
        }
    }

    /// Gives a user the name of a detached session.
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

    /// All users, by slot.
    pub(super) fn all(&self) -> impl Iterator<Item = &User> {
        self.by_slot.iter().flatten()
    }

    /// A user's address, where addresses are kept.
    pub(super) fn addr(&self, id: ConnId) -> Option<SocketAddr> {
        self.get(id)?;
        *self.addrs.as_ref()?.get(id.slot())?
    }

    /// Notes that a user has just connected or sent a line.
    pub(super) fn note_activity(&mut self, id: ConnId, now: Instant) {
        if let Some(last_activity) = &mut self.last_activity {
            last_activity.resize(self.by_slot.len(), None);
            last_activity[id.slot()] = Some(now);
        }
    }

    /// When a user last sent a line or connected, where that is kept.
    pub(super) fn last_activity(&self, id: ConnId) -> Option<Instant> {
        self.get(id)?;
        *self.last_activity.as_ref()?.get(id.slot())?
    }

    /// How many users there are, and the most there have been at once.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.count, self.most)
    }

    /// A user as others may see them.
    pub(super) fn person<'a>(&self, user: &'a User) -> Person<'a> {
        let addr = self.addrs.as_ref().and_then(|addrs| addrs[user.id.slot()]);
        Person { name: user.shown(), addr, number: user.id.serial() }
    }

    /// The user with this name, in any spelling.
    pub(super) fn find(&self, name: &str) -> Option<&User> {
        if let Some(number) = Shown::guest_number(name) {
            return self.get(self.guests.holder(number)?);
        }
        let is_it = |slot: &u32| self.name_of(*slot).eq_ignore_ascii_case(name);
        let slot = self.by_name.find(self.hasher.hash(name), is_it)?;
        self.by_slot[*slot as usize].as_ref()
    }

    /// Renames a user to a name that is free or their own. Returns the old name.
    pub(super) fn rename(&mut self, id: ConnId, name: &str) -> Option<Name> {
        let is_respelled = self.find(name).is_some_and(|owner| owner.id == id);
        self.forget_name(id);
        let user = self.get_mut(id)?;
        if let Some(extras) = user.extras.as_mut().filter(|_| !is_respelled) {
            extras.has_account = false;
        }
        let old = mem::replace(&mut user.name, Name::own(name));
        let slot = id.slot;
        let hash = self.hasher.hash(name);
        // The table is taken out because growing it reads names through `self`.
        let mut by_name = mem::take(&mut self.by_name);
        by_name.insert_unique(hash, slot, |slot| self.hasher.hash(self.name_of(*slot)));
        self.by_name = by_name;
        Some(old)
    }

    /// Frees the name or guest number.
    fn forget_name(&mut self, id: ConnId) {
        match self.get(id).map(|user| &user.name) {
            Some(Name::Guest(number)) => self.guests.remove(*number),
            _ => self.unlist_name(id),
        }
    }

    /// Removes an own name from the index.
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

// There is one for each connection. What only few users have belongs in `Extras`.
const _: () = assert!(size_of::<User>() <= 48);

/// Guest numbers: each guest gets the lowest free one.
#[derive(Default)]
struct Guests {
    /// The holders of numbers 1, 2 and so on; the last is never `None`.
    holders: Vec<Option<ConnId>>,
    /// The free numbers among them.
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
            let last = u32::try_from(self.holders.len()).expect("the numbers fit u32");
            self.free.remove(&last);
            self.holders.pop();
        }
    }

    /// Gives a number to another connection.
    fn pass_on(&mut self, number: u32, id: ConnId) {
        self.holders[number as usize - 1] = Some(id);
    }

    fn holder(&self, number: u32) -> Option<ConnId> {
        *self.holders.get(number as usize - 1)?
    }
}
