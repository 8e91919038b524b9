//! Everything that waits to be sent: one outbound queue for each connection, so that a slow
//! consumer delays nobody else (no head-of-line blocking). Knows no socket and no chat.
//!
//! What waits is the queue's `own` bytes, then a span of a shared log ([`crate::net::shared_log`]).
//! A line to many is written down once and then only makes each reader's span longer.

mod flush_queue;
mod hand;
mod hand_over;
mod invariants;
mod queue;
mod service_timers;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use crate::net::conn::{CloseReason, ConnId, State};
use crate::net::limits::Limits;
use crate::net::line::EndingSeen;
use crate::net::shared_log::{LogId, SharedLogs, Span};
use crate::net::timeouts::Now;
use crate::work;
use queue::{Place, Queue, Spare};
use service_timers::ServiceTimers;

pub use hand::Writer;

/// What a service may do to connections, and every connection's output half.
pub struct Outbox {
    queues: Vec<Queue>,
    /// How each slot's connection ends its lines.
    endings: Vec<EndingSeen>,
    logs: SharedLogs,
    /// The flush queue, in two lists: connections of this round, and of the next. When the two are
    /// swapped, the shared logs are told how far they can be trimmed.
    this_round: VecDeque<ConnId>,
    next_round: VecDeque<ConnId>,
    /// Since when the connections of each round may be waiting; the same of the first round that
    /// was flushed since the metrics last took it.
    this_round_since: Option<Instant>,
    next_round_since: Option<Instant>,
    flushed_since: Option<Instant>,
    /// The `own` bytes of all connections in the flush queue. With the shared logs it decides
    /// about backpressure.
    fresh: usize,
    /// The `own` bytes of all.
    owned: usize,
    spare: Spare,
    /// Connections that are no longer `Open`, and why. The service has not been told yet.
    closing: VecDeque<(ConnId, CloseReason)>,
    /// For those of them that should not come back: why.
    farewells: Vec<(ConnId, String)>,
    /// Connections that are `Dead`, and whose slots are not free yet.
    dead: Vec<ConnId>,
    /// Connections that may be read from again.
    resumed: Vec<ConnId>,
    /// Connections that have been sent all, and whose service asked to be told.
    drained: VecDeque<ConnId>,
    /// The service's timers.
    timers: ServiceTimers,
    /// How often the service has asked for a shutdown.
    shutdowns: u8,
    /// Where lines are framed.
    framed: Vec<u8>,
    limits: Limits,
    started: Now,
    now: Now,
    last_serial: u32,
    lines_sent: u64,
    /// How far `lines_sent` may go in this turn before flushing comes before reading.
    lines_sent_max: u64,
    lines_shed: u64,
}

/// What an outbox has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// Calls of [`Outbox::send`], and readers of [`Outbox::send_all`].
    pub lines_sent: u64,
    /// Lines that were shed because their reader is a slow consumer.
    pub lines_shed: u64,
    /// Bytes that wait for one connection alone. Those in shared logs do not count.
    pub bytes_queued: usize,
    /// Since the outbox was made.
    pub uptime: Duration,
}

/// For services.
impl Outbox {
    /// An outbox without connections, at the given time.
    #[must_use]
    pub fn new(limits: &Limits, now: Now) -> Outbox {
        Outbox {
            queues: Vec::new(),
            endings: Vec::new(),
            logs: SharedLogs::new(),
            this_round: VecDeque::new(),
            next_round: VecDeque::new(),
            this_round_since: None,
            next_round_since: None,
            flushed_since: None,
            fresh: 0,
            owned: 0,
            spare: Spare::new(),
            closing: VecDeque::new(),
            farewells: Vec::new(),
            dead: Vec::new(),
            resumed: Vec::new(),
            drained: VecDeque::new(),
            timers: ServiceTimers::default(),
            shutdowns: 0,
            framed: Vec::new(),
            limits: limits.clone(),
            started: now,
            now,
            last_serial: 0,
            lines_sent: 0,
            lines_sent_max: limits.delivery_budget,
            lines_shed: 0,
        }
    }

