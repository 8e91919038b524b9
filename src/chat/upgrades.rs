//! Upgrades: the operator that asked for one, and what `/stats` says of past ones.

use crate::net::conn::ConnId;
use crate::net::service::Upgraded;
use crate::pack::impl_pack;

/// Past upgrades, and the one that an operator asks for.
#[derive(Default)]
pub(super) struct Upgrades {
    is_wanted: bool,
    /// The operator who is told the outcome.
    asker: Option<ConnId>,
    count: u32,
    last: String,
}

impl Upgrades {
    pub(super) fn ask(&mut self, by: ConnId) {
        self.is_wanted = true;
        self.asker = Some(by);
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// Whether an operator has asked for an upgrade; true once.
    pub(super) fn takes_request(&mut self) -> bool {
        std::mem::take(&mut self.is_wanted)
    }

    pub(super) fn take_asker(&mut self) -> Option<ConnId> {
        self.asker.take()
    }

    pub(super) fn note(&mut self, upgraded: &Upgraded) {
        self.count += 1;
        self.last = summary(upgraded);
    }

    /// The line of `/stats`; `None` if there was no upgrade.
    pub(super) fn line(&self) -> Option<String> {
        let times = if self.count == 1 { "once" } else { &format!("{} times", self.count) };
        (self.count > 0).then(|| format!("Upgraded: {times}, last {}", self.last))
    }
}

/// `from 0.1.0, with 12 connections, in 8 ms`
pub(super) fn summary(upgraded: &Upgraded) -> String {
    let Upgraded { from, connections, left, silence } = upgraded;
    let left = if *left > 0 { &format!(" and without {left}") } else { "" };
    format!("from {from}, with {connections} connections{left}, in {} ms", silence.as_millis())
}

impl_pack! {
    struct Upgrades { is_wanted, asker, count, last }
}
