//! Users of other nodes, and the numbers that guests of this one get.

use super::Users;
use crate::chat::dialect::Format;
use crate::chat::name::{Name, Shown};
use crate::chat::user::{AddressKey, User};
use crate::chat::user_id::UserId;
use crate::cluster::NodeId;
use crate::net::transport::Origin;

impl Users {
    /// Adds a user of another node, where their connection has this number. Nobody has their name.
    pub(in crate::chat) fn add_elsewhere(
        &mut self,
        name: &Shown<'_>,
        serial: u32,
        format: Format,
    ) -> UserId {
        self.last_number = self.last_number.wrapping_add(1);
        let entry = self.table.vacant_entry();
        let index = u32::try_from(entry.key()).expect("there are fewer users");
        let from = AddressKey::of(Origin::Unix);
        let user = entry.insert(User::new(self.last_number, Name::from(*name), from, format));
        user.connect_elsewhere(index, serial);
        self.list(index);
        self.id_at(index as usize)
    }

    /// A user of another node has a connection there again.
    pub(in crate::chat) fn reconnect_elsewhere(&mut self, id: UserId, serial: u32) {
        if let Some(user) = self.by_id_mut(id) {
            user.connect_elsewhere(id.index, serial);
        }
    }

    /// From now on guests get numbers of this node's blocks only.
    pub(in crate::chat) fn share_guests(&mut self, node: NodeId) {
        self.guests.share(node);
    }

    pub(in crate::chat) fn guests_are_few(&self) -> bool {
        self.guests.are_few()
    }

    pub(in crate::chat) fn guest_blocks(&self) -> Vec<u32> {
        self.guests.blocks()
    }

    /// Whether the number of a guest of this node is of a block that it has lost.
    pub(in crate::chat) fn is_misnumbered(&self, user: &User) -> bool {
        match user.shown() {
            Shown::Guest(number) => self.guests.may_be_elsewhere(number),
            Shown::Named(_) => false,
        }
    }

    /// Gives a guest another number of this node's blocks, if one is free. Returns the old name.
    pub(in crate::chat) fn renumber(&mut self, id: UserId) -> Option<Name> {
        if !self.guests.has_free() {
            return None;
        }
        let number = self.guests.add(id.index);
        self.rename(id, Shown::Guest(number))
    }

    pub(in crate::chat) fn lease_guests(&mut self, block: u32) {
        self.guests.lease(block);
    }

    pub(in crate::chat) fn keep_guests(&mut self, blocks: &[u32]) {
        self.guests.keep(blocks);
    }
}
