//! All connections, and the turn: events only mark, the turn does the work.
//!
//! Knows no poll, no socket and no clock: streams are a type parameter, readiness and
//! time are arguments. So a simulation can drive the very code that the server runs.
//!
//! What holds here:
//!
//! - Streams are edge-triggered, not level-triggered: after `WouldBlock`, and only then, does
//!   readiness come again. A read that did not end in `WouldBlock` leaves the connection listed
//!   ready, waiting (until reading is resumed, or its rate allows a line), closing, or dead.
//! - Lists hold [`ConnId`]s, and a stale one names no connection. Slots are freed at the end of
//!   a turn, never between two events of one batch.
//! - What a turn does is bounded; the rest is carried over, and [`Hub::timeout`] is zero.

mod admission;
mod closing;
mod conn;
mod foreign;
mod hand_over;
mod input;
mod invariants;
mod logged;
mod preface;
mod probe;
mod read;
#[cfg(test)]
mod tests;
mod timers;
mod trim;
mod web;
mod write;

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::time::{Duration, Instant};

use slab::Slab;

use crate::net::addresses::Addresses;
use crate::net::conn::{CloseReason, ConnId, State};
use crate::net::http::Web;
use crate::net::limits::{Class, Limits};
use crate::net::metrics::{Exposition, Metrics};
use crate::net::outbox::Outbox;
use crate::net::rate::Rate;
use crate::net::service::Service;
use crate::net::timeouts::{Now, Timeouts, Timers};
use crate::net::transport::{Origin, Transport};
use conn::{Conn, Phase};
use input::Input;
use logged::{Accepted, Refused};
use preface::Preface;
use timers::{LastActivity, SlowConsumer, Timer};
use trim::MemoryTrim;

/// Roughly what a connection takes besides its queue: a name, an entry in a room, short-lived
/// buffers.
const CONN_BYTES: usize = 1024;

/// The connections of one server, and the service that they talk to.
///
/// [`Server`](crate::Server) drives it. If you drive it yourself, from a poll or a simulation of
/// your own, keep to this:
///
/// - Before a new stream, ask [`Hub::admission`], and drop the streams of [`Hub::take_closed`]: one
///   may have been closed to make room.
/// - A new stream is registered under [`Hub::next_slot`], for reading and writing, and then
///   given to [`Hub::open`], [`Hub::open_proxied`], [`Hub::open_web`], [`Hub::open_probe`] or
///   [`Hub::refuse`], before the next is.
/// - Readiness is edge-triggered. Each edge is handed on with [`Hub::mark_readable`] (ends and
///   errors, too) or [`Hub::mark_writable`]. One too many does no harm; one too few leaves a
///   connection hanging for ever.
/// - After the edges of one poll comes [`Hub::turn`], with a time that never goes back, and
///   then the streams of [`Hub::take_closed`] are dropped: their slots are free.
/// - Then sleep until the next edge, for [`Hub::timeout`] at most.
///
/// What is opened or shut down outside of a turn counts as of the time of the last one, unless
/// [`Hub::pass`] was told a later time.
pub struct Hub<T, S> {
    service: S,
    conns: Slab<Conn<T>>,
    outbox: Outbox,
    limits: Limits,
    /// Connections that may have something to read.
    ready: VecDeque<ConnId>,
    /// The one buffer that every connection is read into.
    chunk: Box<[u8]>,
    /// Bytes that were read and wait, from all connections together.
    input_held: usize,
    /// Lines that may still be taken in this turn from the connection that is being read.
    lines_left: usize,
    /// Input states, where there is anything to remember: an idle connection has none.
    inputs: HashMap<ConnId, Box<Input>>,
    /// Used for connections of that class that have no input state of their own.
    spare: Option<(Class, Box<Input>)>,
    /// When draining connections are closed at the latest.
    drains: Timeouts<ConnId>,
    /// When draining connections that have been sent everything are closed.
    lingers: Timeouts<ConnId>,
    /// When connections that cannot be written to, and whose last lines still wait, are closed.
    last_words: Timeouts<ConnId>,
    rate: Rate,
    /// Connections whose preface (a PROXY header, a handshake, an HTTP head) is not complete yet.
    prefaces: HashMap<ConnId, Box<Preface>>,
    web: Web,
    /// When WebSocket connections are sent a ping.
    pings: Timeouts<ConnId>,
    addresses: Addresses,
    /// How many handshakes may still be worked on in this turn.
    handshakes_left: usize,
    timers: Timers<(ConnId, Timer)>,
    /// Connections that are behind, or have been of late.
    slow_consumers: HashMap<ConnId, SlowConsumer>,
    /// When each connection last sent something, where that matters.
    last_activity: HashMap<ConnId, LastActivity>,
    trim: MemoryTrim,
    /// For the log.
    refused_log: Refused,
    accepted_log: Accepted,
    /// The origins of clients behind a proxy, until their first line.
    behind_proxy: HashMap<ConnId, Origin>,
    /// When a PROXY header that was not asked for was last logged.
    told_of_proxy: Option<Instant>,
    closed: Vec<T>,
    counts: Counts,
    /// Until then any number may be draining: an upgrade has left connections behind.
    spared_until: Option<Instant>,
    metrics: Metrics,
    exposition: Exposition,
    clients_max: usize,
    is_stopping: bool,
    woken: bool,
}

