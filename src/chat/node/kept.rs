//! What a node keeps for users who are at no node: mutes of names that nobody has, and tokens of
//! users whose node is gone. Each node tells it behind its roster, for nodes that have entered
//! later.

use std::mem;

use super::message::{Kept, Message};
use super::tokens::{Digest, Held, Token};
use super::who::Who;
use super::{Node, Sent};
use crate::chat::mute::Mute;
use crate::chat::state::Chat;
use crate::chat::time::timestamp;
use crate::chat::user::{Extras, User};
use crate::chat::user_id::UserId;
use crate::cluster::Action;
use crate::net::outbox::Outbox;
use crate::net::timeouts::Now;

/// The most mutes, and the most tokens, in one message.
const EACH: usize = 64;

impl Chat {
    /// Appends what is kept here.
    pub(super) fn say_what_is_kept(&mut self, now: Now) {
        let at = timestamp(now);
        let mutes = self.mutes.all().filter(|(_, mute)| !mute.is_over(at));
        let mut mutes: Vec<(Box<str>, Mute)> = mutes.cloned().collect();
        let Some(node) = &mut self.node else { return };
        let mut held = node.tokens.held();
        let mut moved = node.moved_to_own();
        while !mutes.is_empty() || !held.is_empty() || !moved.is_empty() {
            let kept = Kept {
                as_of: node.position,
                mutes: mutes.drain(..mutes.len().min(EACH)).collect(),
                held: held.drain(..held.len().min(EACH)).collect(),
                moved: mem::take(&mut moved),
            };
            let message = Message::Kept(kept).to_bytes(now);
            node.first.push_back((Action::Tell, message, Sent::Other));
        }
    }

    /// This node has entered. If it has missed something, it accepts what the others keep.
    pub(super) fn expect_kept(&mut self) {
        let Some(node) = &mut self.node else { return };
        let is_lacking = mem::take(&mut node.lacks_kept);
        node.kept_since = is_lacking.then_some(node.position);
        self.mutes.note_taken(is_lacking);
    }

    /// Accepts what another node keeps, except where this one knows better.
    pub(super) fn read_kept(&mut self, kept: Kept, out: &mut Outbox) {
        let most = self.settings.detached_max;
        let since = self.node.as_ref().and_then(|node| node.kept_since);
        if since.is_none_or(|since| kept.as_of < since) {
            return;
        }
        for (who, by) in kept.moved {
            self.has_moved_to(who, by, out);
        }
        let Some(node) = &mut self.node else { return };
        for (name, mute) in kept.mutes {
            if self.users.owner(&name).is_none() {
                self.mutes.learn(name, mute);
            }
        }
        for (digest, token) in kept.held {
            node.learn(digest, token, kept.as_of, most);
        }
    }

    /// A user of any node was muted or unmuted.
    pub(in crate::chat) fn note_muted(&mut self, user: UserId) {
        if let Some(node) = &mut self.node {
            node.muted_at.insert(user, node.position);
        }
    }

    /// What is kept of a user with a token whose node is gone, at this time by the log's clock.
    pub(super) fn held(&self, id: UserId, user: &User, at: i64) -> Option<Held> {
        let profile = self.profile(id, user)?;
        let extras = self.users.extras(user);
        let ignores = extras.map_or(&[][..], |extras| &extras.ignores).iter();
        let is_known = |ignored: &&UserId| self.users.by_id(self.resumed.now(**ignored)).is_some();
        let resume_for = i64::try_from(self.settings.resume_for.as_millis()).unwrap_or(i64::MAX);
        Some(Held {
            user: id,
            name: profile.name,
            room: profile.room.as_str().into(),
            away: extras.and_then(|extras| extras.away.clone()),
            mute: extras.and_then(|extras| extras.mute),
            ignores: ignores.filter(is_known).map(|ignored| self.for_others(*ignored)).collect(),
            until: at.saturating_add(resume_for),
        })
    }

    /// The same as extras, for the user who comes back.
    pub(super) fn held_extras(&self, held: &Held) -> Extras {
        let local = |who| self.node.as_ref().map_or(UserId::NOBODY, |node| node.local(who));
        let ignores = held.ignores.iter().map(|who| self.resumed.now(local(*who))).collect();
        let ignores_them = |user: &User| self.users.ignores(user, held.user);
        let ignored_by = self.users.everybody().filter(|(_, user)| ignores_them(user));
        Extras {
            away: held.away.clone(),
            mute: held.mute,
            ignores,
            ignored_by: ignored_by.map(|(id, _)| id).collect(),
            ..Extras::default()
        }
    }
}

impl Node {
    /// Users who have lately resumed as users of this node, and as whom. Entries of theirs from
    /// before may still be under way.
    fn moved_to_own(&self) -> Vec<(Who, Who)> {
        let is_own = |(was, now): &(Who, Who)| was.node != self.id && now.node == self.id;
        let own = self.moved.newest().filter(is_own);
        own.take(EACH).collect()
    }

    /// Learns from another node of the token of a user whose node is gone.
    fn learn(&mut self, digest: Digest, token: Token, as_of: u64, most: usize) {
        let Token { who, held: Some(held) } = token else { return };
        let is_here = self.others.contains_key(&who.node) || who.node == self.id;
        let is_taken = self.tokens.taken(&digest, held.name.as_own(), as_of).is_some();
        if !is_here && !is_taken && !self.moved.has(who) && self.tokens.get(&digest).is_none() {
            self.tokens.set(who, Some(digest));
            // Their id at their old node is not known here.
            self.tokens.hold(who, Held { user: UserId::NOBODY, ..held }, most);
        }
    }
}
