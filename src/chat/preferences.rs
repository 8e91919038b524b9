//! Preferences: away, ignore, notices, echo, dialect.

use super::Chat;
use super::dialect::Dialect;
use super::reply;
use super::users::{Extras, User};
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

impl Chat {
    pub(super) fn set_away(&mut self, id: ConnId, text: Option<&str>, out: &mut Outbox) {
        if text.is_some() && self.refuse_if_muted(id, out) {
            return;
        }
        if let Some(user) = self.users.get_mut(id) {
            user.extras_mut().away = text.map(Into::into);
        }
        let reply = if text.is_some() { reply::away() } else { reply::back() };
        self.reply(id, reply, out);
    }

    /// A user no longer sees what another says or does. The other gets no notice of it.
    pub(super) fn ignore(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        let max = self.settings.ignored_max;
        let Some(target) = self.users.find(name) else {
            return self.reply(id, reply::no_one_called(name), out);
        };
        let (target, name) = (target.id, target.shown().to_string());
        if target == id {
            return self.reply(id, reply::ignoring_self(), out);
        }
        let ignores =
            self.users.get(id).and_then(User::extras).map_or(&[][..], |extras| &extras.ignores);
        if !ignores.contains(&target) {
            let is_full = ignores.len() >= max;
            let gone = ignores.iter().copied().find(|ignored| self.users.get(*ignored).is_none());
            if is_full && gone.is_none() {
                return self.reply(id, reply::ignoring_too_many(max), out);
            }
            if let Some(gone) = gone.filter(|_| is_full) {
                self.stop_ignoring(id, gone);
            }
            if let Some(user) = self.users.get_mut(id) {
                user.extras_mut().ignores.push(target);
            }
            if let Some(target) = self.users.get_mut(target) {
                target.extras_mut().ignored_by.insert(id);
            }
        }
        self.reply(id, reply::ignoring(&name), out);
    }

    fn stop_ignoring(&mut self, id: ConnId, target: ConnId) {
        if let Some(user) = self.users.get_mut(id) {
            user.extras_mut().ignores.retain(|ignored| *ignored != target);
        }
        if let Some(extras) = self.extras_of(target) {
            extras.ignored_by.remove(&id);
        }
    }

    pub(super) fn unignore(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        let Some(target) = self.users.find(name) else {
            return self.reply(id, reply::no_one_called(name), out);
        };
        let (target, name) = (target.id, target.shown().to_string());
        self.stop_ignoring(id, target);
        self.reply(id, reply::not_ignoring(&name), out);
    }

    /// A user has left and ignores nobody any more. Others still ignore them, as history still
    /// has what they said.
    pub(super) fn forget_ignoring(&mut self, id: ConnId, extras: &Extras) {
        for ignored in &extras.ignores {
            if let Some(extras) = self.extras_of(*ignored) {
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
