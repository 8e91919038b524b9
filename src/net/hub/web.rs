//! Connections of browsers: the HTTP head, pings while nothing else is sent, and how a WebSocket
//! closes.

use std::mem;
use std::net::SocketAddr;
use std::time::Instant;

use log::debug;

use super::conn::Output;
use super::foreign::NO_TLS;
use super::preface::Preface;
use super::{Hub, Phase};
use crate::net::codec::Kind;
use crate::net::codec::websocket::{self, PING_FRAME, code};
use crate::net::conn::{CloseReason, ConnId, State};
use crate::net::decoder::Item;
use crate::net::http::{self, Head, Web};
use crate::net::line::{Ending, EndingSeen};
use crate::net::service::{Peer, Refusal, Service};
use crate::net::sniff::{Protocol, TLS_HANDSHAKE};
use crate::net::transport::{Origin, Transport};

impl<T: Transport, S: Service> Hub<T, S> {
    /// Sets what the connections of [`Hub::open_web`] are served.
    pub fn serve_web(&mut self, web: Web) {
        self.web = web;
    }

    /// Whether an HTTP proxy connects from there. For which client it does is in the head of its
    /// request, so only then is it decided whether that one is let in.
    pub fn is_web_proxy(&self, origin: Origin) -> bool {
        origin.ip().is_some_and(|addr| self.web.is_proxy(addr))
    }

    /// As [`Hub::refuse`], for a browser.
    pub fn refuse_web(&mut self, stream: T, why: Refusal) {
        let refusal = self.refusal(why, true);
        self.refuse_with(stream, &refusal);
    }

    /// The answer to a client that is refused.
    pub(crate) fn refusal(&self, why: Refusal, is_web: bool) -> Vec<u8> {
        let text = self.service.refusal(why);
        if is_web { http::refusal(text) } else { text.to_vec() }
    }

    /// Goes on with an HTTP head, as with any preface.
    pub(super) fn read_head(
        &mut self,
        id: ConnId,
        mut preface: Box<Preface>,
    ) -> Result<bool, Box<Preface>> {
        if self.conns[id.slot()].phase == Phase::Probe {
            return self.read_probe(id, preface);
        }
        let origin = preface.origin;
        if preface.bytes.first() == Some(&TLS_HANDSHAKE) {
            self.log_refused(origin, Refusal::Foreign(Protocol::Tls));
            self.answer_and_close(id, &NO_TLS);
            return Ok(false);
        }
        let Some(asked) = http::read(&preface.bytes, origin.ip(), &self.web) else {
            return Err(preface);
        };
        if self.is_web_proxy(origin)
            && let Ok(client) = asked.client
        {
            if let Some(client) = client {
                preface.proxy = Some(origin);
                preface.origin = SocketAddr::new(client, 0).into();
            }
            if let Some(why) = self.refusal_of(&preface.peer()) {
                return Ok(self.turn_down(id, &preface, why));
            }
            self.count_address(id, preface.origin);
        }
        match asked.head {
            Head::Answered(status, answer) => {
                debug!(conn = id.serial(), addr = preface.origin.ip(), status; "http");
                self.answer_and_close(id, &answer);
                Ok(false)
            }
            Head::Upgraded { answer, label, used } => {
                Ok(self.upgrade(id, &preface, label.as_deref(), &answer, used))
            }
        }
    }

