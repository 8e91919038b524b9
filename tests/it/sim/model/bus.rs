//! The oracle of the bus: what others must know takes effect at once, or when it comes back, in
//! the order in which it was done.

use super::Model;
use super::format::Person;
use crate::sim::command::Command;
use crate::sim::journal::Line;

/// What others must know.
pub(super) struct Operation {
    /// Who it is of, by now.
    pub(super) by: usize,
    /// Whose further lines may have to wait for it.
    via: usize,
    pub(super) effect: Effect,
}

pub(super) enum Effect {
    Connect,
    Say(String),
    Whisper {
        to: usize,
        /// Unless it is to who wrote last.
        name: Option<String>,
        text: String,
    },
    Join(String),
    Name(String),
    Resume(String, Option<u64>, Option<i64>),
    Leave,
}

impl Model<'_> {
    pub(super) fn publish(&mut self, who: usize, effect: Effect) {
        if self.given.rules.has_bus {
            self.under_way.push_back(Operation { by: who, via: who, effect });
        } else {
            self.take_effect(who, effect);
        }
    }

    /// Whether a line waits for what its client has on the bus.
    pub(super) fn waits(&mut self, who: usize, command: &Command) -> bool {
        let is_speech = |effect: &Effect| matches!(effect, Effect::Connect | Effect::Say(..));
        let mut own = self.under_way.iter().filter(|operation| operation.via == who);
        assert!(own.all(|operation| is_speech(&operation.effect)), "#{who} is heard, and waits");
        let waits = !matches!(command, Command::Say(_)) && self.has_under_way(who);
        if waits {
            self.saw("a line waits for what was said");
        }
        waits
    }

    pub(super) fn has_under_way(&self, who: usize) -> bool {
        self.under_way.iter().any(|operation| operation.via == who)
    }

    /// The first of what is on the bus comes back.
    pub(super) fn event(&mut self, line: &Line) {
        let first = self.under_way.pop_front().expect("only what was done comes back");
        self.saw("an operation comes back");
        // Whoever has the user by now has not asked for it.
        if first.by == first.via
            || !matches!(first.effect, Effect::Resume(..) | Effect::Join(_) | Effect::Name(_))
        {
            self.take_effect(first.by, first.effect);
        }
        if self.has_under_way(first.via) {
            return;
        }
        let held = self.held.remove(&first.via);
        if let Some(bytes) = held.filter(|_| self.is_open(first.via)) {
            self.line(first.via, &Line { bytes, ..line.clone() });
        }
    }

    fn take_effect(&mut self, who: usize, effect: Effect) {
        let is_here = self.members.contains_key(&who);
        if !is_here {
            self.saw("comes back to one who was cut off");
        }
        match effect {
            Effect::Say(text) => self.said(who, &text),
            Effect::Whisper { to, name, text } => self.whispered(who, to, name.as_deref(), &text),
            Effect::Leave => self.left(who),
            _ if !is_here => {}
            Effect::Connect => self.tell_connection(who),
            Effect::Join(room) => self.joined(who, &room),
            Effect::Name(name) => self.named(who, &name),
            Effect::Resume(token, seq, epoch) => self.resumed(who, &token, seq, epoch),
        }
    }

    /// Who somebody is, and the name of the room that they are in, or were cut off from.
    pub(super) fn anybody(&self, who: usize) -> Option<(Person, String)> {
        if let Some(member) = self.members.get(&who) {
            return Some((member.person(), self.rooms.get(member.room).name.clone()));
        }
        let detached = self.sessions.iter().filter_map(|session| session.detached.as_ref());
        let detached = detached.map(|detached| (&detached.member, &detached.room));
        let leaving = self.leaving.iter().map(|(member, room)| (member, room));
        let (member, room) = detached.chain(leaving).find(|(member, _)| member.who == who)?;
        Some((member.person(), room.clone()))
    }
}
