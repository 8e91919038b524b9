//! `/resume` at another node than the one that has given the token.

use std::mem;

use log::info;

use super::Sent;
use super::message::{Listed, Message};
use super::tokens::{Digest, Taken, Token};
use super::who::Who;
use crate::chat::mute::Mute;
use crate::chat::name::{Name, Shown};
use crate::chat::operation::{Decision, Effect};
use crate::chat::reply;
use crate::chat::state::Chat;
use crate::chat::user::{Arrival, Extras, User};
use crate::chat::user_id::UserId;
use crate::cluster::{Action, Outcome};
use crate::net::outbox::Outbox;
use crate::net::timeouts::Now;

impl Chat {
    /// The digest of a user's token.
    pub(in crate::chat) fn digest_of(&self, user: &User) -> Option<Digest> {
        let token = self.sessions.bytes(self.users.extras(user)?.token_key?)?;
        Some(self.settings.digest?(&token))
    }

    /// Notes that a user has this token from now on, or none. Returns whether they had one.
    pub(in crate::chat) fn note_token(&mut self, user: UserId, digest: Option<Digest>) -> bool {
        let is_here = self.users.by_id(user).is_some();
        // If they are not known here, the roster will tell.
        let Some(node) = self.node.as_mut().filter(|_| is_here) else { return false };
        let who = node.who(user);
        node.tokens.set(who, digest)
    }

    /// The digest of a token that another node has given.
    pub(in crate::chat) fn known_token(&self, token: &[u8; 24]) -> Option<Digest> {
        let digest = self.settings.digest?(token);
        self.node.as_ref()?.tokens.get(&digest).map(|_| digest)
    }

    /// The name of a token's user, and whether their node is gone.
    pub(super) fn name_of_token(&self, digest: &Digest) -> Option<(Option<String>, bool)> {
        let node = self.node.as_ref()?;
        let token = node.tokens.get(digest)?;
        let name = match &token.held {
            Some(held) => held.name.as_own(),
            None => self.users.by_id(node.local(token.who)).and_then(User::own_name),
        };
        Some((name.map(str::to_lowercase), token.held.is_some()))
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

    /// A user resumes as the user of a token, of any node.
    pub(in crate::chat) fn take_over(
        &mut self,
        by: UserId,
        (digest, name): (&Digest, Option<&str>),
        missed: (Option<u64>, Option<i64>),
        how: &Decision,
        out: &mut Outbox,
    ) {
        let Decision::Log { at, .. } = how else {
            return self.reply_to(by, reply::token_out_of_reach(), out);
        };
        let is_claimed = how.is(&Outcome::Claimed);
        if !self.has_the_name_of(digest, name, is_claimed) {
            return self.take_over_again(by, *digest, missed, out);
        }
        let token = self.node.as_mut().and_then(|node| node.tokens.take(digest, *at));
        if let Some(token) = token {
            return self.come_back(by, token, is_claimed, missed, out);
        }
        if self.users.by_id(by).is_some()
            && let Some(who) = self.node.as_ref().map(|node| node.who(by))
        {
            self.note_taken(who, *digest, name);
        }
        self.reply_to(by, reply::token_unknown(), out);
    }

    /// Notes that a token was used which is not known here, or by somebody who is not: other nodes
    /// may know, and some may still tell, as of an earlier event, that it is good.
    pub(super) fn note_taken(&mut self, by: Who, digest: Digest, name: Option<&str>) {
        let node = self.node.as_mut().filter(|node| node.rosters_due.is_some());
        if let Some(node) = node {
            let (at, name) = (node.position, name.map(Box::from));
            node.tokens.note_taken(Taken { at, digest, name, by });
        }
    }

    /// Whether the name that was claimed is still that of the token's user: they may have changed
    /// it in between.
    fn has_the_name_of(&self, digest: &Digest, claimed: Option<&str>, is_claimed: bool) -> bool {
        let Some((name, is_held)) = self.name_of_token(digest) else { return true };
        name.as_deref() == claimed && (is_held || is_claimed || claimed.is_none())
    }

    /// Publishes the request of a user of this node once more.
    fn take_over_again(
        &mut self,
        by: UserId,
        digest: Digest,
        (seq, epoch): (Option<u64>, Option<i64>),
        out: &mut Outbox,
    ) {
        if !self.is_elsewhere(by)
            && let Some(conn) = self.users.by_id(by).map(User::conn_number)
        {
            self.publish_by(by, Effect::TakeOver { digest, name: None, conn, seq, epoch }, out);
        }
    }

    /// Lets a user be the token's user from now on.
    fn come_back(
        &mut self,
        by: UserId,
        Token { who, held }: Token,
        is_claimed: bool,
        missed: (Option<u64>, Option<i64>),
        out: &mut Outbox,
    ) {
        let left = match &held {
            Some(held) => held.user,
            None => self.node.as_ref().map_or(UserId::NOBODY, |node| node.local(who)),
        };
        self.leave_room(by, out);
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
            Shown::Named(name) if is_claimed => {
                self.free_name(name, by, out);
                self.users.rename(by, Shown::Named(name));
                self.reapply_mute(by, name);
            }
            Shown::Named(name) => self.reply_to(by, reply::name_taken(name), out),
            Shown::Guest(_) => {}
        }
        if let Some(user) = self.users.by_id_mut(by) {
            user.arrival = arrival;
        }
        self.inherit(by, left, extras);
        self.enter_elsewhere(by, Some(&room), out);
        if !self.is_elsewhere(by) {
            if let Some(node) = &mut self.node {
                node.taken_over.push_back((who, by));
            }
            self.welcome_back(by, missed, out);
        }
    }

