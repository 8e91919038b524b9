//! Names that the log gives to users of this node, and who is to have them.

use super::message::Message;
use super::who::Who;
use super::{Node, Sent};
use crate::chat::state::Chat;
use crate::chat::user::User;
use crate::chat::user_id::UserId;
use crate::cluster::Action;
use crate::net::outbox::Outbox;
use crate::net::timeouts::Now;

impl Chat {
    /// A name was claimed for a user of this node. If they did not get it after all (the token was
    /// no longer good, or they have left), it becomes free for others, and their own name is
    /// claimed again.
    pub(super) fn give_back(&mut self, by: UserId, claimed: &str, now: Now) {
        if !self.has_name(by, claimed) {
            self.release_if_lost(by, claimed, now);
            self.claim_own(by, false);
        }
    }

    /// The log has given a name to a user, of any node. If another user, of this node, still has
    /// that name, the first one did not take it (they had resumed as somebody else by then): so it
    /// is claimed again for the user who has it. If a third user has got it meanwhile, that claim
    /// is a mistake: once it is back the name is released, with the third user as its heir.
    pub(super) fn claimed(&mut self, name: &str, by: UserId) {
        let owner = self.users.owner(name);
        if !self.note_claimed(name, by)
            && let Some(owner) = owner.filter(|owner| !self.is_elsewhere(*owner))
        {
            self.claim_own(owner, true);
        }
    }

    /// The log has given a user of this node the name that they have, again. Another node may have a
    /// user of that name, who has lost it by that.
    pub(super) fn claimed_again(&mut self, name: &str, user: UserId, now: Now) {
        self.release_if_lost(user, name, now);
        self.claimed(name, user);
        if self.has_name(user, name)
            && let Some(node) = &mut self.node
        {
            node.owes_roster = true;
        }
    }

    /// Notes since when the log has given a user this name, if they have it. Returns whether.
    fn note_claimed(&mut self, name: &str, user: UserId) -> bool {
        let has_name = self.has_name(user, name);
        if let Some(node) = self.node.as_mut().filter(|_| has_name) {
            node.named_at.insert(user, node.position);
        }
        has_name
    }

    /// Whether the log has given a name to somebody else after it gave it to this user.
    pub(super) fn has_lost_name(&self, name: Option<&str>, user: UserId, named_at: u64) -> bool {
        let owner = name.and_then(|name| self.users.owner(name)).filter(|owner| *owner != user);
        let since = owner.zip(self.node.as_ref()).map(|(owner, node)| node.named_at(owner));
        since.is_some_and(|since| since > named_at)
    }

    /// Frees the name of a user of this node who has resumed as another.
    pub(in crate::chat) fn release_name(&mut self, user: UserId, name: Option<&str>) {
        let is_own = !self.is_elsewhere(user);
        if let (Some(node), Some(name), true) = (&mut self.node, name, is_own) {
            node.release(&name.to_lowercase(), user);
        }
    }

    /// Claims the name that a user of this node has for them again.
    pub(super) fn claim_own(&mut self, user: UserId, takes_over: bool) {
        let own = self.users.by_id(user).and_then(User::own_name).map(str::to_lowercase);
        if let (Some(node), Some(name)) = (&mut self.node, own) {
            let sent = Sent::Claim(user, name.as_str().into());
            let user = user.number.into();
            let claim = Action::Claim { name, user, releases: None, takes_over };
            node.first.push_back((claim, Vec::new(), sent));
        }
    }

    /// The log gives a user's name to somebody else, who got it while this node was away: the user
    /// loses it, unless it is already claimed for them again.
    pub(super) fn lose_name(&mut self, user: UserId, name: &str, out: &mut Outbox) {
        let is_claimed = self.node.as_ref().is_some_and(|node| node.is_claiming(name, user));
        if self.has_name(user, name) && !is_claimed {
            self.free_name(name, UserId::NOBODY, out);
            if let Some(node) = &mut self.node {
                // The others do not know that they have left.
                node.owes_roster = true;
            }
        }
    }

    /// The log gives a name to a user of this node. If they have another by now, or have left, and
    /// it is not being claimed for them again, it is given to the user who has it here, or released
    /// for whoever wants it.
    pub(super) fn release_if_lost(&mut self, user: UserId, name: &str, now: Now) {
        let has_name = self.has_name(user, name);
        let heir = self.users.owner(name).map(|owner| self.for_others(owner));
        if let Some(node) = &mut self.node
            && !has_name
            && !node.is_claiming(name, user)
        {
            let message = Message::Released { name: name.to_owned().into(), heir };
            let heir = heir.map(|heir| (heir.node, heir.user.number.into()));
            let action = Action::Release { name: name.to_owned(), user: user.number.into(), heir };
            let sent = Sent::Release(user, name.into());
            node.first.push_back((action, message.to_bytes(now), sent));
        }
    }

    /// A name that was claimed by mistake has been released. Its heir may have lost it by now.
    pub(super) fn released(&mut self, name: &str, heir: Option<Who>, now: Now) {
        let Some(node) = &self.node else { return };
        let Some(heir) = heir else { return self.claimed(name, UserId::NOBODY) };
        // A user of this node by the id that the log has, even if they have resumed as another.
        let is_own = heir.node == node.id;
        let user = if is_own { heir.user } else { node.local(heir) };
        if !self.note_claimed(name, user) && is_own {
            self.release_if_lost(user, name, now);
        }
    }

    /// The log gives a name to a user of this node who was refused it: it is released later.
    pub(super) fn release(&mut self, user: UserId, name: &str) {
        if !self.has_name(user, name)
            && let Some(node) = &mut self.node
        {
            node.alone.releases.push((user, name.into()));
        }
    }

    fn has_name(&self, user: UserId, name: &str) -> bool {
        let own = self.users.by_id(user).and_then(User::own_name);
        own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    }
}

impl Node {
    /// Whether a claim of a name for a user is under way.
    fn is_claiming(&self, name: &str, user: UserId) -> bool {
        let sent = self.sent.iter().map(|(_, sent)| sent);
        sent.chain(self.first.iter().map(|(.., sent)| sent)).any(|sent| match sent {
            Sent::Operation(operation) => {
                operation.by == user && operation.claims.as_deref() == Some(name)
            }
            Sent::Claim(by, own) => *by == user && &**own == name,
            Sent::Release(..) | Sent::Other => false,
        })
    }

    /// Frees a name of this user in the log.
    pub(super) fn release(&mut self, name: &str, user: UserId) {
        let user = user.number.into();
        let action = Action::Release { name: name.to_owned(), user, heir: None };
        self.first.push_back((action, Vec::new(), Sent::Other));
    }
}
