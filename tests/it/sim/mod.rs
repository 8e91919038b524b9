//! The simulation: the hub and the chat of the real server, over streams in memory, among
//! clients that behave badly and a network that does worse. One number decides all of it.
//!
//! `world.rs` and `turns.rs` are the server's poll and clock, `accept.rs` how it lets people
//! in, `bus.rs` what delays operations, `hand_over.rs` how a new process takes over, `clients.rs` what clients do, `lines.rs` and
//! `preface.rs` what they and their proxies
//! say, `stream.rs` the sockets, `record.rs` a service that notes what the chat is told,
//! `journal.rs` the order in which everything happened. When a run is over, `framing.rs`
//! says from the bytes what the chat should have heard, `model.rs`, `command.rs` and
//! `text.rs` say from what it heard what everybody should have received, `admission.rs`,
//! `pace.rs`, `shares.rs` and `endings.rs` who should have been let in, delayed and closed, and
//! `check.rs`, `received.rs` and `ledger.rs` compare. `work.rs` says after each turn whether it was
//! paid for.
//!
//! - `cargo test` runs 320 seeds, in which everything listed in `coverage.rs` happens.
//! - `SIM_SEEDS=100000 cargo test --release sim -- --nocapture` runs more, and says how many
//!   events that were: calls of a stream, marks of readiness, and acts of clients. With
//!   `SIM_FROM=100000` these are the next 100 000.
//! - `SIM_SEED=7 cargo test --test it sim -- --nocapture` shows what happens in one.
//!
//! `wrap.rs` is by itself: what no chat says enough for.

mod accept;
mod admission;
mod buckets;
mod bus;
mod check;
mod clients;
mod command;
mod coverage;
mod endings;
mod errors;
mod first;
mod framing;
mod hand_over;
mod journal;
mod layer;
mod ledger;
mod limits;
mod lines;
mod model;
mod outcome;
mod pace;
mod preface;
mod received;
mod record;
pub(crate) mod rng;
mod rules;
mod shares;
mod stream;
mod text;
mod turns;
mod work;
mod worker;
mod world;
mod wrap;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use coverage::Coverage;
use model::Given;
use world::World;

/// How many seeds a plain test run takes.
const SEEDS: u64 = 320;

#[test]
fn whatever_happens_everybody_gets_what_the_protocol_says() {
    if let Some(seed) = number_in("SIM_SEED") {
        simulate(seed, true);
        return;
    }
    let asked_for = number_in("SIM_SEEDS");
    let seeds = asked_for.unwrap_or(SEEDS);
    let first = number_in("SIM_FROM").unwrap_or(0);
    let start = Instant::now();
    let next = AtomicU64::new(first);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let total = thread::scope(|scope| {
        let run = || {
            let mut total = Total::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + seeds {
                    return total;
                }
                let world = simulate(seed, false);
                total.coverage.add(&world.journal.coverage());
                total.events += world.journal.events();
            }
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let mut total = Total::default();
        for thread in running {
            let part = thread.join().expect("the seed that failed is named above");
            total.coverage.add(&part.coverage);
            total.events += part.events;
        }
        total
    });
    if asked_for.is_some() {
        report(seeds, total.events, threads, start.elapsed());
        println!("rarest: {:?}", total.coverage.rarest());
    }
    let coverage = total.coverage;
    let missing = coverage.missing();
    assert!(seeds < SEEDS || missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn a_seed_always_gives_the_same_run() {
    if number_in("SIM_SEED").is_none() {
        let run = || simulate(1, false).journal.entries();
        assert!(run() == run(), "two runs of seed 1 differ");
    }
}

/// What many runs come to.
#[derive(Default)]
struct Total {
    coverage: Coverage,
    events: u64,
}

/// How much a long run has done, for whoever compares.
#[expect(clippy::cast_precision_loss, reason = "nobody needs more than three digits")]
fn report(seeds: u64, events: u64, threads: usize, took: Duration) {
    let rate = events as f64 / took.as_secs_f64();
    let each = rate / threads as f64;
    println!(
        "{seeds} seeds, {events} events in {took:.1?} in {threads} threads: \
         {rate:.0} events/s, {each:.0} a thread"
    );
}

/// Runs one seed and checks it.
fn simulate(seed: u64, traced: bool) -> World {
    let failure = NamesSeed(seed);
    let mut world = World::new(seed, traced);
    world.run();
    let seen = check::check(
        &world,
        &Given { line_max: world.limits.line_max, rules: world.rules.clone() },
    );
    for kind in seen {
        world.journal.hit(kind);
    }
    std::mem::forget(failure);
    world
}

/// Says how to replay a seed when it fails.
struct NamesSeed(u64);

impl Drop for NamesSeed {
    fn drop(&mut self) {
        eprintln!("replay: SIM_SEED={} cargo test --test it sim -- --nocapture", self.0);
    }
}

fn number_in(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is to be a number, not '{text}'")))
}
