//! What services may do besides sending bytes: lines in each client's own framing, timers, and a
//! shutdown.

use std::fmt;
use std::mem;
use std::time::{Duration, Instant};

use super::Outbox;
use super::queue::Place;
use crate::net::conn::{ConnId, State};
use crate::net::line::Ending;
use crate::net::shared_log::LogId;

impl Outbox {
    /// Queues a line, framed as this client reads it best: with the ending that it uses itself (LF
    /// until it has shown one), as a message with its length before it, or as a WebSocket message.
    pub fn send_line(&mut self, to: ConnId, line: &[u8]) {
        let mut framed = mem::take(&mut self.framed);
        self.ending(to).write(line, &mut framed);
        self.send(to, &framed);
        framed.clear();
        self.framed = framed;
    }

    /// Queues a line for many, framed as each reads it best, and written down once for each
    /// framing: [`Outbox::send_all`] with endings. The key names the receivers: use the same key
    /// for the same receivers. Everybody's is 0 ([`Outbox::broadcast`]).
    pub fn send_line_all(&mut self, key: usize, to: impl IntoIterator<Item = ConnId>, line: &[u8]) {
        let to: Vec<ConnId> = to.into_iter().collect();
        let mut framed = mem::take(&mut self.framed);
        for (at, ending) in Ending::ALL.into_iter().enumerate() {
            let is_one = |id: &ConnId| self.ending(*id) == ending;
            let those: Vec<ConnId> = to.iter().copied().filter(is_one).collect();
            if !those.is_empty() {
                framed.clear();
                ending.write(line, &mut framed);
                self.send_all(
                    LogId::of(key.wrapping_mul(Ending::ALL.len()).wrapping_add(at)),
                    those,
                    &framed,
                );
            }
        }
        framed.clear();
        self.framed = framed;
    }

    /// Queues a line for everybody, framed as each reads it best.
    pub fn broadcast(&mut self, line: &[u8]) {
        let everybody: Vec<ConnId> = self.ids().collect();
        self.send_line_all(0, everybody, line);
    }

    /// All connections that are open and not closing.
    pub fn ids(&self) -> impl Iterator<Item = ConnId> + '_ {
        (0..self.queues.len()).filter_map(|slot| self.id(slot)).filter(|id| self.is_open(*id))
    }

    /// How lines to a connection end: as its own lines do, or with LF until it has ended one.
    #[must_use]
    pub fn ending(&self, id: ConnId) -> Ending {
        self.ending_seen(id).ending().unwrap_or(Ending::Lf)
    }

    /// Text for one client, by `write!` and `writeln!`: each LF ends a line, which is framed as with
    /// [`Outbox::send_line`]. What comes after the last one, such as a prompt, is sent without an
    /// ending; a client that reads messages gets it as one more. All is queued when the writer is dropped.
    pub fn writer(&mut self, to: ConnId) -> Writer<'_> {
        Writer { out: self, to, text: String::new() }
    }

    /// Has [`Service::on_timer`](crate::Service::on_timer) called with this key once so much time
    /// has passed, counted from [`Outbox::now`]. There is one timer a key: setting it again moves
    /// it.
    pub fn set_timer(&mut self, key: u64, after: Duration) {
        match self.now.monotonic.checked_add(after) {
            Some(at) => self.timers.set(key, at),
            None => self.timers.cancel(key),
        }
    }

    /// Cancels a timer. If there is none with this key, nothing happens.
    pub fn cancel_timer(&mut self, key: u64) {
        self.timers.cancel(key);
    }

    /// Has [`Service::on_drained`](crate::Service::on_drained) called once all that waits for a
    /// connection now, and all that is queued until then, has been sent. So an answer of any length
    /// goes out in pieces, and only one is in memory. Asking again before that changes nothing.
    pub fn notify_drained(&mut self, id: ConnId) {
        if self.state(id) != State::Open {
            return;
        }
        // With nothing to send it is put into the flush queue all the same, behind which it may
        // still be sent something.
        if self.queues[id.slot()].place == Place::Idle {
            self.enqueue(id);
        }
        self.queues[id.slot()].own_mut(&mut self.spare).awaited = true;
    }

    /// Ends [`Server::run`](crate::Server::run) as [`Handle::shutdown`](crate::Handle::shutdown)
    /// does: the first time politely, the second time at once.
    pub fn shutdown(&mut self) {
        self.shutdowns = self.shutdowns.saturating_add(1);
    }
}

/// What the loop asks.
impl Outbox {
    pub(crate) fn next_timer(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub(crate) fn expired_timer(&mut self) -> Option<u64> {
        self.timers.expired(self.now.monotonic)
    }

    /// Whether there is something for the service, or its server, to hear of in the next turn.
    pub(crate) fn has_news(&self) -> bool {
        !self.drained.is_empty() || self.shutdowns > 0
    }

    pub(crate) fn drained_count(&self) -> usize {
        self.drained.len()
    }

    pub(crate) fn next_drained(&mut self) -> Option<ConnId> {
        self.drained.pop_front()
    }

    pub(crate) fn take_shutdown(&mut self) -> bool {
        let left = self.shutdowns.checked_sub(1);
        self.shutdowns = left.unwrap_or(0);
        left.is_some()
    }
}

/// Text on its way to one client ([`Outbox::writer`]).
pub struct Writer<'a> {
    out: &'a mut Outbox,
    to: ConnId,
    text: String,
}

impl fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        Ok(())
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        let has_messages = self.out.ending(self.to).as_str().is_empty();
        for line in self.text.split_inclusive('\n') {
            match line.strip_suffix('\n') {
                Some(line) => self.out.send_line(self.to, line.as_bytes()),
                None if has_messages => self.out.send_line(self.to, line.as_bytes()),
                None => self.out.send(self.to, line.as_bytes()),
            }
        }
    }
}
