//! The users, as an upgrade hands them over. Indices are rebuilt.

use super::Users;
use crate::chat::user::NOWHERE;
use crate::pack::{Damaged, Packer, Unpacker};

impl Users {
    pub(in crate::chat) fn pack(&self, to: &mut Packer) {
        let Users {
            table,
            extras,
            last_number,
            by_slot: _,
            by_name: _,
            hasher: _,
            guests,
            addrs,
            last_activity,
            encrypted,
            connected: _,
            most,
        } = self;
        to.put(table).put(extras).put(last_number).put(guests).put(addrs).put(last_activity);
        to.put(encrypted).put(most);
    }

    /// What the old process did not keep is unknown, and stays empty.
    pub(in crate::chat) fn restore(&mut self, from: &mut Unpacker<'_>) -> Result<(), Damaged> {
        self.table = from.get()?;
        self.extras = from.get()?;
        self.last_number = from.get()?;
        self.guests = from.get()?;
        let (addrs, last_activity): (Option<_>, Option<_>) = (from.get()?, from.get()?);
        self.addrs = self.addrs.take().map(|_| addrs.unwrap_or_default());
        self.last_activity = self.last_activity.take().map(|_| last_activity.unwrap_or_default());
        self.encrypted = from.get()?;
        self.most = from.get()?;
        self.rebuild(from)
    }

    /// Who has which slot, and which name.
    fn rebuild(&mut self, from: &Unpacker<'_>) -> Result<(), Damaged> {
        for index in 0..self.table.iter().next_back().map_or(0, |(index, _)| index + 1) {
            let Some(user) = self.table.get(index) else { continue };
            let index = u32::try_from(index).map_err(|_| from.wrong("index of a user"))?;
            if let Some(conn) = user.conn().filter(|_| !user.is_elsewhere()) {
                from.check_index(conn.slot())?;
                if self.by_slot.len() <= conn.slot() {
                    self.by_slot.resize(conn.slot() + 1, NOWHERE);
                }
                self.by_slot[conn.slot()] = index;
                self.connected += 1;
            }
            if let Some(name) = user.own_name() {
                let hash = self.hasher.hash(name);
                self.list_name(hash, index);
            }
        }
        let slots = self.by_slot.len();
        if let Some(addrs) = &mut self.addrs {
            addrs.resize(slots, None);
        }
        Ok(())
    }
}
