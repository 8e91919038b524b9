//! What a link has done so far, for operators and monitors.

use std::time::Duration;

use crate::net::metrics::Exposition;

/// What a link has done so far, and how it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Entries that are in the log.
    pub entries: u64,
    /// Calls that have appended them, or have only renewed the lease.
    pub batches: u64,
    /// Events that were read.
    pub events: u64,
    /// Events that were lost to this node.
    pub lost: u64,
    /// How often the node was cut off.
    pub cut_offs: u64,
    /// Entries that wait to be sent.
    pub waiting: usize,
    /// How long the last call that appended took.
    pub round_trip: Option<Duration>,
    /// For how long calls have failed; `None` if the last ones have succeeded.
    pub failing: Option<Duration>,
    /// Whether the node is cut off: from [`Report::CutOff`](crate::cluster::Report::CutOff) until it
    /// has entered again.
    pub is_cut_off: bool,
}

impl Stats {
    pub(super) fn write(&self, metrics: &mut Exposition) {
        let counters = [
            ("chinwag_cluster_entries_total", "Entries appended to the log.", self.entries),
            (
                "chinwag_cluster_batches_total",
                "Calls that appended entries, or beat.",
                self.batches,
            ),
            ("chinwag_cluster_events_total", "Events read from the log.", self.events),
            ("chinwag_cluster_lost_total", "Events trimmed away before they were read.", self.lost),
            (
                "chinwag_cluster_cut_offs_total",
                "Times that the log was out of reach.",
                self.cut_offs,
            ),
        ];
        for (name, help, value) in counters {
            metrics.counter(name, help, value);
        }
        let micros = |time: Option<Duration>| {
            time.map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
        };
        let gauges = [
            ("chinwag_cluster_up", "0 while the log is out of reach.", u64::from(!self.is_cut_off)),
            ("chinwag_cluster_waiting", "Entries that wait to be sent.", self.waiting as u64),
            (
                "chinwag_cluster_round_trip_microseconds",
                "How long the last call took.",
                micros(self.round_trip),
            ),
            (
                "chinwag_cluster_failing_microseconds",
                "For how long calls have failed; 0 if the last one succeeded.",
                micros(self.failing),
            ),
        ];
        for (name, help, value) in gauges {
            metrics.gauge(name, help, value);
        }
    }
}
