//! How often something took how long.

use std::time::Duration;

use super::Exposition;

/// Upper bounds of the buckets, in microseconds, and as they are written, in seconds.
const BOUNDS: [(u64, &str); 9] = [
    (100, "0.0001"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (50_000, "0.05"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (1_000_000, "1"),
];

/// Counts by bucket. What is longer than the last bound is in the last count.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    counts: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    pub(crate) fn observe(&mut self, time: Duration) {
        let is_within = |(bound, _): &(u64, &str)| time <= Duration::from_micros(*bound);
        let at = BOUNDS.iter().position(is_within).unwrap_or(BOUNDS.len());
        self.counts[at] += 1;
        self.sum += time;
    }

    /// Writes it. Buckets are cumulative.
    pub(super) fn write(&self, name: &str, help: &str, out: &mut Exposition) {
        out.family(name, "histogram", help);
        let bounds = BOUNDS.iter().map(|(_, text)| *text).chain(["+Inf"]);
        let (bucket, mut count) = (format!("{name}_bucket"), 0);
        for (bound, own) in bounds.zip(self.counts) {
            count += own;
            out.sample(&bucket, &[("le", bound)], count);
        }
        out.sample(&format!("{name}_sum"), &[], self.sum.as_secs_f64());
        out.sample(&format!("{name}_count"), &[], count);
    }
}
