//! What a node is told: the log's events in their order, and whether it was cut off or has missed
//! some.

use std::collections::HashMap;
use std::mem;

use log::warn;

use super::message::{Message, Profile};
use super::tokens::Tokens;
use super::who::Who;
use super::{Node, Sent, Stage, Uncertain};
use crate::chat::dialect::{Kind, Person};
use crate::chat::history::Line;
use crate::chat::messages::{keep, keep_number};
use crate::chat::operation::{Decision, Effect};
use crate::chat::reply;
use crate::chat::room::RoomNo;
use crate::chat::state::Chat;
use crate::chat::time::timestamp;
use crate::chat::user_id::UserId;
use crate::cluster::{Event, NodeId, Outcome, Report};
use crate::net::outbox::Outbox;

/// For the owner of a chat that is a node of a cluster ([`Bus::Log`](crate::chat::Bus::Log)).
impl Chat {
    /// Whether this node takes part: it has entered, and has numbers for guests. Before that
    /// nobody should be connected.
    #[must_use]
    pub fn is_in_cluster(&self) -> bool {
        let is_inside = self.node.as_ref().is_some_and(|node| node.stage == Stage::Inside);
        is_inside && !self.users.guests_are_few()
    }

    /// What the log reports, in its order.
    pub fn report(&mut self, report: Report, out: &mut Outbox) {
        let Some(node) = &mut self.node else { return };
        match report {
            Report::Past(event) => self.keep_past(event, out),
            Report::Event(event) => self.event(event, out),
            Report::Lost(count) => {
                self.note_missed();
                self.notify_all(|| reply::events_lost(count), out);
            }
            Report::CutOff => self.cut_off(out),
            Report::NewEra => {
                node.tokens = Tokens::default();
                (node.named_at, node.muted_at) = (HashMap::new(), HashMap::new());
                self.note_missed();
                self.note_loss();
            }
        }
    }

    fn event(&mut self, event: Event, out: &mut Outbox) {
        let Some(node) = &mut self.node else { return };
        let is_own = event.node == node.id;
        node.position = event.id;
        if matches!(event.outcome, Outcome::Entered | Outcome::Gone) {
            // It may have persisted something and not told of it.
            node.refresh.want();
        }
        if event.outcome == Outcome::Entered {
            // It may have been away. Its roster will say which of its tokens are still good.
            node.tokens.forget_of(|node| node == event.node);
        }
        match (&event.outcome, is_own) {
            (Outcome::Entered, true) => self.entered(&event.payload, out),
            (Outcome::Entered, false) => {
                // It may have missed that users of its own have resumed elsewhere. Nothing of what
                // they did before comes after this.
                node.moved.forget(|who| who.node == event.node);
                node.owes_roster = true;
                let other = node.other(event.node);
                other.name = String::from_utf8_lossy(&event.payload).into_owned();
                other.listed.clear();
                // Nobody was told who connected there while it was away. The roster will say.
                other.newest = None;
                other.is_newer = true;
                warn!(node:% = event.node, name = other.name.as_str(); "node_entered");
            }
            (Outcome::Gone, true) => node.alone.was_gone = true,
            (Outcome::Gone, false) => {
                warn!(node:% = event.node; "node_gone");
                self.forget_node(event.node, event.at, out);
            }
            (_, true) => self.own_event(event, out),
            (_, false) => {
                let message = Message::from_bytes(&event.payload, out.now());
                if message.as_ref().is_some_and(|message| node.has_seen(event.node, message)) {
                    self.keep_past(event, out);
                } else if let Some(message) = message {
                    let how = Decision::Log { at: event.at, outcome: event.outcome };
                    self.message(event.node, message, &how, out);
                } else if !event.payload.is_empty() {
                    warn!(node:% = event.node; "message_skipped");
                }
            }
        }
    }

    /// An entry of this node is back.
    fn own_event(&mut self, event: Event, out: &mut Outbox) {
        let Some(node) = &mut self.node else { return };
        match &event.outcome {
            Outcome::Block(block) => {
                node.is_leasing = false;
                self.users.lease_guests(*block);
                self.renumber_guests(out);
            }
            Outcome::Kept(blocks) => {
                self.users.keep_guests(blocks);
                self.renumber_guests(out);
            }
            _ => {}
        }
        let Some(sent) = self.node.as_mut().and_then(|node| node.take_sent(event.number)) else {
            return self.has_got_through(event, out);
        };
        let how = Decision::Log { at: event.at, outcome: event.outcome.clone() };
        match sent {
            Sent::Operation(operation) => self.own_operation(operation, &event, &how, out),
            Sent::Claim(user, name) if how.is(&Outcome::Taken) => self.lose_name(user, &name, out),
            Sent::Claim(user, name) => self.claimed_again(&name, user, out.now()),
            Sent::Release(..) | Sent::Other => self.read_own(&event.payload, out),
        }
    }

