//! A socket in memory, with both ends in one place: the hub has the [`SimStream`], the
//! client is whoever calls the rest of [`Wire`].
//!
//! As with a real edge-triggered socket, an edge comes only after `WouldBlock` was
//! returned; a hub that stops reading or writing earlier must remember that by itself.
//!
//! It is no `testing::Stream`, since here every call is a decision of the run's random numbers,
//! and a fact in its journal.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use chinwag::Transport;
use chinwag::testing::Call;

use super::errors::{self, ERRORS, INTERRUPTED, WOULD_BLOCK};
use super::journal::{Fact, Journal};
use super::layer::{GREETING, Layer};
use super::rng::Rng;

/// The server's end.
pub(super) struct SimStream {
    wire: Rc<RefCell<Wire>>,
    /// What lies between, if anything does.
    layer: Option<Layer>,
}

/// A connection, seen by both sides.
#[expect(clippy::struct_excessive_bools, reason = "one end's state says nothing of the other's")]
#[derive(Default)]
pub(super) struct Wire {
    pub(super) who: usize,
    pub(super) journal: Journal,
    rng: Rng,
    /// One call in so many is interrupted, or takes less than it could.
    rough: usize,
    /// On the way to the server.
    pub(super) inbound: VecDeque<u8>,
    /// Read by the server.
    pub(super) delivered: Vec<u8>,
    /// The client sends nothing any more.
    ended: bool,
    reset: Option<Reset>,
    /// So many calls from now the client resets the connection, wherever that is.
    fuse: Option<usize>,
    /// So much at the start of what was accepted is a layer's.
    pub(super) greeting: usize,
    /// A layer's end comes without a word: nobody vouches for it.
    pub(super) is_cut: bool,
    /// Taken from the server; of which the client has read the first `read` bytes.
    accepted: Vec<u8>,
    read: usize,
    /// How much the sockets' buffers hold between the two.
    capacity: usize,
    /// What has to be free of that before an edge says so.
    edge_from: usize,
    /// `WouldBlock` was returned, so an edge is due once that changes.
    pub(super) read_armed: bool,
    pub(super) write_armed: bool,
    /// The server has said that it sends nothing any more; or tried to, and that failed.
    pub(super) is_shut: bool,
    pub(super) could_not_be_shut: bool,
    pub(super) is_closed: bool,
    /// The close turned into a reset, and what the client had not read is lost.
    pub(super) is_destroyed: bool,
    /// How often the server has tried to read.
    pub(super) reads: u64,
}

/// What is left to read after a reset depends on the system.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reset {
    DropsData,
    KeepsData,
}

impl SimStream {
    pub(super) fn new(wire: &Rc<RefCell<Wire>>) -> SimStream {
        SimStream { wire: wire.clone(), layer: None }
    }

    /// With a protocol of its own underneath.
    pub(super) fn layered(wire: &Rc<RefCell<Wire>>) -> SimStream {
        SimStream { wire: wire.clone(), layer: Some(Layer::new()) }
    }

    pub(super) fn who(&self) -> usize {
        self.wire.borrow().who
    }
}

impl Read for SimStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut wire = self.wire.borrow_mut();
        match &mut self.layer {
            Some(layer) => layer.read(wire, buffer),
            None => wire.deliver(buffer),
        }
    }
}

impl Write for SimStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut wire = self.wire.borrow_mut();
        match &mut self.layer {
            Some(layer) => layer.write(wire, bytes),
            None => wire.accept(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.layer {
            Some(layer) => layer.push(&mut self.wire.borrow_mut()),
            None => Ok(()),
        }
    }
}

impl Transport for SimStream {
    fn shutdown_write(&mut self) -> io::Result<()> {
        let mut wire = self.wire.borrow_mut();
        match &mut self.layer {
            Some(layer) => layer.shut(wire),
            None => wire.shut_write(),
        }
    }

    fn unsent(&self) -> usize {
        self.layer.as_ref().map_or(0, Layer::unsent)
    }

    fn is_handshaking(&self) -> bool {
        self.layer.as_ref().is_some_and(Layer::is_handshaking)
    }

    fn begin(&mut self, read_before: &[u8]) {
        self.layer.as_mut().expect("nobody else shakes hands").begin(read_before);
    }

    fn is_broken(&mut self) -> bool {
        self.wire.borrow_mut().is_broken()
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        self.wire.borrow_mut().close();
    }
}

