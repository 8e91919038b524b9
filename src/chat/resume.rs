//! `/resume`: users who were cut off are detached, and come back with the token they asked for
//! before.

use std::fmt::Write;

use log::info;

use super::mute::Mute;
use super::operation::{Decision, Effect};
use super::reply;
use super::room::RoomNo;
use super::sessions::{TOKEN, from_hex};
use super::settings::{Bus, Settings};
use super::state::Chat;
use super::user::{Extras, User};
use super::user_id::UserId;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

/// Lines shown after `/resume TOKEN` without a line number.
const LINES: u64 = 10;

impl Chat {
    /// Issues a token to a user, which they are shown once every node knows it. It replaces the one
    /// they had.
    pub(super) fn issue_token(&mut self, id: ConnId, out: &mut Outbox) {
        let (Some(random), false) = (self.settings.random, self.settings.resume_for.is_zero())
        else {
            return self.reply(id, reply::no_resume(), out);
        };
        self.revoke_token(id);
        let mut bytes = [0; TOKEN];
        random(&mut bytes);
        if let (Some(user), Some(own)) = (self.users.get(id), self.users.id(id)) {
            let key = self.sessions.issue(&bytes, own, user.from);
            if let Some(extras) = self.users.extras_mut(own) {
                extras.token_key = Some(key);
            }
        }
        let digest = self.users.get(id).and_then(|user| self.digest_of(user));
        match self.users.id(id) {
            Some(own) if digest.is_none() => self.show_token(own, out),
            _ => self.publish(id, Effect::Token(digest), out),
        }
    }

    /// Makes a user's token worthless at every node: others may know it.
    pub(super) fn revoke_token_everywhere(&mut self, id: ConnId, out: &mut Outbox) {
        self.revoke_token(id);
        if self.node.is_some() {
            self.publish(id, Effect::Token(None), out);
        }
    }

    /// A user has a token with this digest, or none.
    pub(super) fn has_token(&mut self, by: UserId, digest: Option<[u8; 32]>, out: &mut Outbox) {
        self.note_token(by, digest);
        self.show_token(by, out);
    }

    /// Shows a user of this node their token, if they have one.
    pub(super) fn show_token(&mut self, by: UserId, out: &mut Outbox) {
        let extras = self.users.by_id(by).and_then(|user| self.users.extras(user));
        let key = extras.and_then(|extras| extras.token_key);
        let Some(bytes) = key.and_then(|key| self.sessions.bytes(key)) else { return };
        let token = bytes.iter().fold(String::new(), |mut token, byte| {
            write!(token, "{byte:02x}").expect("a String takes everything");
            token
        });
        let held_for = self.settings.resume_for;
        self.reply_to(by, reply::resume_token(held_for, &token), out);
    }

    /// Makes a user's token worthless: they leave on purpose, or got another.
    pub(super) fn revoke_token(&mut self, id: ConnId) {
        if let Some(key) = self.users.id(id).and_then(|id| self.users.take_token_key(id)) {
            self.sessions.remove(key);
        }
    }

    /// Detaches a user who was cut off, if they have a token. The others in the room get no
    /// notice unless the user fails to come back in time. Returns whether there was a token.
    pub(super) fn keep_session(&mut self, id: ConnId, out: &mut Outbox) -> bool {
        let extras = self.users.get(id).and_then(|user| self.users.extras(user));
        let Some(key) = extras.and_then(|extras| extras.token_key) else { return false };
        self.evict_for(key, out);
        if let Some(own) = self.users.id(id) {
            self.tell(own, Effect::Detach { conn: id.serial() });
        }
        self.detach(id);
        self.sessions.detach(key);
        self.resume_timeouts.start(key, out.now().monotonic);
        true
    }

    /// Makes space for one more detached user. If the address has one already, its own longest
    /// detached is removed, so that one address cannot evict the others'.
    fn evict_for(&mut self, key: u64, out: &mut Outbox) {
        let Settings { detached_max, detached_per_addr, .. } = self.settings;
        if let Some((first, count)) = self.sessions.first_beside(key)
            && (count >= detached_per_addr || self.sessions.detached() >= detached_max)
        {
            self.end_session(first, out);
        }
        while self.sessions.detached() >= detached_max
            && let Some(first) = self.resume_timeouts.pop()
        {
            self.end_session(first, out);
        }
        self.resume_timeouts.prune(|key| !self.sessions.has(key));
    }

    /// Removes a detached user: their time is over, or another needs their place.
    pub(super) fn end_session(&mut self, key: u64, out: &mut Outbox) {
        let token = self.sessions.remove(key).filter(|token| token.is_detached);
        if let Some(token) = token {
            self.publish_leave(token.user, out);
        }
    }

    /// Publishes that a user leaves. It has no effect if they have another connection by then.
    pub(super) fn publish_leave(&mut self, user: UserId, out: &mut Outbox) {
        if let Some(conn) = self.users.by_id(user).map(User::conn_number) {
            self.publish_by(user, Effect::Leave { conn }, out);
        }
    }

