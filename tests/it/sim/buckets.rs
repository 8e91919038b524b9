//! The oracle of rates: tokens as they drip, where the server counts back from the moment of a full
//! bucket.

use std::collections::BTreeMap;
use std::time::Duration;

/// So finely are tokens counted: a second's worth drips at `rate` of these a nanosecond.
const TOKEN: i128 = 1_000_000_000;

/// How many there are for somebody. Two seconds' worth is the most.
pub(super) struct Bucket {
    rate: i128,
    /// Also what has run over within the last `spare`.
    level: i128,
    at: Duration,
    spare: Duration,
}

impl Bucket {
    /// A full one. Nobody has to go on at once when there is enough, but within `spare`.
    pub(super) fn full(rate: u32, at: Duration, spare: Duration) -> Bucket {
        let rate = i128::from(rate);
        Bucket { rate, level: 2 * rate * TOKEN, at, spare }
    }

    pub(super) fn pass(&mut self, at: Duration) {
        let dripped = self.dripped(at.saturating_sub(self.at));
        self.level = (self.most() + self.dripped(self.spare)).min(self.level + dripped);
        self.at = at;
    }

    fn dripped(&self, within: Duration) -> i128 {
        i128::try_from(within.as_nanos()).expect("a run is short") * self.rate
    }

    fn most(&self) -> i128 {
        2 * self.rate * TOKEN
    }

    pub(super) fn is_full(&self) -> bool {
        self.level >= self.most()
    }

    /// Whether there are this many tokens, or as many as there can be.
    pub(super) fn has(&self, price: usize) -> bool {
        self.level >= tokens(price).min(self.most())
    }

    /// Whether that has been so for as long as anybody has to wait besides.
    pub(super) fn has_had(&self, price: usize) -> bool {
        self.level - self.dripped(self.spare) >= tokens(price).min(self.most())
    }

    pub(super) fn take(&mut self, price: usize) {
        self.level = self.level.min(self.most()) - tokens(price);
    }
}

fn tokens(price: usize) -> i128 {
    i128::try_from(price).expect("it is small") * TOKEN
}

/// One for each address, by what neighbours share.
#[derive(Default)]
pub(super) struct Buckets(BTreeMap<Vec<u8>, Bucket>);

impl Buckets {
    /// What those of an address have now.
    pub(super) fn of(&mut self, neighbours: &[u8], rate: u32, at: Duration) -> &mut Bucket {
        let full = || Bucket::full(rate, at, Duration::ZERO);
        let bucket = self.0.entry(neighbours.to_vec()).or_insert_with(full);
        bucket.pass(at);
        bucket
    }
}
