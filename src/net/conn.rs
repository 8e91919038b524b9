//! A connection's id, its state, and why it ended.

use std::fmt;

use crate::pack::impl_pack;

/// The id of a connection: a slot and a serial number (its generation). Slots are used again,
/// serial numbers are not (not within four billion connections), so a stale id names no connection
/// and is safe to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId {
    pub(crate) slot: u32,
    pub(crate) serial: u32,
}

impl ConnId {
    /// A small number that no other open connection has: an index for tables.
    #[must_use]
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    /// The number of the connection, counted from 1.
    #[must_use]
    pub fn serial(self) -> u32 {
        self.serial
    }
}

/// The state of a connection. It is kept here and nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Vacant,
    Open,
    /// It cannot be written to any more. Lines that it sent before are still taken.
    Unreachable,
    /// It takes no more lines, in or out; what is queued is still sent.
    Draining,
    /// Nothing is sent any more, and its slot waits to be freed.
    Dead,
}

impl State {
    /// Whether its lines are still wanted.
    pub(crate) fn is_heard(self) -> bool {
        matches!(self, State::Open | State::Unreachable)
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// The service asked for it.
    Asked,
    /// The other side has sent all that it had to send.
    EndOfInput,
    /// It sent sixteen times `line_max` bytes without a line ending.
    Endless,
    /// It left more than `queue_max` bytes unread.
    TooSlow,
    /// A slow consumer: it took nothing for `stall_time` while something waited for it, or left
    /// the most unread when all connections together exceeded `queue_total`.
    Stalled,
    /// It sent nothing for twice `idle_time`.
    Idle,
    /// Reading or writing failed: a reset, usually.
    Broken,
    /// It was refused: at admission, and then the service never heard of it, or because it began
    /// with another protocol.
    Refused,
    /// What it sent breaks the rules of its framing; or a message over WebSocket was too long.
    Malformed,
    /// The server is shutting down.
    Shutdown,
    /// Another program takes the place of the server, and cannot go on with the connection.
    Upgrade,
}

impl CloseReason {
    /// All there are, in order.
    pub(crate) const ALL: [CloseReason; 11] = [
        CloseReason::Asked,
        CloseReason::EndOfInput,
        CloseReason::Endless,
        CloseReason::TooSlow,
        CloseReason::Stalled,
        CloseReason::Idle,
        CloseReason::Broken,
        CloseReason::Refused,
        CloseReason::Malformed,
        CloseReason::Shutdown,
        CloseReason::Upgrade,
    ];
}

/// In a word, for the log.
impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CloseReason::Asked => "closed",
            CloseReason::EndOfInput => "end_of_input",
            CloseReason::Endless => "endless_line",
            CloseReason::TooSlow => "too_slow",
            CloseReason::Stalled => "stalled",
            CloseReason::Idle => "idle",
            CloseReason::Broken => "broken",
            CloseReason::Refused => "refused",
            CloseReason::Malformed => "malformed",
            CloseReason::Shutdown => "shutdown",
            CloseReason::Upgrade => "upgrade",
        })
    }
}

impl_pack! {
    struct ConnId { slot, serial }
}

impl_pack! {
    enum State { 0 => Vacant, 1 => Open, 2 => Unreachable, 3 => Draining, 4 => Dead }
    else "state of a connection"
}

impl_pack! {
    enum CloseReason {
        0 => Asked,
        1 => EndOfInput,
        2 => Endless,
        3 => TooSlow,
        4 => Stalled,
        5 => Idle,
        6 => Broken,
        7 => Refused,
        8 => Malformed,
        9 => Shutdown,
        10 => Upgrade,
    }
    else "reason of a close"
}