    /// A user leaves for good. Until that is in force, they keep their name.
    pub(super) fn leave(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.id(id) else { return };
        if self.settings.bus != Bus::AtOnce {
            // Their connection is gone, but lines of theirs may still be under way.
            self.revoke_token(id);
            self.detach(id);
        }
        self.publish_leave(user, out);
    }

    /// A user has left for good.
    pub(super) fn left(&mut self, id: UserId, out: &mut Outbox) {
        self.notify_leave(id, out);
        match self.users.conn(id) {
            Some(conn) => self.remove(conn),
            None => self.forget_user(id),
        }
    }

    /// Removes the detached user with this name, if there is one.
    pub(super) fn end_session_of(&mut self, name: &str, out: &mut Outbox) {
        let user = self.users.find_detached(name).and_then(|id| self.users.by_id(id));
        let extras = user.and_then(|user| self.users.extras(user));
        if let Some(key) = extras.and_then(|extras| extras.token_key) {
            self.end_session(key, out);
        }
    }

    /// Connects the user of `token` through this connection. If they still have another, that one
    /// is closed.
    pub(super) fn resume(
        &mut self,
        id: ConnId,
        token: &str,
        seq: Option<u64>,
        epoch: Option<i64>,
        out: &mut Outbox,
    ) {
        let (key, conn) = (self.sessions.find(token), id.serial());
        match key.and_then(|key| Some((key, self.sessions.user(key)?))) {
            Some((_, user)) if self.users.id(id) == Some(user) => {
                self.reply(id, reply::token_unknown(), out);
            }
            Some((key, user)) => {
                self.publish(id, Effect::Resume { user, key, conn, seq, epoch }, out);
            }
            None => self.resume_elsewhere(id, token, (seq, epoch), out),
        }
    }

    /// The same with a token that this server has not given.
    fn resume_elsewhere(
        &mut self,
        id: ConnId,
        token: &str,
        (seq, epoch): (Option<u64>, Option<i64>),
        out: &mut Outbox,
    ) {
        let digest = from_hex(token).and_then(|token| self.known_token(&token));
        match digest {
            Some(_) if self.is_cut_off() => self.reply(id, reply::token_out_of_reach(), out),
            Some(digest) => {
                let conn = id.serial();
                self.publish(id, Effect::TakeOver { digest, name: None, conn, seq, epoch }, out);
            }
            None => self.reply(id, reply::token_unknown(), out),
        }
    }

    /// The user `own` has shown the token of `user`, and is `user` from now on, through the
    /// connection of this number.
    pub(super) fn resumed(
        &mut self,
        (own, serial): (UserId, u32),
        (user, key): (UserId, u64),
        (seq, epoch): (Option<u64>, Option<i64>),
        how: &Decision,
        out: &mut Outbox,
    ) {
        let conn = self.users.conn(own).filter(|_| !self.is_elsewhere(own));
        if conn.is_none() && self.node.is_none() {
            return;
        }
        if !self.spend_token(user, key, how) {
            return self.reply_to(own, reply::token_unknown(), out);
        }
        if let Some(other) = self.users.conn(user) {
            self.reply(other, reply::replaced(), out);
            out.close_for_good(other, reply::replaced().text);
            self.detach(other);
        }
        if let Some(id) = conn {
            self.attach(id, own, user, out);
            return self.show_missed(id, seq, epoch, out);
        }
        self.resumed_elsewhere((own, serial), user, out);
        if !self.is_elsewhere(user) {
            // They have lost that connection meanwhile: so the other servers are told that they
            // leave.
            self.publish_leave(user, out);
        }
    }

    /// Uses up a user's token. Returns whether it was good, by what all servers know.
    fn spend_token(&mut self, user: UserId, key: u64, how: &Decision) -> bool {
        let is_known = self.note_token(user, None);
        let is_good = match how {
            Decision::Log { .. } => is_known,
            Decision::Here | Decision::CutOff => self.sessions.has(key),
        };
        // By now they may have another one.
        if is_good && let Some(key) = self.users.take_token_key(user) {
            self.sessions.remove(key);
            self.resume_timeouts.prune(|key| !self.sessions.has(key));
        }
        is_good
    }

    /// Disconnects a user whose name was just claimed with its password.
    fn replace(&mut self, id: UserId, conn: ConnId, out: &mut Outbox) {
        self.reply(conn, reply::replaced(), out);
        self.notify_leave(id, out);
        out.close_for_good(conn, reply::replaced().text);
        self.remove(conn);
    }

    /// Frees a name for the user who has its password. Another user who has it leaves.
    pub(super) fn free_name(&mut self, name: &str, user: UserId, out: &mut Outbox) {
        let Some(owner) = self.users.owner(name).filter(|owner| *owner != user) else { return };
        if let Some(conn) = self.users.conn(owner) {
            return self.replace(owner, conn, out);
        }
        if let Some(key) = self.users.take_token_key(owner) {
            self.sessions.remove(key);
        }
        self.left(owner, out);
    }

