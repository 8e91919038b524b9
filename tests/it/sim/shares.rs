//! The oracle of what those of one address may say together: never more than drips for them.

use std::collections::{BTreeMap, BTreeSet};

use super::admission::neighbours;
use super::buckets::Buckets;
use super::journal::{Entry, Fact};
use super::world::World;

/// Goes through the journal.
pub(super) fn check(world: &World, entries: &[Entry]) {
    let limits = &world.limits;
    let Some(rate) = limits.rate.map(|rate| rate.saturating_mul(limits.per_ip_rate)) else {
        return;
    };
    let (mut homes, mut buckets) = (BTreeMap::new(), Buckets::default());
    let mut ended = BTreeSet::new();
    for entry in entries {
        match &entry.fact {
            Fact::Opened(addr) => {
                homes.insert(entry.who, neighbours(limits, addr.ip()));
                continue;
            }
            Fact::EndRead => {
                ended.insert(entry.who);
                continue;
            }
            Fact::Line(_) | Fact::TooLong => {}
            _ => continue,
        }
        // The last words of one who says no more are not delayed.
        let Some(home) = homes[&entry.who].clone().filter(|_| !ended.contains(&entry.who)) else {
            continue;
        };
        let bucket = buckets.of(&home, rate, entry.at);
        // Bytes that are more than a line's price are charged besides, and `pace.rs` knows it.
        assert!(bucket.has(1), "those of {home:?} say more than they may");
        bucket.take(1);
    }
}
