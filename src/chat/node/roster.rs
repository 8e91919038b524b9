//! Rosters: who is at a node. Each node sends its own when another enters. So the log need not keep
//! any, and a node learns of all others in the same way.

use std::time::{Duration, Instant};

use super::message::{Listed, Message, Profile};
use super::who::Who;
use super::{Node, Sent};
use crate::chat::name::{Shown, listed};
use crate::chat::state::Chat;
use crate::chat::time::millis;
use crate::chat::user::User;
use crate::chat::user_id::UserId;
use crate::cluster::{Action, NodeId};
use crate::net::outbox::Outbox;
use crate::net::timeouts::Now;

/// The most users in one message.
const EACH: usize = 64;

/// After a node has entered, others that send no roster within this time count as gone.
const ROSTER_TIMEOUT: Duration = Duration::from_secs(10);

impl Chat {
    /// Appends this node's roster, if the others are owed one.
    pub(super) fn say_who_is_here(&mut self, now: Now) {
        if !self.node.as_ref().is_some_and(|node| node.owes_roster) {
            return;
        }
        let own = self.users.everybody().filter(|(id, _)| !self.is_elsewhere(*id));
        let mut listed: Vec<Listed> = own.filter_map(|(id, user)| self.listed(id, user)).collect();
        // By age: an unknown user with a lower number than a known one would count as gone.
        listed.sort_unstable_by_key(|listed| listed.user.number);
        let Some(node) = &mut self.node else { return };
        node.owes_roster = false;
        let mut is_first = true;
        loop {
            let rest = listed.split_off(listed.len().min(EACH));
            let (name, as_of, is_last) = (node.name.clone(), node.position, rest.is_empty());
            let message = Message::Roster { name, as_of, is_first, is_last, users: listed };
            node.first.push_back((Action::Tell, message.to_bytes(now), Sent::Other));
            (is_first, listed) = (false, rest);
            if listed.is_empty() {
                break;
            }
        }
        self.say_what_is_kept(now);
    }

    pub(super) fn listed(&self, id: UserId, user: &User) -> Option<Listed> {
        let profile = self.profile(id, user)?;
        let extras = self.users.extras(user);
        let ignores = extras.map_or(&[][..], |extras| &extras.ignores);
        // One that they were given lately is not in force yet: the entry with it comes later.
        let good = self.node.as_ref().and_then(|node| node.tokens.of(node.who(id)));
        Some(Listed {
            user: id,
            profile,
            named_at: self.node.as_ref().map_or(0, |node| node.named_at(id)),
            is_detached: user.conn().is_none(),
            away: extras.and_then(|extras| extras.away.clone()),
            mute: extras.and_then(|extras| extras.mute),
            token: good.or_else(|| self.digest_of(user)),
            is_good: good.is_some(),
            ignores: ignores.iter().map(|ignored| self.for_others(*ignored)).collect(),
        })
    }

    /// Takes in what another node says of its users.
    pub(super) fn read_roster(
        &mut self,
        from: NodeId,
        (name, as_of): (String, u64),
        users: &[Listed],
        (is_first, is_last): (bool, bool),
        out: &mut Outbox,
    ) {
        let Some(node) = &mut self.node else { return };
        let other = node.other(from);
        if is_first {
            other.listed.clear();
            other.name = name;
        }
        other.listed.extend(users.iter().map(|listed| listed.user));
        for listed in users {
            let who = Who { node: from, user: listed.user };
            if let Some(by) = self.taken_since(listed, as_of) {
                self.has_moved_to(who, by, out);
            }
            self.read_listed(who, (as_of, listed), out);
        }
        if is_last {
            self.forget_unlisted(from, out);
        }
    }

    /// Who has used the token of a user since the event `as_of`, at a time when this node did not
    /// know the token.
    fn taken_since(&self, listed: &Listed, as_of: u64) -> Option<Who> {
        let (name, token) =
            (listed.profile.name.as_own(), listed.token.filter(|_| listed.is_good)?);
        self.node.as_ref()?.tokens.taken(&token, name, as_of)
    }

    /// A message of this node is back. From then on all nodes agree which tokens of those in it are
    /// good.
    pub(super) fn read_own(&mut self, payload: &[u8], out: &mut Outbox) {
        match Message::from_bytes(payload, out.now()) {
            Some(Message::Roster { users, .. }) => {
                for listed in users {
                    // Some may have resumed as others by now.
                    self.note_token(listed.user, listed.token);
                }
            }
            Some(Message::TakenOver { who, by, .. }) => self.has_taken_over(who, &by, out),
            Some(Message::Released { name, heir }) => self.released(&name, heir, out.now()),
            _ => {}
        }
    }

