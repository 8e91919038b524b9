//! The oracle of admission: who is let in, who is turned away and why, and who never says
//! for whom it is. Knows addresses by the bytes that neighbours share.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use chinwag::{Limits, Refusal};

use super::buckets::Buckets;
use super::journal::{Arrival, Entry, Fact};
use super::layer::HELLO;
use super::preface::Meaning;
use super::world::World;

/// Whether a client was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Welcome {
    LetIn,
    /// And at once, or after it has read why.
    Refused(Refusal, bool),
    /// Too many from there were refused before.
    Dropped,
    /// It came by way of a proxy, and nobody knows for whom.
    Unknown,
}

struct Admission<'a> {
    world: &'a World,
    /// Those whom the service knows, or did until they began to close, and whose neighbours
    /// they are.
    here: BTreeMap<usize, Option<Vec<u8>>>,
    closing: BTreeSet<usize>,
    /// How many may come from where, and how many may be told why they are refused.
    connects: Buckets,
    refusals: Buckets,
    pending: BTreeMap<usize, Pending>,
    /// Turned away, since then, and waited for.
    refused: BTreeMap<usize, Duration>,
    /// Turned away, and to be gone before anything else happens.
    hurried: BTreeSet<usize>,
    /// What has to come next.
    next: Option<(usize, Fact)>,
    fates: BTreeMap<usize, Welcome>,
    is_shutting_down: bool,
}

/// One of which the service has not heard: a proxy's connection, for whom is not known, or one
/// that is shaking hands.
struct Pending {
    is_shaking: bool,
    since: Duration,
    addr: SocketAddr,
    delivered: usize,
    reads: usize,
    /// Its input has ended or failed.
    is_over: bool,
}

/// Goes through the journal. Says how each client fared, by its number.
pub(super) fn check(world: &World, entries: &[Entry]) -> BTreeMap<usize, Welcome> {
    let mut admission = Admission {
        world,
        here: BTreeMap::new(),
        closing: BTreeSet::new(),
        connects: Buckets::default(),
        refusals: Buckets::default(),
        pending: BTreeMap::new(),
        refused: BTreeMap::new(),
        hurried: BTreeSet::new(),
        next: None,
        fates: BTreeMap::new(),
        is_shutting_down: false,
    };
    for entry in entries.iter().filter(|entry| entry.fact != Fact::Silenced) {
        if let Some((who, fact)) = admission.next.take() {
            let is_it = match (&entry.fact, &fact) {
                (Fact::Opened(addr), Fact::Arrived(arrival)) => {
                    entry.who == who && *addr == arrival.addr
                }
                (came, expected) => came == expected,
            };
            assert!(is_it, "#{who}: {fact:?} was to come, and not {entry:?}");
        }
        admission.follow(entry);
    }
    admission.fates
}

