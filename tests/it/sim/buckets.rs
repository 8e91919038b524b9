//! The oracle of how often an address may do something.

use std::collections::BTreeMap;
use std::time::Duration;

/// By what neighbours share, how many billionths there were of what they may do, and when.
pub(super) type Buckets = BTreeMap<Vec<u8>, (u128, Duration)>;

/// One connection, in billionths.
pub(super) const ONE: u128 = 1_000_000_000;

/// How many there are now.
pub(super) fn level(buckets: &Buckets, rate: Option<u32>, neighbours: &[u8], at: Duration) -> u128 {
    let Some(rate) = rate.map(u128::from) else { return ONE };
    let most = 2 * rate * ONE;
    buckets.get(neighbours).map_or(most, |(level, since)| {
        most.min(level + at.saturating_sub(*since).as_nanos() * rate)
    })
}
