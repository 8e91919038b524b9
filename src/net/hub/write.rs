//! The write phase of a turn: flushing queues to streams, and reaping.

use std::io::{self, ErrorKind};

use super::conn::Output;
use super::{Conn, Hub};
use crate::net::conn::{CloseReason, ConnId, State};
use crate::net::service::{Limit, Service};
use crate::net::transport::Transport;

impl<T: Transport, S: Service> Hub<T, S> {
    /// Flushes the next connections of the flush queue, and frees the slots of dead ones.
    pub(super) fn write_ready(&mut self) {
        self.announce_closing();
        for _ in 0..self.limits.write_budget {
            let Some(id) = self.outbox.next_to_flush() else { break };
            self.flush(id);
        }
        self.announce_closing();
        self.close_excess();
        // Flush before disconnecting: nobody is disconnected for bytes that the socket would take.
        // Telling others of a disconnect queues more, so look again after each.
        while self.outbox.is_over_total() {
            match self.outbox.next_to_flush() {
                Some(id) => self.flush(id),
                None => self.outbox.disconnect_largest(),
            }
            self.announce_closing();
        }
        self.reap_dead();
        self.list_resumed();
    }

    /// One `write` of all that is queued for a connection, however many lines it is (write
    /// coalescing); more only if that was not taken whole, until the socket is full.
    pub(super) fn flush(&mut self, id: ConnId) {
        let held = self.outbox.begin_flush(id);
        let mut took = false;
        loop {
            let pending = self.outbox.pending(id);
            if pending.is_empty() {
                break;
            }
            let Conn { stream, output, .. } = &mut self.conns[id.slot()];
            match stream.write(pending) {
                Ok(0) => return self.lose_reader(id),
                Ok(count) => {
                    if !self.accepted_log.is_empty() {
                        let ending = self.outbox.ending(id);
                        self.accepted_log.count_out(id, &pending[..count], ending);
                    }
                    self.metrics.bytes_sent += count as u64;
                    self.outbox.consume(id, count);
                    *output = Output::Sent;
                    took = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return self.block(id, took, held);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.lose_reader(id),
            }
        }
        match self.finish_flush(id) {
            Ok(()) => self.flushed(id),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.block(id, took, held),
            Err(_) => self.lose_reader(id),
        }
    }

    /// The queue is empty: flushes the transport. If the connection is draining, ends its output
    /// (a half-close).
    fn finish_flush(&mut self, id: ConnId) -> io::Result<()> {
        let stream = &mut self.conns[id.slot()].stream;
        loop {
            match stream.flush() {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?,
            }
        }
        if self.outbox.state(id) != State::Draining {
            return Ok(());
        }
        // If it fails for good the connection is broken, and reading will tell.
        match stream.shutdown_write() {
            Err(error) if stream.unsent() > 0 => Err(error),
            _ => Ok(()),
        }
    }

    /// Its socket is full. `held` is how many bytes the transport held back before: fewer now is
    /// progress.
    fn block(&mut self, id: ConnId, took: bool, held: usize) {
        let unsent = self.conns[id.slot()].stream.unsent();
        self.outbox.block(id, unsent);
        self.note_blocked(id, took || unsent < held);
    }

    /// After a read the transport may hold back more, or less: TLS answers on its own. An idle queue
    /// then waits for a writable edge. A queue in the flush queue does not: the edge that put it
    /// there may have been the last.
    pub(super) fn note_unsent(&mut self, id: ConnId) {
        if self.outbox.state(id) == State::Unreachable {
            return;
        }
        let unsent = self.conns[id.slot()].stream.unsent();
        if unsent > 0 && self.outbox.is_idle(id) {
            self.block(id, false, 0);
        } else {
            self.outbox.set_unsent(id, unsent);
        }
    }

    /// All that was queued has been sent.
    fn flushed(&mut self, id: ConnId) {
        let shed = self.outbox.dequeue(id);
        self.note_caught_up(id);
        match self.outbox.state(id) {
            State::Open if shed > 0 => {
                self.service.on_limit(id, Limit::Shed(shed), &mut self.outbox);
            }
            State::Draining => {
                if self.conns[id.slot()].ended {
                    self.outbox.kill(id, CloseReason::EndOfInput);
                } else {
                    self.lingers.start(id, self.outbox.now().monotonic);
                }
            }
            _ => {}
        }
    }
}
