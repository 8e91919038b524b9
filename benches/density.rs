//! The cost of a client that does nothing: coming in, staying, and being reached.
//!
//! `cargo bench --bench density`. The floor's clients only connect; chinwag's are
//! named with `REGISTER`, and have read the reply. The kernel's memory for a
//! connection, the same for every server, is not counted.

mod common {
    pub(crate) mod crowd;
    pub(crate) mod floor;
    pub(crate) mod machine;
    pub(crate) mod options;
    pub(crate) mod server;
    pub(crate) mod stats;
}

use common::crowd::{Crowd, Entry};
use common::floor::Floor;
use common::machine::{self, Cores};
use common::options::{self, Options};
use common::server::{ServerProcess, Subject};
use common::stats::{self, Spread};
use mio::Events;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

const CLIENTS_DEFAULT: [usize; 3] = [1000, 10_000, 15_000];
const RUNS_DEFAULT: usize = 3;

const SUBJECTS: [Subject; 2] = [Subject::Floor(Floor::Plain), Subject::Chinwag];

/// How long all clients are left alone, to see what the server does meanwhile.
const IDLE: Duration = Duration::from_secs(2);

/// How long the one line may take to reach everybody.
const PATIENCE: Duration = Duration::from_secs(30);

const EVENTS_MAX: usize = 256;

/// What one fresh server has given.
struct Cell {
    connects_per_second: f64,
    microseconds_per_connect: f64,
    bytes_per_client: f64,
    /// CPU time while idle, in microseconds a second.
    idle_microseconds: f64,
    milliseconds_to_all: f64,
    generator_busy: f64,
}

fn main() -> ExitCode {
    options::run("density", measure)
}

/// Measures and prints everything. Returns whether every line arrived.
fn measure(options: &Options) -> io::Result<bool> {
    let cores = machine::prepare();
    let sizes = match (options.clients, options.quick) {
        (Some(clients), _) => vec![clients],
        (None, true) => vec![CLIENTS_DEFAULT[0]],
        (None, false) => CLIENTS_DEFAULT.to_vec(),
    };
    let default_runs = if options.quick { 1 } else { RUNS_DEFAULT };
    let runs = options.runs.unwrap_or(default_runs);
    for size in sizes {
        let clients = machine::affordable(size)?;
        let mut cells = SUBJECTS.map(|_| Vec::new());
        for _ in 0..runs {
            for (subject, cells) in SUBJECTS.into_iter().zip(&mut cells) {
                cells.push(cell(subject, clients, cores)?);
            }
        }
        let clients = stats::grouped(stats::float(clients as u64));
        println!("\n{clients} idle clients, runs: {runs}");
        print_cells(&cells);
    }
    Ok(true)
}

/// Starts a server, fills it, leaves it alone, says one line, and stops it.
fn cell(subject: Subject, clients: usize, cores: Cores) -> io::Result<Cell> {
    let server = ServerProcess::start(subject, cores)?;
    let cpu_when_empty = server.cpu_microseconds()?;
    let resident_when_empty = resident(&server)?;

    let start = Instant::now();
    let entry = match subject {
        Subject::Floor(_) => Entry::Connected,
        Subject::Chinwag => Entry::Registered,
    };
    let mut crowd = Crowd::connect(server.addr(), clients, entry)?;
    server.wait_until_accepted(clients)?;
    let connecting = start.elapsed().as_secs_f64();
    let busy = 1.0 - crowd.idle_seconds() / connecting;

    let cpu_when_full = server.cpu_microseconds()?;
    thread::sleep(IDLE);
    let idle = server.cpu_microseconds()? - cpu_when_full;
    let grown = resident(&server)?.saturating_sub(resident_when_empty);
    let to_all = reach_all(&mut crowd)?;

    let count = stats::float(clients as u64);
    Ok(Cell {
        connects_per_second: count / connecting,
        microseconds_per_connect: (cpu_when_full - cpu_when_empty) / count,
        bytes_per_client: stats::float(grown) / count,
        idle_microseconds: idle / IDLE.as_secs_f64(),
        milliseconds_to_all: to_all.as_secs_f64() * 1e3,
        generator_busy: busy,
    })
}

/// The time from one client's sending a line until everybody has heard it.
fn reach_all(crowd: &mut Crowd) -> io::Result<Duration> {
    let mut events = Events::with_capacity(EVENTS_MAX);
    let mut reached = vec![false; crowd.len()];
    let mut missing = crowd.len();
    let start = Instant::now();
    crowd.send(0, b"Is anybody there?\n")?;
    while missing > 0 {
        crowd.receive(&mut events, |id, bytes| {
            if !reached[id] && bytes.ends_with(b"\n") {
                reached[id] = true;
                missing -= 1;
            }
        })?;
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("a line did not reach {missing} clients")));
        }
    }
    Ok(start.elapsed())
}

/// Resident memory in bytes.
fn resident(server: &ServerProcess) -> io::Result<u64> {
    let status = fs::read_to_string(server.proc_path("status"))?;
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|columns| columns.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok())
        .ok_or_else(|| io::Error::other("the server has no VmRSS"))?;
    Ok(kibibytes * 1024)
}

fn print_cells(cells: &[Vec<Cell>; 2]) {
    let floor = &cells[0];
    let rows: Vec<_> = SUBJECTS
        .iter()
        .zip(cells)
        .map(|(subject, cells)| {
            let spread = |value: fn(&Cell) -> f64| Spread::of(cells, value);
            let cost = |cell: &Cell| cell.microseconds_per_connect;
            let costs = Spread::of(cells, cost);
            let bytes = spread(|cell| cell.bytes_per_client);
            [
                subject.name().to_owned(),
                stats::grouped(spread(|cell| cell.connects_per_second).median),
                format!("{:.1}", costs.median),
                costs.range(1),
                format!("{:.2}", Spread::of_ratios(cells, floor, cost).median),
                format!("{:.0} %", spread(|cell| cell.generator_busy * 100.0).median),
                format!("{:.0}", bytes.median),
                bytes.range(0),
                format!("{:.0}", spread(|cell| cell.idle_microseconds).median),
                format!("{:.1}", spread(|cell| cell.milliseconds_to_all).median),
            ]
        })
        .collect();
    stats::print_table(
        [
            "server",
            "connects/s",
            "CPU us a connect",
            "spread",
            "x plain",
            "generator busy",
            "bytes a client",
            "spread",
            "idle CPU us/s",
            "ms to reach all",
        ],
        &rows,
    );
}
