//! The seeds of a simulation: some in a plain test run, and as many as one likes besides.

use std::collections::BTreeSet;
use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

/// So many may fail before the rest is left.
const FAILURES_MAX: usize = 10;

/// A simulation, as `SIM` in `SIM_SEEDS=…` and in the name of its tests.
#[derive(Clone, Copy)]
pub(crate) struct Simulation {
    pub(crate) variables: &'static str,
    pub(crate) tests: &'static str,
}

impl Simulation {
    /// Runs `few` seeds, in all cores; or `…_SEEDS` of them from `…_FROM` on. Of `…_SEED` alone
    /// what happens is shown. Returns what each thread has added up, unless it was one alone. Those
    /// that fail are listed at the end.
    pub(crate) fn run<T: Default + Send>(
        self,
        few: u64,
        simulate: impl Fn(u64, bool, &mut T) + Sync,
    ) -> Option<Vec<T>> {
        if let Some(seed) = self.number("SEED") {
            self.name_if_it_fails(seed, || simulate(seed, true, &mut T::default()));
            return None;
        }
        let (asked_for, first) = (self.number("SEEDS"), self.number("FROM").unwrap_or(0));
        let seeds = asked_for.unwrap_or(few);
        let (next, start) = (AtomicU64::new(first), Instant::now());
        let failed = Mutex::new(BTreeSet::new());
        let work = || {
            let mut total = T::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                let is_enough = || failed.lock().is_ok_and(|it| it.len() >= FAILURES_MAX);
                if seed >= first + seeds || is_enough() {
                    return total;
                }
                let run = || self.name_if_it_fails(seed, || simulate(seed, false, &mut total));
                if panic::catch_unwind(AssertUnwindSafe(run)).is_err() {
                    failed.lock().expect("it is only added to").insert(seed);
                }
            }
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let totals = thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let totals = running.into_iter().map(thread::ScopedJoinHandle::join);
            totals.map(|total| total.expect("a seed that fails is caught")).collect()
        });
        let failed = failed.into_inner().expect("it is only added to");
        assert!(failed.is_empty(), "{} of {seeds} seeds fail: {failed:?}", failed.len());
        if asked_for.is_some() {
            println!("{seeds} seeds in {:.1?} in {threads} threads", start.elapsed());
        }
        Some(totals)
    }

    /// Says how to replay a seed when it fails.
    pub(crate) fn name_if_it_fails(self, seed: u64, simulate: impl FnOnce()) {
        let named = Named(self, seed);
        simulate();
        std::mem::forget(named);
    }

    /// A variable of the environment.
    pub(crate) fn number(self, name: &str) -> Option<u64> {
        let variable = format!("{}_{name}", self.variables);
        let text = env::var(&variable).ok()?;
        Some(text.parse().unwrap_or_else(|_| panic!("{variable} is to be a number, not '{text}'")))
    }
}

struct Named(Simulation, u64);

impl Drop for Named {
    fn drop(&mut self) {
        let Named(Simulation { variables, tests }, seed) = self;
        eprintln!("replay: {variables}_SEED={seed} cargo test --test it {tests} -- --nocapture");
    }
}
