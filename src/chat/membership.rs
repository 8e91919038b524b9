//! Where users are, how they are called, and how they come and go.

use log::info;

use super::accounts::AccountReply;
use super::dialect::{Event, Kind};
use super::name::{self, Unfit};
use super::operators::{OperatorReply, timestamp};
use super::reply::Reply;
use super::request::Naming;
use super::room::RoomNo;
use super::users::{Arrival, Stage, User};
use super::{Chat, Dialect, millis, send};
use crate::net::conn::ConnId;
use crate::net::line::Ending;
use crate::net::outbox::Outbox;

impl Chat {
    /// A newcomer has had its time: whoever has said nothing is a person, and greeted.
    /// Returns whether it is.
    pub(super) fn greet(&mut self, id: ConnId, out: &mut Outbox) -> bool {
        let Some(user) = self.users.get(id) else { return false };
        let Stage::Silent { ending_seen } = user.stage else { return false };
        if user.format.dialect != Dialect::Native {
            return false;
        }
        // Who waits is a person at a terminal, which may be a raw one.
        if !ending_seen {
            self.regroup(id, |user| user.format.ending = Ending::CrLf);
        }
        let motd = self.settings.motd.lines();
        if motd.is_empty() {
            self.reply(id, Reply::Greeting("Welcome."), out);
        }
        for line in &motd {
            self.reply(id, Reply::Greeting(line), out);
        }
        self.who(id, None, out);
        if self.show_recent(id, out) {
            self.reply(id, Reply::KeptInMemory, out);
        }
        let name = self.users.get(id).map(|user| user.shown().to_string()).unwrap_or_default();
        self.reply(id, Reply::YouAre(&name), out);
        self.set_notices(id, true, out);
        true
    }

    /// A program is told at once where it is and how it is called.
    pub(super) fn say_hello(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let event = Event {
            room: Some(self.rooms.get(user.room).name()),
            to: Some(self.users.person(user)),
            ..Event::new(Kind::Hello, millis(out))
        };
        send(user, &mut self.line, &event, out);
    }

    /// Tells somebody why a name cannot be had by anybody, and whether that is so.
    pub(super) fn refuse_if_unfit(&mut self, id: ConnId, name: &str, out: &mut Outbox) -> bool {
        let reply = match name::check(name) {
            Ok(()) => return false,
            Err(Unfit::Shape(why)) => Reply::NameUnfit(why),
            Err(Unfit::Reserved) => Reply::NameReserved(name),
        };
        self.reply(id, reply, out);
        true
    }

    pub(super) fn rename(&mut self, id: ConnId, name: &str, by: Naming, out: &mut Outbox) {
        if self.refuse_if_unfit(id, name, out) || self.refuse_if_muted(id, out) {
            return;
        }
        let now = timestamp(out.now());
        if self.bans.has_name(name, now) {
            return self.reply(id, Reply::OperatorReply(OperatorReply::NameBanned(name)), out);
        }
        let is_own = self.users.find(name).is_some_and(|owner| owner.id == id);
        if let Some(account) = self.accounts.get(name).filter(|own| !is_own && !own.is_over(now)) {
            let name = account.name.clone();
            return self.reply(id, Reply::AccountReply(AccountReply::Protected(&name)), out);
        }
        let owner = self.users.find(name).filter(|owner| owner.id != id);
        let owner = owner.map(|owner| owner.shown().to_string());
        if let Some(owner) = owner.or_else(|| self.seats.holder_of(name).map(str::to_owned)) {
            return self.reply(id, Reply::NameTaken(&owner), out);
        }
        self.take_name(id, name, by, out);
    }

    /// Has somebody bear a name that is free, or its own.
    pub(super) fn take_name(&mut self, id: ConnId, name: &str, by: Naming, out: &mut Outbox) {
        let done = match by {
            Naming::Nick => Reply::Renamed(name),
            Naming::Register => Reply::Registered(name),
        };
        let is_respelled = self.users.find(name).is_some();
        let Some(old) = self.users.rename(id, name) else { return };
        info!(conn = id.serial(), name, was:% = old.shown(); "named");
        self.take_up_mute(id, name);
        if is_respelled {
            return self.reply(id, done, out);
        }
        if self.is_told_of_own_name(id) {
            self.tell_own_name(id, old.shown(), out);
        } else {
            self.reply(id, done, out);
        }
        self.tell_rename(id, old.shown(), out);
    }

    /// In the tutorial's chat everybody reads of a new name, its bearer too.
    fn is_told_of_own_name(&self, id: ConnId) -> bool {
        let is_told = |user: &User| {
            user.format.dialect == Dialect::Tutorial
                && user.notices
                && !self.rooms.get(user.room).is_crowd()
        };
        self.users.get(id).is_some_and(is_told)
    }

    pub(super) fn join(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        if let Err(why) = name::check_room(name) {
            return self.reply(id, Reply::RoomUnfit(why), out);
        }
        match self.room_for(id, name, out) {
            Some(room) => self.go_to(id, room, out),
            None if self.refuse_if_muted(id, out) => {}
            None => self.reply(id, Reply::RoomsFull(self.settings.rooms_max), out),
        }
    }

    /// The room of this name, made if there is none; but not for the muted, since everybody
    /// reads what it is called.
    pub(super) fn room_for(&mut self, id: ConnId, name: &str, out: &Outbox) -> Option<RoomNo> {
        if self.is_muted(id, out) {
            return self.rooms.find(name);
        }
        self.rooms.find_or_make(name, self.settings.rooms_max)
    }

    /// Leaves one room for another: a departure there, an arrival here.
    pub(super) fn go_to(&mut self, id: ConnId, room: RoomNo, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        if user.room == room {
            return self.who(id, None, out);
        }
        self.settle_notices(id, out);
        self.tell_departure(id, out);
        self.exit_room(id);
        if let Some(user) = self.users.get_mut(id) {
            user.arrival = Arrival::Announced;
        }
        self.enter_room(id, room, out);
        self.tell_move(id, out);
        self.who(id, None, out);
        self.show_recent(id, out);
    }

    pub(super) fn enter_room(&mut self, id: ConnId, room: RoomNo, out: &mut Outbox) {
        if self.rooms.get(room).is_almost_a_crowd() {
            // In a crowd nothing is gathered, and nobody has to be kept apart from what was.
            self.flush_notices(room, out);
        }
        if let Some(user) = self.users.get_mut(id) {
            let place = self.rooms.get_mut(room);
            user.room = room;
            user.place = place.add(id, user.group());
        }
        self.begin_notices(id, room);
    }

    pub(super) fn exit_room(&mut self, id: ConnId) {
        let Some(user) = self.users.get(id) else { return };
        let (room, place, group) = (user.room, user.place, user.group());
        self.gathered.forget_reader(id);
        if let Some(moved) = self.rooms.get_mut(room).remove(place, group)
            && let Some(user) = self.users.get_mut(moved)
        {
            user.place = place;
        }
        if self.rooms.get(room).len() == 0 {
            self.drop_notices(room);
            self.rooms.drop_if_done_with(room);
        }
    }

    /// Changes a user's group, and with it the list that they are in.
    pub(super) fn regroup(&mut self, id: ConnId, change: impl FnOnce(&mut User)) {
        let Some(user) = self.users.get_mut(id) else { return };
        let (room, place, old) = (user.room, user.place, user.group());
        change(user);
        let room = self.rooms.get_mut(room);
        user.place = room.add(id, user.group());
        if let Some(moved) = room.remove(place, old)
            && let Some(user) = self.users.get_mut(moved)
        {
            user.place = place;
        }
    }
}