/// How many connections are in which state.
#[derive(Default)]
struct Counts {
    /// The service knows them.
    open: usize,
    /// Those of them that cannot be written to any more.
    unreachable: usize,
    /// They are being closed: admitted ones, and refused ones.
    draining: usize,
    refused: usize,
    /// Handshakes are under way.
    handshakes: usize,
    /// Monitors, and those of them that have not been answered yet.
    probes: usize,
    probes_asking: usize,
}

/// For the owner of the streams.
impl<T: Transport, S: Service> Hub<T, S> {
    /// A hub without connections.
    pub fn new(service: S, limits: &Limits, now: Now) -> Hub<T, S> {
        let mut hub = Hub::unstarted(service, limits, now);
        hub.service.on_start(&mut hub.outbox);
        hub
    }

    /// The service has not been told.
    fn unstarted(service: S, limits: &Limits, now: Now) -> Hub<T, S> {
        Hub {
            service,
            conns: Slab::new(),
            outbox: Outbox::new(limits, now),
            limits: limits.clone(),
            ready: VecDeque::new(),
            chunk: vec![0; limits.chunk].into(),
            input_held: 0,
            lines_left: 0,
            inputs: HashMap::new(),
            spare: None,
            drains: Timeouts::new(limits.drain_time),
            lingers: Timeouts::new(limits.linger_time),
            last_words: Timeouts::new(limits.last_words_time),
            rate: Rate::new(now.monotonic),
            prefaces: HashMap::new(),
            web: Web::default(),
            pings: Timeouts::new(limits.ping_time),
            addresses: Addresses::new(limits),
            handshakes_left: 0,
            timers: Timers::new(),
            slow_consumers: HashMap::new(),
            last_activity: HashMap::new(),
            trim: MemoryTrim::default(),
            refused_log: Refused::default(),
            accepted_log: Accepted::default(),
            behind_proxy: HashMap::new(),
            told_of_proxy: None,
            closed: Vec::new(),
            counts: Counts::default(),
            spared_until: None,
            metrics: Metrics::default(),
            exposition: Exposition::default(),
            clients_max: usize::MAX,
            is_stopping: false,
            woken: false,
        }
    }

    /// The slot that the next connection gets: the token to register it under.
    pub fn next_slot(&self) -> usize {
        self.conns.vacant_key()
    }

    /// The stream in this slot may have bytes, an end or an error to read.
    pub fn mark_readable(&mut self, slot: usize) {
        if let Some(id) = self.outbox.id(slot) {
            self.list_ready(id);
        }
    }

    /// The stream in this slot may take bytes again.
    pub fn mark_writable(&mut self, slot: usize) {
        if let Some(id) = self.outbox.id(slot) {
            self.outbox.unblock(id);
        }
    }

    /// The service wants its `on_tick` in the next turn.
    pub fn wake(&mut self) {
        self.woken = true;
    }

    /// Sets the time for what is opened or shut down from here on. The last turn may be long ago:
    /// on a quiet server nothing happens until a client connects.
    pub fn pass(&mut self, now: Now) {
        self.outbox.pass(now);
    }

