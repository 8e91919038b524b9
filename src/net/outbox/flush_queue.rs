//! The loop's side of the outbox: which connection is flushed next, what its socket took, and
//! which connections have ended.
//!
//! The functions that each flush calls are marked `inline`: the loop is generic, and so compiled in
//! other crates.

use std::collections::VecDeque;
use std::mem;
use std::time::Instant;

use super::Outbox;
use super::queue::{Own, Place, Queue};
use crate::net::conn::{CloseReason, ConnId, State};
use crate::net::shared_log::Span;
use crate::net::timeouts::Now;

/// So many emptied buffers are recycled, none with more capacity than this many bytes.
const SPARE_MAX: usize = 64;
const SPARE_BYTES: usize = 1024;

impl Outbox {
    pub(crate) fn state(&self, id: ConnId) -> State {
        match self.queues.get(id.slot()) {
            Some(queue) if queue.serial == id.serial => queue.state,
            _ => State::Vacant,
        }
    }

    /// The connection in a slot now.
    pub(crate) fn id(&self, slot: usize) -> Option<ConnId> {
        let queue = self.queues.get(slot).filter(|queue| queue.state != State::Vacant)?;
        Some(ConnId { slot: u32::try_from(slot).ok()?, serial: queue.serial })
    }

    /// Whether a connection may be read from now. If not because it leaves too much unread
    /// (`queue_park`), [`Outbox::take_resumed`] names it once it has read that.
    pub(crate) fn listens(&mut self, id: ConnId) -> bool {
        if !self.state(id).is_heard() {
            return false;
        }
        let queue = &mut self.queues[id.slot()];
        let is_parked = queue.own.as_mut().is_some_and(|own| {
            own.parked = own.len() > self.limits.queue_park;
            own.parked
        });
        !is_parked && !queue.paused
    }

    /// Whether the service has paused reading from it ([`Outbox::pause_reading`]).
    #[must_use]
    pub fn is_reading_paused(&self, id: ConnId) -> bool {
        self.state(id).is_heard() && self.queues[id.slot()].paused
    }

    /// A turn begins, with a delivery budget of its own.
    pub(crate) fn begin_turn(&mut self) {
        self.lines_sent_max = self.lines_sent.saturating_add(self.limits.delivery_budget);
    }

    /// Backpressure: whether flushing comes before reading now. That always ends: the bytes that
    /// are held here belong to connections in the flush queue, and each turn has a budget of
    /// its own.
    pub(crate) fn must_flush_first(&self) -> bool {
        self.logs.held() > self.limits.log_max
            || self.fresh > self.limits.fresh_max
            || self.lines_sent >= self.lines_sent_max
    }

    /// How many bytes are held for single connections, all together.
    pub(crate) fn owned(&self) -> usize {
        self.owned
    }

    /// How many bytes are held for many, in the shared logs.
    pub(crate) fn shared(&self) -> usize {
        self.logs.held()
    }

    /// When it was made.
    pub(crate) fn started(&self) -> Now {
        self.started
    }

    /// Whether there is work for the next turn: a connection in the flush queue, or one that has
    /// closed or been resumed between two turns.
    pub(crate) fn is_behind(&self) -> bool {
        let is_queued = !self.this_round.is_empty() || !self.next_round.is_empty();
        let has_ended = !self.closing.is_empty() || !self.dead.is_empty();
        is_queued || has_ended || !self.resumed.is_empty()
    }

    /// The connection that is to be flushed next.
    #[inline]
    pub(crate) fn next_to_flush(&mut self) -> Option<ConnId> {
        loop {
            while let Some(id) = self.this_round.pop_front() {
                let queue = &self.queues[id.slot()];
                if queue.serial == id.serial && queue.place == Place::Queued {
                    return Some(id);
                }
            }
            if !self.begin_round() {
                return None;
            }
        }
    }

    /// Begins the next round. Returns whether there is anybody in it.
    fn begin_round(&mut self) -> bool {
        let flushed_since = self.this_round_since.take();
        self.flushed_since = self.flushed_since.or(flushed_since);
        if self.next_round.is_empty() {
            self.next_round_since = None;
            self.logs.clear();
            give_back(&mut self.this_round);
            give_back(&mut self.next_round);
            return false;
        }
        mem::swap(&mut self.this_round, &mut self.next_round);
        let now = self.now.monotonic;
        self.this_round_since = self.next_round_since.replace(now).or(Some(now));
        self.logs.end_round();
        true
    }

