//! What an upgrade hands over of the queues. All have been flushed before, so it is only what waits
//! for full sockets, and nothing of it is in a shared log.

use std::time::Instant;

use super::Outbox;
use super::queue::{Own, Place, Queue};
use crate::net::conn::{ConnId, State};
use crate::net::line::EndingSeen;
use crate::net::shared_log::{LogId, Span};
use crate::net::timeouts::Now;
use crate::pack::{Damaged, Pack, Packer, Unpacker, impl_pack};

impl Outbox {
    pub(crate) fn pack(&self, to: &mut Packer) {
        debug_assert!(!self.is_behind(), "everybody has been written to");
        let Outbox {
            queues,
            endings,
            logs: _,
            this_round: _,
            next_round: _,
            this_round_since: _,
            next_round_since: _,
            flushed_since: _,
            fresh: _,
            owned: _,
            spare: _,
            closing: _,
            farewells: _,
            dead: _,
            resumed: _,
            drained,
            timers,
            shutdowns,
            framed: _,
            limits: _,
            started,
            now: _,
            last_serial,
            lines_sent,
            lines_sent_max: _,
            lines_shed,
        } = self;
        timers.pack(to);
        to.put(endings).put(drained).put(shutdowns);
        to.put(queues).put(&started.monotonic).put(last_serial).put(lines_sent).put(lines_shed);
    }

    /// A copy of what waits for a connection, once everybody has been written to.
    pub(crate) fn waiting(&self, id: ConnId) -> Vec<u8> {
        let own = self.queues[id.slot()].own.as_ref();
        own.map_or(Vec::new(), |own| own.bytes.iter().copied().collect())
    }

    /// Takes back what waits for a connection, but for the first `kept` bytes.
    pub(crate) fn take_back(&mut self, id: ConnId, kept: usize) -> Vec<u8> {
        self.spill(id);
        let queue = &mut self.queues[id.slot()];
        let Some(own) = &mut queue.own else { return Vec::new() };
        let taken: Vec<u8> = own.bytes.drain(kept.min(own.bytes.len())..).collect();
        self.owned -= taken.len();
        if queue.place == Place::Queued {
            self.fresh -= taken.len();
        }
        taken
    }

    /// Puts other bytes in the place of all that waits for a connection. They go into the flush
    /// queue even if its socket was full: it may not be by now.
    pub(crate) fn replace(&mut self, id: ConnId, bytes: &[u8]) {
        self.unblock(id);
        self.set_unsent(id, 0);
        self.take_back(id, 0);
        if !bytes.is_empty() && matches!(self.state(id), State::Open | State::Draining) {
            let queue = &mut self.queues[id.slot()];
            queue.own_mut(&mut self.spare).extend(bytes);
            self.owned += bytes.len();
            if self.queues[id.slot()].place == Place::Idle {
                self.enqueue(id);
            }
            self.fresh += bytes.len();
        }
    }

    pub(crate) fn restore(&mut self, from: &mut Unpacker<'_>) -> Result<(), Damaged> {
        self.timers.restore(from)?;
        self.endings = from.get()?;
        self.drained = from.get()?;
        self.shutdowns = from.get()?;
        self.queues = from.get()?;
        self.endings.resize(self.queues.len(), EndingSeen::None);
        self.owned = self.queues.iter().map(Queue::own_len).sum();
        self.started = since(from.get()?, from.now());
        self.last_serial = from.get()?;
        self.lines_sent = from.get()?;
        self.lines_shed = from.get()?;
        self.begin_turn();
        Ok(())
    }
}

/// A moment in the past, on both clocks.
fn since(monotonic: Instant, now: Now) -> Now {
    let passed = now.monotonic.saturating_duration_since(monotonic);
    Now { monotonic, wall: now.wall.checked_sub(passed).unwrap_or(now.wall) }
}

impl Pack for Queue {
    fn pack(&self, to: &mut Packer) {
        let Queue { own, span: _, serial, log_id: _, state, place, paused } = self;
        to.put(state);
        if *state != State::Vacant {
            to.put(serial).put(place).put(paused).put(own);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Queue, Damaged> {
        let state = from.get()?;
        if state == State::Vacant {
            return Ok(Queue::VACANT);
        }
        let (serial, place, paused, own) = (from.get()?, from.get()?, from.get()?, from.get()?);
        let (span, log_id) = (Span::EMPTY, LogId::FIRST);
        Ok(Queue { own, span, serial, log_id, state, place, paused })
    }
}

/// After the flush none is in the flush queue.
impl Pack for Place {
    fn pack(&self, to: &mut Packer) {
        to.put(&match self {
            Place::Idle => false,
            Place::Queued | Place::Blocked => true,
        });
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Place, Damaged> {
        Ok(if from.get()? { Place::Blocked } else { Place::Idle })
    }
}

impl_pack! {
    struct Own { bytes, unsent, shed, parked, awaited }
}