/// The server's side.
impl Wire {
    pub(super) fn new(who: usize, journal: Journal, mut rng: Rng) -> Wire {
        let rough = *rng.pick(&[3, 8, 1000]);
        let capacity: usize = *rng.pick(&[1, 10, 100, 300, 1000, 1_000_000]);
        // Linux says nothing before a third is free, and takes bytes all the same.
        let edge_from = *rng.pick(&[1, capacity.div_ceil(3)]);
        let is_cut = rng.one_in(2);
        // Being registered with a poll reports how things stand, once.
        let (read_armed, write_armed) = (true, true);
        Wire {
            who,
            journal,
            rng,
            rough,
            is_cut,
            capacity,
            edge_from,
            read_armed,
            write_armed,
            ..Wire::default()
        }
    }

    pub(super) fn deliver(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!buffer.is_empty(), "a read into nothing looks like the end");
        self.reads += 1;
        self.journal.count_event();
        self.burn();
        if let Some(error) = self.rough_error(Call::Read) {
            return Err(error);
        }
        if self.reset == Some(Reset::DropsData) {
            self.inbound.clear();
        }
        if self.inbound.is_empty() {
            return self.deliver_no_data();
        }
        let mut count = buffer.len().min(self.inbound.len());
        if count > 1 && self.is_rough() {
            self.journal.hit("short read");
            count = self.rng.between(1, count - 1);
        }
        for (to, byte) in buffer.iter_mut().zip(self.inbound.drain(..count)) {
            *to = byte;
            self.delivered.push(byte);
        }
        self.journal.note(self.who, Fact::Read(count));
        Ok(count)
    }

    fn deliver_no_data(&mut self) -> io::Result<usize> {
        if let Some(reset) = self.reset {
            let kind = match reset {
                Reset::DropsData => "read reset",
                Reset::KeepsData => "read reset after the last data",
            };
            self.journal.hit(kind);
            self.journal.note(self.who, Fact::Failed);
            return Err(self.hard_error(Call::Read));
        }
        if self.ended {
            self.journal.note(self.who, Fact::EndRead);
            return Ok(0);
        }
        self.read_armed = true;
        Err(ErrorKind::WouldBlock.into())
    }

    pub(super) fn accept(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(!bytes.is_empty(), "#{}: a write of nothing", self.who);
        let was_shut = self.is_shut || self.could_not_be_shut;
        assert!(!was_shut, "#{}: written to after shutdown_write", self.who);
        self.journal.count_event();
        self.burn();
        if let Some(error) = self.rough_error(Call::Write) {
            return Err(error);
        }
        if self.reset.is_some() {
            self.journal.hit("write reset");
            self.journal.note(self.who, Fact::Failed);
            return Err(self.hard_error(Call::Write));
        }
        let window = self.window();
        if window == 0 {
            self.journal.hit("socket full");
            self.journal.note(self.who, Fact::Full);
            self.write_armed = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        if self.is_rough() && self.rng.one_in(20) {
            self.journal.hit("write took nothing");
            self.journal.note(self.who, Fact::Failed);
            self.reset = Some(Reset::DropsData);
            return Ok(0);
        }
        let mut count = bytes.len().min(window);
        if count > 1 && self.is_rough() {
            self.journal.hit("short write");
            count = self.rng.between(1, count - 1);
        }
        self.accepted.extend_from_slice(&bytes[..count]);
        self.journal.note(self.who, Fact::Took(count));
        Ok(count)
    }

    fn is_broken(&mut self) -> bool {
        self.journal.count_event();
        if self.reset.is_some() {
            self.journal.hit("broken while it waits");
            self.journal.note(self.who, Fact::Failed);
        }
        self.reset.is_some()
    }

    pub(super) fn shut_write(&mut self) -> io::Result<()> {
        self.journal.count_event();
        assert!(!self.is_shut && !self.could_not_be_shut, "#{}: shut down twice", self.who);
        if self.reset.is_some() {
            self.journal.note(self.who, Fact::ShutFailed);
            return Err(self.hard_error(Call::Shutdown));
        }
        if !self.journal.is_calm() && self.rng.one_in(4) {
            // Nobody looks whether it says to try again. It may do so while the connection
            // goes on, or because there is none.
            let error = self.rng.below(ERRORS.len());
            self.journal.failed(Call::Shutdown, error);
            self.journal.note(self.who, Fact::ShutFailed);
            self.could_not_be_shut = true;
            if self.rng.one_in(2) {
                self.reset(Reset::KeepsData);
            }
            return Err(errors::error(error));
        }
        self.is_shut = true;
        self.journal.note(self.who, Fact::ShutWrite);
        Ok(())
    }

    /// Closing a socket with unread input resets the connection, and the client loses
    /// what it has not read yet.
    fn close(&mut self) {
        assert!(!self.is_closed, "#{}: closed twice", self.who);
        self.is_closed = true;
        self.journal.note(self.who, Fact::Dropped);
        if !self.inbound.is_empty() {
            self.destroy();
        }
    }

    fn destroy(&mut self) {
        self.is_destroyed |= self.read < self.accepted.len();
    }

    /// What a call comes back with now and then, whatever it could do: nearly always
    /// that it is to be made again.
    fn rough_error(&mut self, call: Call) -> Option<io::Error> {
        if !self.is_rough() {
            return None;
        }
        let which = match self.rng.below(80) {
            0 => {
                self.reset(Reset::DropsData);
                self.journal.note(self.who, Fact::Failed);
                return Some(self.hard_error(call));
            }
            1..10 => WOULD_BLOCK,
            _ => INTERRUPTED,
        };
        if which == WOULD_BLOCK && call == Call::Read {
            self.read_armed = true;
        } else if which == WOULD_BLOCK {
            self.write_armed = true;
            self.journal.note(self.who, Fact::Full);
        }
        // To be asked to try again is no rest.
        self.journal.worked();
        self.journal.failed(call, which);
        Some(errors::error(which))
    }

    fn hard_error(&mut self, call: Call) -> io::Error {
        let which = errors::pick_hard(&mut self.rng);
        self.journal.failed(call, which);
        errors::error(which)
    }

    fn is_rough(&mut self) -> bool {
        !self.journal.is_calm() && self.rng.one_in(self.rough)
    }

    fn burn(&mut self) {
        match &mut self.fuse {
            Some(0) => {
                self.journal.hit("reset inside a turn");
                self.fuse = None;
                let reset = *self.rng.pick(&[Reset::DropsData, Reset::KeepsData]);
                self.reset(reset);
            }
            Some(calls) => *calls -= 1,
            None => {}
        }
    }
}