    /// The time of this turn.
    #[must_use]
    pub fn now(&self) -> Now {
        self.now
    }

    /// Queues bytes for one connection; if it has left they are dropped. If its socket is full
    /// and more than `queue_max` bytes wait now, it is disconnected.
    pub fn send(&mut self, to: ConnId, bytes: &[u8]) {
        if bytes.is_empty() || self.state(to) != State::Open {
            return;
        }
        self.lines_sent += 1;
        self.spill(to);
        if self.queues[to.slot()].place == Place::Idle {
            self.enqueue(to);
        }
        let queue = &mut self.queues[to.slot()];
        queue.own_mut(&mut self.spare).extend(bytes);
        self.owned += bytes.len();
        if queue.place == Place::Queued {
            self.fresh += bytes.len();
        }
        // A connection that still waits in the flush queue is not to blame.
        if queue.place == Place::Blocked && queue.own_len() > self.limits.queue_max {
            self.kill(to, CloseReason::TooSlow);
        }
    }

    /// Queues a line for many connections (fan-out). Its bytes are stored once, in a shared log:
    /// use the same [`LogId`] for the same connections. For a slow consumer (its socket is full,
    /// and more than `queue_soft` bytes wait behind it) the line is shed: delivery is at-most-once.
    /// Once it has caught up, the service is told how many lines were shed
    /// ([`Limit::Shed`](crate::Limit::Shed)).
    pub fn send_all(&mut self, log_id: LogId, to: impl IntoIterator<Item = ConnId>, line: &[u8]) {
        let span = self.logs.append(log_id, line);
        for id in to {
            work::walk(1);
            let Some(queue) = self.queues.get_mut(id.slot()) else { continue };
            if queue.serial != id.serial || queue.state != State::Open {
                continue;
            }
            self.lines_sent += 1;
            // Nearly always one of these two: nothing waits, or what waits ends here.
            if queue.place == Place::Idle {
                queue.log_id = log_id;
                queue.span = span;
                queue.place = Place::Queued;
                self.next_round.push_back(id);
            } else if queue.log_id == log_id
                && queue.span.end == span.start
                && !queue.span.is_empty()
            {
                queue.span.end = span.end;
            } else {
                self.start_span(id, log_id, span);
            }
        }
    }

    /// Whether a connection is open, and no close of it has begun.
    #[must_use]
    pub fn is_open(&self, id: ConnId) -> bool {
        self.state(id).is_heard()
    }

    /// How many bytes wait for a connection.
    #[must_use]
    pub fn queued(&self, id: ConnId) -> usize {
        if self.state(id) == State::Vacant { 0 } else { self.queues[id.slot()].len() }
    }

    /// Whether a connection has stopped reading: its socket is full, and more than `queue_park`
    /// waits behind it; or it will never read again. A service should not queue more for it, but
    /// tell the sender.
    #[must_use]
    pub fn is_stuck(&self, id: ConnId) -> bool {
        match self.state(id) {
            State::Unreachable => true,
            State::Open => {
                let queue = &self.queues[id.slot()];
                queue.place == Place::Blocked && queue.own_len() > self.limits.queue_park
            }
            State::Vacant | State::Draining | State::Dead => false,
        }
    }

    /// What has been sent so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic {
            lines_sent: self.lines_sent,
            lines_shed: self.lines_shed,
            bytes_queued: self.owned,
            uptime: self.now.monotonic.saturating_duration_since(self.started.monotonic),
        }
    }

    /// Pauses reading from a connection. Its further lines, those that have arrived already
    /// among them, come after [`Outbox::resume_reading`], in order. So does the end of its input.
    pub fn pause_reading(&mut self, id: ConnId) {
        if self.state(id).is_heard() {
            self.queues[id.slot()].paused = true;
        }
    }

    /// Resumes reading after [`Outbox::pause_reading`].
    pub fn resume_reading(&mut self, id: ConnId) {
        if self.state(id).is_heard() && mem::take(&mut self.queues[id.slot()].paused) {
            self.resumed.push(id);
        }
    }

    /// Closes a connection politely: once all that is queued for it has been sent. From here on
    /// no line of it is taken, and nothing more is queued for it.
    pub fn close(&mut self, id: ConnId) {
        self.drain(id, CloseReason::Asked);
    }

    /// The same for one that should not come back, and why. Where the framing has a place for
    /// that (WebSocket: a close frame with code 1008), the client is told.
    pub fn close_for_good(&mut self, id: ConnId, why: &str) {
        if self.state(id) == State::Open {
            self.farewells.push((id, why.to_owned()));
        }
        self.close(id);
    }
}

