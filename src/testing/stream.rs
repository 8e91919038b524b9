//! A stream in memory: the test is its other end, and decides what goes wrong.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::net::transport::Transport;

/// A stream in memory, for a [`Hub`](crate::Hub) that a test drives itself: the hub has one clone,
/// and the client's end is another. Nothing that happens to it marks it: whoever drives the hub
/// calls [`Hub::mark_readable`](crate::Hub::mark_readable) and
/// [`Hub::mark_writable`](crate::Hub::mark_writable), for [`Stream::take_edges`] perhaps.
#[derive(Clone, Default)]
pub struct Stream(Arc<Mutex<Wire>>);

/// A call to a stream, that may be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called so")]
pub enum Call {
    Read,
    Write,
    Shutdown,
}

#[expect(clippy::struct_excessive_bools, reason = "one end's state says nothing of the other's")]
#[derive(Default)]
struct Wire {
    /// On the way to the server, and from it.
    inbound: VecDeque<u8>,
    outbound: Vec<u8>,
    /// How much may be under way from it.
    capacity: Option<usize>,
    /// No read or write takes more.
    piece: Option<usize>,
    /// One read or write in so many is interrupted; none, if zero.
    interrupted: usize,
    fault: Option<Fault>,
    /// So many reads or writes from now the connection breaks.
    breaks_in: Option<usize>,
    /// So many reads bring no content; and what they have brought, in bytes.
    overhead_reads: usize,
    overhead: usize,
    /// The client sends nothing any more.
    has_ended: bool,
    /// The server sends nothing any more.
    is_shut: bool,
    is_broken: bool,
    /// Whoever drives the hub has been told so, and no call was told to wait since.
    told_readable: bool,
    told_writable: bool,
    is_counting: bool,
    lines: usize,
    calls: usize,
    progress: u64,
    #[cfg(test)]
    user_timeouts: Vec<bool>,
    #[cfg(all(test, feature = "tls"))]
    acknowledged: usize,
}

/// What a call answers, once, instead of doing its work: an error, or that nothing was taken.
struct Fault {
    call: Call,
    after: usize,
    error: Option<ErrorKind>,
}

/// The client's end.
impl Stream {
    /// The client sends these bytes.
    pub fn send(&self, bytes: &[u8]) {
        self.wire().inbound.extend(bytes);
    }

    /// The client reads what is under way.
    #[must_use]
    pub fn receive(&self) -> Vec<u8> {
        mem::take(&mut self.wire().outbound)
    }

    /// The client reads at most so many bytes of what is under way.
    #[must_use]
    pub fn receive_some(&self, most: usize) -> Vec<u8> {
        let outbound = &mut self.wire().outbound;
        let rest = outbound.split_off(most.min(outbound.len()));
        mem::replace(outbound, rest)
    }

    /// The client sends nothing any more. It still reads.
    pub fn end(&self) {
        self.wire().has_ended = true;
    }

    /// From here on the client keeps nothing that it is sent, and counts the lines: for a test that
    /// measures memory.
    pub fn count_lines(&self) {
        self.wire().is_counting = true;
    }

    /// How many it has counted.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.wire().lines
    }

    /// Whether the server has said that it sends nothing any more.
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.wire().is_shut
    }

    /// Whether the server has closed it: no clone is left but the client's one.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Whether it is to be marked readable, and writable: as at an edge-triggered poll, at first and
    /// whenever a call that was told to wait need not wait any more.
    #[must_use]
    pub fn take_edges(&self) -> (bool, bool) {
        let mut wire = self.wire();
        let is_readable = !wire.inbound.is_empty() || wire.has_ended || wire.is_broken;
        let is_writable = wire.room() > 0 || wire.is_broken;
        let was_told = (wire.told_readable, wire.told_writable);
        wire.told_readable |= is_readable;
        wire.told_writable |= is_writable;
        (is_readable && !was_told.0, is_writable && !was_told.1)
    }

    /// How many calls there have been that got something done, or tried to write.
    #[must_use]
    pub fn progress(&self) -> u64 {
        self.wire().progress
    }

    /// Nothing that can panic is done while it is locked.
    fn wire(&self) -> MutexGuard<'_, Wire> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Faults.
impl Stream {
    /// From here on the client leaves at most so many bytes unread; then writing to it gives
    /// `WouldBlock`.
    pub fn narrow(&self, capacity: usize) {
        self.wire().capacity = Some(capacity);
    }

    /// From here on no read or write takes more than so many bytes.
    pub fn limit(&self, piece: usize) {
        self.wire().piece = Some(piece);
    }

    /// From here on one read or write in so many is interrupted; none, if it is zero.
    pub fn interrupt(&self, one_in: usize) {
        self.wire().interrupted = one_in;
    }

    /// After so many others a call of this kind fails, once: with this error, or as if nothing had
    /// been taken. There is one such fault at a time.
    pub fn fail(&self, call: Call, after: usize, error: Option<ErrorKind>) {
        self.wire().fault = Some(Fault { call, after, error });
    }

    /// Whether that is still to come.
    #[must_use]
    pub fn is_to_fail(&self) -> bool {
        self.wire().fault.is_some()
    }

    /// So many reads bring a KiB that is the transport's own, and no content.
    pub fn waste_reads(&self, reads: usize) {
        self.wire().overhead_reads = reads;
    }

