//! Operators' commands on users, bans and the server. All are logged, except queries.
//!
//! What has to be persisted is sent as a [`Request`], and takes effect once it is answered. Until
//! then only the operator's own further lines wait.

mod bans;
mod mutes;

use std::fmt::Display;

use jiff::Timestamp;
use log::warn;

use super::commands::OperatorCommand;
use super::operation::{Decision, Effect, Target};
use super::reply::{self, Reply};
use super::request::{Persisted, Request};
use super::room::RoomNo;
use super::state::Chat;
use super::time::timestamp;
use super::user::User;
use super::user_id::UserId;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

impl Chat {
    /// Replaces the bans and accounts by the persisted ones: at the start and after a reload.
    pub fn restore(&mut self, persisted: Persisted) {
        self.bans = persisted.bans;
        self.accounts.replace(persisted.accounts);
        self.review_accounts();
    }

    /// Carries out a command that the user was found to have.
    pub(super) fn operator_command(
        &mut self,
        id: ConnId,
        command: OperatorCommand<'_>,
        out: &mut Outbox,
    ) {
        match command {
            OperatorCommand::Kick(name, why) => self.kick(id, name, why, out),
            OperatorCommand::Ban(target, time, why) => self.ban(id, target, time, why, out),
            OperatorCommand::Unban(target) => self.unban(id, target, out),
            OperatorCommand::Bans => self.list_bans(id, out),
            OperatorCommand::Mute(name, time) => self.mute(id, name, time, out),
            OperatorCommand::Unmute(name) => self.publish(id, Effect::Unmute(name.into()), out),
            OperatorCommand::Announce(text) => self.publish(id, Effect::Announce(text.into()), out),
            OperatorCommand::Reload => self.request(id, Request::Reload, out),
            OperatorCommand::Shutdown(why) => self.shut_down(id, why),
            OperatorCommand::ShutdownAll(why) => {
                warn!(by = self.operator_name(id), reason = why; "shutdown_of_all");
                self.publish(id, Effect::Shutdown(why.into()), out);
            }
            OperatorCommand::Upgrade => self.upgrade(id, out),
            OperatorCommand::Whois(name) => self.whois(id, name, out),
            OperatorCommand::NoTime(word) => self.reply(id, reply::no_time(word), out),
        }
    }

    /// The operator's name in notices. Without one of their own it is `op`, which is too short
    /// for any user's name.
    pub(super) fn operator_name(&self, id: ConnId) -> String {
        shown_operator(self.users.get(id))
    }

    /// The same for a user who may have no connection.
    fn operator_name_of(&self, id: UserId) -> String {
        shown_operator(self.users.by_id(id))
    }

    /// The connected user of this name. If there is none, the operator is told.
    fn target<'a>(&mut self, id: ConnId, name: &'a str, out: &mut Outbox) -> Option<Target<'a>> {
        let user = self.users.find(name).and_then(|(target, _)| self.users.id(target));
        if user.is_none() {
            self.reply(id, reply::no_one_called(name), out);
        }
        Some(Target { user: user?, name: name.into() })
    }

    fn kick(&mut self, id: ConnId, name: &str, why: &str, out: &mut Outbox) {
        if let Some(target) = self.target(id, name, out) {
            self.publish(id, Effect::Kick(target, why.into()), out);
        }
    }

    /// A user is disconnected.
    pub(super) fn kicked(&mut self, id: UserId, target: &Target<'_>, why: &str, out: &mut Outbox) {
        let user = self.users.by_id(self.resumed.now(target.user));
        let Some((user, conn)) = user.and_then(|user| Some((user, user.conn()?))) else {
            return self.reply_to(id, reply::no_one_called(&target.name), out);
        };
        let (room, name) = (user.room, user.shown().to_string());
        if user.is_elsewhere() && self.is_cut_off() {
            return self.reply_to(id, reply::out_of_reach(&name), out);
        }
        let by = self.operator_name_of(id);
        warn!(by, name, conn = conn.serial(), reason = why; "kicked");
        let kicked = || reply::kicked(&name, &by, why);
        self.notify_room(room, self.users.conn(id), kicked(), out);
        self.reply_to(id, kicked(), out);
        self.expel(conn, &kicked().text.to_string(), out);
    }

    /// An operator's announcement reaches all rooms.
    pub(super) fn announced(&mut self, id: UserId, text: &str, how: &Decision, out: &mut Outbox) {
        let by = self.operator_name_of(id);
        warn!(by, text; "announced");
        let rooms: Vec<RoomNo> = self.rooms.numbers().collect();
        for room in rooms {
            self.notify_room(room, None, reply::announcement(&by, text), out);
        }
        self.reply_if_cut_off(id, "has heard that", how, out);
    }

    fn shut_down(&mut self, id: ConnId, why: &str) {
        warn!(by = self.operator_name(id), reason = why; "shutdown");
        self.begin_shutdown(why);
    }

    pub(super) fn begin_shutdown(&mut self, why: &str) {
        why.clone_into(&mut self.farewell);
        self.is_shutdown_wanted = true;
    }

    fn upgrade(&mut self, id: ConnId, out: &mut Outbox) {
        warn!(by = self.operator_name(id); "upgrade");
        self.upgrades.ask(id);
        self.reply(id, reply::upgrading(), out);
    }

    fn whois(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        let Some((target, user)) = self.users.find(name) else {
            return self.reply(id, reply::no_one_called(name), out);
        };
        let name = user.shown().to_string();
        let mut marks = format!(", in {}", self.rooms.get(user.room).name());
        let mute = self.users.mute(target);
        let is_muted = mute.is_some_and(|mute| !mute.is_over(timestamp(out.now())));
        for (mark, is_so) in [(", operator", self.is_operator(user)), (", muted", is_muted)] {
            marks.push_str(if is_so { mark } else { "" });
        }
        if let Some(node) = self.users.id(target).and_then(|id| self.node_of(id)) {
            return self.reply(id, reply::whois_elsewhere(&name, &node, &marks), out);
        }
        let idle =
            self.users.last_activity(target).map(|at| out.now().monotonic.duration_since(at));
        let (addr, queued) = (self.users.addr(target), out.queued(target));
        let idle = idle.unwrap_or_default();
        self.reply(id, reply::whois(&name, addr, idle, queued, &marks), out);
    }

    /// Sends a notice to a room, except to one member perhaps.
    pub(super) fn notify_room<T: Display>(
        &mut self,
        room: RoomNo,
        but: Option<ConnId>,
        reply: Reply<T>,
        out: &mut Outbox,
    ) {
        self.flush_notices(room, out);
        let wants = |to| Some(to) != but;
        self.renderer.notify_room(self.rooms.get(room), reply, wants, out);
    }

    /// ` until 2026-11-21 15:17 UTC`; nothing, if it is for good.
    fn until(&self, until: Option<Timestamp>) -> String {
        let Some(until) = until else { return String::new() };
        until.to_zoned(self.settings.zone.clone()).strftime(" until %Y-%m-%d %H:%M %Z").to_string()
    }

    /// As [`Chat::until`], but ` for good` where there is no end.
    fn term(&self, until: Option<Timestamp>) -> String {
        if until.is_some() { self.until(until) } else { " for good".to_owned() }
    }
}

fn shown_operator(user: Option<&User>) -> String {
    let named = user.filter(|user| user.is_named());
    named.map_or_else(|| "op".to_owned(), |user| user.shown().to_string())
}