    /// Removes the user of a connection. The others have had the leave notice.
    pub(super) fn remove(&mut self, id: ConnId) {
        self.revoke_token(id);
        self.exit_room(id);
        if let Some(id) = self.users.id(id) {
            self.forget_user(id);
        }
    }

    /// Removes a user who is in no room.
    fn forget_user(&mut self, id: UserId) {
        if let Some((user, extras)) = self.users.remove(id) {
            self.forget_elsewhere(id);
            self.forget_ignoring(id, &extras);
            self.keep_mute(user.own_name(), extras.mute);
        }
    }

    /// Takes a user out of their room and off their connection, without a leave notice.
    pub(super) fn detach(&mut self, id: ConnId) {
        let (Some(user), Some(own)) = (self.users.get(id), self.users.id(id)) else { return };
        let room = self.rooms.get(user.room).name().into();
        self.exit_room(id);
        self.users.detach(own, room);
    }

    /// Gives a detached user this connection. The user that it had until now leaves.
    fn attach(&mut self, id: ConnId, left: UserId, user: UserId, out: &mut Outbox) {
        self.flush_notices_for(id, out);
        self.notify_leave(left, out);
        self.revoke_token(id);
        self.exit_room(id);
        let was_conn = self.users.by_id(user).map(User::conn_number);
        let Some((record, extras)) = self.users.resume(user, id) else { return };
        self.release_name(left, record.own_name());
        self.note_moved(left, user);
        self.forget_elsewhere(left);
        // Others may have noted the old id, or operations under way may have it.
        if record.is_known_to_others() || self.settings.bus != Bus::AtOnce {
            self.resumed.pass_on(left, user);
        }
        if let Some(user) = self.users.by_id_mut(user) {
            user.format.ending = record.format.ending;
            user.from = record.from;
        }
        let room = self.merge(user, left, &extras);
        // Only now: the room they just left may be the same one, and is dropped with its last
        // member.
        let room = room.and_then(|room| self.room_for(id, &room, out)).unwrap_or(RoomNo::LOBBY);
        self.enter_room(id, room, out);
        self.review_account(id);
        let name = self.users.get(id).map(|user| user.shown().to_string()).unwrap_or_default();
        info!(conn = id.serial(), name = &*name, was_conn; "resumed");
        self.reply(id, reply::renamed(&name), out);
    }

    /// A user who resumes takes over what held for `left`, who had the connection until now:
    /// resuming must not be a way around a mute, or around being ignored. Returns the name of the
    /// room to come back to.
    pub(super) fn merge(
        &mut self,
        user: UserId,
        left: UserId,
        extras: &Extras,
    ) -> Option<Box<str>> {
        self.forget_ignoring(left, extras);
        let own = self.users.extras_mut(user)?;
        own.ignored_by.extend(&extras.ignored_by);
        own.ignored_by.retain(|ignorer| *ignorer != left && *ignorer != user);
        for ignorer in own.ignored_by.clone() {
            if let Some(theirs) = self.users.extras_mut(ignorer) {
                become_one(&mut theirs.ignores, left, user);
            }
        }
        let resumed = &self.resumed;
        let own = self.users.extras_mut(user)?;
        own.is_operator = extras.is_operator;
        own.mute = Mute::longer(extras.mute, own.mute);
        own.token_key = None;
        own.ignores.retain(|ignored| *ignored != left);
        // `/reply` must not go to the user themselves.
        own.writer = own.writer.filter(|writer| ![user, left].contains(&resumed.now(*writer)));
        own.detached.take().map(|detached| detached.room)
    }

    /// Shows the room's lines after number `seq`, as far as history has them. A number of another
    /// epoch says nothing about them: then the last lines are shown.
    pub(super) fn show_missed(
        &mut self,
        id: ConnId,
        seq: Option<u64>,
        epoch: Option<i64>,
        out: &mut Outbox,
    ) {
        let Some(user) = self.users.get(id) else { return };
        let history = self.rooms.get(user.room).history();
        let (first, next) = (history.first_seq(), history.last_seq() + 1);
        let is_kept = |seq: &u64| epoch.is_none_or(|epoch| epoch == history.epoch_of(*seq));
        let from = match seq.filter(is_kept) {
            Some(seq) => seq.saturating_add(1),
            None => next.saturating_sub(LINES).max(first),
        };
        if from < first {
            self.reply(id, reply::lines_gone(first - from), out);
        }
        self.recall(id, from, out);
    }
}

/// Two users are one from now on: where `ignores` has either of them, it gets `user`.
fn become_one(ignores: &mut Vec<UserId>, left: UserId, user: UserId) {
    if ignores.contains(&user) {
        ignores.retain(|ignored| *ignored != left && *ignored != user);
        ignores.push(user);
    } else if let Some(place) = ignores.iter_mut().find(|ignored| **ignored == left) {
        *place = user;
    }
}