    pub(super) fn read_listed(
        &mut self,
        who: Who,
        (as_of, listed): (u64, &Listed),
        out: &mut Outbox,
    ) {
        let Some(node) = &mut self.node else { return };
        let is_there = node.is_there(who, as_of);
        if node.moved.has(who) {
            if !is_there {
                return;
            }
            // They have not, which this node has taken for true.
            node.moved.forget(|was| *was == who);
        }
        let (known, may_be_new) = (node.local(who), is_there || node.may_be_new(who));
        if self.has_lost_name(listed.profile.name.as_own(), known, listed.named_at) {
            // And so their connection.
            return self.left(known, out);
        }
        let id = match self.users.by_id(known) {
            Some(_) => known,
            None if may_be_new => self.add_elsewhere(who, &listed.profile, out),
            None => return,
        };
        self.rename_elsewhere(id, listed.profile.name.shown(), out);
        self.move_elsewhere(id, &listed.profile, listed.is_detached, out);
        if let Some(node) = self.node.as_mut().filter(|_| listed.named_at > 0) {
            node.named_at.insert(id, listed.named_at);
        }
        self.note_rights(id, &listed.profile);
        if listed.profile.is_announced {
            self.announce(id, out);
        }
        self.note_token(id, listed.token);
        let node = self.node.as_ref();
        let local = |who: &Who| node.map_or(UserId::NOBODY, |node| node.local(*who));
        let ignores: Vec<UserId> = listed.ignores.iter().map(local).collect();
        let is_muted_since = node.is_some_and(|node| node.is_muted_since(id, as_of));
        let extras = self.users.by_id(id).and_then(|user| self.users.extras(user));
        let before = extras.map_or(Vec::new(), |extras| extras.ignores.clone());
        for stranger in before.iter().filter(|before| !ignores.contains(before)) {
            self.stop_ignoring(id, *stranger);
        }
        for ignored in ignores {
            self.note_ignoring(id, ignored);
        }
        let has_extras = self.users.by_id(id).is_some_and(|user| self.users.extras(user).is_some());
        let has_extras = has_extras || listed.away.is_some() || listed.mute.is_some();
        if has_extras && let Some(extras) = self.users.extras_mut(id) {
            extras.away.clone_from(&listed.away);
            if !is_muted_since {
                extras.mute = listed.mute;
            }
        }
    }

    /// Gives a user of another node the name that they have there.
    pub(super) fn rename_elsewhere(&mut self, id: UserId, name: Shown<'_>, out: &mut Outbox) {
        if self.users.by_id(id).is_none_or(|user| user.shown() == name) {
            return;
        }
        self.free_shown(name, id, out);
        if let Some(old) = self.users.rename(id, name) {
            self.notify_rename(id, old.shown(), out);
        }
    }

    /// Moves a user of another node to the room that they are in there, or detaches them.
    pub(super) fn move_elsewhere(
        &mut self,
        id: UserId,
        profile: &Profile,
        is_cut_off: bool,
        out: &mut Outbox,
    ) {
        let Some(user) = self.users.by_id(id) else { return };
        let is_same = user.conn_number() == profile.serial;
        let room = self.room_of(id).map(|room| self.rooms.get(room).name());
        let is_there = room.is_some_and(|room| room.eq_ignore_ascii_case(profile.room.as_str()));
        let is_detached = user.conn().is_none();
        if is_there && is_same && is_detached == is_cut_off {
            return;
        }
        if !is_detached {
            if !is_there {
                self.notify_leave(id, out);
            }
            if let Some(conn) = self.users.conn(id) {
                self.exit_room(conn);
            }
        }
        self.users.reconnect_elsewhere(id, profile.serial);
        if let Some(extras) = self.users.extras_mut(id) {
            extras.detached = None;
        }
        self.enter_elsewhere(id, Some(profile.room.as_str()), out);
        if !is_there {
            self.notify_move(id, out);
        }
        if is_cut_off {
            self.detached_elsewhere(id);
        }
    }

    /// Removes the users of a node that are not in its roster, which is complete.
    fn forget_unlisted(&mut self, from: NodeId, out: &mut Outbox) {
        let Some(other) = self.node.as_mut().and_then(|node| node.others.get_mut(&from)) else {
            return;
        };
        other.has_said_who = true;
        other.newest =
            other.listed.iter().map(|user| user.number).max().max(other.newest).or(Some(0));
        let is_gone = |(there, _): &(&UserId, &UserId)| !other.listed.contains(there);
        let mut gone: Vec<UserId> = other.users.iter().filter(is_gone).map(|(_, id)| *id).collect();
        gone.sort_unstable_by_key(|user| user.number);
        other.listed.clear();
        for user in gone {
            self.left(user, out);
        }
    }

    /// For `/stats`: which other nodes there are.
    pub(in crate::chat) fn cluster_line(&self) -> Option<String> {
        let node = self.node.as_ref()?;
        let (name, users) = (&node.name, node.homes.len());
        let others: Vec<&str> = node.others.values().map(|other| other.name.as_str()).collect();
        let is_cut_off = if self.is_cut_off() { ", cut off" } else { "" };
        let others = match others.len() {
            0 => "no other node".to_owned(),
            count => {
                let s = if users == 1 { "" } else { "s" };
                format!("{users} user{s} at {}", listed(&others, count))
            }
        };
        Some(format!("Cluster: node {name}{is_cut_off}, {others}"))
    }

    /// Removes the nodes that have sent no roster in time.
    pub(in crate::chat) fn forget_silent_nodes(&mut self, now: Instant, out: &mut Outbox) {
        let Some(node) = &mut self.node else { return };
        if node.rosters_due.take_if(|due| *due <= now).is_none() {
            return;
        }
        node.kept_since = None;
        node.tokens.forget_taken();
        let silent = node.others.iter().filter(|(_, other)| !other.has_said_who);
        let silent: Vec<NodeId> = silent.map(|(id, _)| *id).collect();
        for id in silent {
            self.forget_node(id, millis(out), out);
        }
        self.mutes.note_taken(false);
    }

    pub(in crate::chat) fn rosters_due(&self) -> Option<Instant> {
        self.node.as_ref()?.rosters_due
    }
}

impl Node {
    /// From now on all other nodes have to send their rosters.
    pub(super) fn expect_rosters(&mut self, now: Instant) {
        for other in self.others.values_mut() {
            (other.has_said_who, other.is_newer) = (false, false);
        }
        self.rosters_due = Some(now + ROSTER_TIMEOUT);
    }
}
