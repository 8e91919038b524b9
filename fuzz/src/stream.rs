//! A socket in memory: the hub has the [`Transport`], the world plays the client by the rest
//! of [`Wire`].
//!
//! As with a real edge-triggered socket, an edge comes only after `WouldBlock` was
//! returned.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

use chinwag::Transport;

/// Counts whatever gets done, so that turns without any work are seen.
pub type Work = Rc<Cell<u64>>;

/// The server's end of a connection.
pub struct SimStream {
    wire: Rc<RefCell<Wire>>,
    /// Taken from the server and held back, as by a protocol with records.
    held: VecDeque<u8>,
}

impl SimStream {
    /// The server's end of this connection.
    #[must_use]
    pub fn new(wire: &Rc<RefCell<Wire>>) -> SimStream {
        SimStream { wire: wire.clone(), held: VecDeque::new() }
    }
}

/// How a connection's calls turn out.
#[derive(Clone, Copy)]
pub struct Nature {
    /// No read or write takes more.
    pub grain: usize,
    /// How much the sockets' buffers hold between the two.
    pub capacity: usize,
    /// One call in so many is interrupted; none, if zero.
    pub rough: u32,
    /// Between the two there is a protocol that takes so much and may hold it back; none, if
    /// zero.
    pub record: usize,
}

/// A connection, seen by both sides.
#[expect(clippy::struct_excessive_bools, reason = "one end's state says nothing of the other's")]
pub struct Wire {
    nature: Nature,
    work: Work,
    /// On the way to the server.
    inbound: VecDeque<u8>,
    /// The client sends nothing any more.
    is_ended: bool,
    is_reset: bool,
    /// So many calls from now the client resets the connection, wherever that is.
    fuse: Option<u32>,
    calls: u32,
    /// Taken from the server; of which the client has read the first `read` bytes.
    accepted: Vec<u8>,
    read: usize,
    /// `WouldBlock` was returned, so an edge is due once that changes.
    waits: Waits,
    /// The server has said that it sends nothing any more.
    is_shut: bool,
    is_closed: bool,
}

struct Waits {
    to_read: bool,
    to_write: bool,
}

impl Read for SimStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wire.borrow_mut().deliver(buffer)
    }
}

impl Write for SimStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let record = self.wire.borrow().nature.record;
        if record == 0 && self.held.is_empty() {
            return self.wire.borrow_mut().accept(bytes);
        }
        self.flush()?;
        let count = bytes.len().min(record.max(1));
        self.held.extend(&bytes[..count]);
        match self.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(count),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut wire = self.wire.borrow_mut();
        while !self.held.is_empty() {
            match wire.accept(self.held.make_contiguous()) {
                Ok(count) => drop(self.held.drain(..count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Transport for SimStream {
    fn unsent(&self) -> usize {
        self.held.len()
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        self.flush()?;
        self.wire.borrow_mut().shut()
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        let mut wire = self.wire.borrow_mut();
        assert!(!wire.is_closed, "closed twice");
        wire.is_closed = true;
        wire.worked();
    }
}

/// The server's side.
impl Wire {
    fn deliver(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!buffer.is_empty(), "a read into nothing looks like the end");
        self.call()?;
        let count = buffer.len().min(self.inbound.len()).min(self.nature.grain);
        if count > 0 {
            for (to, byte) in buffer.iter_mut().zip(self.inbound.drain(..count)) {
                *to = byte;
            }
            self.worked();
            return Ok(count);
        }
        if self.is_reset {
            self.worked();
            return Err(ErrorKind::ConnectionReset.into());
        }
        if self.is_ended {
            self.worked();
            return Ok(0);
        }
        self.waits.to_read = true;
        Err(ErrorKind::WouldBlock.into())
    }

    fn accept(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(!bytes.is_empty(), "a write of nothing");
        assert!(!self.is_shut, "written to after shutdown_write");
        self.call()?;
        if self.is_reset {
            self.worked();
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.worked();
        let count = bytes.len().min(self.window()).min(self.nature.grain);
        if count == 0 {
            self.waits.to_write = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        self.accepted.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn shut(&mut self) -> io::Result<()> {
        self.worked();
        if self.is_reset {
            return Err(ErrorKind::NotConnected.into());
        }
        assert!(!self.is_shut, "shut down twice");
        self.is_shut = true;
        Ok(())
    }

    /// What can happen to any call.
    fn call(&mut self) -> io::Result<()> {
        self.calls += 1;
        match &mut self.fuse {
            Some(0) => self.reset(true),
            Some(calls) => *calls -= 1,
            None => {}
        }
        if self.nature.rough > 0 && self.calls.is_multiple_of(self.nature.rough) {
            return Err(ErrorKind::Interrupted.into());
        }
        Ok(())
    }

    fn worked(&self) {
        self.work.set(self.work.get() + 1);
    }
}

/// The client's side.
impl Wire {
    /// A fresh connection. Being registered with a poll reports how things stand, once.
    #[must_use]
    pub fn new(nature: Nature, work: Work) -> Wire {
        Wire {
            nature,
            work,
            inbound: VecDeque::new(),
            is_ended: false,
            is_reset: false,
            fuse: None,
            calls: 0,
            accepted: Vec::new(),
            read: 0,
            waits: Waits { to_read: true, to_write: true },
            is_shut: false,
            is_closed: false,
        }
    }

    /// Sends, unless it has ended.
    pub fn send(&mut self, bytes: &[u8]) {
        if !self.is_ended && !self.is_reset && !self.is_closed {
            self.inbound.extend(bytes);
        }
    }

    /// Sends nothing any more.
    pub fn end(&mut self) {
        self.is_ended = true;
    }

    /// Resets the connection. What was on the way may be lost or not.
    pub fn reset(&mut self, drops_data: bool) {
        self.is_reset = true;
        if drops_data {
            self.inbound.clear();
        }
    }

    /// Resets the connection in the middle of whatever the server does.
    pub fn light_fuse(&mut self, calls: u32) {
        self.fuse.get_or_insert(calls);
    }

    /// Reads at most so many bytes of what has arrived.
    pub fn read(&mut self, most: usize) {
        self.read += most.min(self.accepted.len() - self.read);
    }

    /// From here on so much fits between the two.
    pub fn squeeze(&mut self, capacity: usize) {
        self.nature.capacity = capacity;
    }

    /// From here on every call does all it can, and all is read at once.
    pub fn smooth(&mut self) {
        self.nature = Nature { grain: usize::MAX, capacity: usize::MAX, rough: 0, record: 0 };
        self.fuse = None;
    }

    /// Takes the edges that are due: readable, writable.
    pub fn take_edges(&mut self) -> (bool, bool) {
        let is_readable = !self.inbound.is_empty() || self.is_ended || self.is_reset;
        let is_writable = self.window() > 0 || self.is_reset;
        let edges = (self.waits.to_read && is_readable, self.waits.to_write && is_writable);
        self.waits.to_read &= !edges.0;
        self.waits.to_write &= !edges.1;
        edges
    }

    fn window(&self) -> usize {
        self.nature.capacity.saturating_sub(self.accepted.len() - self.read)
    }

    /// All that the server has sent.
    #[must_use]
    pub fn accepted(&self) -> &[u8] {
        &self.accepted
    }

    /// Whether the server has sent its last.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.is_shut
    }

    /// Whether the server has closed it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether the client has torn it down.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        self.is_reset
    }
}