/// The client's side.
impl Wire {
    pub(super) fn send(&mut self, bytes: impl IntoIterator<Item = u8>) {
        assert!(self.may_send(), "#{}: a client that has ended sends nothing", self.who);
        if self.is_closed {
            return self.destroy();
        }
        self.inbound.extend(bytes);
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    pub(super) fn reset(&mut self, reset: Reset) {
        self.reset.get_or_insert(reset);
    }

    pub(super) fn light_fuse(&mut self, calls: usize) {
        self.fuse.get_or_insert(calls);
    }

    /// Reads at most so many bytes of what has arrived.
    pub(super) fn read(&mut self, most: usize) {
        if self.reset.is_none() && !self.is_destroyed {
            self.read += most.min(self.accepted.len() - self.read);
        }
    }

    /// Whether the client has read everything, and the end behind it.
    pub(super) fn has_read_all(&self) -> bool {
        (self.is_shut || self.is_closed) && self.read == self.accepted.len()
    }

    pub(super) fn may_send(&self) -> bool {
        !self.ended && self.reset.is_none()
    }

    pub(super) fn was_reset(&self) -> bool {
        self.reset.is_some()
    }

    /// How many bytes the server could still write.
    pub(super) fn window(&self) -> usize {
        self.capacity.saturating_sub(self.accepted.len() - self.read)
    }

    /// From here on the socket's buffers are large, and every call does all it can.
    pub(super) fn smooth(&mut self) {
        self.capacity = usize::MAX;
        self.rough = usize::MAX;
        self.fuse = None;
    }
}

/// What the world wants to know.
impl Wire {
    pub(super) fn readable_due(&self) -> bool {
        let is_readable = !self.inbound.is_empty() || self.ended || self.reset.is_some();
        self.read_armed && is_readable
    }

    pub(super) fn writable_due(&self) -> bool {
        self.write_armed && (self.window() >= self.edge_from || self.reset.is_some())
    }

    /// Without what its layer said.
    pub(super) fn accepted(&self) -> &[u8] {
        &self.accepted[self.greeting.min(self.accepted.len())..]
    }

    /// The layer answers, and how much of that there is.
    pub(super) fn greet(&mut self) {
        self.journal.hit("handshake: done");
        self.greeting = GREETING.len();
    }
}
