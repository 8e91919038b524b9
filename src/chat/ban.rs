//! A ban: its target, end, author and reason. It knows no file.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::name;
use super::user_id::UserId;
use crate::net::conn::ConnId;
use crate::net::network::Network;
use crate::pack::impl_pack;

/// A ban, as it is persisted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// The name or network that is banned.
    pub target: Target,
    /// When it ends; `None` is never.
    pub until: Option<Timestamp>,
    /// The operator who set the ban.
    pub by: String,
    /// The reason, in one line; may be empty.
    pub why: String,
}

impl Ban {
    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// The target of a ban: a name, the addresses of a network, or both; either suffices. Written
/// `alice`, `192.0.2.0/24`, `alice@192.0.2.7`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    name: Option<String>,
    network: Option<Network>,
}

impl Target {
    /// `None` without a name and a network.
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

    /// A key that is equal for equal targets, however the name is spelled.
    pub(super) fn key(&self) -> Target {
        let name = self.name.as_ref().map(|name| name.to_ascii_lowercase());
        Target { name, network: self.network }
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    /// Whether the targets are the same, however the name is spelled.
    #[must_use]
    pub fn is_same(&self, other: &Target) -> bool {
        self.key() == other.key()
    }

    /// Whether `wanted` names this target or a part of it.
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

/// The error for a text that is no target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoTarget;

impl fmt::Display for NoTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NAME, ADDR, ADDR/BITS or NAME@ADDR is wanted")
    }
}

impl std::error::Error for NoTarget {}

/// Operators' bans that are not persisted yet, and the users they are for, who may take another
/// name until then.
#[derive(Default)]
pub(super) struct Meant(Vec<(ConnId, UserId)>);

impl Meant {
    /// An operator requests a ban of a connected user.
    pub(super) fn add(&mut self, asker: ConnId, target_user: Option<UserId>) {
        self.0.extend(target_user.map(|target_user| (asker, target_user)));
    }

    /// The user that an operator's ban is for, once it is answered.
    pub(super) fn take(&mut self, asker: ConnId) -> Option<UserId> {
        let at = self.0.iter().position(|(by, _)| *by == asker)?;
        Some(self.0.swap_remove(at).1)
    }
}

impl_pack! {
    struct Ban { target, until, by, why }
}

impl_pack! {
    struct Target { name, network }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    #[test]
    fn targets_survive_formatting_and_parsing() {
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
    fn a_part_of_a_target_names_the_target() {
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
}
