//! Renders events and replies into the [`Outbox`], in the formats of those they are for. An event
//! for many is rendered once a format.

use std::fmt::{Display, Write};
use std::mem;

use super::dialect::{Buffer, Event, Kind};
use super::reply::Reply;
use super::room::{Group, Room};
use super::time::millis;
use super::user::User;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;
use crate::net::shared_log::LogId;

/// The buffers that everything is rendered in.
#[derive(Default)]
pub(super) struct Renderer {
    line: Buffer,
    /// The text of a reply.
    words: String,
}

impl Renderer {
    /// Sends an event to one user.
    pub(super) fn send(&mut self, user: &User, event: &Event<'_>, out: &mut Outbox) {
        if let Some(conn) = user.conn().filter(|_| !user.is_elsewhere()) {
            out.send(conn, user.format.render(event, &mut self.line));
        }
    }

    /// Sends a reply to one user.
    pub(super) fn reply<T: Display>(&mut self, user: &User, reply: Reply<T>, out: &mut Outbox) {
        let Reply { kind, code, text } = reply;
        self.spell(text);
        let words = mem::take(&mut self.words);
        self.send(user, &event(&words, code, kind, out), out);
        self.words = words;
    }

    /// Sends one user a line of history. Programs get the original event; people get a line that
    /// begins with `time`.
    pub(super) fn recall(&mut self, user: &User, time: &str, event: &Event<'_>, out: &mut Outbox) {
        if let Some(conn) = user.conn() {
            let format = user.format.in_history();
            out.send(conn, format.render_behind(time, event, &mut self.line));
        }
    }

    /// Sends one user a line of the room that is different for the others. It is shed for a slow
    /// consumer, as theirs is.
    pub(super) fn send_aside(&mut self, user: &User, event: &Event<'_>, out: &mut Outbox) {
        if let Some(conn) = user.conn() {
            // In the room's log it would break the contiguity of lines that are for everybody.
            let log = LogId::of(conn.slot());
            out.send_all(log, [conn], user.format.render(event, &mut self.line));
        }
    }

    /// Sends an event to the members of a room that `wants` selects.
    pub(super) fn send_room(
        &mut self,
        room: &Room,
        event: &Event<'_>,
        wants: impl Fn(ConnId) -> bool,
        out: &mut Outbox,
    ) {
        for (group, members) in room.lists() {
            let to = members.iter().copied().filter(|id| wants(*id));
            self.send_group(room, group, event, to, out);
        }
    }

    /// Sends a reply as a notice to the members of a room that `wants` selects.
    pub(super) fn notify_room<T: Display>(
        &mut self,
        room: &Room,
        reply: Reply<T>,
        wants: impl Fn(ConnId) -> bool,
        out: &mut Outbox,
    ) {
        let Reply { code, text, .. } = reply;
        self.spell(text);
        let words = mem::take(&mut self.words);
        let event = event(&words, code, Kind::Notice, out);
        self.send_room(room, &event, wants, out);
        self.words = words;
    }

    /// Sends an event to some members of one group.
    pub(super) fn send_group(
        &mut self,
        room: &Room,
        group: Group,
        event: &Event<'_>,
        to: impl Iterator<Item = ConnId>,
        out: &mut Outbox,
    ) {
        out.send_all(room.log_id(group), to, group.format.render(event, &mut self.line));
    }

    fn spell(&mut self, text: impl Display) {
        self.words.clear();
        write!(self.words, "{text}").expect("a String takes everything");
    }
}

fn event<'a>(text: &'a str, code: &'static str, kind: Kind, out: &Outbox) -> Event<'a> {
    Event { text: Some(text), code: Some(code), ..Event::new(kind, millis(out)) }
}
