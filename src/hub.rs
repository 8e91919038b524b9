//! All connections, and the turn: events only mark, the turn does the work.
//!
//! Knows no poll, no socket and no clock: streams are a type parameter, readiness and
//! time are arguments. So a simulation can drive the very code that the server runs.
//!
//! What holds here:
//!
//! - Streams are edge-triggered: after `WouldBlock`, and only then, does readiness come
//!   again. A read that did not end in `WouldBlock` leaves the connection listed ready,
//!   waiting to be released, or dead.
//! - Lists hold [`ConnId`]s, and a stale one names nobody. Slots are freed at the end of
//!   a turn, never between two events of one batch.
//! - What a turn does is bounded; the rest is carried over, and [`Hub::timeout`] is zero.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::time::Duration;

use slab::Slab;

use crate::limits::Limits;
use crate::line::{Ending, LineSplitter, Piece};
use crate::outbox::{ConnId, Outbox, State};
use crate::service::{CloseReason, Limit, Now, Peer, Refusal, Service};
use crate::telnet::{Telnet, Token};
use crate::timeouts::Timeouts;

/// A non-blocking, edge-triggered byte stream.
pub trait Stream: Read + Write {
    /// Tells the other side that nothing more will come, while it may still send.
    ///
    /// # Errors
    ///
    /// Whatever the socket says; the loop does not mind.
    fn shutdown_write(&mut self) -> io::Result<()>;
}

/// A connection's socket, and its input half. The output half is in the [`Outbox`],
/// under the same slot, so that a line borrowed from here can be answered into there.
struct Conn<T> {
    stream: T,
    /// Only while there is anything to remember: an idle connection has none.
    input: Option<Box<Input>>,
    ending: Option<Ending>,
    /// It stands in `ready`.
    listed: bool,
    /// The other side has sent its last.
    ended: bool,
    /// The service never heard of it.
    refused: bool,
}

/// What has been read and not yet become lines.
struct Input {
    telnet: Telnet,
    lines: LineSplitter,
    /// Read, and waiting for the connection's release; used up to `rest_start`.
    rest: Vec<u8>,
    rest_start: usize,
}

impl Input {
    fn new(limits: &Limits) -> Input {
        Input {
            telnet: Telnet::default(),
            lines: LineSplitter::new(limits.line_max, limits.endless()),
            rest: Vec::new(),
            rest_start: 0,
        }
    }

    fn is_new(&self) -> bool {
        self.telnet.is_new() && self.lines.is_between_lines() && self.rest.is_empty()
    }
}

/// The connections of one server, and the service that they talk to.
pub struct Hub<T, S> {
    service: S,
    conns: Slab<Conn<T>>,
    outbox: Outbox,
    limits: Limits,
    /// Who may have something to read.
    ready: VecDeque<ConnId>,
    /// Where every connection is read into.
    chunk: Box<[u8]>,
    /// The input state of all who have none of their own.
    spare: Option<Box<Input>>,
    /// When the closing must be gone.
    drains: Timeouts,
    closed: Vec<T>,
    /// Connections that the service knows.
    open: usize,
    /// Refused connections that are still being closed.
    refused: usize,
    woken: bool,
}

/// What the owner of the streams calls.
impl<T: Stream, S: Service> Hub<T, S> {
    /// A hub without connections.
    pub fn new(service: S, limits: &Limits, now: Now) -> Hub<T, S> {
        Hub {
            service,
            conns: Slab::new(),
            outbox: Outbox::new(limits, now),
            limits: limits.clone(),
            ready: VecDeque::new(),
            chunk: vec![0; limits.chunk].into(),
            spare: None,
            drains: Timeouts::new(limits.drain_time),
            closed: Vec::new(),
            open: 0,
            refused: 0,
            woken: false,
        }
    }

    /// The slot that the next connection gets: the token to register it under.
    pub fn next_slot(&self) -> usize {
        self.conns.vacant_key()
    }

