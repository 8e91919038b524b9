//! Networks: addresses that start with the same bits. Knows no socket.

use crate::pack::{Damaged, Pack, Packer, Unpacker};
use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The addresses that start with the same bits: `192.0.2.0/24`, or a single one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    addr: IpAddr,
    prefix: u8,
}

impl Network {
    /// The addresses that share their first `prefix` bits with `addr`; `None` if it has
    /// not as many. Mapped ones are the IPv4 addresses that they map.
    #[must_use]
    pub fn new(addr: IpAddr, prefix: u8) -> Option<Network> {
        let bits = if addr.is_ipv4() { 32 } else { 128 };
        if prefix > bits {
            return None;
        }
        let (addr, prefix) = match (addr.to_canonical(), prefix.checked_sub(96)) {
            (IpAddr::V4(mapped), Some(prefix)) if addr.is_ipv6() => (mapped.into(), prefix),
            _ => (addr, prefix),
        };
        // The bits behind the prefix say nothing, so that equal networks are equal.
        let addr = match addr {
            IpAddr::V4(addr) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                Ipv4Addr::from_bits(addr.to_bits() & mask).into()
            }
            IpAddr::V6(addr) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                Ipv6Addr::from_bits(addr.to_bits() & mask).into()
            }
        };
        Some(Network { addr, prefix })
    }

    /// Where it begins.
    #[must_use]
    pub fn addr(&self) -> IpAddr {
        self.addr
    }

    /// How many bits the addresses share.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// One address, or the /64 that an IPv6 one is in: a host that has one has them
    /// all.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "it cannot")]
    pub fn of_one(addr: IpAddr) -> Network {
        let addr = addr.to_canonical();
        let prefix = if addr.is_ipv4() { 32 } else { 64 };
        Network::new(addr, prefix).expect("an address has as many bits")
    }

    /// Whether it is what one subscriber has: see [`Network::of_one`].
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.prefix >= if self.addr.is_ipv4() { 32 } else { 64 }
    }

    /// Whether it has more addresses than any one network of the internet.
    #[must_use]
    pub fn is_vast(&self) -> bool {
        self.prefix < if self.addr.is_ipv4() { 8 } else { 16 }
    }

    /// Whether an address is one of them. A mapped one is the IPv4 address that it maps.
    #[must_use]
    pub fn contains(&self, addr: IpAddr) -> bool {
        let differing = match (self.addr, addr.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(addr)) => u128::from(own.to_bits() ^ addr.to_bits()) << 96,
            (IpAddr::V6(own), IpAddr::V6(addr)) => own.to_bits() ^ addr.to_bits(),
            _ => return false,
        };
        differing.leading_zeros() >= u32::from(self.prefix)
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Network, NotANetwork> {
        let (addr, prefix) = match text.split_once('/') {
            Some((addr, prefix)) => (addr, Some(prefix)),
            None => (text, None),
        };
        let addr: IpAddr = addr.parse().map_err(|_| NotANetwork)?;
        let whole = if addr.is_ipv4() { "32" } else { "128" };
        let prefix = prefix.unwrap_or(whole);
        // `parse` would take a sign as well.
        let prefix = Some(prefix).filter(|it| !it.starts_with('+')).and_then(|it| it.parse().ok());
        Network::new(addr, prefix.ok_or(NotANetwork)?).ok_or(NotANetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.addr, self.prefix) {
            (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128) => self.addr.fmt(f),
            (addr, prefix) => write!(f, "{addr}/{prefix}"),
        }
    }
}

/// A text that is neither an address nor an address and a number of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ADDR or ADDR/BITS is wanted, with at most 32 bits for IPv4 and 128 for IPv6")
    }
}

impl Error for NotANetwork {}

impl Pack for Network {
    fn pack(&self, to: &mut Packer) {
        let Network { addr, prefix } = self;
        to.put(addr).put(prefix);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Network, Damaged> {
        Network::new(from.get()?, from.get()?).ok_or_else(|| from.wrong("network"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_has_the_addresses_that_start_alike() {
        let cases = [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.6", false),
            ("192.0.2.7", "::ffff:192.0.2.7", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "2001:db9::1", true),
            ("::ffff:192.0.2.7", "192.0.2.7", true),
            ("::ffff:192.0.2.0/120", "::ffff:192.0.2.9", true),
            ("::ffff:192.0.2.0/120", "192.0.3.9", false),
        ];
        for (network, other, is_in) in cases {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.contains(addr(other)), is_in, "{network:?} {other}");
        }
        for text in ["", "192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/x", "::/+8", "host/8"] {
            assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text}");
        }
    }

    #[test]
    fn a_network_is_written_one_way() {
        let cases = [
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.7/0", "0.0.0.0/0"),
            ("2001:DB8:0::1/32", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::1"),
            ("::1/0", "::/0"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
        ];
        for (text, written) in cases {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), written);
        }
        assert_eq!(Network::of_one(addr("::ffff:192.0.2.7")).to_string(), "192.0.2.7");
        assert_eq!(Network::of_one(addr("2001:db8:1:2:3::1")).to_string(), "2001:db8:1:2::/64");
    }
}
