//! The oracle of what those of an address may do together: tokens as they drip, where the server
//! counts back from the moment of a full bucket.

use std::collections::BTreeMap;
use std::time::Duration;

/// So finely are tokens counted: a second's worth drips at `rate` of these a nanosecond.
const TOKEN: i128 = 1_000_000_000;

/// How many there are for somebody. Two seconds' worth is the most.
pub(super) struct Bucket {
    rate: i128,
    level: i128,
    at: Duration,
}

impl Bucket {
    fn full(rate: u32, at: Duration) -> Bucket {
        let rate = i128::from(rate);
        Bucket { rate, level: 2 * rate * TOKEN, at }
    }

    fn pass(&mut self, at: Duration) {
        let dripped =
            i128::try_from(at.saturating_sub(self.at).as_nanos()).expect("a run is short");
        self.at = at;
        self.level = (2 * self.rate * TOKEN).min(self.level + dripped * self.rate);
    }

    /// Whether there is one.
    pub(super) fn has_one(&self) -> bool {
        self.level >= TOKEN
    }

    pub(super) fn take_one(&mut self) {
        self.level -= TOKEN;
    }
}

/// One for each address, by what neighbours share.
#[derive(Default)]
pub(super) struct Buckets(BTreeMap<Vec<u8>, Bucket>);

impl Buckets {
    /// What those of an address have now.
    pub(super) fn of(&mut self, neighbours: &[u8], rate: u32, at: Duration) -> &mut Bucket {
        let full = || Bucket::full(rate, at);
        let bucket = self.0.entry(neighbours.to_vec()).or_insert_with(full);
        bucket.pass(at);
        bucket
    }
}