    /// How many of those are still to come.
    #[must_use]
    pub fn reads_to_waste(&self) -> usize {
        self.wire().overhead_reads
    }

    /// The connection breaks; what the client has sent and was not read is lost.
    pub fn reset(&self) {
        self.wire().reset();
    }

    /// The connection breaks; what the client has sent can still be read.
    pub fn break_off(&self) {
        self.wire().is_broken = true;
    }

    /// So many reads or writes from now [`Stream::reset`] happens, wherever that is.
    pub fn reset_in(&self, calls: usize) {
        self.wire().breaks_in.get_or_insert(calls);
    }

    /// Whether it has been broken.
    #[must_use]
    pub fn is_reset(&self) -> bool {
        self.wire().is_broken
    }

    /// From here on every call does all it can.
    pub fn smooth(&self) {
        let mut wire = self.wire();
        (wire.capacity, wire.piece, wire.interrupted) = (None, None, 0);
        (wire.fault, wire.breaks_in) = (None, None);
    }

    /// What it was told of the user timeout.
    #[cfg(test)]
    pub(crate) fn user_timeouts(&self) -> Vec<bool> {
        self.wire().user_timeouts.clone()
    }

    /// How often it was told to acknowledge what has come.
    #[cfg(all(test, feature = "tls"))]
    pub(crate) fn acknowledged(&self) -> usize {
        self.wire().acknowledged
    }
}

impl Wire {
    fn room(&self) -> usize {
        self.capacity.map_or(usize::MAX, |most| most.saturating_sub(self.outbound.len()))
    }

    fn piece(&self) -> usize {
        self.piece.unwrap_or(usize::MAX)
    }

    fn reset(&mut self) {
        self.is_broken = true;
        self.inbound.clear();
    }

    /// What happens to a call instead of its work, if anything does.
    fn call(&mut self, call: Call) -> io::Result<Option<usize>> {
        let fault = self.fault.take_if(|it| it.call == call && it.after == 0);
        if let Some(Fault { error, .. }) = fault {
            return error.map_or(Ok(Some(0)), |kind| Err(self.blocked(call, kind)));
        }
        if let Some(fault) = self.fault.as_mut().filter(|fault| fault.call == call) {
            fault.after -= 1;
        }
        Ok(None)
    }

    /// The same for what can happen to any read or write.
    fn transfer(&mut self, call: Call) -> io::Result<Option<usize>> {
        self.calls += 1;
        match &mut self.breaks_in {
            Some(0) => self.reset(),
            Some(calls) => *calls -= 1,
            None => {}
        }
        if self.interrupted > 0 && self.calls.is_multiple_of(self.interrupted) {
            return Err(ErrorKind::Interrupted.into());
        }
        self.call(call)
    }

    /// Whoever is told to wait hears of the next edge.
    fn blocked(&mut self, call: Call, kind: ErrorKind) -> io::Error {
        if kind == ErrorKind::WouldBlock {
            self.told_readable &= call != Call::Read;
            self.told_writable &= call != Call::Write;
        }
        kind.into()
    }

    fn deliver(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(count) = self.transfer(Call::Read)? {
            return Ok(count);
        }
        if let Some(left) = self.overhead_reads.checked_sub(1) {
            self.overhead_reads = left;
            self.overhead += 1024;
            return Err(ErrorKind::Interrupted.into());
        }
        if self.inbound.is_empty() && !self.has_ended && !self.is_broken {
            return Err(self.blocked(Call::Read, ErrorKind::WouldBlock));
        }
        self.progress += 1;
        if self.inbound.is_empty() && self.is_broken {
            return Err(ErrorKind::ConnectionReset.into());
        }
        let most = buffer.len().min(self.piece());
        self.inbound.read(&mut buffer[..most])
    }

    fn accept(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(count) = self.transfer(Call::Write)? {
            return Ok(count);
        }
        self.progress += 1;
        if self.is_broken {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let count = bytes.len().min(self.room()).min(self.piece());
        if count == 0 {
            return Err(self.blocked(Call::Write, ErrorKind::WouldBlock));
        }
        if self.is_counting {
            self.lines += memchr::memchr_iter(b'\n', &bytes[..count]).count();
        } else {
            self.outbound.extend(&bytes[..count]);
        }
        Ok(count)
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!buffer.is_empty(), "a read into nothing looks like the end");
        self.wire().deliver(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        assert!(!bytes.is_empty(), "a write of nothing");
        self.wire().accept(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Stream {
    fn shutdown_write(&mut self) -> io::Result<()> {
        let mut wire = self.wire();
        wire.call(Call::Shutdown)?;
        wire.progress += 1;
        if wire.is_broken {
            return Err(ErrorKind::NotConnected.into());
        }
        wire.is_shut = true;
        Ok(())
    }

    fn is_broken(&mut self) -> bool {
        self.wire().is_broken
    }

    fn take_overhead(&mut self, count: usize) -> bool {
        let mut wire = self.wire();
        let left = wire.overhead.checked_sub(count);
        wire.overhead = left.unwrap_or(wire.overhead);
        left.is_some()
    }

    #[cfg(test)]
    fn disable_user_timeout(&mut self, is_disabled: bool) {
        self.wire().user_timeouts.push(is_disabled);
    }

    #[cfg(all(test, feature = "tls"))]
    fn acknowledge(&mut self) {
        self.wire().acknowledged += 1;
    }
}
