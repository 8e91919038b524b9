//! The users: by id, by connection, by name, and by guest number.

mod elsewhere;
mod hand_over;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::mem;
use std::net::SocketAddr;
use std::time::Instant;

use hashbrown::HashTable;
use slab::Slab;

use super::dialect::{Format, Person};
use super::guests::Guests;
use super::mute::Mute;
use super::name::{Name, NameHasher, Shown};
use super::user::{AddressKey, Detached, Extras, NOWHERE, User, elsewhere_index};
use super::user_id::UserId;
use crate::net::conn::ConnId;
use crate::net::transport::Origin;
use crate::work;

/// All users. Detached users keep their names, and are found by id only.
pub(super) struct Users {
    table: Slab<User>,
    /// What few users have, under the key in the user's record.
    extras: Slab<Extras>,
    last_number: u32,
    /// The indices of connected users, by slot; [`NOWHERE`] where there is none.
    by_slot: Vec<u32>,
    /// Indices. The names themselves are stored with the users.
    by_name: HashTable<u32>,
    hasher: NameHasher,
    guests: Guests,
    /// By slot. Kept only where a dialect or an operator is shown addresses, or wrong passwords
    /// are counted by them. Peers on Unix sockets have none.
    addrs: Option<Vec<Option<SocketAddr>>>,
    /// By slot. Kept only where there are operators.
    last_activity: Option<Vec<Option<Instant>>>,
    /// By slot. Only as long as needed: slots behind its end are not encrypted.
    encrypted: Vec<bool>,
    connected: usize,
    most: usize,
}

impl Users {
    pub(super) fn new(with_addrs: bool, with_times: bool) -> Users {
        Users {
            table: Slab::new(),
            extras: Slab::new(),
            last_number: 0,
            by_slot: Vec::new(),
            by_name: HashTable::new(),
            hasher: NameHasher::default(),
            guests: Guests::default(),
            addrs: with_addrs.then(Vec::new),
            last_activity: with_times.then(Vec::new),
            encrypted: Vec::new(),
            connected: 0,
            most: 0,
        }
    }

    /// Adds a user as a guest. They are in no room yet.
    pub(super) fn add(&mut self, conn: ConnId, origin: Origin, format: Format) {
        if self.by_slot.len() <= conn.slot() {
            self.by_slot.resize(conn.slot() + 1, NOWHERE);
        }
        if let Some(addrs) = &mut self.addrs {
            addrs.resize(self.by_slot.len(), None);
            addrs[conn.slot()] = origin.addr();
        }
        self.last_number = self.last_number.wrapping_add(1);
        let entry = self.table.vacant_entry();
        let index =
            u32::try_from(entry.key()).expect("there are fewer users than slots, twice over");
        let name = Name::Guest(self.guests.add(index));
        entry.insert(User::new(self.last_number, name, AddressKey::of(origin), format));
        self.connect(index, conn);
    }

    fn connect(&mut self, index: u32, conn: ConnId) {
        self.by_slot[conn.slot()] = index;
        self.table[index as usize].set_conn(Some(conn));
        self.connected += 1;
        self.most = self.most.max(self.connected);
    }

    /// Removes a user and frees their name. Returns what few users have.
    pub(super) fn remove(&mut self, id: UserId) -> Option<(User, Extras)> {
        let user = self.by_id(id)?;
        if user.conn().is_some() {
            self.disconnect(id);
        }
        self.forget_name(id.index);
        let user = self.table.remove(id.index as usize);
        let extras = self.extras.try_remove(user.extras_key as usize).unwrap_or_default();
        if self.extras.is_empty() {
            self.extras.shrink_to_fit();
        }
        Some((user, extras))
    }

    /// Takes a user's connection away. They keep their name.
    fn disconnect(&mut self, id: UserId) {
        let Some(conn) = self.by_id(id).and_then(User::conn) else { return };
        self.table[id.index as usize].set_conn(None);
        if elsewhere_index(conn).is_none() {
            self.by_slot[conn.slot()] = NOWHERE;
            self.connected -= 1;
        }
    }

    /// Detaches a user from their connection, until they are resumed or removed. `room` is the
    /// name of the room to come back to.
    pub(super) fn detach(&mut self, id: UserId, room: Box<str>) {
        let Some(conn) = self.by_id(id).and_then(User::conn) else { return };
        let addr = self.addr(conn);
        self.disconnect(id);
        if let Some(extras) = self.extras_mut(id) {
            extras.detached = Some(Box::new(Detached { room, addr }));
        }
    }

    /// Gives a detached user the connection `conn`, whose user until now is removed and returned.
    pub(super) fn resume(&mut self, id: UserId, conn: ConnId) -> Option<(User, Extras)> {
        self.by_id(id).filter(|user| user.conn().is_none())?;
        let replaced = self.remove(self.id(conn)?)?;
        self.connect(id.index, conn);
        Some(replaced)
    }

