//! A long run under everything at once: does the server stay as it is?
//!
//! `cargo run --release --features soak --bin soak -- ../target/release/chinwag --minutes 60`
//! in this folder, with the path of the server that is soaked; without `--minutes` it runs
//! for one, with `--clients N` for other than 10 000, with `--quick` a quarter of a minute
//! with 1000.
//!
//! The clients are named, and sit in a lobby of some hundreds and in rooms of 100, 20
//! and 4. One in a hundred leaves each second, in every way there is, and comes back
//! under its name; one in twenty never reads, sits where much is said, and comes back
//! when it has been cut off for that. Some write privately, ask for the history, go to
//! another room, or are cut off on purpose and come back with a token. Everybody who
//! reads checks each line: that it has a form that the server knows, that all in a room
//! hear the same order, that what it said itself comes back, once and in order, and that
//! answers come in the order of what they answer.
//!
//! A probe in a quiet room measures how long a line takes meanwhile. Its times are not
//! judged; protocol errors, and descriptors that are still open after everybody has
//! left, are failures. The rate limit is off, and more clients and rooms are allowed;
//! everything else is at its default.

mod chance;
mod client;
mod deeds;
mod form;
mod health;
mod plan;
mod probe;
mod said;
mod server;
mod tally;
mod town;

use client::Stage;
use deeds::Deeds;
use health::Health;
use pico_args::Arguments;
use plan::Plan;
use probe::Probe;
use server::Server;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};
use tally::Tally;
use town::Town;

const CLIENTS_DEFAULT: usize = 10_000;
const CLIENTS_QUICK: usize = 1000;
const QUICK: Duration = Duration::from_secs(15);

const SAMPLE: Duration = Duration::from_secs(1);
const REPORT: Duration = Duration::from_secs(10);

/// How long the server may take to be rid of the last client, and to settle then.
const RID_MAX: Duration = Duration::from_mins(1);
const SETTLE: Duration = Duration::from_secs(3);

const USAGE: &str = "\
Usage: soak CHINWAG [OPTIONS], with the path of the server that is soaked
  --minutes N   for so long (1 to 99999) [1]
  --clients N   with so many clients (20 to 99999) [10000]; each takes a descriptor on both sides
  --quick       a quarter of a minute with 1000: a sign of life";

/// How long, and with how many.
struct Options {
    program: PathBuf,
    duration: Duration,
    clients: usize,
}

fn main() -> ExitCode {
    let options = match parse() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("soak: {error}");
            return ExitCode::from(2);
        }
    };
    match soak(&options) {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => eprintln!("soak: the server did what it must not"),
        Err(error) => eprintln!("soak: {error}"),
    }
    ExitCode::FAILURE
}

/// Reads the arguments; `None` asks for the usage.
fn parse() -> Result<Option<Options>, String> {
    let mut arguments = Arguments::from_env();
    if arguments.contains(["-h", "--help"]) {
        return Ok(None);
    }
    let quick = arguments.contains("--quick");
    let mut number = |option, least, default| {
        let value = arguments.opt_value_from_str(option).map(|value| value.unwrap_or(default));
        let value = value.ok().filter(|value| (least..=99_999).contains(value));
        value.ok_or_else(|| format!("{option} takes a number from {least} to 99999"))
    };
    let minutes: usize = number("--minutes", 1, 1)?;
    let clients = number("--clients", 20, if quick { CLIENTS_QUICK } else { CLIENTS_DEFAULT })?;
    let program: String =
        arguments.free_from_str().map_err(|_| "the path of the server is missing (see --help)")?;
    if let Some(unknown) = arguments.finish().first() {
        return Err(format!("unknown argument {} (see --help)", unknown.display()));
    }
    let duration = if quick { QUICK } else { Duration::from_mins(minutes as u64) };
    Ok(Some(Options { program: program.into(), duration, clients }))
}

