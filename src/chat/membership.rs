//! Rooms and names of users: greeting, naming, joining and leaving rooms.

use log::info;

use super::dialect::Dialect;
use super::dialect::{Event, Kind};
use super::name::{self, Shown, Unfit};
use super::operation::{Decision, Effect};
use super::reply;
use super::request::Naming;
use super::room::RoomNo;
use super::state::Chat;
use super::time::{millis, timestamp};
use super::user::{Arrival, Stage, User};
use super::user_id::UserId;
use crate::cluster::Outcome;
use crate::net::conn::ConnId;
use crate::net::line::Ending;
use crate::net::outbox::Outbox;

impl Chat {
    /// Greets a newcomer who has stayed silent: they are a person, as programs send a line at
    /// once. Returns whether they were greeted.
    pub(super) fn greet(&mut self, id: ConnId, out: &mut Outbox) -> bool {
        let Some(user) = self.users.get(id) else { return false };
        let Stage::Silent { ending_seen } = user.stage else { return false };
        if user.format.dialect != Dialect::Native {
            return false;
        }
        // A person at a terminal, which may be in raw mode and needs CR LF.
        if !ending_seen {
            self.regroup(id, |user| user.format.ending = Ending::CrLf);
        }
        let motd = self.settings.motd.lines();
        if motd.is_empty() {
            self.reply(id, reply::greeting("Welcome."), out);
        }
        for line in &motd {
            self.reply(id, reply::greeting(line), out);
        }
        self.who(id, None, out);
        if self.show_recent(id, out) {
            self.reply(id, reply::kept_in_memory(), out);
        }
        let name = self.users.get(id).map(|user| user.shown().to_string()).unwrap_or_default();
        self.reply(id, reply::you_are(&name), out);
        self.set_notices(id, true, out);
        true
    }

    /// Sends a json client its room and name as soon as it connects.
    pub(super) fn say_hello(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let event = Event {
            room: Some(self.rooms.get(user.room).name()),
            to: Some(self.users.person(user)),
            ..Event::new(Kind::Hello, millis(out))
        };
        self.renderer.send(user, &event, out);
    }

    /// Replies if a name is unfit for anybody. Returns whether it is.
    pub(super) fn refuse_if_unfit(&mut self, id: ConnId, name: &str, out: &mut Outbox) -> bool {
        match name::check(name) {
            Ok(()) => return false,
            Err(Unfit::Shape(why)) => self.reply(id, reply::name_unfit(why), out),
            Err(Unfit::Reserved) => self.reply(id, reply::name_reserved(name), out),
        }
        true
    }

    pub(super) fn rename(&mut self, id: ConnId, name: &str, by: Naming, out: &mut Outbox) {
        if self.refuse_if_unfit(id, name, out) || self.refuse_if_muted(id, out) {
            return;
        }
        let now = timestamp(out.now());
        if self.bans.has_name(name, now) {
            return self.reply(id, reply::name_banned(name), out);
        }
        let is_own = self.users.find_any(name).is_some_and(|owner| owner.conn() == Some(id));
        if let Some(account) = self.accounts.get(name).filter(|own| !is_own && !own.is_over(now)) {
            let name = account.name.clone();
            return self.reply(id, reply::name_protected(&name), out);
        }
        let (name, conn) = (name.into(), id.serial());
        self.publish(id, Effect::Name { name, by, logged_in: false, conn }, out);
    }

    /// A user gets a name, unless it is another's.
    pub(super) fn named(
        &mut self,
        id: UserId,
        name: &str,
        by: Naming,
        logged_in: bool,
        how: &Decision,
        out: &mut Outbox,
    ) {
        let is_claimed = how.is(&Outcome::Claimed);
        if self.users.conn(id).is_none() && !is_claimed {
            return;
        }
        if matches!(how, Decision::CutOff) {
            return self.reply_to(id, reply::name_out_of_reach(name), out);
        }
        if is_claimed || (logged_in && !how.is(&Outcome::Taken)) {
            // Another user who has the name loses it.
            self.free_given_name(name, id, logged_in, out);
        }
        let owner = self.users.find_any(name).filter(|owner| !owner.is(id));
        let owner = owner.map(|owner| owner.shown().to_string());
        if let Some(owner) = owner.or_else(|| how.is(&Outcome::Taken).then(|| name.to_owned())) {
            return self.reply_to(id, reply::name_taken(&owner), out);
        }
        self.take_name(id, name, by, out);
        if logged_in && let Some(extras) = self.users.extras_mut(id) {
            extras.has_account = self.accounts.mark_used(name);
        }
    }