    /// For metrics: since when the connections of a round may have waited, of the first round that
    /// was flushed since this was last called. Time that they wait because their sockets are full
    /// is not in it.
    pub(crate) fn take_flushed_since(&mut self) -> Option<Instant> {
        self.flushed_since.take()
    }

    /// What is to be written now, in one piece wherever possible; empty once all has been.
    #[inline]
    pub(crate) fn pending(&self, id: ConnId) -> &[u8] {
        let queue = &self.queues[id.slot()];
        match &queue.own {
            Some(own) if !own.bytes.is_empty() => own.bytes.as_slices().0,
            _ => self.logs.bytes(queue.log_id, queue.span),
        }
    }

    /// A flush begins: the transport is to be asked again how much it holds back. Returns how much
    /// that was. The span is copied behind the `own` bytes, if there are any: two short pieces then
    /// go out in one `write`, which is cheaper than two, or than a `writev`.
    #[inline]
    pub(crate) fn begin_flush(&mut self, id: ConnId) -> usize {
        if self.queues[id.slot()].own.is_none() { 0 } else { self.gather(id) }
    }

    fn gather(&mut self, id: ConnId) -> usize {
        let held = self.queues[id.slot()].own.as_ref().map_or(0, |own| own.unsent);
        self.set_unsent(id, 0);
        self.spill(id);
        held
    }

    /// The first `count` bytes of what is pending were taken.
    #[inline]
    pub(crate) fn consume(&mut self, id: ConnId, count: usize) {
        let queue = &mut self.queues[id.slot()];
        match &mut queue.own {
            Some(own) if !own.bytes.is_empty() => {
                own.bytes.drain(..count);
                self.owned -= count;
                if queue.place == Place::Queued {
                    self.fresh -= count;
                }
            }
            _ => {
                let count = u32::try_from(count).expect("a span is shorter than 4 GiB");
                queue.span.start = queue.span.start.wrapping_add(count);
            }
        }
    }

    /// The socket takes no more: what is left waits here for a writable edge, and `unsent`
    /// bytes in the transport, which count as if they did.
    pub(crate) fn block(&mut self, id: ConnId, unsent: usize) {
        self.spill(id);
        if self.queues[id.slot()].place == Place::Queued {
            self.fresh -= self.queues[id.slot()].own_len();
        }
        self.queues[id.slot()].place = Place::Blocked;
        self.set_unsent(id, unsent);
        self.unpark(id);
    }

    /// How much the transport holds back.
    pub(crate) fn set_unsent(&mut self, id: ConnId, unsent: usize) {
        let queue = &mut self.queues[id.slot()];
        if unsent == 0 && queue.own.is_none() {
            return;
        }
        let own = queue.own_mut(&mut self.spare);
        let before = mem::replace(&mut own.unsent, unsent);
        self.owned = self.owned - before + unsent;
        if queue.place == Place::Queued {
            self.fresh = self.fresh - before + unsent;
        }
    }

    /// Whether something waits here for a writable edge.
    pub(crate) fn is_blocked(&self, id: ConnId) -> bool {
        self.queues[id.slot()].place == Place::Blocked
    }

    /// Whether all that was queued has been sent.
    pub(crate) fn is_idle(&self, id: ConnId) -> bool {
        self.queues[id.slot()].place == Place::Idle
    }

    /// A writable edge. It matters only to a blocked connection: each readable edge comes with
    /// one.
    pub(crate) fn unblock(&mut self, id: ConnId) {
        if self.queues[id.slot()].place == Place::Blocked {
            self.fresh += self.queues[id.slot()].own_len();
            self.enqueue(id);
        }
    }

    /// All has been written. Returns how many lines were shed meanwhile.
    #[inline]
    pub(crate) fn dequeue(&mut self, id: ConnId) -> u64 {
        let queue = &mut self.queues[id.slot()];
        queue.place = Place::Idle;
        queue.span = Span::EMPTY;
        match queue.own.take() {
            Some(own) => self.recycle(id, own),
            None => 0,
        }
    }

