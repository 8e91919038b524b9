//! Messages: what users say to a room or to one another, and the history of it.

use std::fmt::Write;

use jiff::Timestamp;

use super::dialect::{Dialect, Event, Kind, LineNumber, Person};
use super::history::{Bounds, Line};
use super::name::Shown;
use super::operation::{Decision, Effect, Target};
use super::reply;
use super::room::{RoomNo, Rooms};
use super::settings::Settings;
use super::state::Chat;
use super::time::millis;
use super::user::User;
use super::user_id::UserId;
use crate::cluster::Outcome;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

/// Lines of history shown to a user who enters a room.
const RECENT: usize = 10;

impl Chat {
    /// A message to the room.
    pub(super) fn say(&mut self, id: ConnId, kind: Kind, text: &str, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        if self.settings.require_name && !user.is_named() {
            return self.reply(id, reply::name_required(), out);
        }
        if !self.refuse_if_muted(id, out) {
            self.publish(id, Effect::Say(kind, text.into()), out);
        }
    }

    /// A message is said. The speaker gets a copy, unless they turned echo off. What only this
    /// server knows has no number, and is not kept.
    pub(super) fn said(
        &mut self,
        by: UserId,
        kind: Kind,
        text: &str,
        how: &Decision,
        out: &mut Outbox,
    ) {
        // In a cluster this check is left out: the line has its number already, and other nodes may
        // know of a topic.
        let is_alone = matches!(how, Decision::Here);
        if is_alone && (kind, text) == (Kind::Topic, "") && !self.has_topic(by) {
            return self.reply_to(by, reply::no_topic(), out);
        }
        if let Some(room) = self.room_to_speak_in(by) {
            self.announce(by, out);
            self.say_in(room, (by, None), (kind, text), how, out);
        }
    }

