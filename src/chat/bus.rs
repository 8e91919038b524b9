//! The bus: what others must know leaves as an operation, and takes effect when it comes back, in
//! one order for all. A command decides what its user may do; the effects are in the files of what
//! they are about.

use super::operation::Effect;
use super::state::Chat;
use super::user_id::UserId;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

impl Chat {
    /// The user of a connection does what others must know.
    pub(super) fn publish(&mut self, id: ConnId, effect: Effect<'_>, out: &mut Outbox) {
        if let Some(by) = self.users.id(id) {
            self.publish_by(by, effect, out);
        }
    }

    /// The same for one who may have no connection.
    pub(super) fn publish_by(&mut self, by: UserId, effect: Effect<'_>, out: &mut Outbox) {
        self.take_effect(by, effect, out);
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
