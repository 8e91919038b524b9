//! `/resume` at another node than the one that has given the token.

use log::info;

use super::Sent;
use super::tokens::{Digest, Token};
use super::who::Who;
use crate::chat::mute::Mute;
use crate::chat::name::{Name, Shown};
use crate::chat::operation::Decision;
use crate::chat::reply;
use crate::chat::state::Chat;
use crate::chat::user::{Arrival, Extras, User};
use crate::chat::user_id::UserId;
use crate::cluster::{Action, Outcome};
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

impl Chat {
    /// What is known of a user's token.
    pub(in crate::chat) fn digest_of(&self, user: &User) -> Option<Digest> {
        let token = self.sessions.bytes(self.users.extras(user)?.token_key?)?;
        Some(self.settings.digest?(&token))
    }

    pub(in crate::chat) fn note_token(&mut self, user: UserId, digest: Option<Digest>) {
        if let Some(node) = &mut self.node {
            let who = node.who(user);
            node.tokens.set(who, digest);
        }
    }

    /// What is known of a token, if another node has given it.
    pub(in crate::chat) fn known_token(&self, token: &[u8; 24]) -> Option<Digest> {
        let digest = self.settings.digest?(token);
        self.node.as_ref()?.tokens.get(&digest).map(|_| digest)
    }

    /// The name of the user whose token it is, and whether their node is gone.
    pub(super) fn name_of_token(&self, digest: &Digest) -> Option<(String, bool)> {
        let node = self.node.as_ref()?;
        let token = node.tokens.get(digest)?;
        let name = match &token.held {
            Some(held) => held.name.as_own(),
            None => self.users.by_id(node.local(token.who))?.own_name(),
        };
        Some((name?.to_lowercase(), token.held.is_some()))
    }

    /// A user's node is gone: for a while they may come back at another.
    pub(super) fn hold_token(&mut self, user: UserId, at: i64) {
        let held = self.users.by_id(user).and_then(|own| self.held(user, own, at));
        let Some(held) = held else { return };
        let most = self.settings.detached_max;
        if let Some(node) = &mut self.node {
            let who = node.who(user);
            node.tokens.hold(who, held, most);
        }
    }

    /// A user is the one from now on whose token they have, at whatever node that was.
    pub(in crate::chat) fn take_over(
        &mut self,
        by: UserId,
        digest: &Digest,
        missed: (Option<u64>, Option<i64>),
        how: &Decision,
        out: &mut Outbox,
    ) {
        let Decision::Log { at, .. } = how else {
            return self.reply_to(by, reply::token_out_of_reach(), out);
        };
        let token = self.node.as_mut().and_then(|node| node.tokens.take(digest, *at));
        let Some(Token { who, held }) = token else {
            return self.reply_to(by, reply::token_unknown(), out);
        };
        let Some(conn) = self.users.conn(by) else { return };
        let left = match &held {
            Some(held) => held.user,
            None => self.node.as_ref().map_or(UserId::NOBODY, |node| node.local(who)),
        };
        self.flush_notices_for(conn, out);
        self.notify_leave(by, out);
        self.exit_room(conn);
        self.pass_on(left, by, who);
        let (name, room, arrival, extras) = match held {
            Some(held) => {
                let extras = self.held_extras(&held);
                (held.name, held.room, Arrival::Announced, extras)
            }
            None => match self.vacate(left, out) {
                Some(left) => left,
                None => return self.enter_elsewhere(by, None, out),
            },
        };
        match name.shown() {
            Shown::Named(name) if how.is(&Outcome::Claimed) => {
                self.free_name(name, by, out);
                self.users.rename(by, Shown::Named(name));
                self.reapply_mute(conn, name);
            }
            Shown::Named(name) => self.reply_to(by, reply::name_taken(name), out),
            Shown::Guest(_) => {}
        }
        if let Some(user) = self.users.by_id_mut(by) {
            user.arrival = arrival;
        }
        self.inherit(by, left, extras);
        self.enter_elsewhere(by, Some(&room), out);
        self.welcome_back(by, conn, missed, out);
    }

    /// A name was claimed for a user of this node. If they have not got it, since the token was
    /// known no more or they have left, it is to be others', and their own theirs again.
    pub(super) fn give_back(&mut self, by: UserId, claimed: &str) {
        let own = self.users.by_id(by).and_then(User::own_name).map(str::to_lowercase);
        if own.as_deref() == Some(claimed) {
            return;
        }
        let Some(node) = &mut self.node else { return };
        node.release(claimed, by);
        if let Some(name) = own {
            let (user, sent) = (by.number.into(), Sent::Claim(by, name.as_str().into()));
            let claim = Action::Claim { name, user, releases: None, takes_over: false };
            node.first.push_back((claim, Vec::new(), sent));
        }
    }

    /// What is for the user `left`, or of them, is of `by` from now on.
    fn pass_on(&mut self, left: UserId, by: UserId, who: Who) {
        if left != UserId::NOBODY {
            self.resumed.pass_on(left, by);
        }
        if let Some(node) = &mut self.node {
            let now = node.who(by);
            node.moved.pass_on(who, now);
        }
    }

    /// Takes a user out of the chat without a notice, since they are another from now on.
    fn vacate(
        &mut self,
        left: UserId,
        out: &mut Outbox,
    ) -> Option<(Name, Box<str>, Arrival, Extras)> {
        let user = self.users.by_id(left)?;
        let arrival = user.arrival;
        let room = self.profile(left, user)?.room.as_str().into();
        if let Some(conn) = self.users.conn(left) {
            self.reply(conn, reply::replaced(), out);
            out.close_for_good(conn, reply::replaced().text);
            self.exit_room(conn);
        }
        if let Some(key) = self.users.take_token_key(left) {
            self.sessions.remove(key);
        }
        let (user, extras) = self.users.remove(left)?;
        self.forget_elsewhere(left);
        Some((user.name, room, arrival, extras))
    }

    /// A user has what another had who they are from now on: whom they ignore, who ignores them, and
    /// what keeps them from speaking.
    fn inherit(&mut self, by: UserId, left: UserId, extras: Extras) {
        for ignored in &extras.ignores {
            if let Some(theirs) = self.users.extras_mut(*ignored) {
                theirs.ignored_by.remove(&left);
            }
            if *ignored != by {
                self.note_ignoring(by, *ignored);
            }
        }
        for ignorer in extras.ignored_by {
            if let Some(theirs) = self.users.extras_mut(ignorer) {
                theirs.ignores.retain(|ignored| *ignored != left);
            }
            if ignorer != by {
                self.note_ignoring(ignorer, by);
            }
        }
        if let Some(own) = self.users.extras_mut(by) {
            own.mute = Mute::longer(own.mute, extras.mute);
            own.has_account = extras.has_account;
            own.away = extras.away;
            own.writer = extras.writer.filter(|writer| *writer != by);
        }
    }

    fn welcome_back(
        &mut self,
        by: UserId,
        conn: ConnId,
        (seq, epoch): (Option<u64>, Option<i64>),
        out: &mut Outbox,
    ) {
        if self.is_elsewhere(by) {
            return;
        }
        self.review_account(conn);
        let name = self.users.get(conn).map(|user| user.shown().to_string()).unwrap_or_default();
        info!(conn = conn.serial(), name = &*name; "resumed");
        self.reply(conn, reply::renamed(&name), out);
        self.show_missed(conn, seq, epoch, out);
    }
}
