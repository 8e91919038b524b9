//! A connection, as the hub sees it: its stream, and how far it has got.

use crate::net::codec::Kind;
use crate::net::limits::Class;
use crate::net::metrics::KindNo;

/// A connection's socket, and what is to be known of each. Most are idle, so it is small: the
/// input half, and what else only few have, is in tables of the [`Hub`](super::Hub). The output half is in
/// the [`Outbox`](crate::Outbox), under the same slot, so that a line borrowed from the one can be answered into the
/// other.
pub(super) struct Conn<T> {
    pub(super) stream: T,
    pub(super) codec: Kind,
    /// It is in `ready`.
    pub(super) listed: bool,
    /// The client has ended its input: a half-close.
    pub(super) ended: bool,
    /// It cannot be written to any more.
    pub(super) unreachable: bool,
    pub(super) output: Output,
    pub(super) phase: Phase,
    /// Which limits are its own.
    pub(super) class: Class,
    /// For the metrics; set once the service knows the connection.
    pub(super) kind: KindNo,
}

// A stream that may be encrypted takes two words.
const _: () = assert!(size_of::<Conn<[usize; 2]>>() <= 24);

/// How far a connection has got before it speaks lines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It was turned away, and the service never heard of it.
    Refused,
    /// A monitor's, of which the service never hears.
    Probe,
    /// It may still turn out to speak another protocol.
    Unknown,
    Lines,
}

/// Whether anything was sent since the last time that a ping was due.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    Quiet,
    Sent,
}

impl<T> Conn<T> {
    pub(super) fn new(stream: T, phase: Phase) -> Conn<T> {
        Conn {
            stream,
            codec: Kind::Telnet,
            listed: false,
            ended: false,
            unreachable: false,
            output: Output::Quiet,
            phase,
            class: Class::default(),
            kind: KindNo::default(),
        }
    }
}
