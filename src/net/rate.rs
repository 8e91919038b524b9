//! The rate limit: a token bucket for each connection. Knows no clock.
//!
//! Clients that wait go on at the same moments, [`GRID`] apart: otherwise each flooding client
//! would wake the loop by itself, and cost each of its readers a `write`. That delays lines, and
//! lowers nobody's rate, since tokens go on dripping meanwhile.

use std::time::{Duration, Instant};

use crate::net::conn::ConnId;
use crate::pack::{Damaged, Packer, Unpacker};

/// The rate at which tokens drip into a bucket, which holds as many as drip in two seconds. A
/// bucket is stored as the time at which it will be full.
#[derive(Clone, Copy)]
pub(crate) struct Drip {
    each: Duration,
    holds: u32,
}

impl Drip {
    /// So many tokens a second.
    pub(crate) fn new(per_second: u32) -> Drip {
        let each = Duration::from_nanos(SECOND / u64::from(per_second.max(1)));
        Drip { each, holds: per_second.saturating_mul(2) }
    }

    /// When there are so many tokens, or all that it holds.
    pub(crate) fn may_at(self, full_at: Instant, price: u32) -> Instant {
        let spare = self.each * self.holds.saturating_sub(price);
        full_at.checked_sub(spare).unwrap_or(full_at)
    }

    /// Takes so many, whether they are there or not.
    pub(crate) fn charge(self, full_at: &mut Instant, price: u32, now: Instant) {
        *full_at = now.max(*full_at) + self.each * price;
    }
}

/// All buckets.
pub(crate) struct Rate {
    /// What the buckets count from.
    started: Instant,
    /// By slot, for connections that have sent a line.
    buckets: Vec<Bucket>,
}

/// When a bucket will be full, in nanoseconds, doubled, and in the lowest bit whether its
/// owner has been told that it has to wait. There is one a client, so it is small.
#[derive(Clone, Copy, Default)]
struct Bucket(u64);

impl Bucket {
    fn new(full_at: u64, is_told: bool) -> Bucket {
        Bucket(full_at.min(u64::MAX >> 1) << 1 | u64::from(is_told))
    }

    fn full_at(self) -> u64 {
        self.0 >> 1
    }

    fn is_told(self) -> bool {
        self.0 & 1 == 1
    }
}

/// How long to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) until: Instant,
    /// The first since the bucket was full.
    pub(crate) is_first: bool,
}

impl Rate {
    pub(crate) fn new(now: Instant) -> Rate {
        Rate { started: now, buckets: Vec::new() }
    }

    /// Takes the price of a line, at so many tokens a second, or says how long to wait with it:
    /// until there are as many tokens (or the bucket is full, for lines that cost more than it
    /// holds), and in any case until `not_before`; and from then to the next point of the grid.
    pub(crate) fn take(
        &mut self,
        id: ConnId,
        price: u32,
        per_second: u32,
        not_before: Option<Instant>,
        now: Instant,
    ) -> Result<(), Wait> {
        let (bucket, now) = (self.bucket(id, now), self.since(now));
        let one = SECOND / u64::from(per_second);
        // So many nanoseconds from being full, the bucket still holds the price.
        let spare = one * u64::from(per_second.saturating_mul(2).saturating_sub(price));
        let own = bucket.full_at().saturating_sub(spare);
        let may_at = not_before.map_or(own, |at| own.max(self.since(at)));
        if may_at > now {
            let until = may_at.next_multiple_of(GRID);
            // A connection that waits because of others is not told again with each line.
            let full_at = if may_at > own { until + one } else { 0 };
            self.put(id, Bucket::new(bucket.full_at().max(full_at), true));
            let until = self.started + Duration::from_nanos(until);
            return Err(Wait { until, is_first: !bucket.is_told() });
        }
        let full_at = bucket.full_at().saturating_add(one * u64::from(price));
        self.put(id, Bucket::new(full_at, bucket.is_told()));
        Ok(())
    }

    /// The connection is gone, and another may get its slot.
    pub(crate) fn forget(&mut self, id: ConnId) {
        if let Some(bucket) = self.buckets.get_mut(id.slot()) {
            *bucket = Bucket::default();
        }
    }

    /// A full bucket, whose owner has not been told of the limit.
    fn bucket(&self, id: ConnId, now: Instant) -> Bucket {
        let now = self.since(now);
        let bucket = self.buckets.get(id.slot()).copied().unwrap_or_default();
        if bucket.full_at() > now { bucket } else { Bucket::new(now, false) }
    }

    fn put(&mut self, id: ConnId, bucket: Bucket) {
        if self.buckets.len() <= id.slot() {
            self.buckets.resize(id.slot() + 1, Bucket::default());
        }
        self.buckets[id.slot()] = bucket;
    }

    /// In nanoseconds.
    fn since(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.started);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

const SECOND: u64 = 1_000_000_000;

/// Fine enough for somebody who types, and coarse enough for many to wait for the same moment.
const GRID: u64 = SECOND / 20;

/// What an upgrade hands over.
impl Rate {
    /// Of each slot, how far away its full bucket is.
    pub(crate) fn pack(&self, to: &mut Packer) {
        let Rate { started: _, buckets } = self;
        let now = self.since(to.now().monotonic);
        to.put(&buckets.len());
        for bucket in buckets {
            to.put(&bucket.full_at().saturating_sub(now)).put(&bucket.is_told());
        }
    }

