//! The cost of a client that does nothing: coming in, staying, and being reached.
//!
//! `cargo bench --bench density`. The floor's clients only connect; chinwag's are
//! named with `REGISTER`, and have read the reply; those in rooms have also joined one,
//! ten together, and chosen their settings. They take notices, so that what they cost
//! to connect holds what the others in the room are told of each: the more, the slower
//! they come. The kernel's memory for a connection, the same for every server, is not
//! counted.
//!
//! Last comes what an arrival costs the larger a crowd is; see `arrivals`.

mod common {
    pub(crate) mod arrivals;
    pub(crate) mod ask;
    pub(crate) mod crowd;
    pub(crate) mod floor;
    pub(crate) mod machine;
    pub(crate) mod options;
    pub(crate) mod rooms;
    pub(crate) mod server;
    pub(crate) mod stats;
}

use common::arrivals;
use common::ask::{self, Ask};
use common::crowd::Crowd;
use common::floor::Floor;
use common::machine::{self, Cores};
use common::options::{self, Options};
use common::rooms::Rooms;
use common::server::{ServerProcess, Subject};
use common::stats::{self, Spread};
use mio::Events;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

const CLIENTS_DEFAULT: [usize; 3] = [1000, 10_000, 15_000];
const RUNS_DEFAULT: usize = 3;

/// The largest crowd whose arrival is measured.
const ARRIVALS_DEFAULT: usize = 10_000;

/// How far the clients of a server have got when they are left alone.
#[derive(Clone, Copy, PartialEq)]
enum Stay {
    Connected,
    Named,
    /// Named, in a room, and with settings.
    InRooms,
}

const STAYS: [Stay; 3] = [Stay::Connected, Stay::Named, Stay::InRooms];

/// Who came last is told of a second later. Only then is there nothing left to do.
const REST: Duration = Duration::from_millis(1200);

/// How long all clients are left alone, to see what the server does meanwhile.
const IDLE: Duration = Duration::from_secs(1);

/// What is said to see how soon everybody hears it.
const LINE: &[u8] = b"Is anybody there?\n";

/// How long the line may take to reach everybody.
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
        let rooms = options.rooms(clients);
        let mut cells = STAYS.map(|_| Vec::new());
        for _ in 0..runs {
            for (stay, cells) in STAYS.into_iter().zip(&mut cells) {
                cells.push(cell(stay, rooms, cores)?);
            }
        }
        let clients = stats::grouped(stats::float(clients as u64));
        println!("\n{clients} idle clients, runs: {runs}");
        print_cells(&cells, rooms);
    }
    let most = if options.quick { CLIENTS_DEFAULT[0] } else { ARRIVALS_DEFAULT };
    let most = arrivals::affordable(options.clients.unwrap_or(most))?;
    let sizes = if options.quick { vec![most] } else { vec![most / 10, most / 2, most] };
    arrivals::measure(&sizes, runs, cores)?;
    Ok(true)
}

impl Stay {
    fn subject(self) -> Subject {
        match self {
            Stay::Connected => Subject::Floor(Floor::Plain),
            Stay::Named | Stay::InRooms => Subject::Chinwag,
        }
    }

    fn name(self, rooms: Rooms) -> String {
        match self {
            Stay::Connected => "plain".to_owned(),
            Stay::Named => "chinwag".to_owned(),
            Stay::InRooms => {
                format!("chinwag, {} rooms", stats::grouped(stats::float(rooms.count() as u64)))
            }
        }
    }
}

/// Starts a server, fills it, leaves it alone, says a line to all, and stops it.
fn cell(stay: Stay, rooms: Rooms, cores: Cores) -> io::Result<Cell> {
    let server = ServerProcess::start(stay.subject(), cores)?;
    let cpu_when_empty = server.cpu_microseconds()?;
    let resident_when_empty = resident(&server)?;

    let clients = rooms.clients();
    let start = Instant::now();
    let mut crowd = Crowd::new()?;
    crowd.connect(server.addr(), clients, |id| match stay {
        Stay::Connected => Vec::new(),
        Stay::Named => ask::name(id),
        Stay::InRooms => settled(id, rooms),
    })?;
    server.wait_until_accepted(clients)?;
    let connecting = start.elapsed().as_secs_f64();
    let busy = 1.0 - crowd.idle_seconds() / connecting;

    thread::sleep(REST);
    let cpu_when_full = server.cpu_microseconds()?;
    thread::sleep(IDLE);
    let idle = server.cpu_microseconds()? - cpu_when_full;
    let grown = resident(&server)?.saturating_sub(resident_when_empty);
    let to_all = reach_all(&mut crowd, stay, rooms)?;

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

/// To be named, in a room, and to have chosen the settings. The notices come last, since
/// what follows them answers nothing.
fn settled(id: usize, rooms: Rooms) -> Vec<Ask> {
    let settings = [Ask::new("/echo off", "Echo off."), Ask::new("/notices on", "Notices on.")];
    ask::name(id).into_iter().chain(ask::room(id, rooms)).chain(settings).collect()
}

/// The time from one client's saying a line until everybody has heard it; in rooms one
/// client in each does, all at once, and does not hear itself.
fn reach_all(crowd: &mut Crowd, stay: Stay, rooms: Rooms) -> io::Result<Duration> {
    let mut events = Events::with_capacity(EVENTS_MAX);
    let (rooms, echo) = match stay {
        Stay::InRooms => (rooms, false),
        Stay::Connected | Stay::Named => (Rooms::new(crowd.len(), 1), true),
    };
    let speakers = rooms.speakers(1);
    let mut reached = vec![false; crowd.len()];
    let mut missing = crowd.len() - if echo { 0 } else { speakers.len() };
    let start = Instant::now();
    for speaker in speakers {
        crowd.send(speaker, LINE)?;
    }
    while missing > 0 {
        crowd.receive(&mut events, |id, bytes| {
            // Notices, if there are any, stand before it.
            if !reached[id] && bytes.ends_with(LINE) {
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

fn print_cells(cells: &[Vec<Cell>; 3], rooms: Rooms) {
    let floor = &cells[0];
    let rows: Vec<_> = STAYS
        .iter()
        .zip(cells)
        .map(|(stay, cells)| {
            let spread = |value: fn(&Cell) -> f64| Spread::of(cells, value);
            let cost = |cell: &Cell| cell.microseconds_per_connect;
            let costs = Spread::of(cells, cost);
            let bytes = spread(|cell| cell.bytes_per_client);
            [
                stay.name(rooms),
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
