//! The bus: what others must know leaves the chat as an operation, and takes effect when it comes
//! back, in one order for all. A command decides whether its user may do it; what it does is in
//! the files of what it is about. By default there is nothing in between, and it takes effect at
//! once.
//!
//! Otherwise speech goes on while more of it is under way. Whatever else a connection asks for
//! waits until its own operations are back, and so does the end of its input: it reads the same as
//! if they were in force at once.

use super::operation::{Effect, Operation};
use super::password::wipe;
use super::settings::Bus;
use super::state::Chat;
use super::user_id::UserId;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;
use crate::net::service::Service;

/// For the owner of a chat whose operations are carried ([`Bus::Carried`]).
impl Chat {
    /// The next operation that is to be carried: to whoever else takes part, and back. Ask after
    /// each call of the chat.
    pub fn next_operation(&mut self) -> Option<Operation> {
        self.under_way.next()
    }

    /// An operation is back, and takes effect. Each has to come back once, in the one order that
    /// all agree on; those of one user in the order in which they were given out.
    pub fn apply(&mut self, operation: Operation, out: &mut Outbox) {
        let Operation { by, via, effect } = operation;
        // They may have resumed as another user meanwhile.
        self.take_effect(self.resumed.now(by), effect, out);
        let Some(id) = via else { return };
        let Some(mut line) = self.under_way.finish(id) else { return };
        // What was kept may make it wait again.
        out.resume_reading(id);
        if !line.is_empty() && out.is_open(id) {
            self.on_line(id, &line, out);
        }
        wipe(&mut line);
    }
}

impl Chat {
    /// The user of a connection does what others must know.
    pub(super) fn publish(&mut self, id: ConnId, effect: Effect<'_>, out: &mut Outbox) {
        if let Some(by) = self.users.id(id) {
            self.publish_by(by, effect, out);
        }
    }

    /// The same for one who may have no connection.
    pub(super) fn publish_by(&mut self, by: UserId, effect: Effect<'_>, out: &mut Outbox) {
        if self.settings.bus == Bus::AtOnce {
            return self.take_effect(by, effect, out);
        }
        let via = self.users.conn(by);
        let lets_speak = effect.lets_speak();
        let is_much = self.under_way.add(Operation { by, via, effect: effect.into_owned() });
        if let Some(id) = via.filter(|_| is_much || !lets_speak) {
            out.pause_reading(id);
        }
    }

    fn take_effect(&mut self, by: UserId, effect: Effect<'_>, out: &mut Outbox) {
        match effect {
            Effect::Connect => self.notify_connection(by, out),
            Effect::Say(kind, text) => self.said(by, kind, &text, out),
            Effect::Whisper { to, text, copy } => self.whispered(by, &to, &text, copy, out),
            Effect::Join(room) => self.joined(by, &room, out),
            Effect::Name { name, by: how, logged_in } => {
                self.named(by, &name, how, logged_in, out);
            }
            Effect::Resume { key, seq, epoch } => self.resumed(by, key, seq, epoch, out),
            Effect::Leave => self.left(by, out),
            Effect::Kick(target, why) => self.kicked(by, &target, &why, out),
            Effect::Mute(target, until) => self.muted(by, &target, until, out),
            Effect::Unmute(name) => self.unmuted(by, &name, out),
            Effect::Announce(text) => self.announced(by, &text, out),
        }
    }
}