impl Admission<'_> {
    fn follow(&mut self, entry: &Entry) {
        let who = entry.who;
        match &entry.fact {
            Fact::Arrived(arrival) => self.arrive(who, *arrival, entry.at),
            Fact::Opened(addr) => {
                let came = self.fates.insert(who, Welcome::LetIn);
                assert_eq!(came, Some(Welcome::Unknown), "#{who} was let in twice, or uncalled");
                if let Some(pending) = self.pending.remove(&who) {
                    assert_eq!(pending.addr, *addr, "#{who} is from there");
                    let left = self.hello_left(who, pending.delivered);
                    return assert_eq!(left, 0, "#{who} is let in early");
                }
                self.come(who, *addr, entry.at);
            }
            Fact::Closed(_) => drop(self.closing.insert(who)),
            Fact::Read(count) if self.pending.contains_key(&who) => {
                self.read(who, *count, entry.at);
            }
            Fact::EndRead | Fact::Failed => {
                if let Some(pending) = self.pending.get_mut(&who) {
                    pending.is_over = true;
                }
            }
            Fact::Dropped => self.leave(who, entry.at),
            Fact::Shutdown => self.is_shutting_down = true,
            Fact::Sleep(_) => self.check_sleep(entry.at),
            _ => {}
        }
    }

    fn arrive(&mut self, who: usize, arrival: Arrival, at: Duration) {
        let before = self.fates.insert(who, Welcome::Unknown);
        assert_eq!(before, None, "everybody comes once");
        // Nobody makes room for one whom its address keeps out.
        if !arrival.is_proxied && self.is_barred(arrival.addr, at) {
            return self.turn_away(who, Some(arrival.addr), Refusal::Address, at);
        }
        // Who is shaking hands is here already.
        let unknown = self.pending.values().filter(|pending| !pending.is_shaking).count();
        let taken = self.here.len() + unknown;
        if taken >= self.world.clients_max {
            let staying = taken - self.closing.len();
            let may_give_way = !self.closing.is_empty() && staying < self.world.clients_max;
            assert!(!may_give_way, "#{who} finds no room, and {:?} are leaving", self.closing);
            let addr = Some(arrival.addr).filter(|_| !arrival.is_proxied);
            return self.turn_away(who, addr, Refusal::Full, at);
        }
        if !arrival.is_proxied {
            return self.admit(who, arrival.addr, at, 0);
        }
        let (addr, is_shaking) = (arrival.addr, false);
        let pending =
            Pending { is_shaking, since: at, addr, delivered: 0, reads: 0, is_over: false };
        self.pending.insert(who, pending);
    }

    /// It is known where it is from.
    fn admit(&mut self, who: usize, addr: SocketAddr, at: Duration, delivered: usize) {
        let direct = Some(addr).filter(|_| !self.pending.contains_key(&who));
        if self.is_barred(addr, at) {
            return self.turn_away(who, direct, Refusal::Address, at);
        }
        let neighbours = neighbours(&self.world.limits, addr.ip());
        let is_alike = |other: &&Option<Vec<u8>>| other.is_none() && neighbours.is_none();
        if self.here.values().filter(is_alike).count() >= self.world.limits.per_ip_max {
            self.world.journal.hit("loopback is exempt");
        }
        if self.world.clients[who].hello.is_some() {
            return self.shake_hands(who, addr, at, delivered);
        }
        let arrival = Arrival { addr, is_proxied: false, is_layered: false };
        self.next = Some((who, Fact::Arrived(arrival)));
    }

    /// Whether too many from an address have come of late, or are here.
    fn is_barred(&mut self, addr: SocketAddr, at: Duration) -> bool {
        let neighbours = neighbours(&self.world.limits, addr.ip());
        if let (Some(neighbours), Some(rate)) = (&neighbours, self.world.limits.connect_rate)
            && !self.connects.of(neighbours, rate, at).has(1)
        {
            self.world.journal.hit("refused: comes too often");
            return true;
        }
        let count = self.here.values().filter(|other| other.is_some() && **other == neighbours);
        count.count() >= self.world.limits.per_ip_max
    }

    /// It counts for its address.
    fn come(&mut self, who: usize, addr: SocketAddr, at: Duration) {
        let neighbours = neighbours(&self.world.limits, addr.ip());
        if let (Some(neighbours), Some(rate)) = (&neighbours, self.world.limits.connect_rate) {
            self.connects.of(neighbours, rate, at).take(1);
        }
        self.here.insert(who, neighbours);
    }

    /// Its handshake begins. It counts from here on, and is heard of once it has said hello.
    fn shake_hands(&mut self, who: usize, addr: SocketAddr, at: Duration, delivered: usize) {
        self.come(who, addr, at);
        if delivered > self.header(who) {
            self.world.journal.hit("handshake: behind a header");
        }
        let pending =
            Pending { is_shaking: true, since: at, addr, delivered, reads: 0, is_over: false };
        self.pending.insert(who, pending);
    }

    /// Refused with a word, or dropped without one if too many from its own address were refused
    /// of late. Behind a proxy it is always told.
    fn turn_away(&mut self, who: usize, own: Option<SocketAddr>, why: Refusal, at: Duration) {
        if own.is_none_or(|addr| self.may_tell(addr, at)) {
            return self.refuse(who, why, at);
        }
        self.world.journal.hit("refused: dropped");
        self.fates.insert(who, Welcome::Dropped);
        self.next = Some((who, Fact::Dropped));
    }

    fn refuse(&mut self, who: usize, why: Refusal, at: Duration) {
        let is_proxied = self.pending.contains_key(&who);
        self.world.journal.hit(match why {
            Refusal::Full => "refused: full",
            Refusal::Address if is_proxied => "refused: address behind a proxy",
            Refusal::Address => "refused: address",
            Refusal::Banned(_) | Refusal::Foreign(_) => unreachable!("not when it comes"),
        });
        let is_hurried = self.refused.len() >= self.world.limits.refused_max;
        self.fates.insert(who, Welcome::Refused(why, is_hurried));
        if is_hurried {
            self.world.journal.hit("refused at once");
            self.hurried.insert(who);
        } else {
            self.world.journal.hit("refused politely");
            self.refused.insert(who, at);
        }
        self.next = Some((who, Fact::Refusing(why)));
    }

    fn read(&mut self, who: usize, count: usize, at: Duration) {
        if self.is_shutting_down {
            return;
        }
        let pending = self.pending.get_mut(&who).expect("it was looked for");
        pending.delivered += count;
        pending.reads += 1;
        if pending.is_shaking {
            if pending.reads == 2 {
                self.world.journal.hit("handshake: in pieces");
            }
            return;
        }
        let preface = self.world.clients[who].preface.as_ref();
        let preface = preface.expect("whoever comes by way of a proxy says something first");
        let (source, mark) = match preface.meaning {
            Meaning::Nonsense(_) => return,
            Meaning::From(addr) => (addr, "proxy: for another"),
            Meaning::Itself => (pending.addr, "proxy: for itself"),
        };
        if pending.delivered < preface.bytes.len() {
            return;
        }
        self.world.journal.hit(mark);
        if pending.reads > 1 {
            self.world.journal.hit("proxy: header in pieces");
        }
        let delivered = pending.delivered;
        self.admit(who, source, at, delivered);
        // Unless it shakes hands now.
        if !self.pending[&who].is_shaking {
            self.pending.remove(&who);
        }
    }

    fn leave(&mut self, who: usize, at: Duration) {
        self.refused.remove(&who);
        self.hurried.remove(&who);
        self.here.remove(&who);
        self.closing.remove(&who);
        let Some(pending) = self.pending.remove(&who) else { return };
        let is_late = at >= pending.since + self.patience(&pending);
        let is_nonsense = pending.delivered > 0 && self.nonsense(who, &pending).is_some();
        let is_right = pending.is_over || is_late || is_nonsense || self.is_shutting_down;
        assert!(is_right, "#{who} could still say for whom it is");
        if pending.is_shaking {
            self.world.journal.hit(match pending {
                _ if pending.is_over => "handshake: gone before its end",
                _ if is_nonsense => "handshake: nonsense",
                _ => "handshake: not in time",
            });
        } else if pending.is_over {
            self.world.journal.hit("proxy: gone without a header");
        } else if is_nonsense {
            self.world.journal.hit("proxy: nonsense");
        } else if is_late {
            self.world.journal.hit("proxy: no header in time");
        }
    }

    /// How much of what it says has to have come for it to be nonsense for sure.
    fn nonsense(&self, who: usize, pending: &Pending) -> Option<usize> {
        if pending.is_shaking {
            // What is no hello shows at its first byte that is another.
            let after = self.header(who);
            let said = self.world.clients[who].wire.borrow();
            let said = &said.delivered[after..];
            let differs = said.iter().zip(HELLO).position(|(said, wanted)| said != wanted);
            return differs.map(|at| after + at + 1);
        }
        match self.world.clients[who].preface.as_ref()?.meaning {
            Meaning::Nonsense(by) => Some(by),
            Meaning::From(_) | Meaning::Itself => None,
        }
    }

    /// How much of what its proxy says comes before its hello.
    fn header(&self, who: usize) -> usize {
        self.world.clients[who].preface.as_ref().map_or(0, |preface| preface.bytes.len())
    }

    fn hello_left(&self, who: usize, delivered: usize) -> usize {
        (self.header(who) + HELLO.len()).saturating_sub(delivered)
    }

    fn patience(&self, pending: &Pending) -> Duration {
        let limits = &self.world.limits;
        if pending.is_shaking { limits.handshake_time } else { limits.drain_time }
    }

    fn check_sleep(&self, at: Duration) {
        assert!(self.hurried.is_empty(), "{:?} are to be gone at once", self.hurried);
        let most = self.world.limits.draining_max;
        let are_few = self.closing.len() <= most || self.is_shutting_down;
        assert!(are_few, "{:?} are closing, and {most} may", self.closing);
        let time = self.world.limits.drain_time;
        for (who, since) in &self.refused {
            assert!(at < *since + time, "#{who} was refused, and is still here");
        }
        for (who, pending) in self.pending.iter().filter(|_| !self.is_shutting_down) {
            let is_late = at >= pending.since + self.patience(pending);
            assert!(!is_late, "#{who} says nothing, and is still here");
            let is_done = pending.is_shaking && self.hello_left(*who, pending.delivered) == 0;
            assert!(!is_done, "#{who} has said hello, and nobody hears of it");
            assert!(!pending.is_over, "#{who} is gone, and still here");
            let is_nonsense =
                self.nonsense(*who, pending).is_some_and(|by| pending.delivered >= by);
            assert!(!is_nonsense, "#{who} talks nonsense, and is still here");
        }
    }

    /// Whether one from there is told why it is refused.
    fn may_tell(&mut self, addr: SocketAddr, at: Duration) -> bool {
        let limits = &self.world.limits;
        let neighbours = neighbours(limits, addr.ip());
        let (Some(neighbours), Some(rate)) = (neighbours, limits.refusal_rate) else { return true };
        let bucket = self.refusals.of(&neighbours, rate, at);
        let may_tell = bucket.has(1);
        if may_tell {
            bucket.take(1);
        }
        may_tell
    }
}

/// What an address has in common with those that count as the same: all of an IPv4
/// address, half of an IPv6 one. Those of this machine itself may not count.
pub(super) fn neighbours(limits: &Limits, ip: IpAddr) -> Option<Vec<u8>> {
    let (bytes, is_own) = match ip {
        IpAddr::V4(ip) => (ip.octets().to_vec(), ip.octets()[0] == 127),
        IpAddr::V6(ip) => (ip.octets()[..8].to_vec(), ip.octets()[..15] == [0; 15]),
    };
    (limits.limit_loopback || !is_own).then_some(bytes)
}