/// Runs it and prints the figures. Returns whether the server did all it must.
fn soak(options: &Options) -> io::Result<bool> {
    let plan = Plan::new(options.clients);
    let server = Server::start(&options.program)?;
    let empty = Health::of(&server, Instant::now())?;
    let mut town = Town::new(plan, server.addr)?;
    deeds::begin(&mut town)?;
    println!(
        "{} clients in {} rooms, {} of them talkative; empty: {} KiB, {} descriptors",
        town.clients.len(),
        town.rooms.len(),
        town.plan.talkative().len(),
        empty.kibibytes,
        empty.descriptors,
    );
    let mut probe = Probe::start(server.addr)?;
    let samples = live(&mut town, &server, &probe, options.duration)?;
    probe.end()?;
    deeds::end(&mut town)?;
    let left = wait_until_rid(&server, empty.descriptors)?;
    print_end(&town.tally, &samples, &probe.times());
    println!(
        "when all had left: {} KiB, {} descriptors (before: {} KiB, {})",
        left.kibibytes, left.descriptors, empty.kibibytes, empty.descriptors
    );
    Ok(town.tally.errors == 0 && left.descriptors == empty.descriptors)
}

/// Everybody does what they do, for so long.
fn live(
    town: &mut Town,
    server: &Server,
    probe: &Probe,
    duration: Duration,
) -> io::Result<Vec<Health>> {
    let start = Instant::now();
    let mut deeds = Deeds::new(&town.plan);
    let mut samples = vec![Health::of(server, start)?];
    let mut window = Window::since(samples[0], town, &[]);
    let report = REPORT.min(duration / 3);
    let (mut sample_at, mut report_at) = (SAMPLE, report);
    println!("   elapsed   connected      said     heard   RSS KiB   descriptors   CPU %   p99 ms");
    while start.elapsed() < duration {
        deeds.turn(town)?;
        if start.elapsed() >= sample_at {
            sample_at += SAMPLE;
            samples.push(Health::of(server, start)?);
        }
        if start.elapsed() >= report_at {
            report_at += report;
            let (now, times) = (Health::of(server, start)?, probe.times());
            window.print(&now, town, &times);
            window = Window::since(now, town, &times);
        }
    }
    Ok(samples)
}

/// What had happened when the last row was printed.
struct Window {
    health: Health,
    said: u64,
    heard: u64,
    timed: usize,
}

impl Window {
    fn since(health: Health, town: &Town, times: &[u64]) -> Window {
        let (said, heard) = (town.tally.said, town.tally.heard);
        Window { health, said, heard, timed: times.len() }
    }

    fn print(&self, now: &Health, town: &Town, times: &[u64]) {
        println!(
            "{:>8.0} s {:>11} {:>9} {:>9} {:>9} {:>13} {:>7.1} {:>8.2}",
            now.seconds,
            town.count(|client| client.stage != Stage::Away),
            town.tally.said - self.said,
            town.tally.heard - self.heard,
            now.kibibytes,
            now.descriptors,
            now.busy_since(&self.health),
            probe::permille(&times[self.timed..], 990),
        );
    }
}

/// Waits until the server has as few descriptors as before, or it takes too long.
fn wait_until_rid(server: &Server, descriptors: usize) -> io::Result<Health> {
    let start = Instant::now();
    while server.descriptors()? != descriptors && start.elapsed() < RID_MAX {
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(SETTLE);
    Health::of(server, start)
}

fn print_end(tally: &Tally, samples: &[Health], times: &[u64]) {
    println!(
        "\n{} lines said, {} heard, {} told again, {} private, {} undelivered",
        tally.said, tally.heard, tally.told_again, tally.private, tally.undelivered
    );
    println!(
        "{} left and came back, {} with a token; {} names still taken for a moment",
        tally.departed, tally.resumed, tally.taken
    );
    println!("{} stalled readers cut off; readers skipped {} times", tally.cut_off, tally.skips);
    println!("protocol errors: {}", tally.errors);
    let at = |permille| probe::permille(times, permille);
    println!(
        "probe, {} lines, ms: p50 {:.2}, p99 {:.2}, p99.9 {:.2}, worst {:.2}",
        times.len(),
        at(500),
        at(990),
        at(999),
        at(1000)
    );
    if let (Some(first), Some(last)) = (samples.first(), samples.last()) {
        println!(
            "CPU {:.1} %, of the clients {:.1} %; memory {} KiB at the end, slope {:.0} KiB/minute",
            last.busy_since(first),
            last.own_busy_since(first),
            last.kibibytes,
            health::slope(samples),
        );
    }
}