    /// From here on it speaks WebSocket.
    fn upgrade(
        &mut self,
        id: ConnId,
        preface: &Preface,
        label: Option<&str>,
        answer: &[u8],
        used: usize,
    ) -> bool {
        let ending = Some(Ending::WebSocket);
        let label = label.unwrap_or(&preface.label);
        let peer = Peer { ending, ..Peer::new(preface.origin, label) };
        let now = self.outbox.now();
        // It may have been banned since it connected.
        if self.service.is_banned(&peer, now) {
            let refusal = self.refusal(Refusal::Banned(peer.origin), true);
            self.answer_and_close(id, &refusal);
            return false;
        }
        self.conns[id.slot()].codec = Kind::WebSocket;
        self.outbox.note_ending(id, EndingSeen::Own(Ending::WebSocket));
        self.outbox.send(id, answer);
        self.welcome(id, &peer, preface.proxy);
        self.accepted_log.begin_messages(id, answer.len());
        // It has shown what it is.
        self.conns[id.slot()].phase = Phase::Lines;
        self.pings.start(id, now.monotonic);
        if preface.bytes.len() > used {
            let mut input = self.take_or_new_input(id);
            input.put_back(&preface.bytes[used..]);
            self.park_input(id, input);
        }
        true
    }

    /// Browsers open connections in advance, and close them if they find no use for them: one
    /// that has said nothing is not answered.
    pub(super) fn end_late_head(&mut self, id: ConnId) {
        let Some(preface) = self.prefaces.remove(&id) else { return };
        debug!(conn = id.serial(), addr = preface.origin.ip(); "no_http_head");
        if preface.bytes.is_empty() || self.conns[id.slot()].phase == Phase::Probe {
            self.drop_preface(id, preface);
        } else {
            self.answer_and_close(id, &http::late());
        }
    }

    /// Sends a ping to connections that were sent nothing for a while, so that no proxy
    /// takes them for gone.
    pub(super) fn ping(&mut self, now: Instant) {
        while let Some(id) = self.pings.expired(now) {
            if self.outbox.state(id) != State::Open {
                continue;
            }
            let output = mem::replace(&mut self.conns[id.slot()].output, Output::Quiet);
            if output == Output::Quiet && self.outbox.is_idle(id) {
                self.outbox.send(id, &PING_FRAME);
            }
            self.pings.start(id, now);
        }
    }

    pub(super) fn is_web_socket(&self, id: ConnId) -> bool {
        self.conns[id.slot()].codec == Kind::WebSocket
    }

    /// A close has begun. A WebSocket is told why, unless it has been: `farewell` is why it should
    /// not come back.
    pub(super) fn send_close_frame(
        &mut self,
        id: ConnId,
        why: CloseReason,
        farewell: Option<&str>,
    ) {
        if !self.is_web_socket(id) {
            return;
        }
        let (code, reason) = match (why, farewell) {
            (CloseReason::Asked, Some(farewell)) => (code::POLICY, farewell),
            (CloseReason::Asked, None) => (code::NORMAL, ""),
            (CloseReason::Upgrade, _) => (code::SERVICE_RESTART, ""),
            (CloseReason::Shutdown | CloseReason::Idle, _) => (code::GOING_AWAY, ""),
            _ => return,
        };
        self.outbox.send_last(id, &websocket::close(code, reason));
    }

    /// The other side closes, and is answered: nothing more will come of it.
    pub(super) fn answer_close(&mut self, id: ConnId, code: u16) {
        self.outbox.send(id, &websocket::close(code, ""));
        self.conns[id.slot()].ended = true;
        self.outbox.drain(id, CloseReason::EndOfInput);
    }

    /// Looks for the answer to a close frame in what a closing connection has sent before, and in
    /// the first `count` bytes of the chunk.
    pub(super) fn finds_close_frame(&mut self, id: ConnId, count: usize) -> bool {
        if !self.is_web_socket(id) {
            return false;
        }
        if count == 0 && !self.inputs.contains_key(&id) {
            return false;
        }
        let mut input = self.take_or_new_input(id);
        let rest = input.take_rest();
        let pieces = [&rest[..], &self.chunk[..count]];
        let mut is_found = false;
        for mut bytes in pieces {
            while let Some(item) = input.codec.next(&mut bytes) {
                is_found |= matches!(item, Item::Close(_) | Item::Malformed(_));
            }
        }
        self.park_input(id, input);
        is_found
    }
}
