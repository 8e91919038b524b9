//! Limits by address: how many connections it has, how often it connects, how much it sends. Knows
//! no socket.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU64;
use std::time::Instant;

use crate::net::conn::ConnId;
use crate::net::limits::Limits;
use crate::net::rate::Drip;
use crate::pack::{Damaged, Packer, Unpacker, impl_pack};
use crate::work;

/// What the connections of each address are allowed together: of an IPv4 address, or of the
/// /64 that an IPv6 one is in, since a host that has one address of a /64 has them all.
pub(crate) struct Addresses {
    max: usize,
    /// Whether this machine's own addresses count as well.
    with_loopback: bool,
    /// Together they may send so many times what one connection may.
    per_ip_rate: u32,
    /// The rate at which they may connect.
    connects: Option<Drip>,
    /// How often they are told why they are refused.
    refusals: Option<Drip>,
    sources: HashMap<Key, Source>,
    /// With so many addresses it is worth looking for entries that can be dropped.
    crowded: usize,
    /// By slot, for connections that count.
    by_slot: Vec<Option<Key>>,
}

/// One address.
struct Source {
    /// Its connections, closing ones included.
    count: u32,
    /// When its buckets will be full.
    lines: Instant,
    connects: Instant,
    refusals: Instant,
}

impl Source {
    /// An address that nothing is known of.
    fn new(now: Instant) -> Source {
        Source { count: 0, lines: now, connects: now, refusals: now }
    }

    fn is_known(&self, now: Instant) -> bool {
        self.count > 0 || self.lines.max(self.connects).max(self.refusals) > now
    }
}

/// The first half of an IPv6 address; an IPv4 address as if it were that of a reserved
/// network. There is one for each connection, so it is small, and so is an `Option` of it.
type Key = NonZeroU64;

/// Where IPv4 addresses stand among the keys: in `0100::/16`, whose one real network is
/// for what is to be dropped, and from which nothing comes.
const RESERVED: Key = NonZeroU64::new(0x0100_ffff << 32).unwrap();

/// Fewer addresses than this are never worth a search.
const FEW: usize = 64;

impl Addresses {
    pub(crate) fn new(limits: &Limits) -> Addresses {
        Addresses {
            max: limits.per_ip_max,
            with_loopback: limits.limit_loopback,
            per_ip_rate: limits.per_ip_rate,
            connects: limits.connect_rate.map(Drip::new),
            refusals: limits.refusal_rate.map(Drip::new),
            sources: HashMap::new(),
            crowded: FEW,
            by_slot: Vec::new(),
        }
    }

    /// Whether this address has as many connections as it may have, or has connected too often of
    /// late.
    pub(crate) fn is_full(&self, addr: IpAddr, now: Instant) -> bool {
        self.key(addr).and_then(|key| self.sources.get(&key)).is_some_and(|source| {
            let is_early = |drip: Drip| drip.may_at(source.connects, 1) > now;
            source.count as usize >= self.max || self.connects.is_some_and(is_early)
        })
    }

    pub(crate) fn add(&mut self, id: ConnId, addr: IpAddr, now: Instant) {
        let Some(key) = self.key(addr) else { return };
        self.prune(now);
        let source = self.sources.entry(key).or_insert_with(|| Source::new(now));
        source.count += 1;
        if let Some(drip) = self.connects {
            drip.charge(&mut source.connects, 1, now);
        }
        if self.by_slot.len() <= id.slot() {
            self.by_slot.resize(id.slot() + 1, None);
        }
        self.by_slot[id.slot()] = Some(key);
    }

    /// Whether a refused client is told why. If so, that counts.
    pub(crate) fn may_tell(&mut self, addr: IpAddr, now: Instant) -> bool {
        let (Some(drip), Some(key)) = (self.refusals, self.key(addr)) else { return true };
        self.prune(now);
        let source = self.sources.entry(key).or_insert_with(|| Source::new(now));
        let may_tell = drip.may_at(source.refusals, 1) <= now;
        if may_tell {
            drip.charge(&mut source.refusals, 1, now);
        }
        may_tell
    }