    /// An entry that took effect here alone, while the log was out of reach, is in the log after
    /// all.
    fn has_got_through(&mut self, event: Event, out: &mut Outbox) {
        let Some(node) = &mut self.node else { return };
        match node.take_uncertain(event.number) {
            Some(Uncertain::Said { is_counted }) => {
                node.alone.unheard -= u64::from(is_counted);
                return self.keep_past(event, out);
            }
            Some(Uncertain::Claimed(user, name)) if event.outcome == Outcome::Claimed => {
                self.release(user, &name);
            }
            _ => {}
        }
        // This node has refused them the token, but at all other nodes they have come back.
        let message = Message::from_bytes(&event.payload, out.now());
        if let Some(Message::Did { by, effect: effect @ Effect::TakeOver { .. }, .. }) = message
            && !self.has_moved(by)
        {
            let how = Decision::Log { at: event.at, outcome: event.outcome };
            let effect = effect.with_ids(|who| who.user);
            self.take_effect(self.resumed.now(by), effect, &how, out);
        }
    }

    /// This node has entered, perhaps again.
    fn entered(&mut self, name: &[u8], out: &mut Outbox) {
        let Some(node) = &mut self.node else { return };
        node.name = String::from_utf8_lossy(name).into_owned();
        let is_first = node.stage == Stage::Entering;
        let was_away = node.stage == Stage::CutOff || node.alone.was_gone;
        node.stage = Stage::Inside;
        node.is_leasing = false;
        node.expect_rosters(out.now().monotonic);
        self.append_again();
        let alone = self.node.as_mut().map(|node| mem::take(&mut node.alone)).unwrap_or_default();
        self.forget_moved();
        if !is_first {
            warn!(unheard = alone.unheard; "entered_again");
        }
        self.claim_again(alone.releases, out.now());
        self.expect_kept();
        if was_away {
            // What it has persisted meanwhile the others may have read too early.
            self.tell_all(None, Effect::Reload);
            self.notify_all(|| reply::back_with_others(alone.unheard), out);
        }
        if let Some(node) = &mut self.node {
            node.owes_roster = true;
        }
    }

    /// Appends again what is not back by now: it is not in the log, unless this node has missed it.
    fn append_again(&mut self) {
        let Some(node) = &mut self.node else { return };
        let first = mem::take(&mut node.first).into_iter().map(|(.., sent)| sent);
        let sent = mem::take(&mut node.sent).into_iter().map(|(_, sent)| sent);
        for sent in sent.chain(first).rev() {
            match sent {
                Sent::Operation(operation) => self.under_way.add_again(operation),
                Sent::Claim(user, name) | Sent::Release(user, name) => self.release(user, &name),
                Sent::Other => {}
            }
        }
    }

    /// Forgets this node's users who have resumed elsewhere: nothing that they did before can still
    /// come.
    fn forget_moved(&mut self) {
        let Some(node) = &mut self.node else { return };
        let id = node.id;
        self.under_way.retain(|user| !node.has_moved_away(Who { node: id, user }));
        node.moved.forget(|who| who.node == id);
    }

    /// Carries out what another node tells.
    pub(super) fn message(
        &mut self,
        from: NodeId,
        message: Message,
        how: &Decision,
        out: &mut Outbox,
    ) {
        match message {
            Message::Did { by, profile, effect, .. } => {
                let claimed = effect.claimed(how).map(str::to_owned);
                let who = Who { node: from, user: by };
                self.did(who, profile.as_ref(), effect, how, out);
                if let Some(name) = claimed {
                    let by = self.node.as_ref().map_or(UserId::NOBODY, |node| node.local(who));
                    self.claimed(&name, self.resumed.now(by));
                }
            }
            Message::Roster { name, as_of, is_first, is_last, users } => {
                self.read_roster(from, (name, as_of), &users, (is_first, is_last), out);
            }
            Message::Kept(kept) => self.read_kept(kept, out),
            Message::Released { name, heir } => self.released(&name, heir, out.now()),
            Message::TakenOver { as_of, who, by } => {
                self.taken_over(who, Who { node: from, user: by.user }, (as_of, &by), out);
            }
            Message::NotReading { to, name } => {
                let to = self.node.as_ref().map_or(UserId::NOBODY, |node| node.local(to));
                self.reply_to(self.resumed.now(to), reply::not_reading(&name), out);
            }
        }
    }

