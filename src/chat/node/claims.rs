//! Names that the log has for users of this node, and who is to have them.

use super::message::Message;
use super::{Node, Sent};
use crate::chat::state::Chat;
use crate::chat::user::User;
use crate::chat::user_id::UserId;
use crate::cluster::Action;
use crate::net::outbox::Outbox;
use crate::net::timeouts::Now;

impl Chat {
    /// A name was claimed for a user of this node. If they have not got it, since a token was known
    /// no more or they have left, it is to be others', and their own theirs again.
    pub(super) fn give_back(&mut self, by: UserId, claimed: &str, now: Now) {
        if !self.has_name(by, claimed) {
            self.release_if_lost(by, claimed, now);
            self.claim_own(by, false);
        }
    }

    /// A name was claimed by a user, of this node or another. If somebody else of this node has it
    /// still, as the user was somebody else's by then, they claim it again. If somebody else has got
    /// it meanwhile, that was wrong: once it is back it is released, and that one claims it again.
    pub(super) fn claim_back(&mut self, claimed: &str, by: UserId) {
        let owner = self.users.owner(claimed).filter(|owner| *owner != by);
        if let Some(owner) = owner.filter(|owner| !self.is_elsewhere(*owner)) {
            self.claim_own(owner, true);
        }
    }

    /// A user of this node had this name, and is another one from now on.
    pub(in crate::chat) fn release_name(&mut self, user: UserId, name: Option<&str>) {
        let is_own = !self.is_elsewhere(user);
        if let (Some(node), Some(name), true) = (&mut self.node, name, is_own) {
            node.release(&name.to_lowercase(), user);
        }
    }

    /// A user of this node keeps the name that they have.
    pub(super) fn claim_own(&mut self, user: UserId, takes_over: bool) {
        let own = self.users.by_id(user).and_then(User::own_name).map(str::to_lowercase);
        if let (Some(node), Some(name)) = (&mut self.node, own) {
            let sent = Sent::Claim(user, name.as_str().into());
            let user = user.number.into();
            let claim = Action::Claim { name, user, releases: None, takes_over };
            node.first.push_back((claim, Vec::new(), sent));
        }
    }

    /// The log has a user's name for somebody else, who has got it while this node was away, unless
    /// it is claimed again already.
    pub(super) fn lose_name(&mut self, user: UserId, name: &str, out: &mut Outbox) {
        let is_claimed = self.node.as_ref().is_some_and(|node| node.is_claiming(name, user));
        if self.has_name(user, name) && !is_claimed {
            self.free_name(name, UserId::NOBODY, out);
        }
    }

    /// The log has a name for a user of this node. If they have another by now, or have left, and do
    /// not claim it again, it is nobody's, or that of whoever has it still.
    pub(super) fn release_if_lost(&mut self, user: UserId, name: &str, now: Now) {
        let has_name = self.has_name(user, name);
        if let Some(node) = &mut self.node
            && !has_name
            && !node.is_claiming(name, user)
        {
            let message = Message::Released(name.to_owned().into());
            let action = Action::Release { name: name.to_owned(), user: user.number.into() };
            let sent = Sent::Release(user, name.into());
            node.first.push_back((action, message.to_bytes(now), sent));
        }
    }

    /// The log has a name for a user of this node who was refused it.
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
    /// Whether a name is claimed for a user, and not back.
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

    /// A name is this user's no more.
    pub(super) fn release(&mut self, name: &str, user: UserId) {
        let action = Action::Release { name: name.to_owned(), user: user.number.into() };
        self.first.push_back((action, Vec::new(), Sent::Other));
    }
}
