//! How connections end: what the service is told, how long draining may take, and how many
//! connections may drain at a time.

use std::time::Instant;

use super::{Conn, Hub, Phase};
use crate::net::conn::{CloseReason, ConnId, State};
use crate::net::service::Service;
use crate::net::transport::Transport;

impl<T: Transport, S: Service> Hub<T, S> {
    /// Whether one of so many places is free for a new connection. A draining connection keeps its
    /// place until it is closed; if no other place is free, the one that has drained for longest
    /// is closed. Its stream is then among [`Hub::take_closed`], to be dropped before the new one is
    /// registered.
    pub fn has_room(&mut self, places: usize) -> bool {
        let (open, leaving) = (self.open_count(), self.counts.draining + self.counts.unreachable);
        if open + self.counts.draining >= places
            && open - self.counts.unreachable < places
            && leaving > 0
        {
            self.close_oldest_leaving();
            self.announce_closing();
            self.reap_dead();
        }
        self.open_count() + self.counts.draining < places
    }

    /// A connection cannot be written to any more. Lines that it sent before are still taken, at
    /// its rate, for a while.
    pub(super) fn lose_reader(&mut self, id: ConnId) {
        if self.outbox.state(id) != State::Open || self.prefaces.contains_key(&id) {
            return self.outbox.kill(id, CloseReason::Broken);
        }
        self.outbox.lose_reader(id);
        self.conns[id.slot()].unreachable = true;
        self.counts.unreachable += 1;
        self.last_words.start(id, self.outbox.now().monotonic);
        self.list_ready(id);
    }

    /// Tells the service of each connection whose close has begun. That can make others close.
    pub(super) fn announce_closing(&mut self) {
        while let Some((id, why)) = self.outbox.next_closing() {
            let Conn { phase, kind, .. } = self.conns[id.slot()];
            let had_preface = self.forget_preface(id);
            let is_known = !had_preface && phase.has_place();
            self.counts.draining += usize::from(phase.has_place());
            self.counts.probes_asking -= usize::from(had_preface && phase == Phase::Probe);
            self.counts.unreachable -= usize::from(self.conns[id.slot()].unreachable);
            if is_known {
                self.metrics.close(kind, why);
                self.accepted_log.note_end(id, why, || self.service.log_name(id));
                self.counts.open -= 1;
                self.service.on_close(id, why, &mut self.outbox);
            }
            let farewell = self.outbox.take_farewell(id);
            if self.outbox.state(id) == State::Draining {
                self.send_close_frame(id, why, farewell.as_deref());
                self.drains.start(id, self.outbox.now().monotonic);
                // The client may still send; that is read and dropped.
                self.list_ready(id);
            }
            let input = self.take_input(id);
            // A WebSocket still has to answer the close frame, somewhere behind what is dropped.
            if let Some(mut input) = input.filter(|_| self.is_web_socket(id)) {
                input.forget_waiting();
                self.park_input(id, input);
            }
        }
    }

    /// Closes draining connections whose deadline has passed.
    pub(super) fn close_late(&mut self, now: Instant) {
        while let Some(id) = self.drains.expired(now) {
            self.outbox.kill(id, CloseReason::TooSlow);
        }
        while let Some(id) = self.last_words.expired(now) {
            if self.outbox.state(id) == State::Unreachable {
                self.outbox.kill(id, CloseReason::Broken);
            }
        }
        while let Some(id) = self.lingers.expired(now) {
            // With input unread, closing would destroy what the other side has not read.
            let activity = self
                .last_activity
                .remove(&id)
                .map(|activity| activity.at + self.limits.linger_time);
            if self.outbox.state(id) == State::Draining && activity.is_some_and(|until| until > now)
            {
                self.lingers.start(id, now);
            } else {
                self.outbox.kill(id, CloseReason::TooSlow);
            }
        }
    }

    /// Closes draining connections that are too many.
    pub(super) fn close_excess(&mut self) {
        self.reap_dead();
        if self.spared_until.is_some_and(|until| until > self.outbox.now().monotonic) {
            return;
        }
        let leaving = self.counts.draining + self.counts.unreachable;
        for _ in self.limits.draining_max..leaving {
            self.close_oldest_leaving();
        }
        self.announce_closing();
    }

    /// Closes the connection that has drained for longest: one that has been sent everything if
    /// there is one, and one whose lines still wait for their rate only if there is no other.
    fn close_oldest_leaving(&mut self) {
        let (conns, outbox) = (&self.conns, &self.outbox);
        let is_leaving = |id: ConnId| {
            matches!(outbox.state(id), State::Draining | State::Unreachable)
                && conns[id.slot()].phase.has_place()
        };
        let mut queues = [&mut self.lingers, &mut self.drains, &mut self.last_words].into_iter();
        if let Some(id) = queues.find_map(|queue| queue.take_first(is_leaving)) {
            self.outbox.kill(id, CloseReason::Broken);
        }
    }

    /// Frees the slots of the dead.
    pub(super) fn reap_dead(&mut self) {
        let dead = self.outbox.take_dead();
        if dead.is_empty() {
            return;
        }
        for id in dead {
            self.reap(id);
        }
        let is_gone = |id| self.outbox.state(id) == State::Vacant;
        self.drains.prune(is_gone);
        self.lingers.prune(is_gone);
        self.last_words.prune(is_gone);
        self.pings.prune(is_gone);
        self.timers.prune(|(id, _)| is_gone(id));
    }

    fn reap(&mut self, id: ConnId) {
        let conn = self.conns.remove(id.slot());
        match conn.phase {
            Phase::Refused => self.counts.refused -= 1,
            Phase::Probe => self.counts.probes -= 1,
            Phase::Unknown | Phase::Lines => self.counts.draining -= 1,
        }
        self.accepted_log.end(id, self.outbox.now().monotonic);
        self.outbox.free_slot(id);
        self.addresses.remove(id);
        self.forget(id);
        self.closed.push(conn.stream);
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::net::hub::tests::{PEER, Ponderer, sent, sent_and_gone};
    use crate::net::limits::Limits;
    use crate::net::service::Refusal;
    use crate::net::timeouts::Now;
    use crate::testing::Stream;

    fn hub() -> (Hub<Stream, Ponderer>, Now) {
        let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        (Hub::new(Ponderer::default(), &Limits::default(), now), now)
    }

    #[test]
    fn an_unreachable_client_makes_room_if_that_is_enough() {
        let (mut hub, now) = hub();
        for stream in [sent(b"ponder\n"), sent_and_gone(b"ponder\n")] {
            let id = hub.open(stream, &PEER);
            hub.mark_readable(id.slot());
        }
        hub.turn(now);
        assert_eq!((hub.open_count(), hub.counts.unreachable), (2, 1));
        assert!(!hub.has_room(1));
        assert_eq!(hub.open_count(), 2, "nobody is closed for nothing");
        assert!(hub.has_room(2));
        assert_eq!((hub.open_count(), hub.counts.unreachable), (1, 0));
    }

    #[test]
    fn a_refused_connection_makes_no_room_since_it_takes_none() {
        let (mut hub, now) = hub();
        hub.refuse(Stream::default(), Refusal::Full);
        let id = hub.open(Stream::default(), &PEER);
        hub.outbox.drain(id, CloseReason::EndOfInput);
        hub.turn(now);
        assert_eq!((hub.conns.len(), hub.counts.draining), (2, 1));
        assert!(hub.has_room(1));
        assert!(hub.conns.len() == 1 && !hub.conns.contains(id.slot()));
    }
}
