//! What comes before a connection's lines: the PROXY protocol, versions 1 and 2, says for which
//! client a proxy's connection is; then the transport shakes hands; and an HTTP head says what a
//! browser wants. The service hears of the connection only then.

use std::io::ErrorKind;
use std::mem;
use std::time::{Duration, Instant};

use log::debug;

use super::admission::reject;
use super::timers::Timer;
use super::{Hub, Phase};
use crate::net::conn::{CloseReason, ConnId};
use crate::net::http;
use crate::net::proxy_header::{self, Header, Source};
use crate::net::service::{Peer, Refusal, Service};
use crate::net::transport::{Origin, Transport};
use crate::pack::impl_pack;

/// What is known of a connection whose preface is not complete.
pub(super) struct Preface {
    awaited: Awaited,
    /// The deadline for what is awaited.
    until: Instant,
    /// The preface ends with an HTTP head.
    is_web: bool,
    /// Bytes that were read, and are not used yet.
    pub(super) bytes: Vec<u8>,
    /// Where it is from: the proxy's own origin, until its PROXY header has told the client's. A
    /// proxy that connects for itself (a health check) tells none, and stays the origin.
    pub(super) origin: Origin,
    pub(super) proxy: Option<Origin>,
    pub(super) label: String,
}

/// The part of the preface that comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    ProxyHeader,
    Handshake,
    Head,
}

impl<T: Transport, S: Service> Hub<T, S> {
    /// Opens a connection that is admitted.
    pub fn open(&mut self, stream: T, peer: &Peer<'_>) -> ConnId {
        let id = self.insert(stream, Phase::Lines);
        if self.conns[id.slot()].stream.is_handshaking() {
            let preface = self.new_preface(peer, false);
            self.admit(id, preface);
        } else {
            self.count_address(id, peer.origin);
            self.welcome(id, peer, None);
        }
        id
    }

    /// Opens a proxy's connection. Its header must be complete within `drain_time`.
    pub fn open_proxied(&mut self, stream: T, peer: &Peer<'_>) -> ConnId {
        self.await_header(stream, peer, false)
    }

    /// Opens a browser's connection. Its HTTP head, behind a PROXY header if it is a proxy's, must
    /// be complete within `drain_time`; the service hears of it if it becomes a WebSocket.
    pub fn open_web(&mut self, stream: T, peer: &Peer<'_>, is_proxied: bool) -> ConnId {
        if is_proxied {
            return self.await_header(stream, peer, true);
        }
        let id = self.insert(stream, Phase::Lines);
        let preface = self.new_preface(peer, true);
        self.admit(id, preface);
        id
    }

    /// Waits for a monitor's request.
    pub(super) fn await_probe(&mut self, id: ConnId, peer: &Peer<'_>) {
        let preface = self.new_preface(peer, true);
        self.await_preface(id, preface, Awaited::Head, self.limits.drain_time);
    }

    fn await_header(&mut self, stream: T, peer: &Peer<'_>, is_web: bool) -> ConnId {
        let id = self.insert(stream, Phase::Lines);
        let preface = self.new_preface(peer, is_web);
        self.await_preface(id, preface, Awaited::ProxyHeader, self.limits.drain_time);
        id
    }

    fn new_preface(&self, peer: &Peer<'_>, is_web: bool) -> Box<Preface> {
        Box::new(Preface {
            awaited: Awaited::ProxyHeader,
            until: self.outbox.now().monotonic,
            is_web,
            bytes: Vec::new(),
            origin: peer.origin,
            proxy: None,
            label: peer.label.to_owned(),
        })
    }

    fn await_preface(
        &mut self,
        id: ConnId,
        mut preface: Box<Preface>,
        awaited: Awaited,
        time: Duration,
    ) {
        preface.awaited = awaited;
        preface.until = self.outbox.now().monotonic + time;
        self.timers.set((id, Timer::Preface), preface.until);
        self.prefaces.insert(id, preface);
    }

