//! The oracle of what those of one address may say together: never more than drips for them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::admission::neighbours;
use super::journal::{Entry, Fact};
use super::world::World;

/// So finely are tokens counted.
const TOKEN: i128 = 1_000_000_000;

/// Goes through the journal.
pub(super) fn check(world: &World, entries: &[Entry]) {
    let limits = &world.limits;
    let Some(rate) = limits.rate.map(|rate| i128::from(rate) * i128::from(limits.per_ip_rate))
    else {
        return;
    };
    let most = 2 * rate * TOKEN;
    let mut homes = BTreeMap::new();
    let mut levels: BTreeMap<Vec<u8>, (i128, Duration)> = BTreeMap::new();
    let mut ended = BTreeSet::new();
    for entry in entries {
        match &entry.fact {
            Fact::Opened(newcomer) => {
                homes.insert(entry.who, neighbours(limits, newcomer.addr.ip()));
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
        let (level, since) = levels.get(&home).copied().unwrap_or((most, entry.at));
        let dripped =
            i128::try_from(entry.at.saturating_sub(since).as_nanos()).expect("a run is short");
        let level = most.min(level + dripped * rate);
        // Bytes that are more than a line's price are charged besides, and `pace.rs` knows it.
        assert!(level >= TOKEN, "those of {home:?} say more than they may");
        levels.insert(home, (level - TOKEN, entry.at));
    }
}
