//! The seam between the loop and a protocol: what the loop tells a service, and asks it.
//!
//! The loop knows limits, not texts; a service knows texts, not sockets.

use std::time::{Duration, Instant};

use crate::net::codec::Framing;
use crate::net::conn::{CloseReason, ConnId};
use crate::net::line::Ending;
use crate::net::metrics::Exposition;
use crate::net::outbox::Outbox;
use crate::net::sniff::Protocol;
use crate::net::timeouts::Now;
use crate::net::transport::Origin;
use crate::pack::Packer;

/// A protocol over lines. All that it sends goes into the [`Outbox`]; it must not block, and
/// nothing that it does can fail. The loop does not catch its panics: they end
/// [`Server::run`](crate::Server::run).
///
/// For each connection: `on_open` once, `on_line` any number of times, `on_close`
/// once. No line comes once a close has begun, not even from the same packet.
pub trait Service {
    /// The loop begins: before anybody has connected.
    fn on_start(&mut self, out: &mut Outbox) {
        let _ = out;
    }

    /// How the bytes of a connection become lines; the label of the listener may decide. Asked
    /// before [`Service::on_open`], and not for a WebSocket, which has a framing already.
    fn framing(&self, peer: &Peer<'_>) -> Framing {
        let _ = peer;
        Framing::Telnet
    }

    /// A client has connected.
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        let _ = (id, peer, out);
    }

    /// A complete line, or message: any bytes, perhaps none. [`Framing`] says which bytes are
    /// taken out of it.
    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox);

    /// How the connection ends its lines: a service that wants to answer with the same ending
    /// keeps it. Called when the first line ends, before that line; and once before that if the
    /// client sends a telnet command, since CR LF is likely then.
    fn on_ending(&mut self, id: ConnId, ending: Ending, out: &mut Outbox) {
        let _ = (id, ending, out);
    }

    /// The client asks whether the server is there (telnet's AYT), perhaps inside a line.
    fn on_are_you_there(&mut self, id: ConnId, out: &mut Outbox) {
        let _ = (id, out);
    }

    /// The loop held this connection to a limit.
    fn on_limit(&mut self, id: ConnId, limit: Limit, out: &mut Outbox) {
        let _ = (id, limit, out);
    }

    /// The client has ended its input, and is closed next. A service that owes it an answer to what
    /// it has said can pause reading: then the end comes again once reading is resumed.
    fn on_end_of_input(&mut self, id: ConnId, out: &mut Outbox) {
        let _ = (id, out);
    }

    /// All that waited for a connection has been sent, as was asked with
    /// [`Outbox::notify_drained`]. Told once, and again only if it is asked for again.
    fn on_drained(&mut self, id: ConnId, out: &mut Outbox) {
        let _ = (id, out);
    }

    /// A close has begun: no line of this connection follows, and nothing more is queued for it.
    /// What was queued before is still being sent.
    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        let _ = (id, why, out);
    }

    /// The time of [`Outbox::set_timer`] has come. The timer is no longer set.
    fn on_timer(&mut self, key: u64, out: &mut Outbox) {
        let _ = (key, out);
    }

    /// The time of [`Service::next_tick`] has come, or somebody called
    /// [`Handle::wake`](crate::Handle::wake). If much is due, do a part: as long as `next_tick`
    /// names a time that has come, this is called again, once what the service has sent so far can
    /// be flushed.
    fn on_tick(&mut self, out: &mut Outbox) {
        let _ = out;
    }

    /// The moment to give freed memory back to the system: after a spike, or after much
    /// activity. At most once a second.
    fn on_trim_memory(&mut self) {}

    /// When the service next wants [`Service::on_tick`]. Return the same moment until it has come:
    /// "a second from now", counted anew at each call, never comes. [`Outbox::set_timer`] is
    /// easier.
    fn next_tick(&self) -> Option<Instant> {
        None
    }

    /// The name under which the log speaks of a connection, if it has one.
    fn log_name(&self, id: ConnId) -> Option<String> {
        let _ = id;
        None
    }

    /// Whether a connection is refused at admission. Asked once its address is known, before
    /// [`Service::on_open`].
    fn is_banned(&self, peer: &Peer<'_>, now: Now) -> bool {
        let _ = (peer, now);
        false
    }

    /// Whether a client that begins with another protocol (HTTP, TLS, SSH and others, see
    /// [`Protocol`]) is turned away, with [`Refusal::Foreign`], before the service gets a line of
    /// it. Asked for each connection after [`Service::on_open`]; the label of the listener may
    /// decide. By default all bytes are lines: your service may well speak HTTP, or begin with a
    /// control character.
    fn turns_away_protocols(&self, peer: &Peer<'_>) -> bool {
        let _ = peer;
        false
    }

    /// What a refused client is sent, with LF at its end. A client that has ended a line
    /// otherwise gets it with that ending.
    fn refusal(&self, why: Refusal) -> &[u8] {
        let _ = why;
        b""
    }

    /// What a monitor is told beside what the loop counts: a few numbers, never a name or an
    /// address, and quickly, since all wait for it.
    fn on_scrape(&self, metrics: &mut Exposition) {
        let _ = metrics;
    }

    /// The last chance to say something to everybody; all are closed right after it.
    fn on_shutdown(&mut self, out: &mut Outbox) {
        let _ = out;
    }
}

