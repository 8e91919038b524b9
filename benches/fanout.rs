//! The cost of a delivered line: one room, many receivers, beside the floors.
//!
//! `cargo bench --bench fanout`, and for 10 000 receivers
//! `cargo bench --bench fanout -- --clients 10000`.
//!
//! The figure to trust is the server's CPU time a line as a ratio to the floor's of
//! the same minute; a machine's own speed drifts more than servers differ.

mod common {
    pub(crate) mod crowd;
    pub(crate) mod floor;
    pub(crate) mod ledger;
    pub(crate) mod load;
    pub(crate) mod machine;
    pub(crate) mod options;
    pub(crate) mod server;
    pub(crate) mod stats;
}

use common::crowd::{Crowd, Entry};
use common::floor::Floor;
use common::load::{Load, Pattern, Prefix};
use common::machine::{self, Cores};
use common::options::{self, Options};
use common::server::{ServerProcess, Subject};
use common::stats::{self, Spread};
use std::io;
use std::process::ExitCode;
use std::time::Duration;

const CLIENTS_DEFAULT: usize = 1000;
const RUNS_DEFAULT: usize = 3;

/// One table: a pattern, who is measured, and which of them is the floor.
struct Contest {
    title: &'static str,
    pattern: Pattern,
    subjects: [Subject; 3],
    floor: Subject,
}

const CONTESTS: [Contest; 2] = [
    Contest {
        title: "one line at a time",
        pattern: Pattern::OneAtATime,
        subjects: [Subject::Floor(Floor::Rolling), Subject::Floor(Floor::Plain), Subject::Chinwag],
        floor: Subject::Floor(Floor::Plain),
    },
    Contest {
        title: "16 senders x 16 lines outstanding",
        pattern: Pattern::Outstanding,
        subjects: [
            Subject::Floor(Floor::Coalescing),
            Subject::Floor(Floor::Rolling),
            Subject::Chinwag,
        ],
        floor: Subject::Floor(Floor::Rolling),
    },
];

/// How much is measured.
struct Plan {
    cores: Cores,
    clients: usize,
    runs: usize,
    warm_up: Duration,
    duration: Duration,
}

/// What one fresh server has given.
struct Cell {
    lines_per_second: f64,
    microseconds_per_line: f64,
    server_busy: f64,
    generator_busy: f64,
    lost: u64,
    disordered: u64,
}

fn main() -> ExitCode {
    options::run("fanout", measure)
}

/// Measures and prints everything. Returns whether every line arrived in order.
fn measure(options: &Options) -> io::Result<bool> {
    let cores = machine::prepare();
    let clients = options.clients.unwrap_or(CLIENTS_DEFAULT);
    let (default_runs, warm_up, duration) =
        if options.quick { (1, 100, 300) } else { (RUNS_DEFAULT, 500, 2000) };
    let plan = Plan {
        cores,
        clients: machine::affordable(clients)?,
        runs: options.runs.unwrap_or(default_runs),
        warm_up: Duration::from_millis(warm_up),
        duration: Duration::from_millis(duration),
    };
    let mut all_arrived = true;
    for contest in &CONTESTS {
        all_arrived &= plan.hold(contest)?;
    }
    Ok(all_arrived)
}

impl Plan {
    /// Measures one table and prints it. Returns whether every line arrived in order.
    fn hold(&self, contest: &Contest) -> io::Result<bool> {
        let mut cells = contest.subjects.map(|_| Vec::new());
        for run in 0..self.runs {
            let mut order: Vec<usize> = (0..contest.subjects.len()).collect();
            // Every other run goes backwards, so that a drift of the machine
            // does not favour whoever comes first.
            if run % 2 == 1 {
                order.reverse();
            }
            for index in order {
                cells[index].push(self.cell(contest.subjects[index], contest.pattern)?);
            }
        }
        println!();
        println!(
            "{} receivers, 64-byte lines, {}, runs: {}",
            stats::grouped(stats::float(self.clients as u64)),
            contest.title,
            self.runs
        );
        print_contest(contest, &cells);
        let mut cells = cells.iter().flatten();
        Ok(cells.all(|cell| cell.lost == 0 && cell.disordered == 0))
    }

    /// Starts a server, puts the load on it, and stops it.
    fn cell(&self, subject: Subject, pattern: Pattern) -> io::Result<Cell> {
        let server = ServerProcess::start(subject, self.cores)?;
        let (entry, prefix) = match subject {
            Subject::Floor(_) => (Entry::Connected, Prefix::ByClient),
            Subject::Chinwag => (Entry::Registered, Prefix::ByServer),
        };
        let crowd = Crowd::connect(server.addr(), self.clients, entry)?;
        server.wait_until_accepted(self.clients)?;
        let mut load = Load::new(crowd, prefix);
        load.run(pattern, self.warm_up)?;
        let before = server.cpu_microseconds()?;
        let outcome = load.run(pattern, self.duration)?;
        let cpu = server.cpu_microseconds()? - before;
        Ok(Cell {
            lines_per_second: outcome.delivered / outcome.seconds,
            microseconds_per_line: cpu / outcome.delivered,
            server_busy: cpu / (outcome.seconds * 1e6),
            generator_busy: outcome.busy,
            lost: load.lost(),
            disordered: load.disordered(),
        })
    }
}

/// Prints a row for each server.
fn print_contest(contest: &Contest, cells: &[Vec<Cell>; 3]) {
    let is_floor = |subject: &Subject| *subject == contest.floor;
    let floor = contest.subjects.iter().position(is_floor);
    let floor = &cells[floor.expect("the floor is one of the subjects")];
    let rows: Vec<_> = contest
        .subjects
        .iter()
        .zip(cells)
        .map(|(subject, cells)| {
            let cost = |cell: &Cell| cell.microseconds_per_line;
            let (costs, ratios) = (Spread::of(cells, cost), Spread::of_ratios(cells, floor, cost));
            let percent = |busy: fn(&Cell) -> f64| 100.0 * Spread::of(cells, busy).median;
            [
                subject.name().to_owned(),
                stats::grouped(Spread::of(cells, |cell| cell.lines_per_second).median),
                format!("{:.4}", costs.median),
                costs.range(4),
                format!("{:.2}", ratios.median),
                ratios.range(2),
                format!("{:.0} %", percent(|cell| cell.server_busy)),
                format!("{:.0} %", percent(|cell| cell.generator_busy)),
                cells.iter().map(|cell| cell.lost).sum::<u64>().to_string(),
                cells.iter().map(|cell| cell.disordered).sum::<u64>().to_string(),
            ]
        })
        .collect();
    let ratio = format!("x {}", contest.floor.name());
    stats::print_table(
        [
            "server",
            "lines/s",
            "CPU us a line",
            "spread",
            &ratio,
            "spread",
            "server busy",
            "generator busy",
            "lost",
            "disordered",
        ],
        &rows,
    );
}
