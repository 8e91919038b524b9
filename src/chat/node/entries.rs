//! What a node appends to the log, and what becomes of it when it is back.

use std::mem;

use super::message::{Message, Profile};
use super::who::Who;
use super::{Node, Sent, Stage};
use crate::chat::name::{Name, RoomName};
use crate::chat::operation::{Decision, Effect, Operation};
use crate::chat::state::Chat;
use crate::chat::user::User;
use crate::chat::user_id::UserId;
use crate::cluster::{Action, Entry, Event, Outcome};
use crate::net::outbox::Outbox;
use crate::net::timeouts::Now;

/// For the owner of a chat that is a node of a cluster ([`Bus::Log`](crate::chat::Bus::Log)).
impl Chat {
    /// The next entry that is to be appended to the log. Ask after each call of the chat.
    pub fn next_entry(&mut self, now: Now) -> Option<Entry> {
        let node = self.node.as_mut().filter(|node| node.stage == Stage::Inside)?;
        if self.users.guests_are_few() && !mem::replace(&mut node.is_leasing, true) {
            node.first.push_back((Action::LeaseGuests, Vec::new(), Sent::Other));
        }
        let is_telling = node.owes_roster || !node.taken_over.is_empty();
        // What it knows is incomplete until it has entered again.
        if node.first.is_empty() && is_telling && !node.lacks_kept {
            if !node.sent.is_empty() {
                return None;
            }
            self.tell_taken_over(now);
            self.say_who_is_here(now);
        }
        let (action, payload, sent) = match self.node.as_mut()?.first.pop_front() {
            Some(first) => first,
            None => self.next_from_users(now)?,
        };
        Some(self.node.as_mut()?.append(action, payload, sent))
    }

    /// The next entry for what a user has done.
    fn next_from_users(&mut self, now: Now) -> Option<(Action, Vec<u8>, Sent)> {
        let mut operation = self.under_way.next()?;
        if operation.number == 0 {
            operation.number = self.node.as_ref()?.last_number + 1;
        }
        if let Effect::TakeOver { digest, name, .. } = &mut operation.effect {
            *name = self.name_of_token(digest).and_then(|(name, _)| name).map(Into::into);
        }
        let (action, message) = self.entry_of(&operation);
        operation.claims = match &action {
            Action::Claim { name, .. } => Some(name.as_str().into()),
            _ => None,
        };
        if matches!(operation.effect, Effect::Leave { .. }) {
            self.release_wanted(operation.by);
        }
        Some((action, message.to_bytes(now), Sent::Operation(operation)))
    }

    fn entry_of(&self, operation: &Operation) -> (Action, Message) {
        let Operation { by, effect, number: first, .. } = operation;
        let user = self.users.by_id(*by);
        let name = user.and_then(User::own_name).map(str::to_lowercase);
        let profile = user.and_then(|user| self.profile(*by, user));
        let number = u64::from(by.number);
        let action = match effect {
            Effect::Say(..) => match &profile {
                Some(profile) => Action::Say { room: profile.room.as_str().to_lowercase() },
                None => Action::Tell,
            },
            Effect::Name { name: wanted, logged_in, .. } => {
                let wanted = wanted.to_lowercase();
                let releases = name.filter(|name| *name != wanted);
                Action::Claim { name: wanted, user: number, releases, takes_over: *logged_in }
            }
            Effect::TakeOver { digest, name: Some(wanted), .. } => {
                // If the user's node is gone, somebody else may rightly have the name by now.
                let takes_over = self.name_of_token(digest).is_some_and(|(_, is_held)| !is_held);
                let (wanted, releases) = (wanted.to_string(), name.filter(|name| name != wanted));
                Action::Claim { name: wanted, user: number, releases, takes_over }
            }
            Effect::Leave { .. } if let Some(name) = name => {
                Action::Release { name, user: number, heir: None }
            }
            _ => Action::Tell,
        };
        let is_shown = effect.shows_user();
        // The id of the token's user as it is, even if they have resumed as another: then the token
        // is no longer good.
        let is_resume = matches!(effect, Effect::Resume { .. });
        let own = |user| self.node.as_ref().expect("only a node asks").who(user);
        let who = |user| if is_resume { own(user) } else { self.for_others(user) };
        let effect = effect.clone().with_ids(who);
        let profile = profile.filter(|_| is_shown);
        (action, Message::Did { number: *first, by: *by, profile, effect })
    }