    /// Gives a user a name that is free or their own, and announces it.
    fn take_name(&mut self, own: UserId, name: &str, by: Naming, out: &mut Outbox) {
        let is_respelled = self.users.find_any(name).is_some();
        let Some(old) = self.users.rename(own, Shown::Named(name)) else { return };
        self.reapply_mute(own, name);
        let Some(id) = self.users.conn(own) else { return };
        if self.users.by_id(own).is_some_and(|user| !user.is_elsewhere()) {
            info!(conn = id.serial(), name, was:% = old.shown(); "named");
        }
        if is_respelled {
            return self.reply_named(id, name, by, out);
        }
        if self.sees_own_rename(id) {
            self.notify_renamed_user(id, old.shown(), out);
        } else {
            self.reply_named(id, name, by, out);
        }
        self.notify_rename(own, old.shown(), out);
    }

    fn reply_named(&mut self, id: ConnId, name: &str, by: Naming, out: &mut Outbox) {
        match by {
            Naming::Nick => self.reply(id, reply::renamed(name), out),
            Naming::Register => self.reply(id, reply::registered(name), out),
        }
    }

    /// In the tutorial dialect, users also see the notice of their own new name.
    fn sees_own_rename(&self, id: ConnId) -> bool {
        let is_told = |user: &User| {
            user.format.dialect == Dialect::Tutorial
                && user.notices
                && !self.rooms.get(user.room).is_crowd()
        };
        self.users.get(id).is_some_and(is_told)
    }

    pub(super) fn join(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        if let Err(why) = name::check_room(name) {
            return self.reply(id, reply::room_unfit(why), out);
        }
        // This is decided here, and not when the operation is back: each server knows other rooms.
        if self.node.is_some() && self.may_not_make(id, name, out) {
            return;
        }
        self.publish(id, Effect::Join { room: name.into(), conn: id.serial() }, out);
    }

    /// A user moves to a room, which is created if needed.
    pub(super) fn joined(&mut self, id: UserId, name: &str, out: &mut Outbox) {
        let Some(conn) = self.users.conn(id) else { return self.joined_detached(id, name) };
        if self.node.is_none() && self.may_not_make(conn, name, out) {
            return;
        }
        let room = self.rooms.find_or_make_beyond(name, self.settings.rooms_max);
        self.go_to(conn, id, room, out);
    }

    /// The same for a user who was cut off meanwhile: at other servers they move first, and are cut
    /// off then.
    fn joined_detached(&mut self, id: UserId, name: &str) {
        if self.node.is_some()
            && let Some(user) = self.users.by_id_mut(id)
        {
            user.arrival = Arrival::Announced;
            self.note_room(id, name);
        }
    }

    /// A user who was cut off comes back to the room of this name.
    pub(super) fn note_room(&mut self, id: UserId, name: &str) {
        let detached = self.users.extras_mut(id).and_then(|extras| extras.detached.as_mut());
        if let Some(detached) = detached {
            detached.room = name.into();
        }
    }

    /// Replies to a user who may not make the room of this name, if there is none. Muted users may
    /// not, since everybody can read a room's name.
    fn may_not_make(&mut self, id: ConnId, name: &str, out: &mut Outbox) -> bool {
        if self.rooms.find(name).is_some() {
            return false;
        }
        if self.refuse_if_muted(id, out) {
            return true;
        }
        let max = self.settings.rooms_max;
        let is_full = self.rooms.is_full(max);
        if is_full {
            self.reply(id, reply::rooms_full(max), out);
        }
        is_full
    }

