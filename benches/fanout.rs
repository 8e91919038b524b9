//! The cost of a delivered line: one room, many receivers, beside the floors; and many
//! rooms, beside one with as many receivers.
//!
//! `cargo bench --bench fanout`, and for 10 000 receivers
//! `cargo bench --bench fanout -- --clients 10000`; for rooms alone
//! `cargo bench --bench fanout -- --clients 10000 --rooms 1000`.
//!
//! The figure to trust is the server's CPU time a line as a ratio to the floor's of
//! the same minute; a machine's own speed drifts more than servers differ.

mod common {
    pub(crate) mod ask;
    pub(crate) mod crowd;
    pub(crate) mod floor;
    pub(crate) mod ledger;
    pub(crate) mod load;
    pub(crate) mod machine;
    pub(crate) mod options;
    pub(crate) mod rooms;
    pub(crate) mod server;
    pub(crate) mod stats;
}

use common::ask;
use common::crowd::Crowd;
use common::floor::Floor;
use common::load::{Load, Pattern, Prefix};
use common::machine::{self, Cores};
use common::options::{self, Options};
use common::rooms::Rooms;
use common::server::{ServerProcess, Subject};
use common::stats::{self, Spread};
use std::io;
use std::process::ExitCode;
use std::time::Duration;

const CLIENTS_DEFAULT: usize = 1000;
const RUNS_DEFAULT: usize = 3;

/// One table: a pattern, who is measured under it, and which of them is the floor.
struct Contest {
    title: String,
    pattern: Pattern,
    entrants: Vec<Entrant>,
    floor: usize,
}

/// A server, and where its clients are.
struct Entrant {
    name: String,
    subject: Subject,
    /// The rooms that the clients join; without any they stay where they came in.
    rooms: Option<Rooms>,
}

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
    let rooms = options.rooms(plan.clients);
    let mut contests = if options.rooms.is_some() { Vec::new() } else { beside_floors() };
    contests.extend(beside_one_room(rooms));
    for contest in &contests {
        all_arrived &= plan.hold(contest)?;
    }
    Ok(all_arrived)
}

/// Chinwag and the smallest servers, all clients in one place.
fn beside_floors() -> Vec<Contest> {
    let floor = |floor: Floor| (floor.name(), Subject::Floor(floor));
    let (plain, rolling) = (floor(Floor::Plain), floor(Floor::Rolling));
    let coalescing = floor(Floor::Coalescing);
    let chinwag = ("chinwag", Subject::Chinwag);
    let contest = |title: &str, pattern, subjects: [(&str, Subject); 3], floor| Contest {
        title: title.to_owned(),
        pattern,
        entrants: subjects
            .map(|(name, subject)| Entrant { name: name.to_owned(), subject, rooms: None })
            .into(),
        floor,
    };
    vec![
        contest("one line at a time", Pattern::Waves(1), [rolling, plain, chinwag], 1),
        contest(
            "16 senders x 16 lines outstanding",
            Pattern::Outstanding,
            [coalescing, rolling, chinwag],
            1,
        ),
    ]
}

/// Chinwag with all clients in one room, and in many. A line that has been read and
/// rendered once is delivered as often as the room has members, so a small room's
/// deliveries have to bear more of that; the sends are equally many in the first two
/// tables. In the third they are not: lines catch up with one another only where a
/// room takes longer to serve than its senders to go on, which is what large rooms
/// gain there, and not a cost of small ones.
fn beside_one_room(rooms: Rooms) -> Vec<Contest> {
    let one = Rooms::new(rooms.clients(), 1);
    let entrant = |rooms: Rooms| Entrant {
        name: match rooms.count() {
            1 => "one room".to_owned(),
            count => format!("{} rooms", stats::grouped(stats::float(count as u64))),
        },
        subject: Subject::Chinwag,
        rooms: Some(rooms),
    };
    let contest = |title: &str, pattern| Contest {
        title: format!("chinwag with rooms of {}, {title}", rooms.members(0)),
        pattern,
        entrants: vec![entrant(one), entrant(rooms)],
        floor: 0,
    };
    vec![
        contest(
            "one sender a room, one line at a time (a send a delivery in both)",
            Pattern::Waves(1),
        ),
        contest(
            "one sender a room, 16 lines at a time (a send for 16 deliveries in both)",
            Pattern::Waves(16),
        ),
        contest(
            "16 senders or one a room x 16 lines outstanding (fewer share a send in small rooms)",
            Pattern::Outstanding,
        ),
    ]
}

impl Plan {
    /// Measures one table and prints it. Returns whether every line arrived in order.
    fn hold(&self, contest: &Contest) -> io::Result<bool> {
        let mut cells: Vec<_> = contest.entrants.iter().map(|_| Vec::new()).collect();
        for run in 0..self.runs {
            let mut order: Vec<usize> = (0..contest.entrants.len()).collect();
            // Every other run goes backwards, so that a drift of the machine
            // does not favour whoever comes first.
            if run % 2 == 1 {
                order.reverse();
            }
            for index in order {
                cells[index].push(self.cell(&contest.entrants[index], contest.pattern)?);
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
    fn cell(&self, entrant: &Entrant, pattern: Pattern) -> io::Result<Cell> {
        let server = ServerProcess::start(entrant.subject, self.cores)?;
        let mut crowd = Crowd::new()?;
        crowd.connect(server.addr(), self.clients, |id| match entrant.subject {
            Subject::Floor(_) => Vec::new(),
            Subject::Chinwag => ask::name(id),
        })?;
        if let Some(rooms) = entrant.rooms {
            crowd.ask(0..self.clients, |id| ask::room(id, rooms))?;
        }
        server.wait_until_accepted(self.clients)?;
        let prefix = match entrant.subject {
            Subject::Floor(_) => Prefix::ByClient,
            Subject::Chinwag => Prefix::ByServer,
        };
        let rooms = entrant.rooms.unwrap_or(Rooms::new(self.clients, 1));
        let mut load = Load::new(crowd, rooms, prefix, pattern);
        load.run(self.warm_up)?;
        let before = server.cpu_microseconds()?;
        let outcome = load.run(self.duration)?;
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
fn print_contest(contest: &Contest, cells: &[Vec<Cell>]) {
    let floor = &cells[contest.floor];
    let rows: Vec<_> = contest
        .entrants
        .iter()
        .zip(cells)
        .map(|(entrant, cells)| {
            let cost = |cell: &Cell| cell.microseconds_per_line;
            let (costs, ratios) = (Spread::of(cells, cost), Spread::of_ratios(cells, floor, cost));
            let percent = |busy: fn(&Cell) -> f64| 100.0 * Spread::of(cells, busy).median;
            [
                entrant.name.clone(),
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
    let ratio = format!("x {}", contest.entrants[contest.floor].name);
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
