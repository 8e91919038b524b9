//! The simulation: the hub and the chat of the real server, over streams in memory, among
//! clients that behave badly and a network that does worse. One number decides all of it.
//!
//! `world.rs` and `turns.rs` are the server's poll and clock, `clients.rs` what clients do,
//! `lines.rs` what they type, `stream.rs` the sockets, `record.rs` a service that notes what
//! the chat is told, `journal.rs` the order in which everything happened. When a run is
//! over, `framing.rs` says from the bytes what the chat should have heard, `model.rs`,
//! `command.rs` and `text.rs` say from what it heard what everybody should have received,
//! and `check.rs`, `received.rs` and `ledger.rs` compare.
//!
//! - `cargo test` runs 256 seeds, in which everything listed in `coverage.rs` happens.
//! - `SIM_SEEDS=100000 cargo test --release sim` runs more.
//! - `SIM_SEED=7 cargo test --test it sim -- --nocapture` shows what happens in one.
//!
//! `wrap.rs` is by itself: what no chat says enough for.

mod check;
mod clients;
mod command;
mod coverage;
mod framing;
mod journal;
mod ledger;
mod lines;
mod model;
mod outcome;
mod received;
mod record;
mod rng;
mod rules;
mod slip;
mod stream;
mod text;
mod turns;
mod worker;
mod world;
mod wrap;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Instant, SystemTime};

use chinwag::{Chat, Limits, Now, Outbox, Peer, Service};

use command::HELPED;
use coverage::Coverage;
use journal::Entry;
use model::Given;
use rules::Rules;
use world::World;

/// How many seeds a plain test run takes.
const SEEDS: u64 = 256;

#[test]
fn whatever_happens_everybody_gets_what_the_protocol_says() {
    if let Some(seed) = number_in("SIM_SEED") {
        simulate(seed, true);
        return;
    }
    let seeds = number_in("SIM_SEEDS").unwrap_or(SEEDS);
    let next = AtomicU64::new(0);
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let coverage = thread::scope(|scope| {
        let run = || {
            let mut coverage = Coverage::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds {
                    return coverage;
                }
                coverage.add(&simulate(seed, false).1);
            }
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let mut coverage = Coverage::default();
        for thread in running {
            coverage.add(&thread.join().expect("the seed that failed is named above"));
        }
        coverage
    });
    let missing = coverage.missing();
    assert!(seeds < SEEDS || missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn a_seed_always_gives_the_same_run() {
    if number_in("SIM_SEED").is_none() {
        assert!(simulate(1, false).0 == simulate(1, false).0, "two runs of seed 1 differ");
    }
}

/// Runs one seed and checks it.
fn simulate(seed: u64, traced: bool) -> (Vec<Entry>, Coverage) {
    let failure = NamesSeed(seed);
    let mut world = World::new(seed, traced);
    world.run();
    let seen = check::check(&world, &given(world.limits.line_max, &world.rules));
    for kind in seen {
        world.journal.hit(kind);
    }
    std::mem::forget(failure);
    (world.journal.entries(), world.journal.coverage())
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

/// What the chat itself says about its help.
fn given(line_max: usize, rules: &Rules) -> Given {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut out = Outbox::new(&Limits::default(), now);
    let mut chat = Chat::new(rules.settings());
    let id = out.open(0);
    let peer = Peer { addr: ([127, 0, 0, 1], 1).into(), label: "native" };
    chat.on_open(id, &peer, &mut out);
    let mut help = BTreeMap::new();
    let topics = HELPED.map(|command| format!("help {command}"));
    for topic in topics.into_iter().chain(["help".to_owned()]) {
        chat.on_line(id, format!("/{topic}").as_bytes(), &mut out);
        let text = String::from_utf8(out.take(id)).expect("help is text");
        help.insert(topic, text.lines().map(str::to_owned).collect());
    }
    Given { line_max, rules: rules.clone(), help }
}