    pub(crate) fn remove(&mut self, id: ConnId) {
        let Some(key) = self.by_slot.get_mut(id.slot()).and_then(Option::take) else { return };
        let source = self.sources.get_mut(&key).expect("it was counted when it came");
        source.count -= 1;
    }

    /// When the address of a connection allows it something of this price. `rate` is the
    /// connection's own, in lines a second.
    pub(crate) fn may_speak_at(&self, id: ConnId, price: u32, rate: u32) -> Option<Instant> {
        let key = (*self.by_slot.get(id.slot())?)?;
        Some(self.lines(rate).may_at(self.sources.get(&key)?.lines, price))
    }

    /// What a connection has said counts for its address.
    pub(crate) fn charge(&mut self, id: ConnId, price: u32, rate: u32, now: Instant) {
        let Some(key) = self.by_slot.get(id.slot()).copied().flatten() else { return };
        let drip = self.lines(rate);
        if let Some(source) = self.sources.get_mut(&key) {
            drip.charge(&mut source.lines, price, now);
        }
    }

    /// The bucket of an address is full after two seconds, whatever the rates of its connections
    /// are: one with a higher rate pays less for each line.
    fn lines(&self, rate: u32) -> Drip {
        Drip::new(rate.saturating_mul(self.per_ip_rate))
    }

    /// Drops addresses of which nothing has to be known any more, each time that there are twice
    /// as many as were left the last time.
    fn prune(&mut self, now: Instant) {
        if self.sources.len() >= self.crowded {
            work::walk(self.sources.len());
            self.sources.retain(|_, source| source.is_known(now));
            self.crowded = FEW.max(2 * self.sources.len());
            self.sources.shrink_to(self.crowded);
        }
    }

    /// `None`, if it does not count.
    fn key(&self, addr: IpAddr) -> Option<Key> {
        let addr = addr.to_canonical();
        if addr.is_loopback() && !self.with_loopback {
            return None;
        }
        Some(match addr {
            IpAddr::V4(addr) => RESERVED | u64::from(u32::from(addr)),
            // Zero is the /64 of `::1`. It gets the key of an IPv4 address that nobody has.
            IpAddr::V6(addr) => {
                let half = u64::try_from(u128::from(addr) >> 64).expect("it is a half");
                Key::new(half).unwrap_or(RESERVED)
            }
        })
    }
}

/// What an upgrade hands over.
impl Addresses {
    pub(crate) fn pack(&self, to: &mut Packer) {
        let Addresses {
            max: _,
            with_loopback: _,
            per_ip_rate: _,
            connects: _,
            refusals: _,
            sources,
            crowded: _,
            by_slot,
        } = self;
        to.put(sources).put(by_slot);
    }

    pub(crate) fn restore(&mut self, from: &mut Unpacker<'_>) -> Result<(), Damaged> {
        self.sources = from.get()?;
        self.by_slot = from.get()?;
        for key in self.by_slot.iter().flatten() {
            let source = self.sources.get_mut(key);
            source.ok_or_else(|| from.wrong("address that counts"))?.count += 1;
        }
        self.crowded = FEW.max(2 * self.sources.len());
        Ok(())
    }
}

