//! The simulation of a cluster: the chats of real servers, over streams in memory, as two or three
//! nodes of one log that delays, repeats and loses. One number decides all of it.
//!
//! `world.rs` has the nodes and the clock, `member.rs` a node's chat, `acts.rs` what happens,
//! `shared.rs` what is kept beside the log, `record.rs` what has come into the log, `reading.rs` what
//! clients read, `oracle.rs` and `names.rs` whether that is right, `ending.rs` whether all nodes agree
//! in the end.
//!
//! In some of the seeds that end in 2 or 3 operators ban names besides, or end all nodes, or there may
//! be few rooms; not together with what `CLUSTER_RESUME` adds.
//!
//! - `cargo test` runs a few seeds.
//! - `CLUSTER_SEEDS=100000 cargo test --release cluster::sim -- --nocapture` runs more.
//! - `CLUSTER_SEED=7 cargo test --test it cluster::sim -- --nocapture` shows one.
//! - With `CLUSTER_RESUME=1` besides, clients give `/resume` anybody's token at any node at any
//!   time. Those that have failed and pass by now are `FOUND`.

mod acts;
mod ending;
mod member;
mod names;
mod oracle;
mod reading;
mod record;
mod shared;
mod world;

use acts::Fault;
use world::World;

use crate::seeds::Simulation;

/// How many seeds a plain test run takes.
const SEEDS: u64 = 60;

/// Those that have failed where clients come back with anybody's token.
const FOUND: [u64; 56] = [
    10_128, 18_369, 19_719, 24_858, 26_615, 32_766, 45_390, 68_789, 69_967, 71_424, 77_619, 77_951,
    83_934, 83_996, 92_707, 98_648, 102_366, 104_608, 106_749, 106_874, 118_587, 123_265, 124_445,
    131_205, 159_357, 165_162, 174_386, 176_625, 187_069, 200_813, 202_498, 206_645, 212_363,
    225_221, 227_641, 239_659, 279_619, 292_935, 301_392, 328_909, 332_585, 341_481, 343_860,
    431_804, 487_810, 522_648, 558_201, 627_345, 628_681, 648_393, 766_338, 812_128, 854_572,
    872_378, 875_967, 951_439,
];

const CLUSTER: Simulation = Simulation { variables: "CLUSTER", tests: "cluster::sim" };

#[test]
fn whatever_happens_all_nodes_tell_the_same() {
    let resumes = CLUSTER.number("RESUME").is_some();
    CLUSTER.run(SEEDS, |seed, traced, (): &mut ()| simulate(seed, resumes, traced));
}

#[test]
fn whoever_comes_back_all_nodes_tell_the_same() {
    for seed in (0..SEEDS).chain(FOUND) {
        CLUSTER.name_if_it_fails(seed, || simulate(seed, true, false));
    }
}

/// Runs one seed.
fn simulate(seed: u64, resumes: bool, is_traced: bool) {
    let mut world = World::new(seed, resumes, is_traced);
    let faults = Fault::some(&mut world);
    world.trace(|| format!("{faults:?}"));
    world.pass(5000);
    for _ in 0..world.rng.between(30, 150) {
        world.act(&faults);
    }
    world.end();
}
