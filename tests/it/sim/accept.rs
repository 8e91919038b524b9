//! Accepting: who comes from where and by way of whom, and who is let in. What the real
//! server does between accepting a connection and giving it to the hub.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

use chinwag::{Network, Peer, Refusal};

use super::clients::Client;
use super::journal::{Arrival, Fact};
use super::layer::HELLO;
use super::preface::{Meaning, write_preface};
use super::rng::Rng;
use super::stream::{SimStream, Wire};
use super::world::World;

/// Whose first bytes say for whom a connection is.
const PROXIES: &str = "10.0.0.0/8";

/// Where clients come from, as the kernel has it: alone or as neighbours.
const ADDRESSES: [&str; 10] = [
    "127.0.0.1",
    "127.0.0.2",
    "::1",
    "::ffff:127.0.0.1",
    "192.0.2.1",
    "192.0.2.2",
    "::ffff:192.0.2.1",
    "2001:db8:1:2::1",
    "2001:db8:1:2:ffff::9",
    "2001:db8:1:3::1",
];

/// How those begin who are to shake hands.
const HELLOS: [&[u8]; 6] = [HELLO, HELLO, HELLO, HELLO, b"hello, servant", b""];

const PROXY_ADDRESSES: [&str; 3] = ["10.0.0.1", "::ffff:10.0.0.1", "10.255.0.2"];

/// What everybody is told who is turned away.
pub(super) fn refusal(why: Refusal) -> &'static [u8] {
    match why {
        Refusal::Full => b"Server is full.\n",
        Refusal::Address => b"Too many connections from your address.\n",
        Refusal::Banned(_) | Refusal::Foreign(_) => unreachable!("not when it comes"),
    }
}

fn address(rng: &mut Rng, from: &[&str], who: usize) -> SocketAddr {
    let ip: IpAddr = rng.pick(from).parse().expect("it is an address");
    // By its port everybody can be told from everybody else.
    SocketAddr::new(ip, u16::try_from(who).expect("there are not that many"))
}

impl World {
    /// Somebody connects, and is let in or turned away.
    pub(super) fn connect(&mut self) {
        self.hub.pass(self.now());
        let who = self.clients.len();
        let wire = Wire::new(who, self.journal.clone(), self.rng.fork());
        let wire = Rc::new(RefCell::new(wire));
        let hello = (self.has_layers && self.rng.one_in(2)).then(|| *self.rng.pick(&HELLOS));
        let layered = hello.map(|_| SimStream::layered(&wire));
        let stream = layered.unwrap_or_else(|| SimStream::new(&wire));
        let is_by_proxy = self.has_proxies && self.rng.one_in(3);
        let from: &[&str] = if is_by_proxy { &PROXY_ADDRESSES } else { &ADDRESSES };
        let addr = address(&mut self.rng, from, who);
        let proxies: Network = PROXIES.parse().expect("it is a network");
        let is_proxied = proxies.contains(addr.ip());
        let canonical = SocketAddr::new(addr.ip().to_canonical(), addr.port());
        let peer = Peer::new(canonical.into(), "native");
        let refusal = if is_proxied {
            (!self.hub.has_room(self.clients_max)).then_some(Refusal::Full)
        } else {
            self.hub.admission(&peer, self.clients_max)
        };
        if self.drop_closed() > 0 {
            assert_eq!(refusal, None, "who is closed makes room for one who is let in");
            self.journal.hit("made room");
        }
        let slot = self.free_slot();
        let preface = is_by_proxy.then(|| {
            let source = address(&mut self.rng, &ADDRESSES, who);
            write_preface(&mut self.rng, source)
        });
        let arrival = Arrival { addr: canonical, is_proxied, is_layered: hello.is_some() };
        self.journal.note(who, Fact::Arrived(arrival));
        self.clients.push(Client::new(wire, slot, preface, hello, &mut self.rng));
        if let Some(why) = refusal {
            // As the kernel resets it, whatever it has sent.
            if !is_proxied && !self.hub.may_tell(addr.into()) {
                return drop(stream);
            }
            return self.refuse(stream, why);
        }
        self.journal.hit("connect");
        let id = if is_proxied {
            self.hub.open_proxied(stream, &peer)
        } else {
            self.hub.open(stream, &peer)
        };
        assert_eq!(id.slot(), slot, "a connection gets the slot that it was told");
    }

    /// The slot that the next connection gets.
    fn free_slot(&mut self) -> usize {
        let slot = self.hub.next_slot();
        let is_in_use = self.live().any(|client| client.slot == slot);
        assert!(!is_in_use, "slot {slot} is given out while it is in use");
        if self.clients.iter().any(|client| client.slot == slot) {
            self.journal.hit("slot used again");
        }
        slot
    }

    fn refuse(&mut self, stream: SimStream, why: Refusal) {
        let who = stream.who();
        let is_smooth = self.rng.one_in(2);
        if is_smooth {
            self.clients[who].wire.borrow_mut().smooth();
        }
        self.hub.refuse(stream, why);
        self.drop_closed();
        let wire = self.clients[who].wire.borrow();
        // What it has already sent must not turn the close into a reset.
        let is_told = !wire.is_destroyed && wire.accepted() == refusal(why);
        let is_short = wire.delivered.len() < self.limits.chunk;
        let at_once = wire.is_closed;
        assert!(!at_once || !is_smooth || !is_short || is_told, "#{who} was not told why");
    }
}

/// How many of these bytes come before a client's own: what a proxy has said for it, and what
/// its layer has.
pub(super) fn preface_length(client: &Client) -> usize {
    let preface = client.preface.as_ref();
    let header = preface.filter(|it| !matches!(it.meaning, Meaning::Nonsense(_)));
    header.map_or(0, |it| it.bytes.len()) + client.hello.map_or(0, <[u8]>::len)
}
