//! How the server is: its memory, its descriptors, its time, and where that leads.

use crate::server::{self, Server};
use std::io;
use std::path::Path;
use std::time::Instant;

/// The server at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Health {
    /// Since the start of the soak.
    pub(crate) seconds: f64,
    /// Resident memory.
    pub(crate) kibibytes: u64,
    pub(crate) descriptors: usize,
    cpu_seconds: f64,
    /// The CPU time of this thread, which is all clients.
    own_seconds: f64,
}

impl Health {
    pub(crate) fn of(server: &Server, start: Instant) -> io::Result<Health> {
        Ok(Health {
            seconds: start.elapsed().as_secs_f64(),
            kibibytes: server.kibibytes()?,
            descriptors: server.descriptors()?,
            cpu_seconds: server.cpu_seconds()?,
            own_seconds: server::cpu_seconds(Path::new("/proc/thread-self/schedstat"))?,
        })
    }

    /// How much of a core the server has used since an earlier moment, in per cent.
    pub(crate) fn busy_since(&self, earlier: &Health) -> f64 {
        self.percent_since(earlier, self.cpu_seconds - earlier.cpu_seconds)
    }

    /// The same of the clients.
    pub(crate) fn own_busy_since(&self, earlier: &Health) -> f64 {
        self.percent_since(earlier, self.own_seconds - earlier.own_seconds)
    }

    fn percent_since(&self, earlier: &Health, seconds: f64) -> f64 {
        100.0 * seconds / (self.seconds - earlier.seconds).max(1e-3)
    }
}

/// The slope of the line through all samples but the first fifth, by least squares, in
/// KiB a minute. While all are new, buffers grow to the size that they keep.
pub(crate) fn slope(samples: &[Health]) -> f64 {
    let samples = &samples[samples.len() / 5..];
    let mean = |of: fn(&Health) -> f64| {
        let (sum, count) = samples.iter().fold((0.0, 0.0), |(s, n), each| (s + of(each), n + 1.0));
        sum / f64::max(count, 1.0)
    };
    let minutes = |health: &Health| health.seconds / 60.0;
    // Kilobytes fit a u32 until a server has 4 TiB.
    let memory = |health: &Health| f64::from(u32::try_from(health.kibibytes).unwrap_or(u32::MAX));
    let (middle, level) = (mean(minutes), mean(memory));
    let along = |health: &Health| minutes(health) - middle;
    let spread: f64 = samples.iter().map(|health| along(health).powi(2)).sum();
    let rise: f64 = samples.iter().map(|health| along(health) * (memory(health) - level)).sum();
    if spread > 0.0 { rise / spread } else { 0.0 }
}