    /// Reads what comes before the lines. False if it is not complete yet, or the connection
    /// closes.
    pub(super) fn read_preface(&mut self, id: ConnId) -> bool {
        let Some(mut preface) = self.prefaces.remove(&id) else { return true };
        let is_shaking = preface.awaited == Awaited::Handshake;
        if is_shaking && self.handshakes_left == 0 {
            return self.carry_over(id, preface);
        }
        self.handshakes_left -= usize::from(is_shaking);
        for _ in 0..self.limits.read_budget {
            let before = preface.bytes.len();
            let result = self.conns[id.slot()].stream.read(&mut self.chunk);
            self.note_unsent(id);
            match result {
                Ok(count) if count > 0 => {
                    self.metrics.bytes_received += count as u64;
                    self.trim.note_activity();
                    preface.bytes.extend_from_slice(&self.chunk[..count]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    if !is_shaking || self.conns[id.slot()].stream.is_handshaking() {
                        continue;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.prefaces.insert(id, preface);
                    return false;
                }
                Err(error) if is_shaking && error.kind() == ErrorKind::InvalidData => {
                    debug!(conn = id.serial(), addr = preface.origin.ip(), error:%; "no_handshake");
                    return self.give_up(id, preface);
                }
                Ok(_) | Err(_) => return self.end_of_preface(id, preface),
            }
            if preface.awaited == Awaited::Head && !http::may_be_read(&preface.bytes, before) {
                continue;
            }
            match self.parse_preface(id, preface) {
                Ok(is_heard) => return is_heard,
                Err(unfinished) => preface = unfinished,
            }
        }
        self.carry_over(id, preface)
    }

    /// The connection has used up its budget for this turn, and goes on in the next.
    fn carry_over(&mut self, id: ConnId, preface: Box<Preface>) -> bool {
        self.prefaces.insert(id, preface);
        self.list_ready(id);
        false
    }

    /// Parses the bytes that have come. Returns whether lines may follow, or the preface if it is
    /// unfinished.
    fn parse_preface(
        &mut self,
        id: ConnId,
        mut preface: Box<Preface>,
    ) -> Result<bool, Box<Preface>> {
        match preface.awaited {
            Awaited::Head => self.read_head(id, preface),
            Awaited::Handshake => Ok(self.end_handshake(id, preface)),
            Awaited::ProxyHeader => match proxy_header::parse(&preface.bytes) {
                Header::Unfinished => Err(preface),
                Header::Complete(source, used) => {
                    preface.proxy = Some(preface.origin);
                    if let Source::Client(addr) = source {
                        preface.origin = addr.into();
                    }
                    preface.bytes.drain(..used);
                    Ok(self.admit_proxied(id, preface))
                }
                Header::Invalid => {
                    self.note_refused(preface.origin, "no_proxy_header");
                    Ok(self.drop_preface(id, preface))
                }
            },
        }
    }

    /// The client's address is known now: the connection is refused or let in like others.
    fn admit_proxied(&mut self, id: ConnId, preface: Box<Preface>) -> bool {
        let is_known = !self.is_behind_web_proxy(&preface);
        let refusal = self.refusal_of(&preface.peer()).filter(|_| is_known);
        if let Some(why) = refusal {
            return self.turn_down(id, &preface, why);
        }
        self.admit(id, preface)
    }

    /// Admits a connection, which counts for its address from here on. Returns whether lines may
    /// follow.
    fn admit(&mut self, id: ConnId, mut preface: Box<Preface>) -> bool {
        let is_handshaking = self.conns[id.slot()].stream.is_handshaking();
        if !self.is_behind_web_proxy(&preface) {
            self.count_address(id, preface.origin);
        }
        if !is_handshaking {
            return self.go_on(id, preface);
        }
        self.counts.handshakes += 1;
        self.conns[id.slot()].stream.begin(&mem::take(&mut preface.bytes));
        self.await_preface(id, preface, Awaited::Handshake, self.limits.handshake_time);
        self.list_ready(id);
        false
    }

    /// Whether an HTTP proxy has connected, whose head will tell for which client.
    fn is_behind_web_proxy(&self, preface: &Preface) -> bool {
        preface.is_web && self.is_web_proxy(preface.origin)
    }

    /// The handshake is complete. The client may have been banned meanwhile.
    fn end_handshake(&mut self, id: ConnId, preface: Box<Preface>) -> bool {
        self.counts.handshakes -= 1;
        let is_known = !self.is_behind_web_proxy(&preface);
        if is_known && self.service.is_banned(&preface.peer(), self.outbox.now()) {
            return self.turn_down(id, &preface, Refusal::Banned(preface.origin));
        }
        self.go_on(id, preface)
    }

    /// Goes on after the handshake: only an HTTP head may still be missing.
    fn go_on(&mut self, id: ConnId, preface: Box<Preface>) -> bool {
        if !preface.is_web {
            return self.introduce(id, &preface);
        }
        self.await_preface(id, preface, Awaited::Head, self.limits.drain_time);
        self.list_ready(id);
        let preface = self.prefaces.remove(&id).expect("it has just been put there");
        match self.read_head(id, preface) {
            Ok(is_heard) => is_heard,
            Err(preface) => self.carry_over(id, preface),
        }
    }

    /// Tells the service of the connection, then of lines that have come with the preface.
    fn introduce(&mut self, id: ConnId, preface: &Preface) -> bool {
        self.welcome(id, &preface.peer(), preface.proxy);
        if preface.proxy.is_some() && self.conns[id.slot()].phase == Phase::Unknown {
            self.behind_proxy.insert(id, preface.origin);
        }
        if !preface.bytes.is_empty() && self.outbox.is_open(id) {
            let mut input = self.take_or_new_input(id);
            if self.is_foreign(id, &mut input, &preface.bytes) {
                return false;
            }
            input.put_back(&preface.bytes);
            self.park_input(id, input);
        }
        true
    }

    /// Refuses a connection that has its slot already.
    pub(super) fn turn_down(&mut self, id: ConnId, preface: &Preface, why: Refusal) -> bool {
        self.log_refused(preface.origin, why);
        let refusal = self.refusal(why, preface.is_web);
        self.answer_and_close(id, &refusal);
        false
    }

    /// Answers a connection that has its slot already, and closes it. The service has not heard
    /// of it.
    pub(super) fn answer_and_close(&mut self, id: ConnId, answer: &[u8]) {
        let conn = &mut self.conns[id.slot()];
        conn.phase = Phase::Refused;
        if self.counts.refused < self.limits.refused_max {
            self.outbox.send(id, answer);
            self.outbox.drain(id, CloseReason::Refused);
        } else {
            reject(&mut conn.stream, answer, &mut self.chunk);
            self.outbox.kill(id, CloseReason::Refused);
        }
        self.counts.refused += 1;
    }

    /// Closes a connection whose handshake has failed. Its transport tells the client why.
    fn give_up(&mut self, id: ConnId, preface: Box<Preface>) -> bool {
        self.note_refused(preface.origin, "no_handshake");
        reject(&mut self.conns[id.slot()].stream, b"", &mut self.chunk);
        self.drop_preface(id, preface)
    }

    fn end_of_preface(&mut self, id: ConnId, preface: Box<Preface>) -> bool {
        let addr = preface.origin.ip();
        match preface.awaited {
            Awaited::ProxyHeader => {
                debug!(conn = id.serial(), proxy = addr; "ended_before_header");
            }
            Awaited::Handshake => debug!(conn = id.serial(), addr; "ended_in_handshake"),
            Awaited::Head => debug!(conn = id.serial(), addr; "no_http_head"),
        }
        self.drop_preface(id, preface)
    }

    /// Closes a connection without a complete preface. The service was never told of it.
    pub(super) fn drop_preface(&mut self, id: ConnId, preface: Box<Preface>) -> bool {
        self.prefaces.insert(id, preface);
        self.outbox.kill(id, CloseReason::Broken);
        false
    }

    /// Closes a connection whose preface is late.
    pub(super) fn check_preface(&mut self, id: ConnId, now: Instant) {
        let Some(preface) = self.prefaces.get(&id).filter(|preface| preface.until <= now) else {
            return;
        };
        let (awaited, origin) = (preface.awaited, preface.origin);
        match awaited {
            Awaited::Head => self.end_late_head(id),
            Awaited::Handshake => {
                let preface = self.prefaces.remove(&id).expect("it has just been looked at");
                self.give_up(id, preface);
            }
            Awaited::ProxyHeader => {
                self.note_refused(origin, "no_proxy_header");
                self.outbox.kill(id, CloseReason::Broken);
            }
        }
    }

    /// Drops the preface of a closing connection. True if there was one: the service was never told
    /// of that connection.
    pub(super) fn forget_preface(&mut self, id: ConnId) -> bool {
        let Some(preface) = self.prefaces.remove(&id) else { return false };
        if preface.awaited == Awaited::Handshake {
            self.counts.handshakes -= 1;
        }
        true
    }
}

impl Preface {
    pub(super) fn is_handshake(&self) -> bool {
        self.awaited == Awaited::Handshake
    }

    pub(super) fn peer(&self) -> Peer<'_> {
        Peer::new(self.origin, &self.label)
    }
}

impl_pack! {
    struct Preface { awaited, until, is_web, bytes, origin, proxy, label }
}

impl_pack! {
    enum Awaited { 0 => ProxyHeader, 1 => Handshake, 2 => Head }
    else "preface"
}
