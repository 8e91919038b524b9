//! The bans, indexed by name and by network, so that checking a peer takes the same time however
//! many there are.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use jiff::Timestamp;

use super::ban::{Ban, Target};
use crate::net::network::Network;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// Bans, in order. Making a long list takes a while, so a worker does it.
#[derive(Clone, Debug, Default)]
pub struct Bans {
    /// Each with the text for banned peers, once it was rendered.
    all: Vec<(Ban, OnceCell<String>)>,
    /// Indices into `all`.
    by_target: HashMap<Target, usize>,
    by_name: HashMap<String, Vec<usize>>,
    by_network: HashMap<Network, Vec<usize>>,
    /// The prefix lengths in use: an address is in one network of each.
    prefixes: BTreeSet<u8>,
}

impl FromIterator<Ban> for Bans {
    fn from_iter<I: IntoIterator<Item = Ban>>(bans: I) -> Bans {
        let mut list = Bans::default();
        for ban in bans {
            list.add(ban);
        }
        list
    }
}

impl PartialEq for Bans {
    fn eq(&self, other: &Bans) -> bool {
        self.all().eq(other.all())
    }
}

impl Eq for Bans {}

impl Bans {
    /// All bans, expired ones too.
    pub fn all(&self) -> impl Iterator<Item = &Ban> {
        self.all.iter().map(|(ban, _)| ban)
    }

    /// Adds a ban, or replaces the one of the same target.
    pub(super) fn add(&mut self, ban: Ban) {
        let (at, key) = (self.all.len(), ban.target.key());
        if let Some(at) = self.by_target.get(&key) {
            self.all[*at] = (ban, OnceCell::new());
            return;
        }
        if let Some(name) = key.name() {
            self.by_name.entry(name.to_owned()).or_default().push(at);
        }
        if let Some(network) = key.network() {
            self.by_network.entry(network).or_default().push(at);
            self.prefixes.insert(network.prefix());
        }
        self.by_target.insert(key, at);
        self.all.push((ban, OnceCell::new()));
    }

    /// Whether an identical ban is in the list.
    pub(super) fn contains(&self, ban: &Ban) -> bool {
        self.by_target.get(&ban.target.key()).is_some_and(|at| self.all[*at].0 == *ban)
    }

    pub(super) fn forget_those_over(&mut self, now: Timestamp) {
        self.retain(|ban| !ban.is_over(now));
    }

    /// Removes the bans that `wanted` names.
    pub(super) fn lift(&mut self, wanted: &Target) {
        self.retain(|ban| !ban.target.is_meant_by(wanted));
    }

    fn retain(&mut self, keep: impl Fn(&Ban) -> bool) {
        if self.all.iter().any(|(ban, _)| !keep(ban)) {
            let all = std::mem::take(self).all;
            *self = all.into_iter().map(|(ban, _)| ban).filter(keep).collect();
        }
    }

    /// The bans that have not expired.
    pub(super) fn in_force(&self, now: Timestamp) -> impl Iterator<Item = &Ban> {
        self.all().filter(move |ban| !ban.is_over(now))
    }

    /// The indices of the bans that an address is in.
    fn of_addr(&self, addr: IpAddr) -> impl Iterator<Item = usize> {
        let addr = addr.to_canonical();
        let networks = self.prefixes.iter().filter_map(move |prefix| Network::new(addr, *prefix));
        networks.filter_map(|network| self.by_network.get(&network)).flatten().copied()
    }

    fn of_name(&self, name: &str) -> impl Iterator<Item = usize> {
        self.by_name.get(&name.to_ascii_lowercase()).into_iter().flatten().copied()
    }

    pub(super) fn has_addr(&self, addr: IpAddr, now: Timestamp) -> bool {
        self.of_addr(addr).any(|at| !self.all[at].0.is_over(now))
    }

    pub(super) fn has_name(&self, name: &str, now: Timestamp) -> bool {
        !self.all.is_empty() && self.of_name(name).any(|at| !self.all[at].0.is_over(now))
    }

