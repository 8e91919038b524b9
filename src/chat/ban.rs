//! Bans: who may not come in, until when, by whose word and why. Knows no file.

use std::fmt;
use std::mem;
use std::net::IpAddr;
use std::str::FromStr;

use jiff::Timestamp;

use super::name;
use crate::addresses::Network;
use crate::conn::ConnId;

/// A ban, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Who is meant.
    pub target: Target,
    /// When it ends; `None` is never.
    pub until: Option<Timestamp>,
    /// The operator who said so.
    pub by: String,
    /// What for, in one line; may be empty.
    pub why: String,
}

impl Ban {
    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// Whom a ban is for: a name, the addresses of a network, or both, each by itself.
/// Written `alice`, `192.0.2.0/24`, `alice@192.0.2.7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    name: Option<String>,
    network: Option<Network>,
}

impl Target {
    /// `None`, if it is neither.
    #[must_use]
    pub fn new(name: Option<&str>, network: Option<Network>) -> Option<Target> {
        let target = Target { name: name.map(str::to_owned), network };
        (target.name.is_some() || target.network.is_some()).then_some(target)
    }

    /// Whether it is a name and nothing else.
    #[cfg(feature = "accounts")]
    pub(crate) fn is_name(&self) -> bool {
        self.network.is_none()
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn network(&self) -> Option<Network> {
        self.network
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    pub(super) fn has_addr(&self, addr: IpAddr) -> bool {
        self.network.is_some_and(|network| network.contains(addr))
    }

    /// Whether it is the same, however the name is spelled.
    #[must_use]
    pub fn is_same(&self, other: &Target) -> bool {
        let name = |target: &Target| target.name.as_ref().map(|name| name.to_ascii_lowercase());
        name(self) == name(other) && self.network == other.network
    }

    /// Whether it is meant by who names `wanted`, which may be a part of it.
    #[must_use]
    pub fn is_meant_by(&self, wanted: &Target) -> bool {
        wanted.name.as_ref().is_none_or(|name| self.has_name(name))
            && wanted.network.is_none_or(|network| self.network == Some(network))
    }
}

impl FromStr for Target {
    type Err = NoTarget;

    fn from_str(text: &str) -> Result<Target, NoTarget> {
        let named = |text: &str| match name::check(text) {
            Err(_) => Err(NoTarget),
            Ok(()) => Ok(Some(text.to_owned())),
        };
        let network = |text: &str| text.parse().map(Some).map_err(|_| NoTarget);
        match text.split_once('@') {
            Some((name, rest)) => Ok(Target { name: named(name)?, network: network(rest)? }),
            None => match network(text) {
                Ok(network) => Ok(Target { name: None, network }),
                Err(_) => Ok(Target { name: named(text)?, network: None }),
            },
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.network) {
            (Some(name), Some(network)) => write!(f, "{name}@{network}"),
            (Some(name), None) => f.write_str(name),
            (None, Some(network)) => network.fmt(f),
            (None, None) => unreachable!("it is made with one of them"),
        }
    }
}

/// A text that names nobody who could be banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTarget;

impl fmt::Display for NoTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NAME, ADDR, ADDR/BITS or NAME@ADDR is wanted")
    }
}

impl std::error::Error for NoTarget {}

/// The bans in force.
#[derive(Default)]
pub(super) struct Bans {
    /// Each with what is said at the door.
    all: Vec<(Ban, String)>,
    /// Operators whose ban is not kept yet, and whom it is for, who may take another name
    /// until then.
    meant: Vec<(ConnId, ConnId)>,
}

impl Bans {
    /// Puts a ban in force, in place of one of the same.
    pub(super) fn add(&mut self, ban: Ban, notice: String) {
        match self.all.iter_mut().find(|(old, _)| old.target.is_same(&ban.target)) {
            Some(old) => *old = (ban, notice),
            None => self.all.push((ban, notice)),
        }
    }

    /// An operator asks for a ban of somebody who is here.
    pub(super) fn mean(&mut self, asker: ConnId, bearer: Option<ConnId>) {
        self.meant.extend(bearer.map(|bearer| (asker, bearer)));
    }

