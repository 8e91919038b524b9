//! How fast a connection may speak: a bucket of tokens each. Knows no clock.
//!
//! A bucket is kept only while it is not full, so those who are silent cost nothing.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::conn::ConnId;

/// All buckets that are not full.
pub(crate) struct Rate {
    /// Tokens a second, and half of what a bucket holds.
    per_second: Option<u32>,
    buckets: HashMap<ConnId, Bucket>,
    /// With so many buckets, it is worth looking for those that are full by now.
    crowded: usize,
}

#[derive(Clone, Copy)]
struct Bucket {
    full_at: Instant,
    /// It has been told that it has to wait.
    is_told: bool,
}

/// What has to be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    pub(crate) until: Instant,
    /// The first since the bucket was full.
    pub(crate) is_first: bool,
}

const FEW: usize = 64;

impl Rate {
    /// So many tokens a second; `None` lets everything pass.
    pub(crate) fn new(per_second: Option<u32>) -> Rate {
        Rate { per_second, buckets: HashMap::new(), crowded: FEW }
    }

    /// Takes the price of a line, or says how long to wait with it: until there are as
    /// many tokens, or the bucket is full, for lines that cost more than it holds.
    pub(crate) fn take(&mut self, id: ConnId, price: u32, now: Instant) -> Result<(), Wait> {
        let Some(per_second) = self.per_second.filter(|_| price > 0) else { return Ok(()) };
        let bucket = self.buckets.get(&id).copied().filter(|bucket| bucket.full_at > now);
        let bucket = bucket.unwrap_or(Bucket { full_at: now, is_told: false });
        let one = Duration::from_secs(1) / per_second;
        // With a full bucket a while away, there are that many tokens less in it.
        let spare = one * (2 * per_second).saturating_sub(price);
        let may_at = bucket.full_at.checked_sub(spare).unwrap_or(now);
        if may_at > now {
            self.put(id, Bucket { is_told: true, ..bucket }, now);
            return Err(Wait { until: may_at, is_first: !bucket.is_told });
        }
        self.put(id, Bucket { full_at: bucket.full_at + one * price, ..bucket }, now);
        Ok(())
    }

    /// Takes a price without asking; what is too much is waited for the next time.
    pub(crate) fn charge(&mut self, id: ConnId, price: u32, now: Instant) {
        let Some(per_second) = self.per_second.filter(|_| price > 0) else { return };
        let bucket = self.buckets.get(&id).copied().filter(|bucket| bucket.full_at > now);
        let mut bucket = bucket.unwrap_or(Bucket { full_at: now, is_told: false });
        bucket.full_at += Duration::from_secs(1) / per_second * price;
        self.put(id, bucket, now);
    }

    pub(crate) fn forget(&mut self, id: ConnId) {
        self.buckets.remove(&id);
    }

    fn put(&mut self, id: ConnId, bucket: Bucket, now: Instant) {
        self.buckets.insert(id, bucket);
        if self.buckets.len() >= self.crowded {
            self.buckets.retain(|_, bucket| bucket.full_at > now);
            self.buckets.shrink_to(2 * self.buckets.len());
            self.crowded = FEW.max(2 * self.buckets.len());
        }
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
        let mut rate = Rate::new(Some(10));
        for _ in 0..20 {
            assert_eq!(rate.take(ANN, 1, start), Ok(()));
        }
        let wait = |millis, is_first| Err(Wait { until: start + ms(millis), is_first });
        assert_eq!(rate.take(ANN, 1, start), wait(100, true));
        assert_eq!(rate.take(BOB, 1, start), Ok(()));
        assert_eq!(rate.take(ANN, 1, start + ms(99)), wait(100, false));
        assert_eq!(rate.take(ANN, 1, start + ms(100)), Ok(()));
        assert_eq!(rate.take(ANN, 1, start + ms(100)), wait(200, false));
        // Full again, it is told again.
        let later = start + ms(2100);
        for _ in 0..20 {
            assert_eq!(rate.take(ANN, 1, later), Ok(()));
        }
        assert!(rate.take(ANN, 1, later).unwrap_err().is_first);
    }

    #[test]
    fn a_line_that_costs_more_than_a_bucket_waits_for_a_full_one() {
        let start = Instant::now();
        let mut rate = Rate::new(Some(2));
        assert_eq!(rate.take(ANN, 1, start), Ok(()));
        assert_eq!(rate.take(ANN, 5, start), Err(Wait { until: start + ms(500), is_first: true }));
        assert_eq!(rate.take(ANN, 5, start + ms(500)), Ok(()));
        let until = start + ms(500 + 2500 - 1500);
        assert_eq!(rate.take(ANN, 1, start + ms(500)), Err(Wait { until, is_first: true }));
        rate.charge(ANN, 2, start + ms(500));
        assert_eq!(rate.take(ANN, 1, start + ms(500)).unwrap_err().until, until + ms(1000));
    }

    #[test]
    fn no_more_passes_than_the_burst_and_the_rate_allow_since_any_moment() {
        arbtest::arbtest(|u| {
            let per_second = u.int_in_range(1..=50)?;
            let mut rate = Rate::new(Some(per_second));
            let mut now = Instant::now();
            let mut passed: Vec<(Instant, u32)> = Vec::new();
            for _ in 0..u.int_in_range(1..=100)? {
                now += ms(u.int_in_range(0..=500)?);
                let price = u.int_in_range(1..=6)?;
                if rate.take(ANN, price, now).is_err() {
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
    fn whoever_waits_as_long_as_told_may_pass() {
        arbtest::arbtest(|u| {
            let mut now = Instant::now();
            let mut rate = Rate::new(Some(u.int_in_range(1..=1000)?));
            for _ in 0..u.int_in_range(1..=100)? {
                let price = u.int_in_range(1..=5000)?;
                if let Err(wait) = rate.take(ANN, price, now) {
                    now = wait.until;
                    assert_eq!(rate.take(ANN, price, now), Ok(()));
                }
            }
            Ok(())
        });
    }

    #[test]
    fn full_buckets_are_not_kept() {
        let mut now = Instant::now();
        let mut rate = Rate::new(Some(10));
        for serial in 0..100_000 {
            now += ms(10);
            assert_eq!(rate.take(ConnId { slot: 0, serial }, 1, now), Ok(()));
            assert!(rate.buckets.len() <= FEW);
        }
    }
}