/// A service that a new process can go on with. A plain one need not be.
pub trait HandOver: Service {
    /// Packs all that it knows, but for its configuration, which the new process reads anew. The
    /// service itself decides how it is unpacked.
    fn pack(&self, to: &mut Packer);

    /// Begins no more work in other threads. Returns whether all that was begun is done; if not,
    /// the service calls [`Handle::interrupt`](crate::Handle::interrupt) once it is.
    fn quiesce(&mut self) -> bool {
        true
    }

    /// A connection cannot be handed over. What is sent to it now is the last that it reads, and
    /// the new process closes it; if the upgrade fails, nothing of that is sent, and it stays.
    fn on_left_behind(&mut self, id: ConnId, out: &mut Outbox) {
        let _ = (id, out);
    }

    /// Whether it wants an upgrade; true once. The service calls
    /// [`Handle::interrupt`](crate::Handle::interrupt) when it begins to.
    fn takes_upgrade(&mut self) -> bool {
        false
    }

    /// It has been handed over.
    fn on_upgraded(&mut self, upgraded: &Upgraded, out: &mut Outbox) {
        let _ = (upgraded, out);
    }

    /// The upgrade has failed, for this reason. Work that [`HandOver::quiesce`] has stopped goes on.
    fn on_not_upgraded(&mut self, why: &str, out: &mut Outbox) {
        let _ = (why, out);
    }
}

/// An upgrade that has just happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// The version of the program that was here before.
    pub from: String,
    /// How many connections have been handed over.
    pub connections: usize,
    /// How many could not be, and were closed.
    pub left: usize,
    /// For how long no connection was served.
    pub silence: Duration,
}

/// A client that connects: where it is from, and at which listener.
#[non_exhaustive]
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Where the connection came from.
    pub origin: Origin,
    /// The label of the listener that took it, or what a browser has asked for instead.
    pub label: &'a str,
    /// How its lines are to be framed, where that is known from the start: over WebSocket, and
    /// with [`Framing::LengthPrefix`].
    pub ending: Option<Ending>,
    /// Whether it is encrypted all the way to this process. What a proxy has decrypted is not.
    pub is_encrypted: bool,
}

impl<'a> Peer<'a> {
    /// One that speaks plain lines.
    #[must_use]
    pub const fn new(origin: Origin, label: &'a str) -> Peer<'a> {
        Peer { origin, label, ending: None, is_encrypted: false }
    }
}

/// A limit that a connection ran into, and stays open after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A line is longer than `max` bytes; all of it up to its ending is dropped.
    LineTooLong {
        /// The longest line that is accepted, in bytes.
        max: usize,
    },
    /// The rate limit: its lines are delayed from now on. Told once, and again only after its
    /// bucket has been full.
    Throttled,
    /// The idle timeout: it has sent nothing for `idle_time`.
    Idle,
    /// A slow consumer has caught up. So many lines to many were shed while it did not read.
    Shed(u64),
}

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There are as many clients as there may be, or no descriptor is left.
    Full,
    /// Its address has as many connections as it may have, or connects too often.
    Address,
    /// [`Service::is_banned`] said so.
    Banned(Origin),
    /// It began with another protocol. The service knows it; [`Service::on_close`] follows.
    Foreign(Protocol),
}

impl Refusal {
    /// A word for the log.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Refusal::Full => "full",
            Refusal::Address => "address",
            Refusal::Banned(_) => "banned",
            Refusal::Foreign(protocol) => protocol.word(),
        }
    }
}
