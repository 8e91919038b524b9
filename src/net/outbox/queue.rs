//! One connection's outbound queue.

use std::collections::VecDeque;

use crate::net::conn::State;
use crate::net::shared_log::{LogId, Span, more_for};

/// Where a queue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It has nothing to send.
    Idle,
    /// It is in the flush queue. Only such a queue may hold a span.
    Queued,
    /// Its socket is full. A writable edge puts it back into the flush queue.
    Blocked,
}

/// What a queue holds for itself alone. On the heap only while there is any.
#[derive(Default)]
pub(super) struct Own {
    pub(super) bytes: VecDeque<u8>,
    /// Bytes that the transport has taken and holds back: they go before all else. The number
    /// stays until the next flush asks again.
    pub(super) unsent: usize,
    /// Lines shed since the queue grew over `queue_soft`.
    pub(super) shed: u64,
    /// Reading from the connection is paused because too much of this is unread.
    pub(super) parked: bool,
    /// The service wants to be told once all has been sent.
    pub(super) awaited: bool,
}

impl Own {
    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.unsent
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let len = self.bytes.len();
        self.bytes.reserve_exact(more_for(len, bytes.len()));
        self.bytes.extend(bytes);
    }
}

/// Emptied buffers, recycled: replies and private lines come one after the other, and would
/// each cost an allocation.
pub(super) type Spare = Vec<Box<Own>>;

pub(super) struct Queue {
    pub(super) own: Option<Box<Own>>,
    pub(super) span: Span,
    pub(super) serial: u32,
    pub(super) log_id: LogId,
    pub(super) state: State,
    pub(super) place: Place,
    /// The service has paused reading.
    pub(super) paused: bool,
}

// There is one for each connection, most of them idle: fields that busy ones need are in `Own`.
const _: () = assert!(size_of::<Queue>() <= 24);

impl Queue {
    pub(super) const VACANT: Queue = Queue {
        own: None,
        span: Span::EMPTY,
        serial: 0,
        log_id: LogId::FIRST,
        state: State::Vacant,
        place: Place::Idle,
        paused: false,
    };

    /// Its own bytes; a recycled buffer if it has none yet.
    pub(super) fn own_mut(&mut self, spare: &mut Spare) -> &mut Own {
        self.own.get_or_insert_with(|| spare.pop().unwrap_or_default())
    }

    pub(super) fn own_len(&self) -> usize {
        self.own.as_ref().map_or(0, |own| own.len())
    }

    pub(super) fn len(&self) -> usize {
        self.own_len() + self.span.len()
    }
}