    /// The id of a connection's user.
    pub(super) fn id(&self, conn: ConnId) -> Option<UserId> {
        self.index(conn).map(|index| self.id_at(index as usize))
    }

    fn index(&self, conn: ConnId) -> Option<u32> {
        let index = self.index_in(conn)?;
        self.table.get(index as usize).filter(|user| user.conn() == Some(conn))?;
        Some(index)
    }

    /// The index of whoever has the slot.
    fn index_in(&self, conn: ConnId) -> Option<u32> {
        let index = self.by_slot.get(conn.slot()).copied();
        index.or_else(|| elsewhere_index(conn))
    }

    /// The user of a connection.
    pub(super) fn get(&self, conn: ConnId) -> Option<&User> {
        let index = self.index_in(conn)?;
        self.table.get(index as usize).filter(|user| user.conn() == Some(conn))
    }

    pub(super) fn get_mut(&mut self, conn: ConnId) -> Option<&mut User> {
        let index = self.index_in(conn)?;
        self.table.get_mut(index as usize).filter(|user| user.conn() == Some(conn))
    }

    pub(super) fn by_id(&self, id: UserId) -> Option<&User> {
        self.table.get(id.index as usize).filter(|user| user.is(id))
    }

    pub(super) fn by_id_mut(&mut self, id: UserId) -> Option<&mut User> {
        self.table.get_mut(id.index as usize).filter(|user| user.is(id))
    }

    /// The connection of a user, if they have one.
    pub(super) fn conn(&self, id: UserId) -> Option<ConnId> {
        self.by_id(id)?.conn()
    }

    /// All who are connected here, by slot.
    pub(super) fn all(&self) -> impl Iterator<Item = (ConnId, &User)> {
        let users = self.by_slot.iter().filter_map(|index| self.table.get(*index as usize));
        users.inspect(|_| work::walk(1)).filter_map(|user| Some((user.conn()?, user)))
    }

    /// The same, and then those who are connected at other nodes.
    pub(super) fn anywhere(&self) -> impl Iterator<Item = (ConnId, &User)> {
        let elsewhere = self.everybody().filter(|(_, user)| user.is_elsewhere());
        self.all().chain(elsewhere.filter_map(|(_, user)| Some((user.conn()?, user))))
    }

    /// All who are detached, in no meaningful order.
    pub(super) fn detached(&self) -> impl Iterator<Item = (UserId, &User)> {
        self.everybody().filter(|(_, user)| user.conn().is_none())
    }

    /// Everybody, connected or detached, here or elsewhere.
    pub(super) fn everybody(&self) -> impl Iterator<Item = (UserId, &User)> {
        let users = self.table.iter().inspect(|_| work::walk(1));
        users.map(|(index, user)| (self.id_at(index), user))
    }

    /// What few users have.
    pub(super) fn extras(&self, user: &User) -> Option<&Extras> {
        self.extras.get(user.extras_key as usize)
    }

    /// The extras of a user, which are made if they had none.
    pub(super) fn extras_mut(&mut self, id: UserId) -> Option<&mut Extras> {
        let user = self.table.get_mut(id.index as usize).filter(|user| user.is(id))?;
        if user.extras_key == NOWHERE {
            let key = self.extras.insert(Extras::default());
            user.extras_key = u32::try_from(key).expect("there are fewer extras than users");
        }
        self.extras.get_mut(user.extras_key as usize)
    }

    /// The same for the user of a connection.
    pub(super) fn extras_of(&mut self, conn: ConnId) -> Option<&mut Extras> {
        self.extras_mut(self.id(conn)?)
    }

    pub(super) fn has_account(&self, user: &User) -> bool {
        self.extras(user).is_some_and(|extras| extras.has_account)
    }

    pub(super) fn ignores(&self, user: &User, other: UserId) -> bool {
        self.extras(user).is_some_and(|extras| extras.ignores.contains(&other))
    }

    /// The users who do not want to see what this one says.
    pub(super) fn ignored_by(&self, user: &User) -> Option<&HashSet<UserId>> {
        self.extras(user).map(|extras| &extras.ignored_by).filter(|others| !others.is_empty())
    }

    pub(super) fn mute(&self, conn: ConnId) -> Option<Mute> {
        self.extras(self.get(conn)?)?.mute
    }

    pub(super) fn take_mute(&mut self, conn: ConnId) -> Option<Mute> {
        let key = self.get(conn)?.extras_key;
        self.extras.get_mut(key as usize)?.mute.take()
    }

    pub(super) fn take_token_key(&mut self, id: UserId) -> Option<u64> {
        let key = self.by_id(id)?.extras_key;
        self.extras.get_mut(key as usize)?.token_key.take()
    }