    /// Carries out what a user of another node has done.
    fn did(
        &mut self,
        who: Who,
        profile: Option<&Profile>,
        effect: Effect<'static, Who>,
        how: &Decision,
        out: &mut Outbox,
    ) {
        let Some(node) = &self.node else { return };
        let has_moved_away = node.has_moved_away(who);
        match (&effect, profile) {
            (Effect::Resume { user, .. }, _) if node.moved.has(*user) => return,
            (effect, _) if has_moved_away && effect.is_of_connection() => {
                let now = self.resumed.now(node.local(who));
                if matches!(effect, Effect::Leave { .. }) && !self.is_elsewhere(now) {
                    // The entry may have released the name that they have here by now.
                    self.claim_own(now, false);
                }
                return self.had_no_effect(effect);
            }
            (Effect::Say(kind, text), Some(profile)) if has_moved_away => {
                return self.said_before(who, profile, (*kind, text), how, out);
            }
            _ => {}
        }
        let by = self.find_or_add_elsewhere(who, profile, out);
        if let (Effect::Say(..), Some(profile)) = (&effect, profile)
            && self.users.by_id(by).is_none()
        {
            return self.leave_out(profile.room.as_str(), how, out);
        }
        if let Effect::TakeOver { digest, name, .. } = &effect
            && self.users.by_id(by).is_none()
        {
            self.note_taken(who, *digest, name.as_deref());
        }
        let Some(node) = &self.node else { return };
        let effect = effect.with_ids(|who| node.local(who));
        self.take_effect(self.resumed.now(by), effect, how, out);
    }

    /// Whether a user of this node has resumed at another.
    pub(in crate::chat) fn has_moved(&self, user: UserId) -> bool {
        self.node.as_ref().is_some_and(|node| node.has_moved_away(Who { node: node.id, user }))
    }

    /// A line that somebody said just before they resumed at another node. It is said in the room
    /// that they were in, whose number it has, and under the name that they had, unless that is
    /// another's by now.
    fn said_before(
        &mut self,
        who: Who,
        profile: &Profile,
        line: (Kind, &str),
        how: &Decision,
        out: &mut Outbox,
    ) {
        let by = self.node.as_ref().map_or(UserId::NOBODY, |node| node.local(who));
        let by = self.resumed.now(by);
        let (name, number) = (profile.name.shown(), profile.serial);
        let is_gone = self.users.by_id(by).is_none();
        let owner = profile.name.as_own().and_then(|name| self.users.owner(name));
        let is_anothers = owner.is_some_and(|owner| owner != by);
        if is_gone && is_anothers {
            return self.leave_out(profile.room.as_str(), how, out);
        }
        let speaker = (!is_anothers).then_some(Person { name, addr: None, number });
        let max = self.settings.rooms_max;
        let room = self.rooms.find_or_make_beyond(profile.room.as_str(), max);
        self.say_in(room, (by, speaker), line, how, out);
    }

    /// Keeps a line in its room's history without showing it to anybody.
    fn keep_past(&mut self, event: Event, out: &Outbox) {
        let message = Message::from_bytes(&event.payload, out.now());
        let Some(Message::Did {
            by, profile: Some(profile), effect: Effect::Say(kind, text), ..
        }) = message
        else {
            return;
        };
        let rooms_max = self.settings.rooms_max;
        let Some(room) = self.rooms.find_or_make(profile.room.as_str(), rooms_max) else { return };
        let how = Decision::Log { at: event.at, outcome: event.outcome };
        let is_first = self.node.as_ref().is_some_and(|node| node.stage == Stage::Entering);
        let own_name = profile.name.as_own().filter(|_| is_first);
        if own_name.is_some_and(|name| self.bans.has_name(name, timestamp(out.now()))) {
            // The nodes that were there have withdrawn it.
            keep_number(&mut self.rooms, room, &how, &self.settings);
            return self.rooms.drop_if_done_with(room);
        }
        let who = Who { node: event.node, user: by };
        let speaker = self.node.as_ref().map_or(UserId::NOBODY, |node| node.local(who));
        let (name, text) = (profile.name.shown(), &*text);
        self.rooms.get_mut(room).note_topic(kind, text);
        let line = Line { speaker, name, kind, text, at: event.at };
        keep(&mut self.rooms, room, line, &how, &self.settings);
    }

    /// Sends a notice to every room.
    pub(super) fn notify_all<T: std::fmt::Display>(
        &mut self,
        notice: impl Fn() -> reply::Reply<T>,
        out: &mut Outbox,
    ) {
        let rooms: Vec<RoomNo> = self.rooms.numbers().collect();
        for room in rooms {
            self.notify_room(room, None, notice(), out);
        }
    }
}

impl Node {
    /// Takes what was appended under this number. Entries with lower numbers were among the events
    /// that this node missed; they are appended again once it has entered again.
    fn take_sent(&mut self, number: u64) -> Option<Sent> {
        let at = self.sent.binary_search_by_key(&number, |(own, _)| *own).ok()?;
        self.sent.remove(at).map(|(_, sent)| sent)
    }

    /// Whether another node has appended something again that was shown here already.
    fn has_seen(&mut self, from: NodeId, message: &Message) -> bool {
        let Message::Did { number, effect, .. } = message else { return false };
        let seen = self.seen.entry(from).or_default();
        let is_known = number <= seen;
        *seen = (*seen).max(*number);
        is_known && effect.is_shown_once()
    }

    fn take_uncertain(&mut self, number: u64) -> Option<Uncertain> {
        let uncertain = &mut self.alone.uncertain;
        while uncertain.pop_front_if(|(own, _)| *own < number).is_some() {}
        uncertain.pop_front_if(|(own, _)| *own == number).map(|(_, what)| what)
    }
}
