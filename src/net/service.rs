//! The seam between the loop and a protocol: what the loop tells a service, and asks it.
//!
//! The loop knows limits, not texts; a service knows texts, not sockets.

use std::time::Instant;

use crate::net::conn::{CloseReason, ConnId};
use crate::net::line::Ending;
use crate::net::outbox::Outbox;
use crate::net::sniff::Protocol;
use crate::net::timeouts::Now;
use crate::net::transport::Origin;

/// A protocol over lines. Whatever it has to say goes into the [`Outbox`]; it cannot
/// block, and nothing that it does can fail.
///
/// For each connection: `on_open` once, `on_line` any number of times, `on_close`
/// once. No line comes once a close has begun, not even from the same packet.
pub trait Service {
    /// Somebody connected.
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        let _ = (id, peer, out);
    }

    /// A complete line: any bytes, perhaps none. Its ending is gone, and so are telnet's
    /// bytes, what was erased again, the sequences of keys that edit nothing, and a byte
    /// order mark at its start; all else is as it came.
    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox);

    /// How the connection ends its lines; whoever wants to answer in kind keeps it. Told when
    /// it has ended one for the first time, before that line. Once before that, if it sends
    /// a telnet command: then CR LF is likely.
    fn on_ending(&mut self, id: ConnId, ending: Ending, out: &mut Outbox) {
        let _ = (id, ending, out);
    }

    /// Somebody asks in telnet's way whether anybody is there (AYT), perhaps inside a line.
    fn on_are_you_there(&mut self, id: ConnId, out: &mut Outbox) {
        let _ = (id, out);
    }

    /// The loop held this connection to a limit.
    fn on_limit(&mut self, id: ConnId, limit: Limit, out: &mut Outbox) {
        let _ = (id, limit, out);
    }

    /// The connection is over: `id` names nobody any more, and its name, its place and
    /// its limits are free. What was queued for it before is still being sent.
    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        let _ = (id, why, out);
    }

    /// The time of [`Service::next_tick`] has come, or somebody called
    /// [`Handle::wake`](crate::Handle::wake).
    fn on_tick(&mut self, out: &mut Outbox) {
        let _ = out;
    }

    /// Much of what was held for connections has been let go of, or much has been done: the
    /// moment to give memory back to the system. At most once a second.
    fn on_trim_memory(&mut self) {}

    /// When the service next wants [`Service::on_tick`].
    fn next_tick(&self) -> Option<Instant> {
        None
    }

    /// What the log calls a connection: under which name, say, it is known.
    fn log_name(&self, id: ConnId) -> Option<String> {
        let _ = id;
        None
    }

    /// Whether somebody is not to be let in. Asked once it is known where it is from, and
    /// before anybody hears of it.
    fn is_banned(&self, peer: &Peer<'_>, now: Now) -> bool {
        let _ = (peer, now);
        false
    }

    /// Whether those who begin with another protocol (HTTP, TLS, SSH and others, see
    /// [`Protocol`]) are turned away here, with [`Refusal::Foreign`], before a line of theirs
    /// is heard. Asked for each connection after [`Service::on_open`]; the label of the
    /// listener may decide. By default whatever comes are lines: a service of its own may
    /// well be HTTP, or begin with a control character.
    fn turns_away_protocols(&self, peer: &Peer<'_>) -> bool {
        let _ = peer;
        false
    }

    /// What one who is turned away is told, with LF at its end. Whoever has ended a line
    /// otherwise gets it with the ending of its own.
    fn refusal(&self, why: Refusal) -> &[u8] {
        let _ = why;
        b""
    }

    /// The last chance to say something to everybody; all are closed right after it.
    fn on_shutdown(&mut self, out: &mut Outbox) {
        let _ = out;
    }
}

/// Who connected, and where.
#[derive(Clone, Copy, Debug)]
pub struct Peer<'a> {
    /// Where the connection came from.
    pub origin: Origin,
    /// The label of the listener that took it.
    pub label: &'a str,
}

/// A limit that a connection ran into, and stays open after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A line is longer than `max` bytes; all of it up to its ending is dropped.
    LineTooLong {
        /// The longest line that is accepted, in bytes.
        max: usize,
    },
    /// Its lines come too fast, and wait from now on. Told once until it has been slow
    /// enough for a while.
    Throttled,
    /// It has sent nothing for `idle_time`.
    Idle,
    /// So many lines to many were left out while the connection did not read. It has
    /// caught up now, and gets everything again.
    Shed(u64),
}

/// Why somebody is turned away at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There are as many clients as there may be, or no descriptor is left.
    Full,
    /// There are as many from its address as there may be.
    Address,
    /// It is from there, and [`Service::is_banned`].
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
