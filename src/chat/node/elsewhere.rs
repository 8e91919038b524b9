//! The users of other nodes.

use super::Other;
use super::message::Profile;
use super::who::Who;
use crate::chat::dialect::{Dialect, Format};
use crate::chat::name::Shown;
use crate::chat::reply;
use crate::chat::room::{LOBBY, RoomNo};
use crate::chat::state::Chat;
use crate::chat::user::{Arrival, Extras};
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

    /// The id here of a user of another node, who is added if they are new.
    pub(super) fn find_or_add_elsewhere(
        &mut self,
        who: Who,
        profile: Option<&Profile>,
        out: &mut Outbox,
    ) -> UserId {
        let Some(node) = &self.node else { return UserId::NOBODY };
        let known = node.local(who);
        let newest = node.others.get(&who.node).and_then(|other| other.newest);
        let (is_new, has_moved) = (node.may_be_new(who), node.moved.has(who));
        let Some(profile) = profile else { return known };
        if self.users.by_id(known).is_none() {
            let is_another = self.is_surely_anothers(profile.name.as_own());
            return if is_new && !is_another {
                self.add_elsewhere(who, profile, out)
            } else {
                known
            };
        }
        let room = self.room_of(known).map(|room| self.rooms.get(room).name());
        let is_there = room.is_some_and(|room| room.eq_ignore_ascii_case(profile.room.as_str()));
        if (newest.is_none() || !is_there) && !has_moved {
            // This node or theirs may have missed that they changed their name or their room.
            self.rename_elsewhere(known, profile.name.shown(), out);
            self.move_elsewhere(known, profile, false, out);
        }
        if !has_moved {
            self.note_rights(known, profile);
        }
        known
    }

    /// Whether a user has this name by what their node has told since this one entered.
    fn is_surely_anothers(&self, name: Option<&str>) -> bool {
        let owner = name.and_then(|name| self.users.owner(name));
        let Some((owner, node)) = owner.zip(self.node.as_ref()) else { return false };
        let home = node.homes.get(&owner).and_then(|who| node.others.get(&who.node));
        home.is_none_or(|home| home.newest.is_some())
    }

    /// Adds a user of another node to the room that they are in.
    pub(super) fn add_elsewhere(
        &mut self,
        who: Who,
        profile: &Profile,
        out: &mut Outbox,
    ) -> UserId {
        self.free_shown(profile.name.shown(), UserId::NOBODY, out);
        let id = self.users.add_elsewhere(&profile.name.shown(), profile.serial, FORMAT);
        if let Some(node) = &mut self.node {
            node.homes.insert(id, who);
            let other = node.other(who.node);
            other.users.insert(who.user, id);
            other.newest = other.newest.map(|newest| newest.max(who.user.number));
        }
        self.note_rights(id, profile);
        // If their node has entered again, everybody here was told that they left. If this one has,
        // they were there all the while.
        let node = self.node.as_ref();
        let is_newer =
            node.and_then(|node| node.others.get(&who.node)).is_some_and(|it| it.is_newer);
        if profile.is_announced
            && !is_newer
            && let Some(user) = self.users.by_id_mut(id)
        {
            user.arrival = Arrival::Announced;
        }
        self.enter_elsewhere(id, Some(profile.room.as_str()), out);
        if profile.is_announced {
            self.announce(id, out);
        }
        id
    }

    /// Notes what a user of another node may do, which may have changed.
    pub(super) fn note_rights(&mut self, id: UserId, profile: &Profile) {
        let Profile { is_operator, has_account, .. } = *profile;
        let has_extras = self.users.by_id(id).is_some_and(|user| self.users.extras(user).is_some());
        if (is_operator || has_account || has_extras)
            && let Some(extras) = self.users.extras_mut(id)
        {
            (extras.is_operator, extras.has_account) = (is_operator, has_account);
        }
    }

    /// Frees a name that this user was given. If they have not proved that it is theirs, whoever has
    /// it here has another by now, of which this node was not told: they have not left.
    pub(in crate::chat) fn free_given_name(
        &mut self,
        name: &str,
        user: UserId,
        logged_in: bool,
        out: &mut Outbox,
    ) {
        let owner = self.users.owner(name).filter(|_| !logged_in);
        let home = owner.and_then(|owner| self.home_of(owner));
        self.free_name(name, user, out);
        if let (Some((id, left_at)), Some(node)) = (home, &mut self.node) {
            node.other(id).left_at = left_at;
        }
    }

    /// The node of a user, if it is another, and the last event with which somebody has left it.
    fn home_of(&self, user: UserId) -> Option<(NodeId, u64)> {
        let node = self.node.as_ref()?;
        let id = node.homes.get(&user)?.node;
        Some((id, node.others.get(&id)?.left_at))
    }

    /// Frees a name for this user.
    pub(super) fn free_shown(&mut self, name: Shown<'_>, user: UserId, out: &mut Outbox) {
        match name {
            Shown::Named(name) => self.free_name(name, user, out),
            // Guests of two nodes may share a number until one of them is renumbered.
            Shown::Guest(_) => {}
        }
    }

    /// Gives new numbers, as far as there are some, to guests of this node whose numbers may belong
    /// to other nodes by now. The others learn them from the roster that follows.
    pub(super) fn renumber_guests(&mut self, out: &mut Outbox) {
        let own = self.users.everybody().filter(|(id, _)| !self.is_elsewhere(*id));
        let misnumbered: Vec<UserId> =
            own.filter(|(_, user)| self.users.is_misnumbered(user)).map(|(id, _)| id).collect();
        for id in misnumbered {
            let Some(old) = self.users.renumber(id) else { return };
            let name = self.users.by_id(id).map(|user| user.shown().to_string());
            self.reply_to(id, reply::renamed(&name.unwrap_or_default()), out);
            self.notify_rename(id, old.shown(), out);
        }
    }

    /// Events were missed: until the other nodes' next rosters, their users may have come and gone
    /// unnoticed.
    pub(super) fn note_missed(&mut self) {
        let Some(node) = &mut self.node else { return };
        node.others.values_mut().for_each(|other| other.newest = None);
        // Which tokens of other nodes are good is not known any more. Those of this one still are.
        let id = node.id;
        node.tokens.forget_of(|node| node != id);
        // Their nodes may have entered again meanwhile, and then know nothing of those resumes.
        node.moved.forget(|who| who.node != id);
        node.lacks_kept = true;
    }

    /// Forgets what this node knows of a user of any node, who has been removed.
    pub(in crate::chat) fn forget_elsewhere(&mut self, id: UserId) {
        let Some(node) = &mut self.node else { return };
        let who = node.who(id);
        node.tokens.leave(who);
        node.named_at.remove(&id);
        node.muted_at.remove(&id);
        if node.homes.remove(&id).is_some()
            && let Some(other) = node.others.get_mut(&who.node)
        {
            other.users.remove(&who.user);
            node.note_left(who.node);
        }
    }

    /// Removes all users of a node that is gone since this time by the log's clock. Those with
    /// tokens may come back at another node.
    pub(super) fn forget_node(&mut self, id: NodeId, at: i64, out: &mut Outbox) {
        let other = self.node.as_mut().and_then(|node| node.others.remove(&id));
        let Some(Other { users, .. }) = other else { return };
        let mut users: Vec<(UserId, UserId)> = users.into_iter().collect();
        // In one order at all nodes, so that they hold the same tokens.
        users.sort_unstable_by_key(|(there, _)| there.number);
        for (_, user) in &users {
            self.hold_token(*user, at);
        }
        for (_, user) in users {
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

    /// A user goes on as another user of their node. Others may have resumed as them before.
    pub(in crate::chat) fn note_moved(&mut self, left: UserId, user: UserId) {
        let Some(node) = self.node.as_mut().filter(|_| left != UserId::NOBODY) else { return };
        let (was, now) = (node.who(left), node.who(user));
        // Of a node whose events this one has missed, not all is known that such a thing takes.
        let other = node.others.get(&was.node);
        if other.is_none_or(|other| other.newest.is_some()) {
            node.moved.pass_on(was, now);
        }
    }

    /// A user has resumed as another user of their node. They have no connection here, or have lost
    /// it. `left`, whom they were until now, need not be known here.
    pub(in crate::chat) fn resumed_elsewhere(
        &mut self,
        (left, serial): (UserId, u32),
        user: UserId,
        out: &mut Outbox,
    ) {
        if self.users.by_id(user).is_none() {
            return;
        }
        self.notify_leave(left, out);
        if let Some(conn) = self.users.conn(left) {
            self.exit_room(conn);
        }
        self.note_moved(left, user);
        let mut extras = Extras::default();
        if let Some((record, had)) = self.users.remove(left) {
            self.release_name(left, record.own_name());
            if let Some(key) = had.token_key {
                self.sessions.remove(key);
            }
            self.forget_elsewhere(left);
            self.resumed.pass_on(left, user);
            extras = had;
        }
        self.users.reconnect_elsewhere(user, serial);
        let room = self.merge(user, left, &extras);
        self.enter_elsewhere(user, room.as_deref(), out);
    }

    /// Moves a user to the room of this name, or to the lobby, without asking whether they may: all
    /// nodes do the same.
    pub(super) fn enter_elsewhere(&mut self, user: UserId, room: Option<&str>, out: &mut Outbox) {
        let Some(conn) = self.users.conn(user) else {
            return self.note_room(user, room.unwrap_or(LOBBY));
        };
        let max = self.settings.rooms_max;
        let room = room.map_or(RoomNo::LOBBY, |name| self.rooms.find_or_make_beyond(name, max));
        self.enter_room(conn, room, out);
    }
}