    /// The room of this name, which is created if needed. Muted users cannot create rooms, since
    /// everybody can read a room's name; but servers that know other rooms have to do the same.
    pub(super) fn room_for(&mut self, id: ConnId, name: &str, out: &Outbox) -> Option<RoomNo> {
        if self.node.is_none() && self.is_muted(id, out) {
            return self.rooms.find(name);
        }
        self.room_again(name)
    }

    /// The room of this name for somebody who was there, which is created if one more may be. In a
    /// cluster it is created beyond the limit, too: all servers have to do the same, and each
    /// knows other rooms.
    fn room_again(&mut self, name: &str) -> Option<RoomNo> {
        let max = self.settings.rooms_max;
        match self.node {
            Some(_) => Some(self.rooms.find_or_make_beyond(name, max)),
            None => self.rooms.find_or_make(name, max),
        }
    }

    /// Moves a user to another room, with a leave notice there and a join notice here.
    fn go_to(&mut self, id: ConnId, own: UserId, room: RoomNo, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        if user.room == room {
            return self.who(id, None, out);
        }
        self.flush_notices_for(id, out);
        self.notify_leave(own, out);
        self.exit_room(id);
        if let Some(user) = self.users.get_mut(id) {
            user.arrival = Arrival::Announced;
        }
        self.enter_room(id, room, out);
        self.notify_move(own, out);
        if self.users.get(id).is_some_and(|user| !user.is_elsewhere()) {
            self.who(id, None, out);
            self.show_recent(id, out);
        }
    }

    /// The room of a user; of one who was cut off, the one to come back to, if it is still there.
    pub(super) fn room_of(&self, id: UserId) -> Option<RoomNo> {
        let user = self.users.by_id(id)?;
        if user.conn().is_some() {
            return Some(user.room);
        }
        self.rooms.find(&self.users.extras(user)?.detached.as_ref()?.room)
    }

    /// The same for what a user has said: the room is created for it, if one more may be.
    pub(super) fn room_to_speak_in(&mut self, id: UserId) -> Option<RoomNo> {
        let user = self.users.by_id(id)?;
        if user.conn().is_some() {
            return Some(user.room);
        }
        let name = self.users.extras(user)?.detached.as_ref()?.room.clone();
        self.room_again(&name)
    }

    pub(super) fn enter_room(&mut self, id: ConnId, room: RoomNo, out: &mut Outbox) {
        if self.rooms.get(room).is_almost_a_crowd() {
            // Crowds get no notices, so nothing may be pending when the room becomes one.
            self.flush_notices(room, out);
        }
        if let Some(user) = self.users.get_mut(id) {
            user.room = room;
            user.member_index = self.rooms.get_mut(room).add(id, user.group());
        }
        self.begin_notices(id, room);
    }

    pub(super) fn exit_room(&mut self, id: ConnId) {
        let Some(user) = self.users.get(id) else { return };
        let (room, member_index, group) = (user.room, user.member_index, user.group());
        self.batches.forget_reader(id);
        if let Some(moved) = self.rooms.get_mut(room).remove(member_index, group)
            && let Some(user) = self.users.get_mut(moved)
        {
            user.member_index = member_index;
        }
        if self.rooms.get(room).len() == 0 {
            self.drop_notices(room);
            self.rooms.drop_if_done_with(room);
        }
    }

    /// Changes a user's group, and moves them to that group's member list.
    pub(super) fn regroup(&mut self, id: ConnId, change: impl FnOnce(&mut User)) {
        let Some(user) = self.users.get_mut(id) else { return };
        let (room, member_index, old) = (user.room, user.member_index, user.group());
        change(user);
        let room = self.rooms.get_mut(room);
        user.member_index = room.add(id, user.group());
        if let Some(moved) = room.remove(member_index, old)
            && let Some(user) = self.users.get_mut(moved)
        {
            user.member_index = member_index;
        }
    }
}