    /// Takes a connection in.
    pub fn open(&mut self, stream: T, peer: &Peer<'_>) -> ConnId {
        let id = self.insert(stream, false);
        self.open += 1;
        self.service.on_open(id, peer, &mut self.outbox);
        id
    }

    /// Turns a connection away: it is told why, and closed.
    pub fn refuse(&mut self, mut stream: T, why: Refusal) {
        if self.refused >= self.limits.refused_max {
            // Read, what it has sent cannot turn the close into a reset. Whatever else
            // comes of it, it has had its answer.
            let _ = stream.write(self.service.refusal(why));
            let _ = stream.shutdown_write();
            let _ = stream.read(&mut self.chunk);
            self.closed.push(stream);
            return;
        }
        let id = self.insert(stream, true);
        self.refused += 1;
        self.outbox.send(id, self.service.refusal(why));
        self.outbox.drain(id, CloseReason::Refused);
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

    /// Does the work that has been marked: reads, splits, dispatches, writes, closes.
    /// Reading comes before deadlines, so that nobody is cut off who has just spoken.
    pub fn turn(&mut self, now: Now) {
        self.outbox.set_now(now);
        self.receive_ready();
        self.tick(now);
        while let Some(id) = self.drains.expired(now.monotonic) {
            self.outbox.kill(id, CloseReason::TooSlow);
        }
        self.settle();
    }

    /// How long nothing happens unless a stream becomes ready. `None`: for good.
    pub fn timeout(&self, now: Now) -> Option<Duration> {
        if self.woken || !self.ready.is_empty() || self.outbox.is_behind() {
            return Some(Duration::ZERO);
        }
        let next = [self.drains.next(), self.service.next_tick()].into_iter().flatten().min()?;
        Some(next.saturating_duration_since(now.monotonic))
    }

    /// The streams that are done with, to be dropped by their owner.
    pub fn take_closed(&mut self) -> impl Iterator<Item = T> + '_ {
        self.closed.drain(..)
    }

    /// Lets the service say goodbye, and closes everybody politely.
    pub fn shutdown(&mut self) {
        self.service.on_shutdown(&mut self.outbox);
        for (slot, _) in &self.conns {
            if let Some(id) = self.outbox.id(slot) {
                self.outbox.drain(id, CloseReason::Shutdown);
            }
        }
    }

    /// Connections that the service knows; those that are closing do not count.
    pub fn open_count(&self) -> usize {
        self.open
    }

    /// Whether no stream is left, not even a closing one.
    pub fn is_empty(&self) -> bool {
        self.conns.is_empty()
    }

    /// The service.
    pub fn service(&self) -> &S {
        &self.service
    }

    /// Gives the service back.
    pub fn into_service(self) -> S {
        self.service
    }
}

/// Reading.
impl<T: Stream, S: Service> Hub<T, S> {
    /// Reads from those that were ready when the turn began; who has more to read
    /// stands at the end of the list, behind everybody else.
    fn receive_ready(&mut self) {
        for _ in 0..self.ready.len() {
            if self.outbox.brake() {
                return;
            }
            let Some(id) = self.ready.pop_front() else { return };
            match self.outbox.state(id) {
                State::Open => {
                    self.conns[id.slot()].listed = false;
                    self.receive(id);
                }
                State::Draining(_) => {
                    self.conns[id.slot()].listed = false;
                    self.discard(id);
                }
                State::Vacant | State::Dead(_) => {}
            }
        }
        if self.ready.is_empty() {
            self.ready.shrink_to(512);
        }
    }

