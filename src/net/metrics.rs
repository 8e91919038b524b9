//! What the loop counts for whoever runs it: plain integers, written as text when a monitor asks.
//! Knows no connection and no clock.

mod exposition;
mod histogram;

use crate::net::conn::CloseReason;
use crate::pack::{Damaged, Packer, Unpacker, impl_pack};
pub use exposition::Exposition;
use histogram::Histogram;

/// So many kinds of connections are told apart, which is more than a chat has; the next ones are
/// all called `other`. With it there are at most a hundred series.
const KINDS_MAX: usize = 25;

const OTHER: &str = "other";

/// The words of refusals, so that each is there with a zero before it first happens.
const REFUSALS: [&str; 10] = [
    "full",
    "address",
    "banned",
    "no_proxy_header",
    "no_handshake",
    "http",
    "proxy_header",
    "tls",
    "other_protocol",
    "binary",
];

/// What has happened since the start, and how many connections of each kind there are.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) accepted: u64,
    pub(crate) lines_received: u64,
    pub(crate) bytes_received: u64,
    pub(crate) bytes_sent: u64,
    /// From the end of a poll to the beginning of the next.
    pub(crate) turn: Histogram,
    /// How long at most a round of the flush queue has waited.
    pub(crate) flush_lag: Histogram,
    kinds: Vec<Kind>,
    closed: [u64; CloseReason::ALL.len()],
    refused: Vec<(&'static str, u64)>,
}

/// Connections that have the same labels.
#[derive(Debug)]
struct Kind {
    transport: String,
    framing: String,
    label: String,
    open: u64,
}

/// Which kind a connection is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KindNo(u8);

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            accepted: 0,
            lines_received: 0,
            bytes_received: 0,
            bytes_sent: 0,
            turn: Histogram::default(),
            flush_lag: Histogram::default(),
            kinds: Vec::new(),
            closed: [0; CloseReason::ALL.len()],
            refused: REFUSALS.map(|word| (word, 0)).into(),
        }
    }
}

impl Metrics {
    /// A connection is accepted.
    pub(crate) fn accept(&mut self, transport: &str, framing: &str, label: &str) -> KindNo {
        self.accepted += 1;
        let mut labels = (transport, framing, label);
        let mut at = self.find(labels);
        if at.is_none() && self.kinds.len() >= KINDS_MAX {
            labels = (OTHER, OTHER, OTHER);
            at = self.find(labels);
        }
        let at = at.unwrap_or_else(|| {
            let (transport, framing, label) = labels;
            let (transport, framing, label) = (transport.into(), framing.into(), label.into());
            self.kinds.push(Kind { transport, framing, label, open: 0 });
            self.kinds.len() - 1
        });
        self.kinds[at].open += 1;
        KindNo(u8::try_from(at).expect("there are few kinds"))
    }

    fn find(&self, labels: (&str, &str, &str)) -> Option<usize> {
        let is_it = |kind: &Kind| (&*kind.transport, &*kind.framing, &*kind.label) == labels;
        self.kinds.iter().position(is_it)
    }

    /// The close of an accepted connection has begun.
    pub(crate) fn close(&mut self, kind: KindNo, why: CloseReason) {
        self.kinds[usize::from(kind.0)].open -= 1;
        self.closed[why as usize] += 1;
    }

    /// A connection is refused. The reason is one word.
    pub(crate) fn refuse(&mut self, why: &'static str) {
        match self.refused.iter_mut().find(|(word, _)| *word == why) {
            Some((_, count)) => *count += 1,
            None => self.refused.push((why, 1)),
        }
    }

    /// Packs what has to go on: other numbers begin again, as with any new process.
    pub(crate) fn pack(&self, to: &mut Packer) {
        to.put(&self.kinds);
    }

    pub(crate) fn restore(&mut self, from: &mut Unpacker<'_>) -> Result<(), Damaged> {
        self.kinds = from.get()?;
        Ok(())
    }

    /// The label of its listener, unless there are too many kinds to tell.
    pub(crate) fn label(&self, kind: KindNo) -> &str {
        self.kinds.get(usize::from(kind.0)).map_or("", |kind| &kind.label)
    }

    /// An open connection has been unpacked. False if there is no such kind.
    pub(crate) fn recount(&mut self, kind: KindNo) -> bool {
        let kind = self.kinds.get_mut(usize::from(kind.0));
        kind.map(|kind| kind.open += 1).is_some()
    }

    /// Writes all of it.
    pub(crate) fn write(&self, out: &mut Exposition) {
        out.family("chinwag_connections", "gauge", "Open connections that have been accepted.");
        for Kind { transport, framing, label, open } in &self.kinds {
            let labels = [("transport", &**transport), ("framing", framing), ("listener", label)];
            out.sample("chinwag_connections", &labels, open);
        }
        let counters = [
            ("chinwag_accepted_total", "Connections that have been accepted.", self.accepted),
            ("chinwag_lines_received_total", "Lines that were heard.", self.lines_received),
            ("chinwag_received_bytes_total", "Bytes read, once decrypted.", self.bytes_received),
            ("chinwag_sent_bytes_total", "Bytes taken, before encryption.", self.bytes_sent),
        ];
        for (name, help, value) in counters {
            out.counter(name, help, value);
        }
        out.family("chinwag_closed_total", "counter", "Accepted connections that ended, by why.");
        for (why, count) in CloseReason::ALL.iter().zip(&self.closed) {
            out.sample("chinwag_closed_total", &[("why", &why.to_string())], count);
        }
        out.family("chinwag_refused_total", "counter", "Connections turned away, by why.");
        for (why, count) in &self.refused {
            out.sample("chinwag_refused_total", &[("why", why)], count);
        }
        let help = "From the end of one poll to the next.";
        self.turn.write("chinwag_turn_seconds", help, out);
        let help = "How long what was flushed had waited at most, slow consumers not counted.";
        self.flush_lag.write("chinwag_flush_lag_seconds", help, out);
    }
}

impl_pack! {
    struct Kind { transport, framing, label; open = 0 }
}

impl_pack! {
    struct KindNo(index)
}