    /// Takes a user out of their room, with a notice.
    fn leave_room(&mut self, id: UserId, out: &mut Outbox) {
        let conn = self.users.conn(id);
        if let Some(conn) = conn {
            self.flush_notices_for(conn, out);
        }
        self.notify_leave(id, out);
        if let Some(conn) = conn {
            self.exit_room(conn);
        }
    }

    /// Tells the others who has resumed as whom: a node that has just entered may not have known
    /// the token.
    pub(super) fn tell_taken_over(&mut self, now: Now) {
        let taken_over = self.node.as_mut().map(|node| mem::take(&mut node.taken_over));
        for (who, by) in taken_over.into_iter().flatten() {
            let by = self.resumed.now(by);
            let listed = self.users.by_id(by).filter(|_| !self.is_elsewhere(by));
            let listed = listed.and_then(|user| self.listed(by, user));
            if let (Some(by), Some(node)) = (listed, &mut self.node) {
                let as_of = node.position;
                let message = Message::TakenOver { as_of, who, by }.to_bytes(now);
                node.first.push_back((Action::Tell, message, Sent::Other));
            }
        }
    }

    /// A user could not do this, since they have another connection by now, or have resumed as
    /// another. A node that has just entered does not know that: if they would have come back as a
    /// user of this node, it is told that this one is still there.
    pub(in crate::chat) fn had_no_effect<Id>(&mut self, effect: &Effect<'_, Id>) {
        if let (Effect::TakeOver { digest, .. }, Some(node)) = (effect, &mut self.node)
            && node.tokens.get(digest).is_some_and(|token| token.who.node == node.id)
        {
            node.owes_roster = true;
        }
    }

    /// Another node tells that a user has resumed as one of its own, which this node may have
    /// missed.
    pub(super) fn taken_over(
        &mut self,
        who: Who,
        by: Who,
        (as_of, listed): (u64, &Listed),
        out: &mut Outbox,
    ) {
        let Some(node) = &mut self.node else { return };
        node.note_left(who.node);
        let (left, is_known) = (node.local(who), node.moved.has(who));
        if !is_known {
            // What else it has taken for true may not be what the others have.
            node.owes_roster |= who.node == node.id;
            let is_own = !self.is_elsewhere(left);
            let name = self.vacate(left, out).map(|(name, ..)| name).filter(|_| is_own);
            if let Some(name) = name.as_ref().and_then(Name::as_own) {
                // Their new node may have known them by another name, and the log may still have
                // this one for a user of this node. It is released; if that was wrong, the node of
                // its user claims it again.
                self.release_if_lost(left, &name.to_lowercase(), out.now());
            }
        }
        // Their own node may have had them in another room, while it was cut off.
        self.read_listed(by, (as_of, listed), out);
        if !is_known {
            let by = self.node.as_ref().map_or(UserId::NOBODY, |node| node.local(by));
            self.pass_on(left, by, who);
        }
    }

    /// The same for a user of this node, when its own message is back.
    pub(super) fn has_taken_over(&mut self, who: Who, by: &Listed, out: &mut Outbox) {
        let Some(node) = &mut self.node else { return };
        node.note_left(who.node);
        let (left, is_known) = (node.local(who), node.moved.has(who));
        self.note_token(by.user, by.token);
        if !is_known {
            self.vacate(left, out);
            self.pass_on(left, by.user, who);
        }
    }

    /// A user has resumed as another, who need not be known here yet. It is out of date if their
    /// old node has entered since.
    pub(super) fn has_moved_to(&mut self, who: Who, by: Who, out: &mut Outbox) {
        let Some(node) = &mut self.node else { return };
        let is_newer = node.others.get(&who.node).is_some_and(|other| other.is_newer);
        if who.node == node.id || is_newer || node.moved.has(who) {
            return;
        }
        let left = node.local(who);
        node.note_left(who.node);
        node.moved.pass_on(who, by);
        let now = node.local(by);
        self.vacate(left, out);
        if left != UserId::NOBODY && now != UserId::NOBODY {
            self.resumed.pass_on(left, now);
        }
    }

    /// What is by the user `left`, or for them, is by or for `by` from now on.
    fn pass_on(&mut self, left: UserId, by: UserId, who: Who) {
        if left != UserId::NOBODY {
            self.resumed.pass_on(left, by);
        }
        if let Some(node) = &mut self.node {
            let now = node.who(by);
            node.moved.pass_on(who, now);
        }
    }

    /// Takes a user out of the chat without a notice, since they go on as another. Returns what
    /// they had.
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

    /// Gives a user what they had as `left`: whom they ignore, who ignores them, and their mute.
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
        (seq, epoch): (Option<u64>, Option<i64>),
        out: &mut Outbox,
    ) {
        let Some(conn) = self.users.conn(by) else { return };
        self.review_account(conn);
        let name = self.users.get(conn).map(|user| user.shown().to_string()).unwrap_or_default();
        info!(conn = conn.serial(), name = &*name; "resumed");
        self.reply(conn, reply::renamed(&name), out);
        self.show_missed(conn, seq, epoch, out);
    }
}
