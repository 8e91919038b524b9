//! Preferences: away, ignore, notices, echo, dialect.

use super::dialect::Dialect;
use super::operation::Effect;
use super::reply;
use super::state::Chat;
use super::user::Extras;
use super::user_id::UserId;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

impl Chat {
    pub(super) fn set_away(&mut self, id: ConnId, text: Option<&str>, out: &mut Outbox) {
        if text.is_some() && self.refuse_if_muted(id, out) {
            return;
        }
        if let Some(own) = self.users.id(id) {
            self.note_away(own, text);
            self.tell(own, Effect::Away(text.map(Into::into)));
        }
        let reply = if text.is_some() { reply::away() } else { reply::back() };
        self.reply(id, reply, out);
    }

    pub(super) fn note_away(&mut self, own: UserId, text: Option<&str>) {
        if let Some(extras) = self.users.extras_mut(own) {
            extras.away = text.map(Into::into);
        }
    }

    /// A user no longer sees what another says or does. The other gets no notice of it.
    pub(super) fn ignore(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        let Some((target_conn, target)) = self.users.find(name) else {
            return self.reply(id, reply::no_one_called(name), out);
        };
        let name = target.shown().to_string();
        if target_conn == id {
            return self.reply(id, reply::ignoring_self(), out);
        }
        let (Some(own), Some(target)) = (self.users.id(id), self.users.id(target_conn)) else {
            return;
        };
        if !self.may_ignore(own, target) {
            let max = self.settings.ignored_max;
            return self.reply(id, reply::ignoring_too_many(max), out);
        }
        self.note_ignoring(own, target);
        self.tell(own, Effect::Ignore(target));
        self.reply(id, reply::ignoring(&name), out);
    }

    pub(super) fn note_ignoring(&mut self, own: UserId, target: UserId) {
        // They may have come back as somebody who ignored them.
        if own == target || self.users.by_id(target).is_none() {
            return;
        }
        let Some(extras) = self.users.extras_mut(own) else { return };
        if !extras.ignores.contains(&target) {
            extras.ignores.push(target);
        }
        if let Some(extras) = self.users.extras_mut(target) {
            extras.ignored_by.insert(own);
        }
    }

    /// Makes room in a user's list of ignored users for one more, if it is full: users that are not
    /// connected are dropped. Returns whether there is room, or the target is in it already.
    fn may_ignore(&mut self, own: UserId, target: UserId) -> bool {
        let extras = self.users.by_id(own).and_then(|user| self.users.extras(user));
        let ignores = extras.map_or(&[][..], |extras| &extras.ignores);
        if ignores.len() < self.settings.ignored_max || ignores.contains(&target) {
            return true;
        }
        let gone = ignores.iter().copied().find(|ignored| self.users.conn(*ignored).is_none());
        if let Some(gone) = gone {
            self.stop_ignoring(own, gone);
            self.tell(own, Effect::Unignore(gone));
        }
        gone.is_some()
    }

    pub(super) fn stop_ignoring(&mut self, own: UserId, target: UserId) {
        if let Some(extras) = self.users.extras_mut(own) {
            extras.ignores.retain(|ignored| *ignored != target);
        }
        if let Some(extras) = self.users.extras_mut(target) {
            extras.ignored_by.remove(&own);
        }
    }

    pub(super) fn unignore(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        let Some((target, user)) = self.users.find(name) else {
            return self.reply(id, reply::no_one_called(name), out);
        };
        let name = user.shown().to_string();
        if let (Some(own), Some(target)) = (self.users.id(id), self.users.id(target)) {
            self.stop_ignoring(own, target);
            self.tell(own, Effect::Unignore(target));
        }
        self.reply(id, reply::not_ignoring(&name), out);
    }

    /// A user has left and ignores nobody any more. Others still ignore them, as history still
    /// has what they said.
    pub(super) fn forget_ignoring(&mut self, id: UserId, extras: &Extras) {
        for ignored in &extras.ignores {
            if let Some(extras) = self.users.extras_mut(*ignored) {
                extras.ignored_by.remove(&id);
            }
        }
    }

    pub(super) fn choose_notices(&mut self, id: ConnId, on: bool, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        if !user.format.dialect.has_notices() {
            return self.reply(id, reply::no_notices(), out);
        }
        self.set_notices(id, on, out);
        self.reply(id, reply::notices(on), out);
    }

    pub(super) fn choose_echo(&mut self, id: ConnId, on: bool, out: &mut Outbox) {
        if let Some(user) = self.users.get_mut(id) {
            user.echo = on;
        }
        self.reply(id, reply::echo(on), out);
    }

    /// Changes the dialect, and resets echo and notices to its defaults. Dialects that show
    /// addresses are offered only where a listener has them.
    pub(super) fn choose_dialect(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        let chosen = name.parse().ok().filter(|dialect| self.settings.offers(*dialect));
        let Some(dialect) = chosen else {
            let offered = Dialect::ALL.into_iter().filter(|dialect| self.settings.offers(*dialect));
            let offered = offered.map(Dialect::name).collect::<Vec<_>>().join(", ");
            return self.reply(id, reply::no_dialect_called(name, &offered), out);
        };
        self.set_notices(id, false, out);
        self.regroup(id, |user| user.format.dialect = dialect);
        self.set_notices(id, dialect.has_notices(), out);
        if let Some(user) = self.users.get_mut(id) {
            user.echo = dialect.echoes();
        }
        self.reply(id, reply::dialect(dialect.name()), out);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::{Instant, SystemTime};

    use super::*;
    use crate::chat::settings::Settings;
    use crate::net::conn::CloseReason;
    use crate::net::limits::Limits;
    use crate::net::service::{Peer, Service};
    use crate::net::timeouts::Now;
    use crate::net::transport::Origin;

    /// Else whoever comes again and again to ignore somebody would be remembered each time.
    #[test]
    fn a_user_who_has_left_ignores_nobody() {
        let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        let mut out = Outbox::new(&Limits::default(), now);
        let mut chat = Chat::new(Settings::default());
        let mut connect = |chat: &mut Chat, slot, line: &str| {
            let id = out.open(slot);
            chat.on_open(id, &Peer::new(Origin::Unix, "native"), &mut out);
            chat.on_line(id, line.as_bytes(), &mut out);
            id
        };
        let ignorers = |chat: &Chat, id| {
            chat.users.get(id).and_then(|user| chat.users.ignored_by(user)).map_or(0, HashSet::len)
        };
        let bob = connect(&mut chat, 0, "REGISTER bob");
        let ids = [1, 2].map(|slot| connect(&mut chat, slot, "/ignore bob"));
        assert_eq!(ignorers(&chat, bob), 2);
        for (id, left) in ids.into_iter().zip([1, 0]) {
            chat.on_close(id, CloseReason::EndOfInput, &mut out);
            assert_eq!(ignorers(&chat, bob), left);
        }
    }
}
