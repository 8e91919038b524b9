//! What operators do: to users, to who may come in, to the server. All of it is logged, but
//! not what they only look at.
//!
//! What has to be kept is asked for as a [`Request`], and is in force once it is answered;
//! until then the operator's further lines wait, and nobody else's do.

mod bans;
mod command;
mod mutes;
mod reply;

use std::time::Duration;

use jiff::Timestamp;
use log::warn;

use super::Chat;
use super::dialect::{Event, Kind};
use super::reply::Reply;
use super::request::{Persisted, Request};
use super::room::RoomNo;
use super::{millis, tell};
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;
use crate::net::timeouts::Now;
use command::OperatorCommand;
pub(super) use command::{HELP, TABLE};
pub(super) use mutes::{Mute, Mutes};
pub(super) use reply::OperatorReply;

impl Chat {
    /// Puts in force what is kept, in place of what was: before anybody has come, and after a
    /// reload.
    pub fn restore(&mut self, kept: Persisted) {
        self.bans = kept.bans;
        self.accounts.replace(kept.accounts);
        self.review_accounts();
    }

    /// A line that is none of everybody's commands: perhaps it is an operator's. False if
    /// it is not.
    pub(super) fn operator_command(&mut self, id: ConnId, line: &str, out: &mut Outbox) -> bool {
        if !self.users.get(id).is_some_and(|user| self.is_operator(user)) {
            return false;
        }
        match OperatorCommand::parse(line) {
            None => return false,
            Some(Ok(operation)) => self.perform(id, operation, out),
            Some(Err(mistake)) => self.refuse_line(id, mistake, out),
        }
        true
    }

    fn perform(&mut self, id: ConnId, operation: OperatorCommand<'_>, out: &mut Outbox) {
        match operation {
            OperatorCommand::Kick(name, why) => self.kick(id, name, why, out),
            OperatorCommand::Ban(target, time, why) => self.ban(id, target, time, why, out),
            OperatorCommand::Unban(target) => self.unban(id, target, out),
            OperatorCommand::Bans => self.list_bans(id, out),
            OperatorCommand::Mute(name, time) => self.mute(id, name, time, out),
            OperatorCommand::Unmute(name) => self.unmute(id, name, out),
            OperatorCommand::Announce(text) => self.announce_to_all(id, text, out),
            OperatorCommand::Reload => self.request(id, Request::Reload, out),
            OperatorCommand::Shutdown(why) => self.shut_down(id, why),
            OperatorCommand::Whois(name) => self.whois(id, name, out),
            OperatorCommand::HelpOn(entry) => self.reply(id, Reply::HelpOn(entry), out),
        }
    }

    /// An operator as others are told: whoever has taken no name is `op`, which is too
    /// short for anybody's.
    pub(super) fn operator_name(&self, id: ConnId) -> String {
        let named = self.users.get(id).filter(|user| user.is_named());
        named.map_or_else(|| "op".to_owned(), |user| user.shown().to_string())
    }

    fn kick(&mut self, id: ConnId, name: &str, why: &str, out: &mut Outbox) {
        let Some(target) = self.users.find(name) else {
            return self.reply(id, Reply::NoOneCalled(name), out);
        };
        let (target, room, name) = (target.id, target.room, target.shown().to_string());
        let by = self.operator_name(id);
        warn!(by, name, conn = target.serial(), reason = why; "kicked");
        let act = OperatorReply::Kicked { name: &name, by: &by, why };
        self.tell_room(room, Some(id), act, out);
        self.reply(id, Reply::OperatorReply(act), out);
        self.disconnect(target, out);
    }

    fn announce_to_all(&mut self, id: ConnId, text: &str, out: &mut Outbox) {
        let by = self.operator_name(id);
        warn!(by, text; "announced");
        let rooms: Vec<RoomNo> = self.rooms.numbers().collect();
        for room in rooms {
            self.tell_room(room, None, OperatorReply::Announcement { by: &by, text }, out);
        }
    }

    fn shut_down(&mut self, id: ConnId, why: &str) {
        warn!(by = self.operator_name(id), reason = why; "shutdown");
        why.clone_into(&mut self.farewell);
        self.is_shutdown_wanted = true;
    }

    fn whois(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        let Some(user) = self.users.find(name) else {
            return self.reply(id, Reply::NoOneCalled(name), out);
        };
        let name = user.shown().to_string();
        let mut marks = format!(", in {}", self.rooms.get(user.room).name());
        let mute = user.extras().and_then(|more| more.mute);
        let is_muted = mute.is_some_and(|mute| !mute.is_over(timestamp(out.now())));
        for (mark, is_so) in [(", operator", self.is_operator(user)), (", muted", is_muted)] {
            marks.push_str(if is_so { mark } else { "" });
        }
        let idle = self.users.heard(user.id).map(|at| out.now().monotonic.duration_since(at));
        let act = OperatorReply::Whois {
            name: &name,
            addr: self.users.addr(user.id),
            idle: idle.unwrap_or_default(),
            queued: out.queued(user.id),
            marks: &marks,
        };
        self.reply(id, Reply::OperatorReply(act), out);
    }

    /// Tells everybody in a room, but for one perhaps.
    fn tell_room(
        &mut self,
        room: RoomNo,
        but: Option<ConnId>,
        act: OperatorReply<'_>,
        out: &mut Outbox,
    ) {
        self.flush_notices(room, out);
        let (text, code) = (act.to_string(), Some(act.code()));
        let event = Event { text: Some(&text), code, ..Event::new(Kind::Notice, millis(out)) };
        tell(self.rooms.get(room), &mut self.line, &event, |to| Some(to) != but, out);
    }

    /// ` until 2026-11-21 15:17 UTC`; nothing, if it is for good.
    fn until(&self, until: Option<Timestamp>) -> String {
        let Some(until) = until else { return String::new() };
        until.to_zoned(self.settings.zone.clone()).strftime(" until %Y-%m-%d %H:%M %Z").to_string()
    }

    /// The same for who has to know that it is for good.
    fn term(&self, until: Option<Timestamp>) -> String {
        if until.is_some() { self.until(until) } else { " for good".to_owned() }
    }
}

/// When a time is over that begins now, in whole seconds, the last of which counts.
pub(super) fn end(now: Timestamp, time: Duration) -> Option<Timestamp> {
    let begun = now.as_second() + i64::from(now.subsec_nanosecond() > 0);
    Timestamp::from_second(begun.checked_add(i64::try_from(time.as_secs()).ok()?)?).ok()
}

/// The time of the turn, by the calendar.
pub(super) fn timestamp(now: Now) -> Timestamp {
    // The calendar ends with the year 9999.
    Timestamp::try_from(now.wall).unwrap_or(Timestamp::MAX)
}
