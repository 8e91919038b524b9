//! How the server is: its memory, its descriptors, its time, and where that leads.

use crate::common::server::ServerProcess;
use crate::common::stats;
use std::time::Instant;
use std::{fs, io};

/// The server at one moment.
#[derive(Clone, Copy)]
pub(crate) struct Health {
    /// Since the start of the soak.
    pub(crate) seconds: f64,
    /// Resident memory.
    pub(crate) kibibytes: u64,
    pub(crate) descriptors: u64,
    cpu_microseconds: f64,
    /// The CPU time of this thread, which is all clients.
    own_microseconds: f64,
}

impl Health {
    pub(crate) fn of(server: &ServerProcess, start: Instant) -> io::Result<Health> {
        Ok(Health {
            seconds: start.elapsed().as_secs_f64(),
            kibibytes: resident_kibibytes(server)?,
            descriptors: server.descriptors()?,
            cpu_microseconds: server.cpu_microseconds_booked()?,
            own_microseconds: own_microseconds()?,
        })
    }

    /// How much of a core the server has used since an earlier moment, in per cent.
    pub(crate) fn busy_since(&self, earlier: &Health) -> f64 {
        self.percent_since(earlier, self.cpu_microseconds - earlier.cpu_microseconds)
    }

    /// The same of the clients.
    pub(crate) fn own_busy_since(&self, earlier: &Health) -> f64 {
        self.percent_since(earlier, self.own_microseconds - earlier.own_microseconds)
    }

    fn percent_since(&self, earlier: &Health, microseconds: f64) -> f64 {
        microseconds / ((self.seconds - earlier.seconds).max(1e-3) * 1e6) * 100.0
    }
}

/// The slope of the line through all samples but the first fifth, by least squares, in
/// KiB a minute. While all are new, buffers grow to the size that they keep.
pub(crate) fn slope(samples: &[Health]) -> f64 {
    let samples = &samples[samples.len() / 5..];
    let count = stats::float(samples.len() as u64);
    let mean = |of: fn(&Health) -> f64| samples.iter().map(of).sum::<f64>() / count.max(1.0);
    let minutes = |health: &Health| health.seconds / 60.0;
    let memory = |health: &Health| stats::float(health.kibibytes);
    let (middle, level) = (mean(minutes), mean(memory));
    let along = |health: &Health| minutes(health) - middle;
    let spread: f64 = samples.iter().map(|health| along(health).powi(2)).sum();
    let rise: f64 = samples.iter().map(|health| along(health) * (memory(health) - level)).sum();
    if spread > 0.0 { rise / spread } else { 0.0 }
}

fn resident_kibibytes(server: &ServerProcess) -> io::Result<u64> {
    let status = fs::read_to_string(server.proc_path("status"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|columns| columns.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| io::Error::other("the server has no VmRSS"))
}

fn own_microseconds() -> io::Result<f64> {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat")?;
    let first = schedstat.split_whitespace().next().unwrap_or_default();
    Ok(stats::float(first.parse().map_err(io::Error::other)?) / 1000.0)
}