    fn receive(&mut self, id: ConnId) {
        if !self.outbox.listens(id) || !self.digest_rest(id) {
            return;
        }
        for _ in 0..self.limits.read_budget {
            match self.conns[id.slot()].stream.read(&mut self.chunk) {
                Ok(0) => return self.end_of_input(id),
                Ok(count) => {
                    if !self.digest_chunk(id, count) {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.outbox.kill(id, CloseReason::Broken),
            }
            if self.outbox.brake() {
                break;
            }
        }
        self.list_ready(id);
    }

    /// Goes on with what was read before the connection had to wait. False if it has
    /// to wait again, or closes.
    fn digest_rest(&mut self, id: ConnId) -> bool {
        let Some(mut input) = self.conns[id.slot()].input.take() else { return true };
        let rest = mem::take(&mut input.rest);
        let start = input.rest_start;
        input.rest_start += self.digest(id, &mut input, &rest[start..]);
        if input.rest_start < rest.len() {
            input.rest = rest;
        } else {
            input.rest_start = 0;
        }
        self.keep(id, input);
        self.outbox.listens(id)
    }

    /// Turns what was just read into lines. False if the connection has to wait, or
    /// closes.
    fn digest_chunk(&mut self, id: ConnId, count: usize) -> bool {
        let own = self.conns[id.slot()].input.take().or_else(|| self.spare.take());
        let mut input = own.unwrap_or_else(|| Box::new(Input::new(&self.limits)));
        let chunk = mem::take(&mut self.chunk);
        let used = self.digest(id, &mut input, &chunk[..count]);
        input.rest.extend_from_slice(&chunk[used..count]);
        self.chunk = chunk;
        let partial = input.lines.partial();
        let first = self.conns[id.slot()].ending.is_none() && !partial.is_empty();
        if first && self.outbox.listens(id) {
            self.service.on_partial(id, partial, &mut self.outbox);
        }
        self.keep(id, input);
        self.outbox.listens(id)
    }

    /// Hands the lines in `bytes` to the service until they are used up, or the
    /// connection has to wait or closes. Returns how many bytes were used.
    fn digest(&mut self, id: ConnId, input: &mut Input, bytes: &[u8]) -> usize {
        let mut left = bytes;
        while let Some(token) = input.telnet.next(&mut left) {
            match token {
                Token::Data(mut data) => {
                    while let Some(piece) = input.lines.next(&mut data) {
                        self.dispatch(id, piece);
                        if !self.outbox.listens(id) {
                            return bytes.len() - left.len() - data.len();
                        }
                    }
                }
                Token::Command(count, answer) => {
                    self.outbox.send(id, answer.as_ref().map_or(b"", |answer| answer));
                    if !input.lines.skip(count) {
                        self.dispatch(id, Piece::Endless);
                    }
                    if !self.outbox.listens(id) {
                        return bytes.len() - left.len();
                    }
                }
            }
        }
        bytes.len()
    }

    fn dispatch(&mut self, id: ConnId, piece: Piece<'_>) {
        match piece {
            Piece::Line(line, ending) => {
                self.note_ending(id, ending);
                self.service.on_line(id, line, &mut self.outbox);
            }
            Piece::TooLong => {
                let limit = Limit::LineTooLong { max: self.limits.line_max };
                self.service.on_limit(id, limit, &mut self.outbox);
            }
            Piece::Discarded(ending) => self.note_ending(id, Some(ending)),
            Piece::Endless => self.outbox.drain(id, CloseReason::Endless),
        }
    }

    fn note_ending(&mut self, id: ConnId, ending: Option<Ending>) {
        let known = &mut self.conns[id.slot()].ending;
        if let (None, Some(ending)) = (*known, ending) {
            *known = Some(ending);
            self.service.on_ending(id, ending, &mut self.outbox);
        }
    }

    /// The other side has sent its last: an unfinished line counts, then the
    /// connection is closed once all replies are sent.
    fn end_of_input(&mut self, id: ConnId) {
        self.conns[id.slot()].ended = true;
        if let Some(mut input) = self.conns[id.slot()].input.take()
            && let Some(piece) = input.lines.finish()
        {
            self.dispatch(id, piece);
        }
        self.outbox.drain(id, CloseReason::EndOfInput);
    }

    /// Reads what a closing connection still sends, and drops it: closing a socket
    /// with unread input would destroy what the other side has not read yet.
    fn discard(&mut self, id: ConnId) {
        for _ in 0..self.limits.read_budget {
            match self.conns[id.slot()].stream.read(&mut self.chunk) {
                Ok(0) => {
                    self.conns[id.slot()].ended = true;
                    if self.outbox.is_idle(id) {
                        self.outbox.kill(id, CloseReason::EndOfInput);
                    }
                    return;
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.outbox.kill(id, CloseReason::Broken),
            }
        }
        self.list_ready(id);
    }

    /// Keeps the input state with the connection if it holds anything, else as the
    /// spare one.
    fn keep(&mut self, id: ConnId, input: Box<Input>) {
        if input.is_new() {
            self.spare = Some(input);
        } else {
            self.conns[id.slot()].input = Some(input);
        }
    }

    fn list_ready(&mut self, id: ConnId) {
        let conn = &mut self.conns[id.slot()];
        if !mem::replace(&mut conn.listed, true) {
            self.ready.push_back(id);
        }
    }
}

/// Writing, closing, and the rest of a turn.
impl<T: Stream, S: Service> Hub<T, S> {
    fn tick(&mut self, now: Now) {
        let due = self.service.next_tick().is_some_and(|at| at <= now.monotonic);
        if mem::take(&mut self.woken) || due {
            self.service.on_tick(&mut self.outbox);
        }
    }

    /// Writes to the next of those that are behind, and buries the dead.
    fn settle(&mut self) {
        self.announce_closing();
        for _ in 0..self.limits.write_budget {
            let Some(id) = self.outbox.next_in_line() else { break };
            self.flush(id);
        }
        self.announce_closing();
        for id in self.outbox.take_dead() {
            self.bury(id);
        }
        for id in self.outbox.take_released() {
            if self.outbox.state(id) == State::Open {
                self.list_ready(id);
            }
        }
    }

    /// One `write` of all that a connection is behind; more only if that was not
    /// taken whole, until the socket says that it is full.
    fn flush(&mut self, id: ConnId) {
        self.outbox.gather(id);
        while !self.outbox.pending(id).is_empty() {
            let stream = &mut self.conns[id.slot()].stream;
            match stream.write(self.outbox.pending(id)) {
                Ok(0) => return self.outbox.kill(id, CloseReason::Broken),
                Ok(count) => self.outbox.consume(id, count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return self.outbox.block(id);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.outbox.kill(id, CloseReason::Broken),
            }
        }
        self.flushed(id);
    }

    /// All that was queued has been sent.
    fn flushed(&mut self, id: ConnId) {
        let skipped = self.outbox.leave_line(id);
        match self.outbox.state(id) {
            State::Open if skipped > 0 => {
                self.service.on_limit(id, Limit::Skipped(skipped), &mut self.outbox);
            }
            State::Draining(why) => {
                let conn = &mut self.conns[id.slot()];
                // If it fails the connection is broken, and reading will say so.
                let _ = conn.stream.shutdown_write();
                if conn.ended {
                    self.outbox.kill(id, why);
                }
            }
            _ => {}
        }
    }

    /// Tells the service of everybody who began to close. That can make others close.
    fn announce_closing(&mut self) {
        while let Some((id, why)) = self.outbox.next_closing() {
            if !self.conns[id.slot()].refused {
                self.open -= 1;
                self.service.on_close(id, why, &mut self.outbox);
            }
            if let State::Draining(_) = self.outbox.state(id) {
                self.drains.start(id, self.outbox.now().monotonic);
                // It may have more to say, which is to be read and dropped.
                self.list_ready(id);
            }
            self.conns[id.slot()].input = None;
        }
    }

    fn bury(&mut self, id: ConnId) {
        let conn = self.conns.remove(id.slot());
        self.refused -= usize::from(conn.refused);
        self.outbox.vacate(id);
        self.closed.push(conn.stream);
    }

    fn insert(&mut self, stream: T, refused: bool) -> ConnId {
        let conn = Conn { stream, input: None, ending: None, listed: false, ended: false, refused };
        self.outbox.open(self.conns.insert(conn))
    }
}
