//! A long run under everything at once: does the server stay as it is?
//!
//! `cargo bench --bench soak -- --minutes 60`; without `--minutes` it runs for one, with
//! `--clients N` for other than 10 000, with `--quick` a quarter of a minute with 1000.
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

mod common;

use common::machine::{self, CLIENTS_MIN};
use common::options;
use common::server::{ServerProcess, Subject};
use common::soak::client::Stage;
use common::soak::deeds::{self, Deeds};
use common::soak::health::{self, Health};
use common::soak::plan::Plan;
use common::soak::probe::{self, Probe};
use common::soak::tally::Tally;
use common::soak::town::Town;
use common::stats;
use pico_args::Arguments;
use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS_DEFAULT: usize = 10_000;
const CLIENTS_QUICK: usize = 1000;
const QUICK: Duration = Duration::from_secs(15);

/// Descriptors for the probe, and for connections whose clients are back before the
/// server is done with them.
const SPARE: usize = 16;
const SPARE_SHARE: usize = 50;

const SAMPLE: Duration = Duration::from_secs(1);
const REPORT: Duration = Duration::from_secs(10);

/// How long the server may take to be rid of the last client, and to settle then.
const RID_MAX: Duration = Duration::from_mins(1);
const SETTLE: Duration = Duration::from_secs(3);

const USAGE: &str = "\
Options, after `cargo bench --bench soak --`:
  --minutes N   for so long (1 to 99999) [1]
  --clients N   with so many clients (17 to 99999) [10000]
  --quick       a quarter of a minute with 1000: a sign of life";

/// How long, and with how many.
struct Options {
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
    // Without `--bench` this is a test run, which wants a sign of life.
    let quick = arguments.contains("--quick") | !arguments.contains("--bench");
    let minutes = options::number(&mut arguments, "--minutes", 1..=99_999)?;
    let clients = options::number(&mut arguments, "--clients", CLIENTS_MIN..=99_999)?;
    if let Some(unknown) = arguments.finish().first() {
        return Err(format!("unknown argument {} (see --help)", unknown.display()));
    }
    let default = if quick { CLIENTS_QUICK } else { CLIENTS_DEFAULT };
    let duration = match minutes {
        None if quick => QUICK,
        minutes => Duration::from_mins(minutes.unwrap_or(1) as u64),
    };
    Ok(Some(Options { duration, clients: clients.unwrap_or(default) }))
}

/// Runs it and prints the figures. Returns whether the server did all it must.
fn soak(options: &Options) -> io::Result<bool> {
    let cores = machine::prepare();
    let spare = SPARE + options.clients / SPARE_SHARE;
    let clients = machine::affordable(options.clients + spare)?.saturating_sub(spare);
    let plan = Plan::new(clients.max(CLIENTS_MIN));
    let server = ServerProcess::start(Subject::Chinwag, cores)?;
    let empty = Health::of(&server, Instant::now())?;
    let mut town = Town::new(plan, server.addr())?;
    deeds::begin(&mut town)?;
    println!(
        "{} clients in {} rooms, {} of them talkative; empty: {} KiB, {} descriptors",
        town.clients.len(),
        town.rooms.len(),
        town.plan.talkative().len(),
        empty.kibibytes,
        empty.descriptors,
    );
    let mut probe = Probe::start(server.addr())?;
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
    server: &ServerProcess,
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
fn wait_until_rid(server: &ServerProcess, descriptors: u64) -> io::Result<Health> {
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
            "CPU {:.1} %, of the clients {:.1} %; memory {} KiB at the end, slope {} KiB/minute",
            last.busy_since(first),
            last.own_busy_since(first),
            last.kibibytes,
            stats::grouped(health::slope(samples)),
        );
    }
}
