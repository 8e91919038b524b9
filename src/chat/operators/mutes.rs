//! Mutes. A mute follows the connection through `/nick` and `/resume`. When the connection ends,
//! it is kept for whoever takes the user's last name.

use std::time::Duration;

use jiff::Timestamp;
use log::warn;

use crate::chat::mute::Mute;
use crate::chat::operation::{Effect, Target};
use crate::chat::reply;
use crate::chat::state::Chat;
use crate::chat::time::{end, timestamp};
use crate::chat::user_id::UserId;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

impl Chat {
    pub(super) fn mute(
        &mut self,
        id: ConnId,
        name: &str,
        time: Option<Duration>,
        out: &mut Outbox,
    ) {
        let Some(target) = self.target(id, name, out) else { return };
        if let Some(user) = self.users.by_id(target.user).filter(|user| self.is_operator(user)) {
            let name = user.shown().to_string();
            return self.reply(id, reply::is_operator(&name), out);
        }
        let until = time.and_then(|time| end(timestamp(out.now()), time));
        self.publish(id, Effect::Mute(target, until), out);
    }

    /// A user is muted, unless they have left.
    pub(in crate::chat) fn muted(
        &mut self,
        id: UserId,
        target: &Target<'_>,
        until: Option<Timestamp>,
        out: &mut Outbox,
    ) {
        let user = self.resumed.now(target.user);
        let Some(conn) = self.users.conn(user) else {
            return self.reply_to(id, reply::no_one_called(&target.name), out);
        };
        let name = self.users.get(conn).map(|user| user.shown().to_string()).unwrap_or_default();
        if self.is_cut_off() && self.is_elsewhere(user) {
            return self.reply_to(id, reply::out_of_reach(&name), out);
        }
        if let Some(extras) = self.users.extras_mut(user) {
            extras.mute = Some(Mute { until });
        }
        self.note_muted(user);
        let by = self.operator_name_of(id);
        let (serial, logged_until) = (conn.serial(), until.map(|until| until.to_string()));
        warn!(by, name, conn = serial, until = logged_until; "muted");
        let (term, until) = (self.term(until), self.until(until));
        self.reply_to(id, reply::muting(&format!("{name}{term}")), out);
        self.reply(conn, reply::muted(&by, &until), out);
    }

    /// A user is muted no longer.
    pub(in crate::chat) fn unmuted(&mut self, id: UserId, name: &str, out: &mut Outbox) {
        let (target, name) = match self.users.find(name) {
            Some((target, user)) => (Some(target), user.shown().to_string()),
            None => (None, name.to_owned()),
        };
        if let Some(user) = target.and_then(|target| self.users.id(target))
            && self.is_cut_off()
            && self.is_elsewhere(user)
        {
            return self.reply_to(id, reply::out_of_reach(&name), out);
        }
        let now = timestamp(out.now());
        let own = target.and_then(|target| self.users.take_mute(target));
        let own = own.filter(|mute| !mute.is_over(now));
        if own.is_none() && self.mutes.take(&name).is_none_or(|mute| mute.is_over(now)) {
            return self.reply_to(id, reply::not_muted(&name), out);
        }
        warn!(by = self.operator_name_of(id), name; "unmuted");
        self.reply_to(id, reply::not_muting(&name), out);
        if let (Some(target), Some(_)) = (target, own) {
            self.users.id(target).into_iter().for_each(|user| self.note_muted(user));
            self.reply(target, reply::unmuted(), out);
        }
    }

    pub(in crate::chat) fn is_muted(&self, id: ConnId, out: &Outbox) -> bool {
        self.users.mute(id).is_some_and(|mute| !mute.is_over(timestamp(out.now())))
    }

    /// Replies to a user who is muted. Returns whether they are.
    pub(in crate::chat) fn refuse_if_muted(&mut self, id: ConnId, out: &mut Outbox) -> bool {
        let Some(mute) = self.users.mute(id) else { return false };
        if mute.is_over(timestamp(out.now())) {
            self.users.take_mute(id);
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
    pub(in crate::chat) fn reapply_mute(&mut self, id: UserId, name: &str) {
        if let Some(mute) = self.mutes.take(name)
            && let Some(extras) = self.users.extras_mut(id)
        {
            extras.mute = Mute::longer(extras.mute, Some(mute));
        }
    }
}
