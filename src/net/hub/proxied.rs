//! What comes before a connection's lines: the PROXY protocol, versions 1 and 2, says for which
//! client a proxy's connection is, and an HTTP head what a browser wants. The service hears of
//! the connection only then.

use std::io::ErrorKind;

use log::debug;

use super::read::Input;
use super::timers::Timer;
use super::{Hub, Phase, reject};
use crate::net::conn::{CloseReason, ConnId};
use crate::net::proxy_header::{self, Header, Source};
use crate::net::service::{Peer, Service};
use crate::net::transport::{Origin, Transport};

/// A connection that has not said yet what comes before its lines.
pub(super) struct Preface {
    pub(super) bytes: Vec<u8>,
    /// Where it is from. While its PROXY header is awaited that is the proxy's own origin, which
    /// stays that of the connections it opens for itself (health checks).
    pub(super) origin: Origin,
    pub(super) proxy: Option<Origin>,
    pub(super) label: String,
    pub(super) awaited: Awaited,
}

/// What has to come before a connection's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    ProxyHeader,
    ProxyHeaderAndHead,
    Head,
}

impl<T: Transport, S: Service> Hub<T, S> {
    /// Opens a proxy's connection. Its header must be complete within `drain_time`.
    pub fn open_proxied(&mut self, stream: T, peer: &Peer<'_>) -> ConnId {
        self.await_preface(stream, peer, Awaited::ProxyHeader)
    }

    pub(super) fn await_preface(&mut self, stream: T, peer: &Peer<'_>, awaited: Awaited) -> ConnId {
        let id = self.insert(stream, Phase::Lines);
        let Peer { origin, label, .. } = *peer;
        let label = label.to_owned();
        let preface = Preface { bytes: Vec::new(), origin, proxy: None, label, awaited };
        self.prefaces.insert(id, preface);
        let until = self.outbox.now().monotonic + self.limits.drain_time;
        self.timers.set((id, Timer::Preface), until);
        id
    }

    /// Reads what comes before the lines. False if it is not complete yet, or the connection
    /// closes.
    pub(super) fn receive_preface(&mut self, id: ConnId) -> bool {
        let Some(mut preface) = self.prefaces.remove(&id) else { return true };
        for _ in 0..self.limits.read_budget {
            match self.conns[id.slot()].stream.read(&mut self.chunk) {
                Ok(count) if count > 0 => preface.bytes.extend_from_slice(&self.chunk[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.prefaces.insert(id, preface);
                    return false;
                }
                Ok(_) | Err(_) => {
                    let addr = preface.origin.ip();
                    if preface.awaited == Awaited::Head {
                        debug!(conn = id.serial(), addr; "no_http_head");
                    } else {
                        debug!(conn = id.serial(), proxy = addr; "ended_before_header");
                    }
                    return self.drop_preface(id, preface);
                }
            }
            match self.parse_preface(id, preface) {
                Ok(is_heard) => return is_heard,
                Err(unfinished) => preface = unfinished,
            }
        }
        self.prefaces.insert(id, preface);
        self.list_ready(id);
        false
    }

    /// Goes on with what has come. Whether lines may follow; the preface if it is unfinished.
    fn parse_preface(&mut self, id: ConnId, mut preface: Preface) -> Result<bool, Preface> {
        if preface.awaited != Awaited::Head {
            match proxy_header::parse(&preface.bytes) {
                Header::Unfinished => return Err(preface),
                Header::Complete(source, used) => {
                    preface.proxy = Some(preface.origin);
                    if let Source::Client(addr) = source {
                        preface.origin = addr.into();
                    }
                    preface.bytes.drain(..used);
                }
                Header::Invalid => {
                    self.note_refused(preface.origin, "no_proxy_header");
                    return Ok(self.drop_preface(id, preface));
                }
            }
            if !self.admit_proxied(id, &preface) {
                return Ok(false);
            }
            if preface.awaited == Awaited::ProxyHeader {
                return Ok(self.open_behind_proxy(id, &preface));
            }
            preface.awaited = Awaited::Head;
        }
        self.read_head(id, preface)
    }

    /// The client's address is known now: the connection counts for it, and is refused or opened
    /// like others.
    fn admit_proxied(&mut self, id: ConnId, preface: &Preface) -> bool {
        let peer = Peer::new(preface.origin, &preface.label);
        if let Some(why) = self.admission(&peer, self.outbox.now()) {
            self.log_refused(preface.origin, why);
            let refusal = self.refusal(why, preface.awaited == Awaited::ProxyHeaderAndHead);
            self.answer_and_close(id, &refusal);
            return false;
        }
        self.count_address(id, preface.origin);
        true
    }

    fn open_behind_proxy(&mut self, id: ConnId, preface: &Preface) -> bool {
        self.welcome(id, &Peer::new(preface.origin, &preface.label), preface.proxy);
        if self.conns[id.slot()].phase == Phase::Unknown {
            self.behind_proxy.insert(id, preface.origin);
        }
        if !preface.bytes.is_empty() && self.outbox.is_open(id) {
            let mut input = Box::new(Input::new(None, &self.limits));
            if self.is_foreign(id, &mut input, &preface.bytes) {
                return false;
            }
            input.put_back(&preface.bytes);
            self.park_input(id, input);
        }
        true
    }

    /// Answers a connection that has its slot already, and closes it. The service has not heard
    /// of it.
    pub(super) fn answer_and_close(&mut self, id: ConnId, answer: &[u8]) {
        let conn = &mut self.conns[id.slot()];
        conn.phase = Phase::Refused;
        if self.refused < self.limits.refused_max {
            self.outbox.send(id, answer);
            self.outbox.drain(id, CloseReason::Refused);
        } else {
            reject(&mut conn.stream, answer, &mut self.chunk);
            self.outbox.kill(id, CloseReason::Refused);
        }
        self.refused += 1;
    }

    /// What it sent is none. The service has not heard of it, and does not when it closes.
    pub(super) fn drop_preface(&mut self, id: ConnId, preface: Preface) -> bool {
        self.prefaces.insert(id, preface);
        self.outbox.kill(id, CloseReason::Broken);
        false
    }

    /// What comes before the lines is late.
    pub(super) fn check_preface(&mut self, id: ConnId) {
        match self.prefaces.get(&id).map(|preface| preface.awaited) {
            Some(Awaited::Head) => self.end_late_head(id),
            Some(_) => {
                let origin = self.prefaces[&id].origin;
                self.note_refused(origin, "no_proxy_header");
                self.outbox.kill(id, CloseReason::Broken);
            }
            None => {}
        }
    }
}
