//! Probes: monitors that ask over HTTP for metrics, and whether this server lives and has room.
//!
//! They are no clients: they take no place of one, nobody hears of them, and one that connects
//! when all places are taken is answered like any other.

use std::mem;
use std::time::UNIX_EPOCH;

use log::debug;

use super::foreign::NO_TLS;
use super::preface::Preface;
use super::{Hub, Phase};
use crate::net::conn::{CloseReason, ConnId};
use crate::net::http;
use crate::net::http::probe::{self, Probe};
use crate::net::metrics::Exposition;
use crate::net::service::{Peer, Service};
use crate::net::sniff::TLS_HANDSHAKE;
use crate::net::timeouts::Now;
use crate::net::transport::{Origin, Transport};

impl Phase {
    /// Whether it has a place that could be a client's.
    pub(super) fn has_place(self) -> bool {
        !matches!(self, Phase::Refused | Phase::Probe)
    }
}

impl<T: Transport, S: Service> Hub<T, S> {
    /// With so many clients `/readyz` says that the server is full.
    pub fn serve_probes(&mut self, clients_max: usize) {
        self.clients_max = clients_max;
    }

    /// Opens a monitor's connection, for one request.
    pub fn open_probe(&mut self, stream: T, origin: Origin) {
        if self.counts.probes >= self.limits.probes_max {
            return self.refuse_with(stream, &http::refusal(probe::TOO_MANY));
        }
        let id = self.insert(stream, Phase::Probe);
        self.counts.probes += 1;
        self.counts.probes_asking += 1;
        self.await_probe(id, &Peer::new(origin, ""));
    }

    /// A turn and all that goes with it is over. Without this, times are not measured.
    pub fn end_turn(&mut self, now: Now) {
        let since = |start| now.monotonic.saturating_duration_since(start);
        self.metrics.turn.observe(since(self.outbox.now().monotonic));
        if let Some(start) = self.outbox.take_flushed_since() {
            self.metrics.flush_lag.observe(since(start));
        }
    }

    /// Goes on with a monitor's request.
    pub(super) fn read_probe(
        &mut self,
        id: ConnId,
        preface: Box<Preface>,
    ) -> Result<bool, Box<Preface>> {
        let is_tls = preface.bytes.first() == Some(&TLS_HANDSHAKE);
        let asked =
            if is_tls { Some(Err((400, NO_TLS.to_vec()))) } else { probe::read(&preface.bytes) };
        let Some(asked) = asked else { return Err(preface) };
        self.counts.probes_asking -= 1;
        let (status, answer) = match asked {
            Ok(request) => self.answer_probe(request),
            Err(answered) => answered,
        };
        debug!(conn = id.serial(), addr = preface.origin.ip(), status; "http");
        self.outbox.drain(id, CloseReason::Asked);
        // Does not count as a line sent, or the count of a quiet server would rise.
        self.outbox.send_last(id, &answer);
        Ok(false)
    }

    fn answer_probe(&mut self, request: probe::Request) -> (u16, Vec<u8>) {
        let is_full = self.open_count() - self.counts.unreachable >= self.clients_max;
        let (status, text) = match request.probe {
            // Any answer shows that the loop turns.
            Probe::Live => (200, "alive\n"),
            Probe::Ready if self.is_stopping => (503, "shutting down\n"),
            Probe::Ready if is_full => (503, "full\n"),
            Probe::Ready => (200, "ready\n"),
            Probe::Metrics => {
                self.scrape();
                (200, self.exposition.as_str())
            }
        };
        (status, probe::answer(request, status, text))
    }

    fn scrape(&mut self) {
        let mut out = mem::take(&mut self.exposition);
        out.clear();
        self.metrics.write(&mut out);
        self.write_gauges(&mut out);
        self.service.on_scrape(&mut out);
        self.exposition = out;
    }

    /// Writes the values of this moment.
    fn write_gauges(&self, out: &mut Exposition) {
        let traffic = self.outbox.traffic();
        out.counter("chinwag_lines_sent_total", "Lines queued, one a reader.", traffic.lines_sent);
        out.counter(
            "chinwag_lines_shed_total",
            "Lines that slow consumers missed.",
            traffic.lines_shed,
        );
        let gauges = [
            ("chinwag_connections_max", "As many clients may be open.", self.clients_max),
            (
                "chinwag_connections_starting",
                "Connections that have not said all that comes before lines.",
                self.prefaces.len() - self.counts.probes_asking,
            ),
            ("chinwag_connections_closing", "Connections that drain.", self.counts.draining),
            ("chinwag_handshakes", "Handshakes under way.", self.counts.handshakes),
            (
                "chinwag_slow_consumers",
                "Connections that are or were behind.",
                self.slow_consumers.len(),
            ),
            ("chinwag_queue_bytes", "Unsent, for single connections.", traffic.bytes_queued),
            ("chinwag_shared_log_bytes", "Unsent, for many.", self.outbox.shared()),
            ("chinwag_input_bytes", "Read, and waiting.", self.input_held),
        ];
        for (name, help, value) in gauges {
            out.gauge(name, help, value as u64);
        }
        let started = self.outbox.started().wall.duration_since(UNIX_EPOCH).unwrap_or_default();
        let help = "When it started, in seconds since 1970.";
        out.gauge("chinwag_start_time_seconds", help, started.as_secs());
    }
}
