//! What the log says of connections: refused, accepted, ended.

use std::collections::HashMap;
use std::mem;
use std::time::{Duration, Instant};

use log::{Level, info, log_enabled, warn};

use crate::net::codec::websocket::SentMessages;
use crate::net::conn::{CloseReason, ConnId};
use crate::net::line::Ending;
use crate::net::service::Peer;
use crate::net::transport::Origin;
use crate::pack::impl_pack;

/// Refusals cost a client nothing, so they are logged at most this often.
const EVERY: Duration = Duration::from_secs(1);

/// Refused connections: a log line for the first, then for the last of each second, with how many
/// others there were.
#[derive(Default)]
pub(super) struct Refused {
    next_line: Option<Instant>,
    /// The last one that is not logged yet.
    waiting: Option<(Origin, &'static str)>,
    suppressed: u64,
}

impl Refused {
    /// A connection is refused. The reason is one word.
    pub(super) fn note(&mut self, origin: Origin, why: &'static str, now: Instant) {
        if !log_enabled!(Level::Warn) {
            return;
        }
        if self.waiting.replace((origin, why)).is_some() {
            self.suppressed += 1;
        }
        self.log_due(now);
    }

    /// When something has to be logged, if it has.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next_line.filter(|_| self.waiting.is_some())
    }

    /// Logs what waits, if its time has come.
    pub(super) fn log_due(&mut self, now: Instant) {
        if self.waiting.is_some() && self.next_line.is_none_or(|at| at <= now) {
            self.log_waiting();
            self.next_line = Some(now + EVERY);
        }
    }

    /// Logs what waits.
    pub(super) fn log_waiting(&mut self) {
        if let Some((origin, why)) = self.waiting.take() {
            let suppressed = mem::take(&mut self.suppressed);
            warn!(addr = origin.ip(), port = origin.port(), why, suppressed; "refused");
        }
    }
}

/// What the `ended` line will need of each connection. Kept only while `-v` is on.
#[derive(Default)]
pub(super) struct Accepted(HashMap<ConnId, Record>);

struct Record {
    origin: Origin,
    since: Instant,
    lines_in: u64,
    lines_out: u64,
    /// Over WebSocket.
    messages: Option<Box<SentMessages>>,
    /// Its name when the close began, and why it did.
    ended: Option<(String, CloseReason)>,
}

impl Accepted {
    /// A connection is accepted, perhaps through a proxy.
    pub(super) fn begin(
        &mut self,
        id: ConnId,
        peer: &Peer<'_>,
        proxy: Option<Origin>,
        tls: Option<&str>,
        now: Instant,
    ) {
        if !log_enabled!(Level::Info) {
            return;
        }
        let Peer { origin, label: listener, .. } = *peer;
        let (addr, port) = (origin.ip(), origin.port());
        let proxy = proxy.and_then(Origin::ip);
        info!(conn = id.serial(), addr, port, proxy, listener, tls; "accepted");
        let (since, lines_in, lines_out) = (now, 0, 0);
        let (messages, ended) = (None, None);
        self.0.insert(id, Record { origin, since, lines_in, lines_out, messages, ended });
    }

    /// It speaks WebSocket, once it has been sent so many bytes.
    pub(super) fn begin_messages(&mut self, id: ConnId, after: usize) {
        if let Some(record) = self.0.get_mut(&id) {
            record.messages = Some(Box::new(SentMessages::after(after)));
        }
    }

    /// It has sent a line.
    pub(super) fn count_in(&mut self, id: ConnId) {
        if let Some(record) = self.0.get_mut(&id) {
            record.lines_in += 1;
        }
    }

    /// Whether nothing is kept of any connection.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its socket has taken these bytes; `ending` is how its lines end.
    pub(super) fn count_out(&mut self, id: ConnId, bytes: &[u8], ending: Ending) {
        let Some(record) = self.0.get_mut(&id) else { return };
        let last = if ending == Ending::Nul { 0 } else { b'\n' };
        record.lines_out += match &mut record.messages {
            Some(messages) => messages.count(bytes),
            None => memchr::memchr_iter(last, bytes).count() as u64,
        };
    }

    /// Its close has begun; what is queued for it is still to be counted.
    pub(super) fn note_end(
        &mut self,
        id: ConnId,
        why: CloseReason,
        name: impl FnOnce() -> Option<String>,
    ) {
        if let Some(record) = self.0.get_mut(&id) {
            record.ended = Some((name().unwrap_or_default(), why));
        }
    }

    /// Its slot is freed.
    pub(super) fn end(&mut self, id: ConnId, now: Instant) {
        let Some(record) = self.0.remove(&id) else { return };
        let Record { origin, since, lines_in, lines_out, ended, .. } = record;
        let Some((name, why)) = ended else { return };
        let duration = now.saturating_duration_since(since).as_secs_f64();
        info!(
            conn = id.serial(), addr = origin.ip(), port = origin.port(), why:%,
            duration:% = format_args!("{duration:.3}"), lines_in, lines_out, name;
            "ended"
        );
    }
}

impl_pack! {
    struct Accepted(at)
}

impl_pack! {
    struct Record { origin, since, lines_in, lines_out, messages, ended }
}
