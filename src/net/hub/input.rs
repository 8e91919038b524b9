//! The input state of a connection: what has been read and has not become lines yet.

use std::mem;
use std::time::Instant;

use crate::net::codec::Framing;
use crate::net::decoder::Item;
use crate::net::limits::Limits;
use crate::net::line::Ending;
use crate::net::sniff::Sniffer;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// The input state of a connection: what has been read and has not become lines yet.
pub(super) struct Input {
    /// Used until the first line has told what the connection is.
    pub(super) sniffer: Sniffer,
    pub(super) framing: Framing,
    /// What came too fast.
    pub(super) waiting: Option<Waiting>,
    /// Parked input: read, and not decoded while reading is paused. Used up to `rest_start`.
    pub(super) rest: Vec<u8>,
    pub(super) rest_start: usize,
}

impl Input {
    pub(super) fn new(ending: Option<Ending>, limits: &Limits) -> Input {
        Input {
            sniffer: Sniffer::default(),
            framing: Framing::new(ending, limits),
            waiting: None,
            rest: Vec::new(),
            rest_start: 0,
        }
    }

    /// Bytes that were read before their time.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// The bytes that were read and are not decoded yet.
    pub(super) fn take_rest(&mut self) -> Vec<u8> {
        let start = mem::take(&mut self.rest_start);
        let mut rest = mem::take(&mut self.rest);
        rest.drain(..start);
        rest
    }

    /// What waits for its rate is not wanted any more.
    pub(super) fn forget_waiting(&mut self) {
        self.waiting = None;
    }

    #[cfg(test)]
    pub(super) fn rest(&self) -> &[u8] {
        &self.rest[self.rest_start..]
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// How many bytes it holds.
    pub(super) fn held(&self) -> usize {
        let waiting = match &self.waiting {
            Some(Waiting { what: Persisted::Line(line, _), .. }) => line.len(),
            _ => 0,
        };
        self.rest.len() + self.framing.partial_len() + waiting
    }

    pub(super) fn is_new(&self) -> bool {
        self.sniffer.is_new()
            && self.framing.is_new()
            && self.rest.is_empty()
            && self.waiting.is_none()
    }
}

/// What waits for its time.
pub(super) struct Waiting {
    pub(super) until: Instant,
    pub(super) what: Persisted,
}

pub(super) enum Persisted {
    Line(Vec<u8>, Option<Ending>),
    Other(Item<'static>),
}

impl Persisted {
    pub(super) fn item(&self) -> Item<'_> {
        match self {
            Persisted::Line(line, ending) => Item::Line(line, *ending),
            Persisted::Other(item) => *item,
        }
    }
}

impl Pack for Input {
    fn pack(&self, to: &mut Packer) {
        let Input { sniffer, framing, waiting, rest, rest_start } = self;
        to.put(sniffer).put(framing).put(waiting).put(&rest.len().saturating_sub(*rest_start));
        u8::pack_all(&rest[*rest_start..], to);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Input, Damaged> {
        let (sniffer, framing, waiting) = (from.get()?, from.get()?, from.get()?);
        Ok(Input { sniffer, framing, waiting, rest: from.get()?, rest_start: 0 })
    }
}

impl Pack for Waiting {
    fn pack(&self, to: &mut Packer) {
        let Waiting { until, what } = self;
        to.put(until).put(what);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Waiting, Damaged> {
        Ok(Waiting { until: from.get()?, what: from.get()? })
    }
}

impl Pack for Persisted {
    fn pack(&self, to: &mut Packer) {
        match self {
            Persisted::Line(line, ending) => to.tag(0).put(line).put(ending),
            Persisted::Other(Item::TooLong) => to.tag(1),
            Persisted::Other(Item::AreYouThere) => to.tag(2),
            // Of all others only the price matters.
            Persisted::Other(_) => to.tag(3),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Persisted, Damaged> {
        Ok(match from.tag()? {
            0 => Persisted::Line(from.get()?, from.get()?),
            1 => Persisted::Other(Item::TooLong),
            2 => Persisted::Other(Item::AreYouThere),
            3 => Persisted::Other(Item::Bulk),
            _ => return Err(from.wrong("line that waits")),
        })
    }
}
