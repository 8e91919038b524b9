//! Mutes. A mute follows the connection through `/nick` and `/resume`. When the connection ends,
//! it is kept for whoever takes the user's last name.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use log::warn;

use crate::chat::Chat;
use crate::chat::reply;
use crate::chat::time::{end, timestamp};
use crate::chat::users::User;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

/// Mutes kept for names without a user; beyond it the oldest is dropped.
const WAITING_MAX: usize = 1024;

/// A user's mute.
#[derive(Clone, Copy)]
pub(in crate::chat) struct Mute {
    /// `None` is for good.
    until: Option<Timestamp>,
}

impl Mute {
    /// The mute that ends later.
    pub(in crate::chat) fn longer(one: Option<Mute>, other: Option<Mute>) -> Option<Mute> {
        let all = one.into_iter().chain(other);
        all.max_by_key(|mute| (mute.until.is_none(), mute.until))
    }

    pub(super) fn is_over(self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// Mutes of users who have left, by name.
#[derive(Default)]
pub(in crate::chat) struct Mutes(VecDeque<(Box<str>, Mute)>);

impl Mutes {
    fn keep(&mut self, name: Box<str>, mute: Mute) {
        if self.0.len() >= WAITING_MAX {
            self.0.pop_front();
        }
        self.0.push_back((name, mute));
    }

    fn take(&mut self, name: &str) -> Option<Mute> {
        let at = self.0.iter().position(|(own, _)| own.eq_ignore_ascii_case(name))?;
        self.0.remove(at).map(|(_, mute)| mute)
    }
}

impl Chat {
    pub(super) fn mute(
        &mut self,
        id: ConnId,
        name: &str,
        time: Option<Duration>,
        out: &mut Outbox,
    ) {
        let Some(target) = self.users.find(name) else {
            return self.reply(id, reply::no_one_called(name), out);
        };
        let (target, name) = (target.id, target.shown().to_string());
        if self.users.get(target).is_some_and(|user| self.is_operator(user)) {
            return self.reply(id, reply::is_operator(&name), out);
        }
        let until = time.and_then(|time| end(timestamp(out.now()), time));
        if let Some(user) = self.users.get_mut(target) {
            user.extras_mut().mute = Some(Mute { until });
        }
        let by = self.operator_name(id);
        let (conn, logged_until) = (target.serial(), until.map(|until| until.to_string()));
        warn!(by, name, conn, until = logged_until; "muted");
        let (term, until) = (self.term(until), self.until(until));
        self.reply(id, reply::muting(&format!("{name}{term}")), out);
        self.reply(target, reply::muted(&by, &until), out);
    }

    pub(super) fn unmute(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        let target = self.users.find(name).map(|user| user.id);
        let name = match target.and_then(|target| self.users.get(target)) {
            Some(user) => user.shown().to_string(),
            None => name.to_owned(),
        };
        let now = timestamp(out.now());
        let own = target.and_then(|target| self.users.get_mut(target)?.take_mute());
        let own = own.filter(|mute| !mute.is_over(now));
        if own.is_none() && self.mutes.take(&name).is_none_or(|mute| mute.is_over(now)) {
            return self.reply(id, reply::not_muted(&name), out);
        }
        warn!(by = self.operator_name(id), name; "unmuted");
        self.reply(id, reply::not_muting(&name), out);
        if let (Some(target), Some(_)) = (target, own) {
            self.reply(target, reply::unmuted(), out);
        }
    }

    pub(in crate::chat) fn is_muted(&self, id: ConnId, out: &Outbox) -> bool {
        let mute = self.users.get(id).and_then(|user| user.extras()?.mute);
        mute.is_some_and(|mute| !mute.is_over(timestamp(out.now())))
    }

    /// Replies to a user who is muted. Returns whether they are.
    pub(in crate::chat) fn refuse_if_muted(&mut self, id: ConnId, out: &mut Outbox) -> bool {
        let mute = self.users.get(id).and_then(|user| user.extras()?.mute);
        let Some(mute) = mute else { return false };
        if mute.is_over(timestamp(out.now())) {
            self.users.get_mut(id).and_then(User::take_mute);
            return false;
        }
        let until = self.until(mute.until);
        self.reply(id, reply::is_muted(&until), out);
        true
    }

    /// A muted user frees their name: the mute is kept for its next user.
    pub(in crate::chat) fn keep_mute(&mut self, name: Option<&str>, mute: Option<Mute>) {
        if let (Some(name), Some(mute)) = (name, mute) {
            self.mutes.keep(name.into(), mute);
        }
    }

    /// A user has taken a name: a mute kept for it applies to them.
    pub(in crate::chat) fn reapply_mute(&mut self, id: ConnId, name: &str) {
        if let Some(mute) = self.mutes.take(name)
            && let Some(user) = self.users.get_mut(id)
        {
            let extras = user.extras_mut();
            extras.mute = Mute::longer(extras.mute, Some(mute));
        }
    }
}
