//! The users of other nodes.

use super::Other;
use super::message::{Profile, Who};
use crate::chat::dialect::{Dialect, Format};
use crate::chat::name::Shown;
use crate::chat::room::RoomNo;
use crate::chat::state::Chat;
use crate::chat::user::{Arrival, User};
use crate::chat::user_id::UserId;
use crate::cluster::NodeId;
use crate::net::line::Ending;
use crate::net::outbox::Outbox;

/// The format of those to whom nothing is sent.
const FORMAT: Format = Format { dialect: Dialect::Native, ending: Ending::Lf };

impl Chat {
    pub(in crate::chat) fn is_elsewhere(&self, user: UserId) -> bool {
        self.node.as_ref().is_some_and(|node| node.homes.contains_key(&user))
    }

    /// What the node of a user is called, if it is another.
    pub(in crate::chat) fn node_of(&self, user: UserId) -> Option<String> {
        let node = self.node.as_ref()?;
        let who = node.homes.get(&user)?;
        Some(node.others.get(&who.node)?.name.clone())
    }

    /// The id here of a user of another node, who is added if nobody knows them.
    pub(super) fn known(
        &mut self,
        who: Who,
        profile: Option<&Profile>,
        out: &mut Outbox,
    ) -> UserId {
        let known = self.node.as_ref().map_or(UserId::NOBODY, |node| node.local(who));
        match profile.filter(|_| self.users.by_id(known).is_none()) {
            Some(profile) => self.add_elsewhere(who, profile, out),
            None => known,
        }
    }

    /// Adds a user of another node to the room that they are in.
    fn add_elsewhere(&mut self, who: Who, profile: &Profile, out: &mut Outbox) -> UserId {
        self.free_shown(profile.name.shown(), UserId::NOBODY, out);
        let id = self.users.add_elsewhere(&profile.name.shown(), profile.serial, FORMAT);
        if let Some(node) = &mut self.node {
            node.homes.insert(id, who);
            node.others.entry(who.node).or_default().users.insert(who.user, id);
        }
        if profile.is_operator
            && let Some(extras) = self.users.extras_mut(id)
        {
            extras.is_operator = true;
        }
        if profile.is_announced
            && let Some(user) = self.users.by_id_mut(id)
        {
            user.arrival = Arrival::Announced;
        }
        let room = self.rooms.find_or_make(profile.room.as_str(), self.settings.rooms_max);
        if let (Some(conn), Some(room)) = (self.users.conn(id), room.or(Some(RoomNo::LOBBY))) {
            self.enter_room(conn, room, out);
        }
        id
    }

    /// Nobody but this user has the name from now on.
    pub(super) fn free_shown(&mut self, name: Shown<'_>, user: UserId, out: &mut Outbox) {
        match name {
            Shown::Named(name) => self.free_name(name, user, out),
            // Guests of two nodes may have one number after the log has lost its memory. Both are
            // here; `/msg` finds the later one.
            Shown::Guest(_) => {}
        }
    }

    /// A user has been removed.
    pub(in crate::chat) fn forget_elsewhere(&mut self, id: UserId) {
        let Some(node) = &mut self.node else { return };
        let who = node.who(id);
        node.tokens.leave(who);
        if node.homes.remove(&id).is_some()
            && let Some(other) = node.others.get_mut(&who.node)
        {
            other.users.remove(&who.user);
        }
    }

    /// All users of a node are gone, at this time by the log's clock. Those with tokens may come back
    /// elsewhere.
    pub(super) fn forget_node(&mut self, id: NodeId, at: i64, out: &mut Outbox) {
        let other = self.node.as_mut().and_then(|node| node.others.remove(&id));
        let Some(Other { users, .. }) = other else { return };
        for user in users.values() {
            self.hold_token(*user, at);
        }
        let mut users: Vec<UserId> = users.into_values().collect();
        users.sort_unstable_by_key(|user| user.number);
        for user in users {
            self.left(user, out);
        }
    }

    /// A user of another node was cut off, and may resume there.
    pub(in crate::chat) fn detached_elsewhere(&mut self, user: UserId) {
        if self.is_elsewhere(user)
            && let Some(conn) = self.users.conn(user)
        {
            self.detach(conn);
        }
    }

    /// A user of another node is another one from now on, whose token they had.
    pub(in crate::chat) fn resumed_elsewhere(
        &mut self,
        left: UserId,
        user: UserId,
        out: &mut Outbox,
    ) {
        let Some(serial) = self.users.by_id(left).map(User::conn_number) else { return };
        if self.users.by_id(user).is_none() {
            return;
        }
        self.detached_elsewhere(user);
        self.notify_leave(left, out);
        if let Some(conn) = self.users.conn(left) {
            self.exit_room(conn);
        }
        let Some((_, extras)) = self.users.remove(left) else { return };
        self.forget_elsewhere(left);
        self.resumed.pass_on(left, user);
        self.users.reconnect_elsewhere(user, serial);
        let room = self.merge(user, left, &extras);
        self.enter_elsewhere(user, room.as_deref(), out);
    }

    /// A user of another node is in the room of this name, as far as there is one.
    pub(super) fn enter_elsewhere(&mut self, user: UserId, room: Option<&str>, out: &mut Outbox) {
        let room = room.and_then(|name| self.rooms.find_or_make(name, self.settings.rooms_max));
        if let Some(conn) = self.users.conn(user) {
            self.enter_room(conn, room.unwrap_or(RoomNo::LOBBY), out);
        }
    }
}
