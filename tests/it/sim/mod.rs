//! The simulation: the hub and the chat of the real server, over streams in memory, among
//! clients that behave badly and a network that does worse. One number decides all of it.
//!
//! `world.rs` and `turns.rs` are the server's poll and clock, `accept.rs` how it lets people
//! in, `hand_over.rs` how a new process takes over, `clients.rs` what clients do, `lines.rs` and
//! `preface.rs` what they and their proxies say, `stream.rs` the sockets, `record.rs` a service that notes what the chat is told,
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

mod accept;
mod admission;
mod buckets;
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

use super::seeds::Simulation;
use coverage::Coverage;
use model::Given;
use world::World;

/// How many seeds a plain test run takes.
const SEEDS: u64 = 320;

const SIM: Simulation = Simulation { variables: "SIM", tests: "sim" };

#[test]
fn whatever_happens_everybody_gets_what_the_protocol_says() {
    let totals = SIM.run(SEEDS, |seed, traced, total: &mut Total| {
        let world = simulate(seed, traced);
        total.coverage.add(&world.journal.coverage());
        total.events += world.journal.events();
    });
    let Some(totals) = totals else { return };
    let (mut coverage, mut events) = (Coverage::default(), 0);
    for total in totals {
        coverage.add(&total.coverage);
        events += total.events;
    }
    let asked_for = SIM.number("SEEDS");
    if asked_for.is_some() {
        println!("{events} events; rarest: {:?}", coverage.rarest());
    }
    let missing = coverage.missing();
    let are_few = asked_for.is_some_and(|seeds| seeds < SEEDS);
    assert!(are_few || missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn a_seed_always_gives_the_same_run() {
    if SIM.number("SEED").is_none() {
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

/// Runs one seed and checks it.
fn simulate(seed: u64, traced: bool) -> World {
    let mut world = World::new(seed, traced);
    world.run();
    let given = Given { line_max: world.limits.line_max, rules: world.rules.clone() };
    for kind in check::check(&world, &given) {
        world.journal.hit(kind);
    }
    world
}