    /// Whom an operator's ban is for, once it is answered.
    pub(super) fn take_meant(&mut self, asker: ConnId) -> Option<ConnId> {
        let at = self.meant.iter().position(|(by, _)| *by == asker)?;
        Some(self.meant.swap_remove(at).1)
    }

    /// Somebody goes on under another connection.
    pub(super) fn pass_on(&mut self, was: ConnId, id: ConnId) {
        for (_, bearer) in self.meant.iter_mut().filter(|(_, bearer)| *bearer == was) {
            *bearer = id;
        }
    }

    /// Those in force so far; then there are none.
    pub(super) fn take(&mut self) -> Vec<Ban> {
        mem::take(&mut self.all).into_iter().map(|(ban, _)| ban).collect()
    }

    pub(super) fn forget_those_over(&mut self, now: Timestamp) {
        self.all.retain(|(ban, _)| !ban.is_over(now));
    }

    /// Lifts those that are meant.
    pub(super) fn lift(&mut self, wanted: &Target) {
        self.all.retain(|(ban, _)| !ban.target.is_meant_by(wanted));
    }

    /// Those that have not ended.
    pub(super) fn in_force(&self, now: Timestamp) -> impl Iterator<Item = &Ban> {
        self.all.iter().map(|(ban, _)| ban).filter(move |ban| !ban.is_over(now))
    }

    pub(super) fn has_addr(&self, addr: IpAddr, now: Timestamp) -> bool {
        self.in_force(now).any(|ban| ban.target.has_addr(addr))
    }

    pub(super) fn has_name(&self, name: &str, now: Timestamp) -> bool {
        self.in_force(now).any(|ban| ban.target.has_name(name))
    }

    /// What is said to who comes from there: of several bans that which lasts longest
    /// counts.
    pub(super) fn notice(&self, addr: IpAddr) -> &str {
        let those = self.all.iter().filter(|(ban, _)| ban.target.has_addr(addr));
        let longest = those.max_by_key(|(ban, _)| ban.until.unwrap_or(Timestamp::MAX));
        longest.map_or("", |(_, notice)| notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn a_target_is_written_as_it_is_read() {
        for text in ["alice", "192.0.2.7", "192.0.2.0/24", "2001:db8::/64", "alice@192.0.2.7"] {
            assert_eq!(target(text).to_string(), text);
        }
        for text in [
            "",
            "al",
            "a b",
            "guest-2",
            "192.0.2.7/33",
            "alice@",
            "@192.0.2.7",
            "alice@bob",
            "1.2.3.999",
        ] {
            assert_eq!(text.parse::<Target>(), Err(NoTarget), "{text}");
        }
    }

    #[test]
    fn a_part_names_the_whole() {
        let both = target("alice@192.0.2.7");
        for (wanted, is_meant) in [
            ("ALICE", true),
            ("192.0.2.7", true),
            ("alice@192.0.2.7", true),
            ("bob", false),
            ("192.0.2.0/24", false),
            ("alice@192.0.2.8", false),
        ] {
            assert_eq!(both.is_meant_by(&target(wanted)), is_meant, "{wanted}");
        }
        assert!(!target("alice").is_meant_by(&both));
    }

    #[test]
    fn the_longest_ban_is_the_one_that_is_told() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let ban = |text: &str, until| Ban {
            target: target(text),
            until,
            by: "op".to_owned(),
            why: String::new(),
        };
        let mut bans = Bans::default();
        bans.add(ban("192.0.2.7", Some(at(10))), "short".to_owned());
        bans.add(ban("192.0.2.0/24", None), "long".to_owned());
        let addr = "192.0.2.7".parse().unwrap();
        assert_eq!(bans.notice(addr), "long");
        assert!(bans.has_addr(addr, at(100)));
        bans.lift(&target("192.0.2.0/24"));
        assert!(bans.has_addr(addr, at(9)) && !bans.has_addr(addr, at(10)));
        bans.add(ban("192.0.2.7", None), "again".to_owned());
        assert_eq!((bans.notice(addr), bans.all.len()), ("again", 1));
    }
}