    /// Recycles an emptied buffer, unless it has grown large. Returns how many lines the queue
    /// had shed.
    fn recycle(&mut self, id: ConnId, mut own: Box<Own>) -> u64 {
        if mem::take(&mut own.parked) {
            self.resumed.push(id);
        }
        if mem::take(&mut own.awaited) {
            self.drained.push_back(id);
        }
        let shed = mem::take(&mut own.shed);
        if self.spare.len() < SPARE_MAX && own.bytes.capacity() <= SPARE_BYTES {
            own.bytes.clear();
            self.spare.push(own);
        }
        shed
    }

    /// Frees the recycled buffers.
    pub(crate) fn drop_spare(&mut self) {
        self.spare = Vec::new();
        self.logs.drop_spare();
    }

    /// Begins a polite close.
    pub(crate) fn drain(&mut self, id: ConnId, why: CloseReason) {
        match self.state(id) {
            State::Open => {}
            State::Unreachable => return self.kill(id, why),
            State::Vacant | State::Draining | State::Dead => return,
        }
        self.queues[id.slot()].state = State::Draining;
        self.closing.push_back((id, why));
        // With nothing to send it is put into the flush queue all the same, so that every close
        // passes the place where "all has been sent" is noticed.
        if self.queues[id.slot()].place == Place::Idle {
            self.enqueue(id);
        }
    }

    /// Ends a connection at once. Safe at any point, also in the middle of a broadcast: it only
    /// marks. If a close has begun already, its reason stays.
    pub(crate) fn kill(&mut self, id: ConnId, why: CloseReason) {
        match self.state(id) {
            State::Vacant | State::Dead => return,
            State::Open | State::Unreachable => self.closing.push_back((id, why)),
            State::Draining => {}
        }
        self.dead.push(id);
        self.empty(id, State::Dead);
    }

    /// A connection cannot be written to any more. What waits for it is dropped, and so is
    /// whatever is queued for it from here on.
    pub(crate) fn lose_reader(&mut self, id: ConnId) {
        self.empty(id, State::Unreachable);
    }

    fn empty(&mut self, id: ConnId, state: State) {
        let queue = &mut self.queues[id.slot()];
        if queue.place == Place::Queued {
            self.fresh -= queue.own_len();
        }
        self.owned -= queue.own_len();
        *queue = Queue { serial: id.serial, state, paused: queue.paused, ..Queue::VACANT };
    }

    /// Whether all connections together leave more than `queue_total` unread.
    pub(crate) fn is_over_total(&self) -> bool {
        self.owned > self.limits.queue_total
    }

    /// Disconnects the one that leaves the most unread.
    pub(crate) fn disconnect_largest(&mut self) {
        let slot = (0..self.queues.len()).max_by_key(|slot| self.queues[*slot].own_len());
        if let Some(id) = slot.and_then(|slot| self.id(slot)) {
            self.kill(id, CloseReason::Stalled);
        }
    }

    /// Frees a slot. Only between the event batches of two turns.
    pub(crate) fn free_slot(&mut self, id: ConnId) {
        self.queues[id.slot()] = Queue::VACANT;
    }

    pub(crate) fn next_closing(&mut self) -> Option<(ConnId, CloseReason)> {
        self.closing.pop_front()
    }

    /// Why a connection that is closing should not come back, if it should not.
    pub(crate) fn take_farewell(&mut self, id: ConnId) -> Option<String> {
        let at = self.farewells.iter().position(|(of, _)| *of == id)?;
        Some(self.farewells.swap_remove(at).1)
    }

    /// Queues the last bytes for a draining connection: its framing's own end, a close frame.
    pub(crate) fn send_last(&mut self, id: ConnId, bytes: &[u8]) {
        // One whose close has just begun has been put into the flush queue.
        if self.state(id) != State::Draining || self.is_idle(id) {
            return;
        }
        self.spill(id);
        let queue = &mut self.queues[id.slot()];
        queue.own_mut(&mut self.spare).extend(bytes);
        self.owned += bytes.len();
        if queue.place == Place::Queued {
            self.fresh += bytes.len();
        }
    }

    pub(crate) fn take_dead(&mut self) -> Vec<ConnId> {
        mem::take(&mut self.dead)
    }

    pub(crate) fn take_resumed(&mut self) -> Vec<ConnId> {
        mem::take(&mut self.resumed)
    }
}

/// A list that has grown with a crowd gives its memory back once the crowd has been served.
fn give_back(list: &mut VecDeque<ConnId>) {
    const KEEP: usize = 512;
    list.shrink_to(KEEP);
}