    /// Notes whether a connection that has just been opened is encrypted.
    pub(super) fn note_encryption(&mut self, conn: ConnId, is_encrypted: bool) {
        if is_encrypted && self.encrypted.len() <= conn.slot() {
            self.encrypted.resize(conn.slot() + 1, false);
        }
        if let Some(own) = self.encrypted.get_mut(conn.slot()) {
            *own = is_encrypted;
        }
    }

    pub(super) fn is_encrypted(&self, conn: ConnId) -> bool {
        self.encrypted.get(conn.slot()) == Some(&true)
    }

    /// The address of a connection, where addresses are kept.
    pub(super) fn addr(&self, conn: ConnId) -> Option<SocketAddr> {
        self.get(conn)?;
        *self.addrs.as_ref()?.get(conn.slot())?
    }

    /// Notes that a user has just connected or sent a line.
    pub(super) fn note_activity(&mut self, conn: ConnId, now: Instant) {
        if let Some(last_activity) = &mut self.last_activity {
            last_activity.resize(self.by_slot.len(), None);
            last_activity[conn.slot()] = Some(now);
        }
    }

    /// When a user last sent a line or connected, where that is kept.
    pub(super) fn last_activity(&self, conn: ConnId) -> Option<Instant> {
        self.get(conn)?;
        *self.last_activity.as_ref()?.get(conn.slot())?
    }

    /// How many are connected here, and the most who have been at once.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.connected, self.most)
    }

    /// A user as others may see them.
    pub(super) fn person<'a>(&self, user: &'a User) -> Person<'a> {
        let detached = || self.extras(user)?.detached.as_ref()?.addr;
        let addr = user.conn().map_or_else(detached, |conn| self.addr(conn));
        Person { name: user.shown(), addr, number: user.conn_number() }
    }

    /// The user with this name in any spelling, if they are connected.
    pub(super) fn find(&self, name: &str) -> Option<(ConnId, &User)> {
        let user = &self.table[self.owner_index(name)? as usize];
        Some((user.conn()?, user))
    }

    /// The user with this name in any spelling, connected or detached.
    pub(super) fn find_any(&self, name: &str) -> Option<&User> {
        self.owner_index(name).map(|index| &self.table[index as usize])
    }

    /// The detached user with this name in any spelling.
    pub(super) fn find_detached(&self, name: &str) -> Option<UserId> {
        self.owner(name).filter(|id| self.conn(*id).is_none())
    }

    /// Whose name this is, in any spelling, whether they are connected or not.
    pub(super) fn owner(&self, name: &str) -> Option<UserId> {
        self.owner_index(name).map(|index| self.id_at(index as usize))
    }

    fn owner_index(&self, name: &str) -> Option<u32> {
        if let Some(number) = Shown::guest_number(name) {
            return self.guests.holder(number);
        }
        let is_it = |index: &u32| self.name_of(*index).eq_ignore_ascii_case(name);
        self.by_name.find(self.hasher.hash(name), is_it).copied()
    }

    /// Renames a user to a name that is free or their own. Returns the old name.
    pub(super) fn rename(&mut self, id: UserId, name: Shown<'_>) -> Option<Name> {
        self.by_id(id)?;
        let index = id.index;
        let is_respelled = match name {
            Shown::Named(name) => self.owner_index(name) == Some(index),
            Shown::Guest(_) => false,
        };
        self.forget_name(index);
        let user = &mut self.table[index as usize];
        let old = mem::replace(&mut user.name, Name::from(name));
        if let Some(extras) = self.extras.get_mut(user.extras_key as usize)
            && !is_respelled
        {
            extras.has_account = false;
        }
        self.list(index);
        Some(old)
    }

    /// Enters a user under their name, or under their number if they are a guest.
    fn list(&mut self, index: u32) {
        match &self.table[index as usize].name {
            Name::Guest(number) => self.guests.put(*number, index),
            name => {
                let hash = self.hasher.hash(name.as_own().unwrap_or_default());
                self.list_name(hash, index);
            }
        }
    }

    fn list_name(&mut self, hash: u64, index: u32) {
        // The table is taken out because growing it reads names through `self`.
        let mut by_name = mem::take(&mut self.by_name);
        by_name.insert_unique(hash, index, |index| self.hasher.hash(self.name_of(*index)));
        self.by_name = by_name;
    }

    /// Frees a user's name or guest number.
    fn forget_name(&mut self, index: u32) {
        match &self.table[index as usize].name {
            Name::Guest(number) => self.guests.remove(*number, index),
            name => {
                let hash = self.hasher.hash(name.as_own().unwrap_or_default());
                if let Ok(entry) = self.by_name.find_entry(hash, |other| *other == index) {
                    entry.remove();
                }
            }
        }
    }

    fn name_of(&self, index: u32) -> &str {
        self.table[index as usize].own_name().expect("only the named are indexed")
    }

    fn id_at(&self, index: usize) -> UserId {
        let number = self.table[index].number();
        UserId { index: u32::try_from(index).expect("there are fewer users"), number }
    }
}
