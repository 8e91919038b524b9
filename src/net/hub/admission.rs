//! Admission: whether a newcomer is let in, and how one is refused.

use super::{Hub, Phase};
use crate::net::conn::{CloseReason, ConnId};
use crate::net::limits::ListenerLimits;
use crate::net::service::{Peer, Refusal, Service};
use crate::net::transport::{Origin, Transport};

impl<T: Transport, S: Service> Hub<T, S> {
    /// Why a connection from there is refused at admission; `None` if it is let in, to one of so
    /// many places. Of a proxy's connection, which has its origin later, only [`Hub::has_room`] is
    /// asked.
    pub fn admission(&mut self, peer: &Peer<'_>, places: usize) -> Option<Refusal> {
        let refusal = self.refusal_of(peer);
        // Asked last, so that no connection is closed to make room for one that is not let in.
        refusal.or_else(|| (!self.has_room(places)).then_some(Refusal::Full))
    }

    /// Why it is refused for where it comes from.
    pub(super) fn refusal_of(&self, peer: &Peer<'_>) -> Option<Refusal> {
        if self.service.is_banned(peer, self.outbox.now()) {
            return Some(Refusal::Banned(peer.origin));
        }
        self.is_full_for(peer.origin).then_some(Refusal::Address)
    }

    /// Whether an address has as many connections as it may have, or has connected too often of
    /// late.
    pub fn is_full_for(&self, origin: Origin) -> bool {
        let now = self.outbox.now().monotonic;
        origin.ip().is_some_and(|addr| self.addresses.is_full(addr, now))
    }

    /// Whether a refused connection is told why, by [`Hub::refuse`]. If not, too many
    /// from its address were refused lately: do not register the stream, and close it at once, with
    /// a reset.
    pub fn may_tell(&mut self, origin: Origin) -> bool {
        let now = self.outbox.now().monotonic;
        origin.ip().is_none_or(|addr| self.addresses.may_tell(addr, now))
    }

    /// Logs that a connection was refused: at most a line a second, with a count.
    pub fn log_refused(&mut self, origin: Origin, why: Refusal) {
        self.note_refused(origin, why.word());
    }

    /// Refuses a connection: it is told why, and closed.
    pub fn refuse(&mut self, stream: T, why: Refusal) {
        let refusal = self.refusal(why, false);
        self.refuse_with(stream, &refusal);
    }

    /// From here on the service knows it, and it counts.
    pub(super) fn welcome(&mut self, id: ConnId, peer: &Peer<'_>, proxy: Option<Origin>) {
        let tls = self.conns[id.slot()].stream.tls_version();
        let peer = &Peer { is_encrypted: tls.is_some(), ..*peer };
        self.accepted_log.begin(id, peer, proxy, tls, self.outbox.now().monotonic);
        let conn = &mut self.conns[id.slot()];
        conn.class = self.limits.class(peer.label);
        let framing = if peer.ending.is_some() { "websocket" } else { "lines" };
        conn.kind = self.metrics.accept(conn.stream.name(), framing, peer.label);
        self.counts.open += 1;
        self.restart_idle_timer(id);
        let peer = self.choose_codec(id, peer);
        self.service.on_open(id, &peer, &mut self.outbox);
        if self.service.turns_away_protocols(&peer) {
            self.conns[id.slot()].phase = Phase::Unknown;
        }
    }

    /// What this connection is allowed.
    pub(super) fn own_limits(&self, id: ConnId) -> ListenerLimits {
        self.limits.of_class(self.conns[id.slot()].class)
    }

    pub(super) fn count_address(&mut self, id: ConnId, origin: Origin) {
        if let Some(addr) = origin.ip() {
            self.addresses.add(id, addr, self.outbox.now().monotonic);
        }
    }

    pub(super) fn refuse_with(&mut self, mut stream: T, refusal: &[u8]) {
        if self.counts.refused >= self.limits.refused_max {
            reject(&mut stream, refusal, &mut self.chunk);
            self.closed.push(stream);
            return;
        }
        let id = self.insert(stream, Phase::Refused);
        self.counts.refused += 1;
        self.outbox.send(id, refusal);
        self.outbox.drain(id, CloseReason::Refused);
    }

    /// The same, with any reason, which is one word.
    pub(super) fn note_refused(&mut self, origin: Origin, why: &'static str) {
        self.metrics.refuse(why);
        self.refused_log.note(origin, why, self.outbox.now().monotonic);
    }
}

/// Tells a refused client why, in one go. What it has sent is read first: unread, it would turn
/// the close into a reset. Errors do not matter: the client has had its answer.
pub(super) fn reject(stream: &mut impl Transport, refusal: &[u8], chunk: &mut [u8]) {
    if !refusal.is_empty() {
        let _ = stream.write(refusal);
    }
    let _ = stream.shutdown_write();
    let _ = stream.read(chunk);
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Read};
    use std::time::{Instant, SystemTime};

    use super::*;
    use crate::net::hub::tests::{PEER, sent};
    use crate::net::limits::Limits;
    use crate::net::outbox::Outbox;
    use crate::net::timeouts::Now;
    use crate::testing::Stream;

    /// Wants neither those of one address nor those of another protocol.
    struct Doorman;

    impl Service for Doorman {
        fn on_line(&mut self, _: ConnId, _: &[u8], _: &mut Outbox) {}

        fn is_banned(&self, peer: &Peer<'_>, _: Now) -> bool {
            peer.origin.to_string().starts_with("192.0.2.66:")
        }

        fn turns_away_protocols(&self, _: &Peer<'_>) -> bool {
            true
        }
    }

    /// One who sends this, behind a proxy that names their host.
    fn from(host: u8, bytes: &[u8]) -> Stream {
        let header = format!("PROXY TCP4 192.0.2.{host} 192.0.2.1 4001 1337\r\n");
        sent(&[header.as_bytes(), bytes].concat())
    }

    fn hub(limits: &Limits) -> (Hub<Stream, Doorman>, Now) {
        let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        (Hub::new(Doorman, limits, now), now)
    }

    #[test]
    fn what_the_refused_have_sent_is_read_before_they_are_closed() {
        let (mut hub, _) = hub(&Limits { refused_max: 0, ..Limits::default() });
        hub.refuse(from(7, b"hi\n"), Refusal::Full);
        let left = hub.take_closed().map(|mut stream| stream.read(&mut [0]).unwrap_err().kind());
        assert_eq!(left.collect::<Vec<_>>(), [ErrorKind::WouldBlock]);
    }

    #[test]
    fn behind_a_proxy_only_so_many_refused_connections_are_closed_politely() {
        let (mut hub, now) = hub(&Limits { refused_max: 1, ..Limits::default() });
        for _ in 0..3 {
            let id = hub.open_proxied(from(66, b"hi\n"), &PEER);
            hub.mark_readable(id.slot());
        }
        hub.turn(now);
        assert_eq!(hub.take_closed().count(), 2);
        assert_eq!((hub.conns.len(), hub.counts.refused), (1, 1));
    }

    #[test]
    fn what_comes_with_a_proxy_header_may_be_another_protocol() {
        for (bytes, open) in [(&b"hi"[..], 1), (b"\x16\x03\x01", 0)] {
            let (mut hub, now) = hub(&Limits::default());
            hub.open_proxied(from(7, bytes), &PEER);
            hub.mark_readable(0);
            hub.turn(now);
            assert_eq!(hub.open_count(), open, "{}", bytes.escape_ascii());
        }
    }
}