    pub(crate) fn restore(&mut self, from: &mut Unpacker<'_>) -> Result<(), Damaged> {
        let now = self.since(from.now().monotonic);
        let buckets: Vec<(u64, bool)> = from.get()?;
        let bucket = |(left, is_told)| Bucket::new(now.saturating_add(left), is_told);
        self.buckets = buckets.into_iter().map(bucket).collect();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: ConnId = ConnId { slot: 0, serial: 1 };
    const BOB: ConnId = ConnId { slot: 1, serial: 2 };

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        for _ in 0..20 {
            assert_eq!(rate.take(ANN, 1, 10, None, start), Ok(()));
        }
        let wait = |millis, is_first| Err(Wait { until: start + ms(millis), is_first });
        assert_eq!(rate.take(ANN, 1, 10, None, start), wait(100, true));
        assert_eq!(rate.take(BOB, 1, 10, None, start), Ok(()));
        assert_eq!(rate.take(ANN, 1, 10, None, start + ms(99)), wait(100, false));
        assert_eq!(rate.take(ANN, 1, 10, None, start + ms(100)), Ok(()));
        assert_eq!(rate.take(ANN, 1, 10, None, start + ms(100)), wait(200, false));
        // Full again, it is told again.
        let later = start + ms(2100);
        for _ in 0..20 {
            assert_eq!(rate.take(ANN, 1, 10, None, later), Ok(()));
        }
        assert!(rate.take(ANN, 1, 10, None, later).unwrap_err().is_first);
    }

    #[test]
    fn clients_that_wait_go_on_together_and_lose_nothing_by_it() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let mut wakes = std::collections::BTreeSet::new();
        for slot in 0..32 {
            let id = ConnId { slot, serial: 1 };
            let first = start + ms(3 * u64::from(slot));
            let (mut now, mut passed) = (first, 0);
            while now < first + ms(10_050) {
                match rate.take(id, 1, 10, None, now) {
                    Ok(()) => passed += 1,
                    Err(wait) => {
                        assert!(wait.until < first + ms(150 + (passed - 20) * 100), "{wait:?}");
                        now = wait.until;
                        wakes.insert(now);
                    }
                }
            }
            assert_eq!(passed, 120, "two seconds' worth at once, then ten seconds' worth");
        }
        assert!(wakes.len() <= 20 * 11, "woken {} times", wakes.len());
    }

    #[test]
    fn a_line_that_costs_more_than_a_bucket_waits_for_a_full_one() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        assert_eq!(rate.take(ANN, 1, 2, None, start), Ok(()));
        assert_eq!(
            rate.take(ANN, 5, 2, None, start),
            Err(Wait { until: start + ms(500), is_first: true })
        );
        assert_eq!(rate.take(ANN, 5, 2, None, start + ms(500)), Ok(()));
        let until = start + ms(500 + 2500 - 1500);
        assert_eq!(
            rate.take(ANN, 1, 2, None, start + ms(500)),
            Err(Wait { until, is_first: true })
        );
    }

    #[test]
    fn no_more_passes_than_the_burst_and_the_rate_allow_since_any_moment() {
        arbtest::arbtest(|u| {
            let per_second = u.int_in_range(1..=50)?;
            let mut now = Instant::now();
            let mut rate = Rate::new(now);
            let mut passed: Vec<(Instant, u32)> = Vec::new();
            for _ in 0..u.int_in_range(1..=100)? {
                now += ms(u.int_in_range(0..=500)?);
                let price = u.int_in_range(1..=6)?;
                if rate.take(ANN, price, per_second, None, now).is_err() {
                    continue;
                }
                passed.push((now, price));
                let (mut sum, mut largest) = (0, 0);
                for (at, price) in passed.iter().rev() {
                    (sum, largest) = (sum + price, largest.max(*price));
                    let burst = f64::from((2 * per_second).max(largest));
                    let allowed = burst + f64::from(per_second) * (now - *at).as_secs_f64();
                    assert!(f64::from(sum) <= allowed + 0.01, "{sum} of {allowed}");
                }
            }
            Ok(())
        });
    }

    #[test]
    fn after_the_wait_that_was_told_a_line_passes() {
        arbtest::arbtest(|u| {
            let mut now = Instant::now();
            let per_second = u.int_in_range(1..=1000)?;
            let mut rate = Rate::new(now);
            for _ in 0..u.int_in_range(1..=100)? {
                let price = u.int_in_range(1..=5000)?;
                if let Err(wait) = rate.take(ANN, price, per_second, None, now) {
                    now = wait.until;
                    assert_eq!(rate.take(ANN, price, per_second, None, now), Ok(()));
                }
            }
            Ok(())
        });
    }

    #[test]
    fn a_reused_slot_has_a_full_bucket() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        assert_eq!(rate.take(ANN, 2, 1, None, start), Ok(()));
        assert!(rate.take(ANN, 1, 1, None, start).is_err());
        rate.forget(ANN);
        assert_eq!(rate.take(ANN, 2, 1, None, start), Ok(()));
        assert!(rate.take(ANN, 1, 1, None, start).unwrap_err().is_first);
    }
}