    /// The same in this room. `speaker` is given if the user looked different when they said it.
    pub(super) fn say_in(
        &mut self,
        room: RoomNo,
        (by, speaker): (UserId, Option<Person<'_>>),
        (kind, text): (Kind, &str),
        how: &Decision,
        out: &mut Outbox,
    ) {
        self.flush_notices(room, out);
        if matches!(how, Decision::CutOff) {
            self.note_unheard();
        } else {
            self.rooms.get_mut(room).note_topic(kind, text);
        }
        let user = self.users.by_id(by);
        let speaker = speaker.or_else(|| user.map(|user| self.users.person(user)));
        let Some(speaker) = speaker else { return };
        let at = if let Decision::Log { at, .. } = how { *at } else { millis(out) };
        let conn = user.and_then(User::conn);
        let line = Line { speaker: by, name: speaker.name, kind, text, at };
        let number = keep(&mut self.rooms, room, line, how, &self.settings);
        let room = self.rooms.get(room);
        let event = Event {
            number,
            room: Some(room.name()),
            from: Some(speaker),
            text: Some(text),
            ..Event::new(kind, at)
        };
        let wants_echo = user.is_none_or(|user| user.echo) || kind == Kind::Topic;
        match user.and_then(|user| self.users.ignored_by(user)) {
            None if wants_echo => self.renderer.send_room(room, &event, |_| true, out),
            None => self.renderer.send_room(room, &event, |to| Some(to) != conn, out),
            Some(ignored_by) => {
                let ignores = |to| self.users.id(to).is_some_and(|to| ignored_by.contains(&to));
                let wants = |to| (Some(to) != conn || wants_echo) && !ignores(to);
                self.renderer.send_room(room, &event, wants, out);
            }
        }
    }

    /// A line of somebody who was replaced is not said: it would stand under a name that is
    /// another's by now. The room is told, since its number is missing.
    pub(super) fn leave_out(&mut self, room: &str, how: &Decision, out: &mut Outbox) {
        let Some(room) = self.rooms.find(room) else { return };
        if keep_number(&mut self.rooms, room, how, &self.settings) {
            self.notify_room(room, None, reply::line_left_out(), out);
        }
    }

    /// An empty text clears it.
    pub(super) fn set_topic(&mut self, id: ConnId, text: &str, out: &mut Outbox) {
        if !self.refuse_if_muted(id, out) {
            self.say(id, Kind::Topic, text, out);
        }
    }

    fn has_topic(&self, id: UserId) -> bool {
        self.room_of(id).is_some_and(|room| self.rooms.get(room).topic.is_some())
    }

    pub(super) fn show_topic(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        match self.rooms.get(user.room).topic.clone() {
            Some(topic) => self.reply(id, reply::topic(&topic), out),
            None => self.reply(id, reply::no_topic(), out),
        }
    }

    /// A private message. `/msg` sends the sender a copy; `SEND` does not.
    pub(super) fn send_to(
        &mut self,
        id: ConnId,
        name: &str,
        text: &str,
        copy: bool,
        out: &mut Outbox,
    ) {
        match self.users.find(name).and_then(|(to, _)| self.users.id(to)) {
            Some(user) => self.whisper(id, Target { user, name: name.into() }, text, copy, out),
            None => self.reply(id, reply::no_one_called(name), out),
        }
    }

    pub(super) fn write_back(&mut self, id: ConnId, text: &str, out: &mut Outbox) {
        let writer = self.users.get(id).and_then(|user| self.users.extras(user)?.writer);
        // By their id: their name may be another user's by now.
        let writer = writer.map(|writer| self.resumed.now(writer));
        match writer.filter(|writer| self.users.conn(*writer).is_some()) {
            Some(user) => self.whisper(id, Target { user, name: "".into() }, text, true, out),
            None => self.reply(id, reply::no_one_wrote(), out),
        }
    }

    fn whisper(&mut self, id: ConnId, to: Target<'_>, text: &str, copy: bool, out: &mut Outbox) {
        if !self.refuse_if_muted(id, out) {
            self.publish(id, Effect::Whisper { to, text: text.into(), copy }, out);
        }
    }

    /// A private message is delivered, unless its target has left or does not read.
    pub(super) fn whispered(
        &mut self,
        by: UserId,
        to: &Target<'_>,
        text: &str,
        copy: bool,
        out: &mut Outbox,
    ) {
        let other = self.resumed.now(to.user);
        let target = self.users.by_id(other).and_then(|user| Some((user, user.conn()?)));
        let Some((target, conn)) = target else {
            return match &*to.name {
                "" => self.reply_to(by, reply::no_one_wrote(), out),
                name => self.reply_to(by, reply::no_one_called(name), out),
            };
        };
        let is_out_of_reach = target.is_elsewhere() && self.is_cut_off();
        if out.is_stuck(conn) || is_out_of_reach {
            let name = target.shown().to_string();
            return if is_out_of_reach {
                self.reply_to(by, reply::out_of_reach(&name), out);
            } else {
                self.reply_not_reading(by, &name, out);
            };
        }
        let is_ignored = self.users.ignores(target, by);
        if other != by && !is_ignored {
            self.announce(by, out);
        }
        let people = (self.users.by_id(by), self.users.by_id(other));
        let (Some(sender), Some(target)) = people else { return };
        let event = Event {
            from: Some(self.users.person(sender)),
            to: Some(self.users.person(target)),
            text: Some(text),
            ..Event::new(Kind::Private, millis(out))
        };
        if !is_ignored {
            self.renderer.send(target, &event, out);
        }
        if copy && other != by {
            self.renderer.send(sender, &Event { kind: Kind::Copy, ..event }, out);
        }
        self.reply_if_away(by, (other, conn), out);
        if !is_ignored && let Some(extras) = self.users.extras_mut(other) {
            extras.writer = Some(by);
        }
    }

    /// Replies with the text of a user who is away. It is a message of theirs, so it is hidden like
    /// others.
    fn reply_if_away(&mut self, by: UserId, (other, conn): (UserId, ConnId), out: &mut Outbox) {
        let (Some(sender), Some(target)) = (self.users.by_id(by), self.users.by_id(other)) else {
            return;
        };
        let is_hidden = self.users.ignores(sender, other) || self.is_muted(conn, out);
        let away = self.users.extras(target).and_then(|extras| extras.away.clone());
        if let Some(text) = away.filter(|_| !is_hidden) {
            let name = target.shown().to_string();
            self.reply_to(by, reply::is_away(&name, &text), out);
        }
    }

    pub(super) fn show_history(&mut self, id: ConnId, count: usize, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let history = self.rooms.get(user.room).history();
        let from = (history.last_seq() + 1).saturating_sub(count as u64);
        self.recall(id, from, out);
    }

    /// The last few lines of the room. Returns whether there were any.
    pub(super) fn show_recent(&mut self, id: ConnId, out: &mut Outbox) -> bool {
        self.show_history(id, RECENT, out);
        let room = self.users.get(id).map(|user| self.rooms.get(user.room));
        room.is_some_and(|room| !room.history().is_empty())
    }

    /// Shows the room's history from line `seq` on. Programs get the original events; people get
    /// lines with the time of day.
    pub(super) fn recall(&mut self, id: ConnId, seq: u64, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let room = self.rooms.get(user.room);
        let ignores = self.users.extras(user).map_or(&[][..], |extras| &extras.ignores);
        room.history().each_from(seq, |record| {
            if ignores.contains(&self.resumed.now(record.speaker)) {
                return;
            }
            // No format of history shows a number.
            let from = Person { name: Shown::Named(record.name), addr: None, number: 0 };
            let event = Event {
                number: Some(record.number),
                room: Some(room.name()),
                from: Some(from),
                text: Some(record.text),
                ..Event::new(record.kind, record.at)
            };
            let mut time = String::new();
            if user.format.dialect != Dialect::Json {
                let at = Timestamp::from_millisecond(record.at).unwrap_or_default();
                let at = at.to_zoned(self.settings.zone.clone());
                write!(time, "{} ", at.strftime("%H:%M")).expect("a String takes everything");
            }
            self.renderer.recall(user, &time, &event, out);
        });
    }
}

/// Keeps a line in its room's history. Returns its number, unless only this server knows of it.
pub(super) fn keep(
    rooms: &mut Rooms,
    room: RoomNo,
    line: Line<'_>,
    how: &Decision,
    settings: &Settings,
) -> Option<LineNumber> {
    let bounds = bounds(settings);
    match *how {
        Decision::Here => Some(rooms.history_mut(room, line.at).push(line, bounds)),
        Decision::Log { outcome: Outcome::Said { seq, epoch }, .. } => {
            let number = LineNumber { seq, epoch };
            if rooms.history_mut(room, epoch).go_on_at(number) {
                rooms.history_mut(room, epoch).push(line, bounds);
            }
            Some(number)
        }
        Decision::Log { .. } | Decision::CutOff => None,
    }
}

/// Uses up the number of a line that is not kept. Returns whether the log has given it one.
pub(super) fn keep_number(
    rooms: &mut Rooms,
    room: RoomNo,
    how: &Decision,
    settings: &Settings,
) -> bool {
    let Decision::Log { at, outcome: Outcome::Said { seq, epoch } } = *how else { return false };
    rooms.history_mut(room, epoch).leave_out(LineNumber { seq, epoch }, at, bounds(settings));
    true
}

fn bounds(settings: &Settings) -> Bounds {
    Bounds { lines: settings.history_lines, bytes: settings.history_bytes }
}
