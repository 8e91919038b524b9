//! The oracle of the door: who is let in, who is turned away and why, and who never says
//! for whom it is. Knows addresses by the bytes that neighbours share.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use chinwag::{Limits, Refusal};

use super::journal::{Arrival, Entry, Fact};
use super::preface::Meaning;
use super::world::World;

/// How a client fared at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Welcome {
    LetIn,
    /// And at once, or after it has read why.
    Refused(Refusal, bool),
    /// It came by way of a proxy, and nobody knows for whom.
    Unknown,
}

struct Door<'a> {
    world: &'a World,
    /// Those whom the service knows, or did until they began to close, and whose neighbours
    /// they are.
    here: BTreeMap<usize, Option<Vec<u8>>>,
    closing: BTreeSet<usize>,
    /// How many billionths of a connection may come from where, and when that was so.
    connects: BTreeMap<Vec<u8>, (u128, Duration)>,
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

/// One of a proxy's connections, for whom is not known.
struct Pending {
    since: Duration,
    addr: SocketAddr,
    delivered: usize,
    reads: usize,
    /// Its input has ended or failed.
    is_over: bool,
}

/// Goes through the journal. Says how each client fared, by its number.
pub(super) fn check(world: &World, entries: &[Entry]) -> BTreeMap<usize, Welcome> {
    let mut door = Door {
        world,
        here: BTreeMap::new(),
        closing: BTreeSet::new(),
        connects: BTreeMap::new(),
        pending: BTreeMap::new(),
        refused: BTreeMap::new(),
        hurried: BTreeSet::new(),
        next: None,
        fates: BTreeMap::new(),
        is_shutting_down: false,
    };
    for entry in entries.iter().filter(|entry| entry.fact != Fact::Silenced) {
        if let Some((who, fact)) = door.next.take() {
            let is_it = match (&entry.fact, &fact) {
                (Fact::Opened(newcomer), Fact::Arrived(arrival)) => {
                    entry.who == who && newcomer.addr == arrival.addr
                }
                (came, expected) => came == expected,
            };
            assert!(is_it, "#{who}: {fact:?} was to come, and not {entry:?}");
        }
        door.follow(entry);
    }
    door.fates
}

