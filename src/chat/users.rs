//! Who is here, and under which name.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};

use hashbrown::HashTable;

use super::dialect::Wording;
use super::name::Shown;
use crate::conn::ConnId;

/// One connection, as the chat sees it.
pub(super) struct User {
    pub(super) id: ConnId,
    /// As its owner spells it.
    name: Option<Box<str>>,
    /// Its number among the guests, while it has no name.
    guest: u32,
    pub(super) wording: Wording,
    /// Its index among the room's members of the same wording.
    pub(super) place: u32,
    /// Who last wrote to it privately.
    pub(super) writer: Option<ConnId>,
    /// Whether what it says comes back to it.
    pub(super) echo: bool,
    /// Whether its first line has come.
    pub(super) has_spoken: bool,
}

impl User {
    pub(super) fn shown(&self) -> Shown<'_> {
        match &self.name {
            Some(name) => Shown::Named(name),
            None => Shown::Guest(self.guest),
        }
    }
}

/// All users, by slot, by name, and by number for those without a name.
pub(super) struct Users {
    by_slot: Vec<Option<User>>,
    /// Slots; the names themselves are with the users.
    by_name: HashTable<u32>,
    hasher: RandomState,
    guests: Guests,
}

impl Users {
    pub(super) fn new() -> Users {
        Users {
            by_slot: Vec::new(),
            by_name: HashTable::new(),
            hasher: RandomState::new(),
            guests: Guests::default(),
        }
    }

    /// Adds somebody, as a guest.
    pub(super) fn add(&mut self, id: ConnId, wording: Wording) {
        if self.by_slot.len() <= id.slot() {
            self.by_slot.resize_with(id.slot() + 1, || None);
        }
        let guest = self.guests.add(id);
        let user = User {
            id,
            name: None,
            guest,
            wording,
            place: 0,
            writer: None,
            echo: true,
            has_spoken: false,
        };
        self.by_slot[id.slot()] = Some(user);
    }

    /// Removes somebody; the name is free at once.
    pub(super) fn remove(&mut self, id: ConnId) -> Option<User> {
        self.get(id)?;
        self.forget_name(id);
        self.by_slot[id.slot()].take()
    }

    pub(super) fn get(&self, id: ConnId) -> Option<&User> {
        self.by_slot.get(id.slot())?.as_ref().filter(|user| user.id == id)
    }

    pub(super) fn get_mut(&mut self, id: ConnId) -> Option<&mut User> {
        self.by_slot.get_mut(id.slot())?.as_mut().filter(|user| user.id == id)
    }

    /// Who bears this name, in any spelling.
    pub(super) fn find(&self, name: &str) -> Option<&User> {
        if let Some(number) = Shown::guest_number(name) {
            return self.get(self.guests.holder(number)?);
        }
        let is_it = |slot: &u32| self.name_of(*slot).eq_ignore_ascii_case(name);
        let slot = self.by_name.find(self.hash(name), is_it)?;
        self.by_slot[*slot as usize].as_ref()
    }

    /// Gives somebody a name that nobody else has.
    pub(super) fn rename(&mut self, id: ConnId, name: &str) {
        self.forget_name(id);
        let Some(user) = self.get_mut(id) else { return };
        user.name = Some(name.into());
        let slot = id.slot;
        let hash = self.hash(name);
        // Taken apart, because growing the table looks names up in the other field.
        let mut by_name = std::mem::take(&mut self.by_name);
        by_name.insert_unique(hash, slot, |slot| self.hash(self.name_of(*slot)));
        self.by_name = by_name;
    }

    /// Takes the name or the guest's number away.
    fn forget_name(&mut self, id: ConnId) {
        let Some(user) = self.get(id) else { return };
        match &user.name {
            Some(name) => {
                let hash = self.hash(name);
                if let Ok(entry) = self.by_name.find_entry(hash, |slot| *slot == id.slot) {
                    entry.remove();
                }
            }
            None => self.guests.remove(user.guest),
        }
    }

    fn name_of(&self, slot: u32) -> &str {
        let user = self.by_slot[slot as usize].as_ref();
        user.and_then(|user| user.name.as_deref()).expect("only the named are indexed")
    }

    /// The same for every spelling of a name.
    fn hash(&self, name: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for byte in name.bytes() {
            hasher.write_u8(byte.to_ascii_lowercase());
        }
        hasher.finish()
    }
}

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

    fn holder(&self, number: u32) -> Option<ConnId> {
        *self.holders.get(number as usize - 1)?
    }
}
