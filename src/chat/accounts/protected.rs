//! Which names are protected, and which passwords are being checked.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;

use crate::chat::request::Account;
use crate::net::network::Network;
use crate::pack::impl_pack;

/// The names that are protected.
#[derive(Default)]
pub(in crate::chat) struct Accounts(HashMap<Box<str>, Account>);

impl Accounts {
    pub(in crate::chat) fn get(&self, name: &str) -> Option<&Account> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&*name.to_ascii_lowercase())
    }

    pub(in crate::chat) fn add(&mut self, account: Account) {
        self.0.insert(account.name.to_ascii_lowercase().into(), account);
    }

    /// Notes a log-in, so that the account does not expire. Returns whether there is an account.
    pub(in crate::chat) fn mark_used(&mut self, name: &str) -> bool {
        let account = self.0.get_mut(&*name.to_ascii_lowercase());
        account.map(|account| account.unused_until = None).is_some()
    }

    /// Whether there are `max` accounts that have not expired.
    pub(super) fn are_full(&mut self, max: usize, now: Timestamp) -> bool {
        if self.0.len() >= max {
            self.0.retain(|_, account| !account.is_over(now));
        }
        self.0.len() >= max
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(&*name.to_ascii_lowercase());
    }

    pub(in crate::chat) fn replace(&mut self, accounts: Vec<Account>) {
        self.0.clear();
        for account in accounts {
            self.add(account);
        }
    }
}

impl_pack! {
    struct Accounts(names)
}

/// A password that is being checked.
pub(in crate::chat) struct Attempt {
    pub(super) name: Box<str>,
    pub(super) addr: Option<SocketAddr>,
}

/// The address that budgets count by: an IPv6 one by its /64.
pub(in crate::chat) fn network(addr: SocketAddr) -> IpAddr {
    Network::of_one(addr.ip()).addr()
}
