//! The log out of reach for longer than a node's patience. Until it is back its users hear one
//! another, at once; what they say has no number, is not kept, and is not sent later. What only
//! the log can decide is refused, so that nothing has to be merged.

use std::collections::VecDeque;
use std::mem;

use super::{Sent, Stage, Uncertain};
use crate::chat::operation::{Decision, Effect, Operation};
use crate::chat::reply;
use crate::chat::state::Chat;
use crate::chat::user_id::UserId;
use crate::cluster::Action;
use crate::net::outbox::Outbox;
use crate::net::timeouts::Now;

impl Chat {
    pub(in crate::chat) fn is_cut_off(&self) -> bool {
        self.node.as_ref().is_some_and(|node| node.stage == Stage::CutOff)
    }

    /// The log is out of reach. What is under way takes effect here alone. It may be in the log all
    /// the same: its numbers are remembered.
    pub(super) fn cut_off(&mut self, out: &mut Outbox) {
        let Some(node) = self.node.as_mut().filter(|node| node.stage == Stage::Inside) else {
            return;
        };
        node.stage = Stage::CutOff;
        (node.owes_roster, node.taken_over) = (false, VecDeque::new());
        let (first, sent) = (mem::take(&mut node.first), mem::take(&mut node.sent));
        self.notify_all(reply::cut_off, out);
        for (number, sent) in sent {
            let operation = match sent {
                Sent::Operation(operation) => operation,
                Sent::Claim(user, name) | Sent::Release(user, name) => {
                    self.release(user, &name);
                    continue;
                }
                Sent::Other => continue,
            };
            let (uncertain, before) = (Uncertain::of(&operation), self.unheard());
            self.decided(operation, &Decision::CutOff, out);
            self.note_uncertain(number, uncertain, before);
        }
        for (.., sent) in first {
            if let Sent::Release(user, name) = sent {
                self.release(user, &name);
            }
        }
        while let Some(operation) = self.under_way.next() {
            self.decided(operation, &Decision::CutOff, out);
        }
    }

    /// Tells a user that what they asked of all servers was done at this one alone.
    pub(in crate::chat) fn reply_if_cut_off(
        &mut self,
        by: UserId,
        does: &str,
        how: &Decision,
        out: &mut Outbox,
    ) {
        if matches!(how, Decision::CutOff) {
            self.reply_to(by, reply::only_this_one(does), out);
        }
    }

    fn unheard(&self) -> u64 {
        self.node.as_ref().map_or(0, |node| node.alone.unheard)
    }

    /// What took effect here alone under this number, with so many lines unheard before.
    fn note_uncertain(&mut self, number: u64, mut uncertain: Uncertain, before: u64) {
        let Some(node) = &mut self.node else { return };
        let alone = &mut node.alone;
        if let Uncertain::Said { is_counted } = &mut uncertain {
            *is_counted = alone.unheard > before;
        }
        alone.uncertain.push_back((number, uncertain));
    }

    /// Counts a line that only this node's users have seen.
    pub(in crate::chat) fn note_unheard(&mut self) {
        if let Some(node) = &mut self.node {
            node.alone.unheard += 1;
        }
    }

    /// After this node has entered again: claims what its users have, since the log may have
    /// forgotten it, or given it away.
    pub(super) fn claim_again(&mut self, releases: Vec<(UserId, Box<str>)>, now: Now) {
        for (user, name) in releases {
            self.release_if_lost(user, &name, now);
        }
        let rooms = self.rooms.iter().filter(|room| !room.history().is_empty());
        let rooms = rooms.map(|room| Action::Raise {
            room: room.name().to_lowercase(),
            seq: room.history().last_seq(),
        });
        let blocks = self.users.guest_blocks();
        let mut first: Vec<_> = rooms
            .chain([Action::KeepGuests { blocks }])
            .map(|action| (action, Sent::Other))
            .collect();
        let own = self.users.everybody().filter(|(id, _)| !self.is_elsewhere(*id));
        first.extend(own.filter_map(|(id, user)| {
            let (name, user) = (user.own_name()?.to_lowercase(), u64::from(id.number));
            let sent = Sent::Claim(id, name.as_str().into());
            Some((Action::Claim { name, user, releases: None, takes_over: false }, sent))
        }));
        if let Some(node) = &mut self.node {
            let first = first.into_iter().map(|(action, sent)| (action, Vec::new(), sent));
            node.first.extend(first);
        }
    }
}

impl Uncertain {
    fn of(operation: &Operation) -> Uncertain {
        match (&operation.effect, &operation.claims) {
            (Effect::Say(..), _) => Uncertain::Said { is_counted: true },
            (_, Some(name)) => Uncertain::Claimed(operation.by, name.clone()),
            _ => Uncertain::Other,
        }
    }
}
