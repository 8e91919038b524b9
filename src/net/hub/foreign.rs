//! Connections that begin with another protocol are refused here. `net/sniff.rs` decides what
//! they are.

use std::time::Duration;

use log::warn;

use super::input::Input;
use super::{Hub, Phase};
use crate::net::conn::{CloseReason, ConnId};
use crate::net::decoder::Item;
use crate::net::service::{Refusal, Service};
use crate::net::sniff::{Protocol, Sniffer, Verdict};
use crate::net::transport::{Origin, Transport};

/// A PROXY header from an address that `--proxy-protocol` does not name comes with each
/// connection of that proxy. It is logged at most this often.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What a TLS client understands: a fatal alert, unexpected message.
pub(super) const NO_TLS: [u8; 7] = [21, 3, 3, 0, 2, 2, 10];

impl<T: Transport, S: Service> Hub<T, S> {
    /// Looks at what has just been read, before it is decoded. True if it is another protocol's:
    /// then the connection is refused.
    pub(super) fn is_foreign(&mut self, id: ConnId, input: &mut Input, bytes: &[u8]) -> bool {
        if self.conns[id.slot()].phase != Phase::Unknown {
            return false;
        }
        let found = input.sniffer.read(bytes);
        found.is_some_and(|protocol| self.turn_away(id, protocol))
    }

    /// Looks at a line before the service gets it. After the first that is not blank, none is
    /// looked at.
    pub(super) fn is_foreign_line(
        &mut self,
        id: ConnId,
        sniffer: &mut Sniffer,
        item: Item<'_>,
    ) -> bool {
        if self.conns[id.slot()].phase != Phase::Unknown {
            return false;
        }
        match sniffer.judge(item) {
            Verdict::Undecided => false,
            Verdict::Lines => {
                self.conns[id.slot()].phase = Phase::Lines;
                self.behind_proxy.remove(&id);
                *sniffer = Sniffer::default();
                false
            }
            Verdict::Foreign(protocol) => {
                if let Item::Line(_, ending) = item {
                    self.note_ending(id, ending);
                }
                self.turn_away(id, protocol)
            }
        }
    }

    /// Sends the refusal, if the service has one, and closes.
    fn turn_away(&mut self, id: ConnId, protocol: Protocol) -> bool {
        self.log_foreign(id, protocol);
        let refusal = self.service.refusal(Refusal::Foreign(protocol));
        if let Some(text) = refusal.strip_suffix(b"\n") {
            self.outbox.send_line(id, text);
        }
        if protocol == Protocol::Tls {
            self.outbox.send(id, &NO_TLS);
        }
        self.outbox.drain(id, CloseReason::Refused);
        true
    }

    /// The operator is to learn of a proxy that was not named, and of the option that names it.
    /// Other protocols are logged like any refusal.
    fn log_foreign(&mut self, id: ConnId, protocol: Protocol) {
        let now = self.outbox.now().monotonic;
        let own = self.conns[id.slot()].stream.peer_addr().map_or(Origin::Unix, Origin::from);
        let is_due = self.told_of_proxy.is_none_or(|at| now >= at + TELL_EVERY);
        if protocol == Protocol::Proxy && is_due {
            self.told_of_proxy = Some(now);
            let (addr, port) = (own.ip(), own.port());
            let name = addr.map_or_else(|| "unix".to_owned(), |addr| addr.to_string());
            let option = format!("--proxy-protocol {name}");
            return warn!(addr, port, why = protocol.word(), option; "refused");
        }
        let origin = self.behind_proxy.get(&id).copied().unwrap_or(own);
        self.log_refused(origin, Refusal::Foreign(protocol));
    }
}