    /// Does the work that has been marked: reads, splits, dispatches, writes, closes.
    /// Reading comes before deadlines, so that no client is disconnected that has just sent a line.
    pub fn turn(&mut self, now: Now) {
        self.outbox.pass(now);
        self.outbox.begin_turn();
        self.handshakes_left = self.limits.handshake_budget;
        self.read_ready();
        self.tell_drained();
        self.tick(now);
        self.fire_service_timers();
        self.fire_timers(now);
        self.ping(now.monotonic);
        self.close_late(now.monotonic);
        self.write_ready();
        self.refused_log.log_due(now.monotonic);
        let held = self.outbox.owned() + self.conns.len() * CONN_BYTES;
        if self.trim.note(held, now.monotonic) {
            self.trim_memory();
        }
        self.assert_sound();
    }

    /// How long to sleep if no stream becomes ready. `None`: until one does.
    pub fn timeout(&self, now: Now) -> Option<Duration> {
        if self.woken || !self.ready.is_empty() || self.outbox.is_behind() || self.outbox.has_news()
        {
            return Some(Duration::ZERO);
        }
        let closing = [self.drains.next(), self.lingers.next(), self.last_words.next()];
        let own =
            [self.timers.next(), self.pings.next(), self.trim.next(), self.refused_log.next()];
        let own = closing.into_iter().chain(own);
        let next = own.chain([self.service.next_tick(), self.outbox.next_timer()]);
        let next = next.flatten().min()?;
        Some(next.saturating_duration_since(now.monotonic))
    }

    /// The streams that are done with, to be dropped by their owner.
    pub fn take_closed(&mut self) -> impl Iterator<Item = T> + '_ {
        self.closed.drain(..)
    }

    /// Whether the service has asked for a shutdown ([`Outbox::shutdown`]): true once for each time
    /// that it has.
    pub fn take_shutdown(&mut self) -> bool {
        self.outbox.take_shutdown()
    }

    /// Lets the service say goodbye, and closes everybody politely.
    pub fn shutdown(&mut self) {
        self.is_stopping = true;
        self.refused_log.log_waiting();
        // No newcomer will need their room.
        self.limits.draining_max = usize::MAX;
        self.service.on_shutdown(&mut self.outbox);
        for (slot, _) in &self.conns {
            if let Some(id) = self.outbox.id(slot) {
                self.outbox.drain(id, CloseReason::Shutdown);
            }
        }
    }

    /// Connections that the service knows, or may know once they have said what comes before
    /// their lines; those that are closing do not count ([`Hub::has_room`]).
    pub fn open_count(&self) -> usize {
        self.counts.open + self.prefaces.len() - self.counts.probes_asking
    }

    /// Whether no stream is left, not even a closing one; but for monitors'.
    pub fn is_empty(&self) -> bool {
        self.conns.len() == self.counts.probes
    }

    /// The service.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// What waits to be sent.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Between two turns, does something with the service and what waits to be sent.
    pub fn between_turns<R>(&mut self, act: impl FnOnce(&mut S, &mut Outbox) -> R) -> R {
        act(&mut self.service, &mut self.outbox)
    }

    /// Gives the service back.
    pub fn into_service(self) -> S {
        self.service
    }
}

impl<T: Transport, S: Service> Hub<T, S> {
    /// Tells the service of connections that have been sent all, as it has asked.
    /// What it asks for meanwhile is told in the next turn.
    fn tell_drained(&mut self) {
        for _ in 0..self.outbox.drained_count() {
            if self.outbox.must_flush_first() {
                return;
            }
            let Some(id) = self.outbox.next_drained() else { return };
            if self.outbox.state(id) == State::Open {
                self.service.on_drained(id, &mut self.outbox);
            }
        }
    }

    fn insert(&mut self, stream: T, phase: Phase) -> ConnId {
        self.trim.note_activity();
        self.outbox.open(self.conns.insert(Conn::new(stream, phase)))
    }

    /// Lists connections that may be read from again.
    fn list_resumed(&mut self) {
        for id in self.outbox.take_resumed() {
            if self.outbox.state(id).is_heard() {
                self.list_ready(id);
            }
        }
    }

    fn list_ready(&mut self, id: ConnId) {
        let conn = &mut self.conns[id.slot()];
        if !mem::replace(&mut conn.listed, true) {
            self.ready.push_back(id);
        }
    }
}