// Its connections are counted anew.
impl_pack! {
    struct Source { lines, connects, refusals; count = 0 }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Duration;

    use super::*;

    fn id(serial: u32) -> ConnId {
        ConnId { slot: serial, serial }
    }

    fn addresses(per_ip_max: usize, limit_loopback: bool) -> Addresses {
        let limits = Limits { per_ip_max, limit_loopback, ..Limits::default() };
        Addresses::new(&Limits { connect_rate: None, ..limits })
    }

    fn addr(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_and_another_as_many_again() {
        let (mut addresses, now) = (addresses(2, true), Instant::now());
        addresses.add(id(1), addr("192.0.2.1"), now);
        assert!(!addresses.is_full(addr("192.0.2.1"), now));
        addresses.add(id(2), addr("::ffff:192.0.2.1"), now);
        assert!(
            addresses.is_full(addr("192.0.2.1"), now) && !addresses.is_full(addr("192.0.2.2"), now)
        );
        addresses.remove(id(1));
        addresses.remove(id(1));
        assert!(!addresses.is_full(addr("192.0.2.1"), now));
        addresses.remove(id(2));
        addresses.crowded = 0;
        addresses.prune(now);
        assert!(addresses.sources.is_empty());
    }

    #[test]
    fn a_64_is_one_address() {
        let (mut addresses, now) = (addresses(1, true), Instant::now());
        addresses.add(id(1), addr("2001:db8:1:2:3::1"), now);
        assert!(addresses.is_full(addr("2001:db8:1:2:ffff::9"), now));
        assert!(!addresses.is_full(addr("2001:db8:1:3::1"), now));
    }

    #[test]
    fn loopback_counts_only_where_that_is_wanted() {
        for (with_loopback, is_full) in [(true, true), (false, false)] {
            let (mut addresses, now) = (addresses(1, with_loopback), Instant::now());
            addresses.add(id(1), addr("127.0.0.1"), now);
            addresses.add(id(2), addr("::1"), now);
            for loopback in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
                assert_eq!(addresses.is_full(addr(loopback), now), is_full, "{loopback}");
            }
        }
    }

    #[test]
    fn an_address_comes_only_so_often_whoever_leaves() {
        let limits = Limits { limit_loopback: true, ..Limits::default() };
        let mut addresses = Addresses::new(&Limits { connect_rate: Some(2), ..limits });
        let (start, here) = (Instant::now(), addr("192.0.2.1"));
        let mut came = 0;
        for millis in (0..3000).step_by(100) {
            let now = start + Duration::from_millis(millis);
            if !addresses.is_full(here, now) {
                addresses.add(id(1), here, now);
                addresses.remove(id(1));
                came += 1;
            }
            assert!(!addresses.is_full(addr("192.0.2.2"), now));
        }
        assert_eq!(came, 4 + 2 * 3 - 1);
    }

    #[test]
    fn an_address_is_told_why_it_is_refused_only_so_often() {
        let limits = Limits { limit_loopback: true, refusal_rate: Some(2), ..Limits::default() };
        let mut addresses = Addresses::new(&limits);
        let (start, here) = (Instant::now(), addr("192.0.2.1"));
        let mut tell = |millis| addresses.may_tell(here, start + Duration::from_millis(millis));
        assert_eq!([0; 6].map(&mut tell), [true, true, true, true, false, false]);
        assert_eq!([500, 500, 2500, 2500].map(&mut tell), [true, false, true, true]);
        assert!(addresses.may_tell(addr("192.0.2.2"), start));
    }

    #[test]
    fn a_connection_takes_of_its_address_as_it_takes_of_its_own() {
        let limits = Limits { per_ip_rate: 2, ..Limits::default() };
        let (mut addresses, now) = (Addresses::new(&limits), Instant::now());
        addresses.add(id(1), addr("192.0.2.1"), now);
        addresses.add(id(2), addr("192.0.2.1"), now);
        // All of its own, which is half of what there is.
        addresses.charge(id(1), 200, 100, now);
        assert!(addresses.may_speak_at(id(2), 20, 10) <= Some(now));
        assert!(addresses.may_speak_at(id(2), 21, 10) > Some(now));
    }

    #[test]
    fn what_is_known_of_addresses_does_not_pile_up() {
        let (mut addresses, mut now) = (addresses(1, true), Instant::now());
        for number in 0..10_000_u32 {
            now += Duration::from_millis(100);
            addresses.add(id(1), Ipv4Addr::from_bits(number).into(), now);
            addresses.charge(id(1), 640, 10, now);
            addresses.remove(id(1));
            addresses.may_tell(Ipv4Addr::from_bits(number + 1).into(), now);
            assert!(addresses.sources.len() <= FEW, "{}", addresses.sources.len());
        }
    }
}