impl Door<'_> {
    fn follow(&mut self, entry: &Entry) {
        let who = entry.who;
        match &entry.fact {
            Fact::Arrived(arrival) => self.arrive(who, *arrival, entry.at),
            Fact::Opened(newcomer) => {
                let came = self.fates.insert(who, Welcome::LetIn);
                assert_eq!(came, Some(Welcome::Unknown), "#{who} was let in twice, or uncalled");
                let neighbours = neighbours(&self.world.limits, newcomer.addr.ip());
                if let Some(neighbours) = &neighbours {
                    let level = self.may_come(neighbours, entry.at) - CONNECT;
                    self.connects.insert(neighbours.clone(), (level, entry.at));
                }
                self.here.insert(who, neighbours);
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
        let taken = self.here.len() + self.pending.len();
        if taken >= self.world.clients_max {
            let staying = taken - self.closing.len();
            let may_give_way = !self.closing.is_empty() && staying < self.world.clients_max;
            assert!(!may_give_way, "#{who} finds no room, and {:?} are leaving", self.closing);
            return self.refuse(who, Refusal::Full, at);
        }
        if !arrival.is_proxied {
            return self.admit(who, arrival.addr, at);
        }
        let (addr, delivered, reads, is_over) = (arrival.addr, 0, 0, false);
        self.pending.insert(who, Pending { since: at, addr, delivered, reads, is_over });
    }

    /// It is known where it is from.
    fn admit(&mut self, who: usize, addr: SocketAddr, at: Duration) {
        let neighbours = neighbours(&self.world.limits, addr.ip());
        if neighbours.as_ref().is_some_and(|neighbours| self.may_come(neighbours, at) < CONNECT) {
            self.world.journal.hit("refused: comes too often");
            return self.refuse(who, Refusal::Address, at);
        }
        let count = self.here.values().filter(|other| other.is_some() && **other == neighbours);
        let is_full = count.count() >= self.world.limits.per_ip_max;
        if is_full {
            return self.refuse(who, Refusal::Address, at);
        }
        let is_alike = |other: &&Option<Vec<u8>>| other.is_none() && neighbours.is_none();
        if self.here.values().filter(is_alike).count() >= self.world.limits.per_ip_max {
            self.world.journal.hit("loopback is exempt");
        }
        self.next = Some((who, Fact::Arrived(Arrival { addr, is_proxied: false })));
    }

    fn refuse(&mut self, who: usize, why: Refusal, at: Duration) {
        let is_proxied = self.pending.contains_key(&who);
        self.world.journal.hit(match why {
            Refusal::Full => "refused: full",
            Refusal::Address if is_proxied => "refused: address behind a proxy",
            Refusal::Address => "refused: address",
            Refusal::Banned(_) | Refusal::Foreign(_) => unreachable!("not at the door"),
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
        let preface = self.world.clients[who].preface.as_ref();
        let preface = preface.expect("whoever comes by way of a proxy says something first");
        let pending = self.pending.get_mut(&who).expect("it was looked for");
        pending.delivered += count;
        pending.reads += 1;
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
        self.admit(who, source, at);
        self.pending.remove(&who);
    }

    fn leave(&mut self, who: usize, at: Duration) {
        self.refused.remove(&who);
        self.hurried.remove(&who);
        self.here.remove(&who);
        self.closing.remove(&who);
        let Some(pending) = self.pending.remove(&who) else { return };
        let is_late = at >= pending.since + self.world.limits.drain_time;
        let is_nonsense = pending.delivered > 0 && self.nonsense(who).is_some();
        let is_right = pending.is_over || is_late || is_nonsense || self.is_shutting_down;
        assert!(is_right, "#{who} could still say for whom it is");
        if pending.is_over {
            self.world.journal.hit("proxy: gone without a header");
        } else if is_nonsense {
            self.world.journal.hit("proxy: nonsense");
        } else if is_late {
            self.world.journal.hit("proxy: no header in time");
        }
    }

    /// How much of what it says has to have come for it to be nonsense for sure.
    fn nonsense(&self, who: usize) -> Option<usize> {
        match self.world.clients[who].preface.as_ref()?.meaning {
            Meaning::Nonsense(by) => Some(by),
            Meaning::From(_) | Meaning::Itself => None,
        }
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
            assert!(at < pending.since + time, "#{who} says nothing, and is still here");
            assert!(!pending.is_over, "#{who} is gone, and still here");
            let is_nonsense = self.nonsense(*who).is_some_and(|by| pending.delivered >= by);
            assert!(!is_nonsense, "#{who} talks nonsense, and is still here");
        }
    }

    /// How many billionths of a connection may come from there.
    fn may_come(&self, neighbours: &[u8], at: Duration) -> u128 {
        let Some(rate) = self.world.limits.connect_rate.map(u128::from) else { return CONNECT };
        let most = 2 * rate * CONNECT;
        let before = self.connects.get(neighbours);
        before.map_or(most, |(level, since)| {
            most.min(level + at.saturating_sub(*since).as_nanos() * rate)
        })
    }
}

/// One connection, in billionths.
const CONNECT: u128 = 1_000_000_000;

/// What an address has in common with those that count as the same: all of an IPv4
/// address, half of an IPv6 one. Those of this machine itself may not count.
pub(super) fn neighbours(limits: &Limits, ip: IpAddr) -> Option<Vec<u8>> {
    let (bytes, is_own) = match ip {
        IpAddr::V4(ip) => (ip.octets().to_vec(), ip.octets()[0] == 127),
        IpAddr::V6(ip) => (ip.octets()[..8].to_vec(), ip.octets()[..15] == [0; 15]),
    };
    (limits.limit_loopback || !is_own).then_some(bytes)
}