    /// The index of the first ban that applies to a user and is not in `before`.
    pub(super) fn first_new(
        &self,
        before: &Bans,
        addr: Option<IpAddr>,
        name: Option<&str>,
        now: Timestamp,
    ) -> Option<usize> {
        let by_addr = addr.into_iter().flat_map(|addr| self.of_addr(addr));
        let by_name = name.into_iter().flat_map(|name| self.of_name(name));
        let is_new = |ban: &Ban| !ban.is_over(now) && !before.contains(ban);
        by_addr.chain(by_name).filter(|at| is_new(self.get(*at))).min()
    }

    pub(super) fn get(&self, at: usize) -> &Ban {
        &self.all[at].0
    }

    /// The text for a banned peer. Of several bans the longest counts.
    pub(super) fn notice(&self, addr: IpAddr, say: impl Fn(&Ban) -> String) -> &str {
        let those = self.of_addr(addr).map(|at| &self.all[at]);
        let longest = those.max_by_key(|(ban, _)| ban.until.unwrap_or(Timestamp::MAX));
        longest.map_or("", |(ban, notice)| notice.get_or_init(|| say(ban)))
    }
}

impl Pack for Bans {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.all.len());
        for ban in self.all() {
            to.put(ban);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Bans, Damaged> {
        Ok(from.get::<Vec<Ban>>()?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn the_notice_is_that_of_the_longest_ban() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let ban = |text: &str, until, why: &str| Ban {
            target: target(text),
            until,
            by: "op".to_owned(),
            why: why.to_owned(),
        };
        let mut bans = Bans::default();
        bans.add(ban("192.0.2.7", Some(at(10)), "short"));
        bans.add(ban("192.0.2.0/24", None, "long"));
        let addr = "192.0.2.7".parse().unwrap();
        let notice = |bans: &Bans| bans.notice(addr, |ban| ban.why.clone()).to_owned();
        assert_eq!(notice(&bans), "long");
        assert!(bans.has_addr(addr, at(100)));
        bans.lift(&target("192.0.2.0/24"));
        assert!(bans.has_addr(addr, at(9)) && !bans.has_addr(addr, at(10)));
        bans.add(ban("192.0.2.7", None, "again"));
        assert_eq!((notice(&bans).as_str(), bans.all.len()), ("again", 1));
    }

    #[test]
    fn bans_apply_by_any_network_and_by_name_until_all_are_lifted() {
        let ban = |text: &str| Ban {
            target: target(text),
            until: None,
            by: "op".to_owned(),
            why: String::new(),
        };
        let texts =
            ["eve@192.0.2.7", "EVE@2001:db8::/32", "0.0.0.0/0", "::/0", "bob", "192.0.2.0/24"];
        let mut bans: Bans = texts.iter().map(|text| ban(text)).collect();
        let now = Timestamp::UNIX_EPOCH;
        let none = Bans::default();
        let of = |bans: &Bans, addr: &str, name| {
            bans.first_new(&none, Some(addr.parse().unwrap()), name, now)
        };
        assert_eq!(of(&bans, "::ffff:192.0.2.7", None), Some(0));
        assert_eq!(of(&bans, "203.0.113.9", Some("Bob")), Some(2));
        assert_eq!(of(&bans, "2001:db8:1::1", None), Some(1));
        assert_eq!(bans.first_new(&none, None, Some("BOB"), now), Some(4));
        assert_eq!(bans.first_new(&bans, None, Some("BOB"), now), None);
        assert!(bans.contains(&ban("bob")) && !bans.contains(&ban("Bob")));
        bans.lift(&target("eve"));
        assert!(!bans.has_name("eve", now) && bans.has_name("bob", now));
        for text in ["::/0", "0.0.0.0/0"] {
            bans.lift(&target(text));
        }
        assert_eq!(of(&bans, "2001:db8:1::1", Some("ann")), None);
        assert_eq!(of(&bans, "192.0.2.9", Some("bob")), Some(0));
    }
}
