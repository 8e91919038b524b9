//! The PROXY protocol, versions 1 and 2: the first bytes of a proxy's connection say for which
//! client it is. The service hears of the connection only then.

use std::io::ErrorKind;

use log::debug;

use super::read::Input;
use super::timers::Timer;
use super::{Hub, Phase, reject};
use crate::net::conn::{CloseReason, ConnId};
use crate::net::proxy_header::{self, Header, Source};
use crate::net::service::{Peer, Refusal, Service};
use crate::net::transport::{Origin, Transport};

/// A proxy's connection whose header is not complete yet.
pub(super) struct Proxied {
    bytes: Vec<u8>,
    /// The proxy's own origin: that of the connections it opens for itself (health checks).
    origin: Origin,
    label: String,
}

impl<T: Transport, S: Service> Hub<T, S> {
    /// Opens a proxy's connection. Its header must be complete within `drain_time`.
    pub fn open_proxied(&mut self, stream: T, peer: &Peer<'_>) -> ConnId {
        let id = self.insert(stream, Phase::Lines);
        let proxied =
            Proxied { bytes: Vec::new(), origin: peer.origin, label: peer.label.to_owned() };
        self.proxied.insert(id, proxied);
        let until = self.outbox.now().monotonic + self.limits.drain_time;
        self.timers.set((id, Timer::Header), until);
        id
    }

    /// Reads the header. False if it is not complete yet, or the connection closes.
    pub(super) fn receive_header(&mut self, id: ConnId) -> bool {
        let Some(mut proxied) = self.proxied.remove(&id) else { return true };
        for _ in 0..self.limits.read_budget {
            match self.conns[id.slot()].stream.read(&mut self.chunk) {
                Ok(count) if count > 0 => proxied.bytes.extend_from_slice(&self.chunk[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.proxied.insert(id, proxied);
                    return false;
                }
                Ok(_) | Err(_) => {
                    debug!(conn = id.serial(), proxy = proxied.origin.ip(); "ended_before_header");
                    return self.drop_proxied(id, proxied);
                }
            }
            match proxy_header::parse(&proxied.bytes) {
                Header::Unfinished => {}
                Header::Complete(source, used) => {
                    let origin = match source {
                        Source::Client(addr) => addr.into(),
                        Source::Itself => proxied.origin,
                    };
                    return self.admit_proxied(id, origin, &proxied, used);
                }
                Header::Invalid => {
                    self.note_refused(proxied.origin, "no_proxy_header");
                    return self.drop_proxied(id, proxied);
                }
            }
        }
        self.proxied.insert(id, proxied);
        self.list_ready(id);
        false
    }

    /// The client's address is known now: the connection counts for it, and is refused or opened
    /// like others.
    /// `used` of the bytes are the header.
    fn admit_proxied(
        &mut self,
        id: ConnId,
        origin: Origin,
        proxied: &Proxied,
        used: usize,
    ) -> bool {
        let peer = Peer { origin, label: &proxied.label };
        let rest = &proxied.bytes[used..];
        if let Some(why) = self.admission(&peer, self.outbox.now()) {
            self.log_refused(origin, why);
            self.refuse_proxied(id, why);
            return false;
        }
        self.welcome(id, &peer, Some(proxied.origin));
        if self.conns[id.slot()].phase == Phase::Unknown {
            self.behind_proxy.insert(id, origin);
        }
        if !rest.is_empty() && self.outbox.is_open(id) {
            let mut input = Box::new(Input::new(&self.limits));
            if self.is_foreign(id, &mut input, rest) {
                return false;
            }
            input.put_back(rest);
            self.park_input(id, input);
        }
        true
    }

    /// Refuses a connection that has its slot already.
    fn refuse_proxied(&mut self, id: ConnId, why: Refusal) {
        let conn = &mut self.conns[id.slot()];
        conn.phase = Phase::Refused;
        let refusal = self.service.refusal(why);
        if self.refused < self.limits.refused_max {
            self.outbox.send(id, refusal);
            self.outbox.drain(id, CloseReason::Refused);
        } else {
            reject(&mut conn.stream, refusal, &mut self.chunk);
            self.outbox.kill(id, CloseReason::Refused);
        }
        self.refused += 1;
    }

    /// What it sent is no header. The service has not heard of it, and does not when it closes.
    fn drop_proxied(&mut self, id: ConnId, proxied: Proxied) -> bool {
        self.proxied.insert(id, proxied);
        self.outbox.kill(id, CloseReason::Broken);
        false
    }

    /// The header is late.
    pub(super) fn check_header(&mut self, id: ConnId) {
        if let Some(proxied) = self.proxied.get(&id) {
            let origin = proxied.origin;
            self.note_refused(origin, "no_proxy_header");
            self.outbox.kill(id, CloseReason::Broken);
        }
    }
}