/// For the loop.
impl Outbox {
    /// Opens the queue of a slot.
    ///
    /// # Panics
    ///
    /// If the slot is in use or no `u32`.
    pub(crate) fn open(&mut self, slot: usize) -> ConnId {
        if self.queues.len() <= slot {
            self.queues.resize_with(slot + 1, || Queue::VACANT);
            self.endings.resize(slot + 1, EndingSeen::None);
        }
        assert!(self.queues[slot].state == State::Vacant, "slot {slot} is in use");
        self.last_serial = self.last_serial.wrapping_add(1);
        let serial = self.last_serial;
        self.queues[slot] = Queue { serial, state: State::Open, ..Queue::VACANT };
        self.endings[slot] = EndingSeen::None;
        ConnId { slot: u32::try_from(slot).expect("slots are small"), serial }
    }

    /// Sets the time.
    pub(crate) fn pass(&mut self, now: Now) {
        self.now = now;
    }

    /// Takes all that waits for a connection, as if its socket had taken it.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn take(&mut self, id: ConnId) -> Vec<u8> {
        let mut taken = Vec::new();
        while !self.pending(id).is_empty() {
            taken.extend_from_slice(self.pending(id));
            self.consume(id, self.pending(id).len());
        }
        if self.state(id) != State::Vacant {
            self.dequeue(id);
        }
        taken
    }

    /// How a connection ends its lines, as far as it has shown.
    pub(crate) fn ending_seen(&self, id: ConnId) -> EndingSeen {
        if self.state(id) == State::Vacant { EndingSeen::None } else { self.endings[id.slot()] }
    }

    /// A connection shows how it ends its lines.
    pub(crate) fn note_ending(&mut self, id: ConnId, seen: EndingSeen) {
        if self.state(id) != State::Vacant {
            self.endings[id.slot()] = seen;
        }
    }

    /// The rest of [`Outbox::send_all`], for queues whose span cannot just grow.
    fn start_span(&mut self, id: ConnId, log_id: LogId, span: Span) {
        let queue = &mut self.queues[id.slot()];
        let is_blocked = queue.place == Place::Blocked;
        // Once one line has been shed all are until the queue is empty. So there is one gap, and
        // the reader is told of it where it is.
        if let Some(own) = &mut queue.own
            && (own.shed > 0 || (is_blocked && own.len() > self.limits.queue_soft))
        {
            own.shed += 1;
            self.lines_sent -= 1;
            self.lines_shed += 1;
        } else if is_blocked {
            queue.own_mut(&mut self.spare).extend(self.logs.bytes(log_id, span));
            self.owned += span.len();
        } else {
            self.spill(id);
            let queue = &mut self.queues[id.slot()];
            queue.log_id = log_id;
            queue.span = span;
        }
    }

    /// Copies the span behind the `own` bytes.
    fn spill(&mut self, id: ConnId) {
        let queue = &mut self.queues[id.slot()];
        let span = mem::replace(&mut queue.span, Span::EMPTY);
        if !span.is_empty() {
            let bytes = self.logs.bytes(queue.log_id, span);
            queue.own_mut(&mut self.spare).extend(bytes);
            self.fresh += span.len();
            self.owned += span.len();
        }
    }

    fn enqueue(&mut self, id: ConnId) {
        self.queues[id.slot()].place = Place::Queued;
        self.next_round.push_back(id);
    }

    fn unpark(&mut self, id: ConnId) {
        if let Some(own) = &mut self.queues[id.slot()].own
            && own.len() <= self.limits.queue_park
            && mem::take(&mut own.parked)
        {
            self.resumed.push(id);
        }
    }
}
