//! The bus: everything that others must be told leaves the chat as an operation, and takes effect
//! when it comes back, in one order for all. A command decides whether its user may do it; the
//! effect is in the file of its subject. With one server there is nothing in between, and it takes
//! effect at once. Several servers have their log in between (`node.rs`).
//!
//! With a log in between, a connection may go on speaking while lines of its own are under way. Any
//! other command, and the end of its input, waits until its own operations are back: so the answers
//! are the ones that a single server would give.

use super::operation::{Decision, Effect, Operation};
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
        self.decided(operation, &Decision::Here, out);
    }
}

impl Chat {
    /// The user of a connection does what others must know.
    pub(super) fn publish(&mut self, id: ConnId, effect: Effect<'_>, out: &mut Outbox) {
        if let Some(by) = self.users.id(id) {
            self.publish_by(by, effect, out);
        }
    }

    /// The same for a user who may have no connection.
    pub(super) fn publish_by(&mut self, by: UserId, effect: Effect<'_>, out: &mut Outbox) {
        if self.settings.bus == Bus::AtOnce {
            return self.take_effect(by, effect, &Decision::Here, out);
        }
        if self.is_cut_off() {
            return self.take_effect(by, effect, &Decision::CutOff, out);
        }
        let via = self.users.conn(by);
        let lets_speak = effect.lets_speak();
        let is_much = self.under_way.add(Operation::new(by, via, effect));
        if let Some(id) = via.filter(|_| is_much || !lets_speak) {
            out.pause_reading(id);
        }
    }

    /// Tells other servers what a user has done, and what is in force here already. The user's
    /// further commands wait until it is back, so that nobody appends faster than the log takes it.
    pub(super) fn tell(&mut self, by: UserId, effect: Effect<'_>) {
        if matches!(self.settings.bus, Bus::Log(_)) && !self.is_cut_off() {
            // A connection that is lost sends nothing more that would have to wait.
            let via = self.users.conn(by).filter(|_| !matches!(effect, Effect::Detach { .. }));
            self.under_way.add(Operation::new(by, via, effect));
        }
    }

    /// Tells other servers what this one has done, for one of its users or for nobody.
    pub(super) fn tell_all(&mut self, by: Option<ConnId>, effect: Effect<'_>) {
        let by = by.and_then(|by| self.users.id(by)).unwrap_or(UserId::NOBODY);
        self.tell(by, effect);
    }

    /// An operation is back, with what was decided: it takes effect, and its connection goes on.
    pub(super) fn decided(&mut self, operation: Operation, how: &Decision, out: &mut Outbox) {
        let Operation { by, via, effect, .. } = operation;
        // They may have resumed as another user meanwhile. That one has another connection, whose
        // number may be the same if it is at another server.
        let is_anothers = effect.is_of_connection() && self.has_moved(by);
        if !effect.is_only_told() && !is_anothers {
            self.take_effect(self.resumed.now(by), effect, how, out);
        }
        let Some(id) = via else { return };
        let Some(mut line) = self.under_way.finish(id) else { return };
        // The line that was kept may pause it again.
        out.resume_reading(id);
        if !line.is_empty() && out.is_open(id) {
            self.on_line(id, &line, out);
        }
        wipe(&mut line);
    }

    pub(super) fn take_effect(
        &mut self,
        by: UserId,
        effect: Effect<'_>,
        how: &Decision,
        out: &mut Outbox,
    ) {
        match effect {
            // The user has another connection by now, and the operation is about the one that they
            // had.
            Effect::Resume { conn, .. }
            | Effect::TakeOver { conn, .. }
            | Effect::Name { conn, .. }
            | Effect::Join { conn, .. }
            | Effect::Leave { conn }
            | Effect::Detach { conn }
                if self.users.by_id(by).is_some_and(|user| user.conn_number() != conn) =>
            {
                self.had_no_effect(&effect);
            }
            Effect::Connect => self.notify_connection(by, out),
            Effect::Say(kind, text) => self.said(by, kind, &text, how, out),
            Effect::Whisper { to, text, copy } => self.whispered(by, &to, &text, copy, out),
            Effect::Join { room, .. } => self.joined(by, &room, out),
            Effect::Name { name, by: naming, logged_in, .. } => {
                self.named(by, &name, naming, logged_in, how, out);
            }
            Effect::Resume { user, key, conn, seq, epoch } => {
                self.resumed((by, conn), (user, key), (seq, epoch), how, out);
            }
            Effect::Leave { .. } => self.left(by, out),
            Effect::Kick(target, why) => self.kicked(by, &target, &why, out),
            Effect::Mute(target, until) => self.muted(by, &target, until, out),
            Effect::Unmute(name) => self.unmuted(by, &name, out),
            Effect::Announce(text) => self.announced(by, &text, how, out),
            Effect::Away(text) => self.note_away(by, text.as_deref()),
            Effect::Ignore(target) => self.note_ignoring(by, target),
            Effect::Unignore(target) => self.stop_ignoring(by, target),
            Effect::Detach { .. } => self.detached_elsewhere(by),
            Effect::Ban(ban, target) => {
                self.want_refresh();
                self.banned(by, ban, target, out);
            }
            Effect::Unban(target) => {
                self.want_refresh();
                self.bans.lift(&target);
            }
            Effect::Reload => self.want_refresh(),
            Effect::Shutdown(why) => {
                self.reply_if_cut_off(by, "ends", how, out);
                self.begin_shutdown(&why);
            }
            Effect::Token(digest) => self.has_token(by, digest, out),
            Effect::TakeOver { digest, name, seq, epoch, .. } => {
                self.take_over(by, (&digest, name.as_deref()), (seq, epoch), how, out);
            }
        }
    }
}