    /// An operation of this node is back.
    pub(super) fn own_operation(
        &mut self,
        mut operation: Operation,
        event: &Event,
        how: &Decision,
        out: &mut Outbox,
    ) {
        let claimed = operation.claims.take().filter(|_| how.is(&Outcome::Claimed));
        let by = operation.by;
        let has_released = matches!(operation.effect, Effect::Leave { .. });
        // They may have resumed as another user, who leaves now: not with the name that the
        // entry has released.
        let now = self.resumed.now(by);
        let name = self.users.by_id(now).filter(|_| has_released && now != by);
        let name = name.and_then(User::own_name).map(str::to_owned);
        if self.has_moved(by) || self.users.by_id(self.resumed.now(by)).is_none() {
            // The user is gone or has resumed elsewhere. So it takes effect as it does at
            // all other nodes: from the message alone.
            if let Some(message) = Message::from_bytes(&event.payload, out.now()) {
                self.message(event.node, message, how, out);
            }
        } else {
            self.decided(operation, how, out);
        }
        if let Some(name) = claimed {
            self.give_back(by, &name, out.now());
            self.claimed(&name, self.resumed.now(by));
        }
        if self.users.by_id(now).is_none() {
            self.release_name(now, name.as_deref());
        }
        if has_released {
            // If they have come back meanwhile, they keep their name.
            self.claim_own(by, false);
        }
    }

    /// Frees the names that are being claimed for a user who leaves.
    fn release_wanted(&mut self, user: UserId) {
        let Some(node) = &mut self.node else { return };
        let wanted = node.sent.iter().filter_map(|(_, sent)| match sent {
            Sent::Operation(operation) if operation.by == user => operation.claims.clone(),
            _ => None,
        });
        let wanted: Vec<Box<str>> = wanted.collect();
        for name in wanted {
            node.release(&name, user);
        }
    }

    /// A user as all others see them, if they are in a room.
    pub(super) fn profile(&self, id: UserId, user: &User) -> Option<Profile> {
        let room = match self.room_of(id) {
            Some(room) => RoomName::new(self.rooms.get(room).name()),
            None => RoomName::new(&self.users.extras(user)?.detached.as_ref()?.room),
        };
        Some(Profile {
            name: Name::from(user.shown()),
            room,
            serial: user.conn_number(),
            is_announced: user.is_announced(),
            is_operator: self.users.extras(user).is_some_and(|extras| extras.is_operator),
            has_account: self.users.has_account(user),
        })
    }

    pub(super) fn for_others(&self, user: UserId) -> Who {
        let node = self.node.as_ref().expect("only a node asks");
        node.who(self.resumed.now(user))
    }

    /// A private message could not be delivered; its sender may be at another node.
    pub(in crate::chat) fn reply_not_reading(&mut self, to: UserId, name: &str, out: &mut Outbox) {
        if !self.is_elsewhere(to) {
            return self.reply_to(to, crate::chat::reply::not_reading(name), out);
        }
        let to = self.for_others(to);
        let message = Message::NotReading { to, name: name.to_owned().into() };
        let payload = message.to_bytes(out.now());
        if let Some(node) = &mut self.node {
            node.first.push_back((Action::Tell, payload, Sent::Other));
        }
    }
}

impl Node {
    fn append(&mut self, action: Action, payload: Vec<u8>, sent: Sent) -> Entry {
        self.last_number += 1;
        self.sent.push_back((self.last_number, sent));
        Entry { number: self.last_number, action, payload }
    }
}
