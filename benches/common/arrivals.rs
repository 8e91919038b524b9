//! What it costs to come when many come at once: each arrival must cost the same, and
//! not the more, the more are there already.
//!
//! Some are told who comes and goes, in the lobby and in the room that all join, so
//! that there is somebody to tell until the rooms are too large for that. What a chat
//! pays for having many there shows only if they come within a second, and then as a
//! microsecond beside the ten that the kernel takes: a ratio that keeps growing with
//! the crowd is the sign, `--clients 19000` makes it plainer.

use super::ask::{self, Ask};
use super::crowd::Crowd;
use super::machine::{self, Cores};
use super::progress::Progress;
use super::server::{ServerProcess, Subject};
use super::stats;
use super::table::{Column, Table};
use mio::Events;
use std::io;
use std::time::{Duration, Instant};

/// The room that everybody joins.
const ROOM: &str = "crowd";

/// How many take notices in the lobby, and how many in the room. Few, because what is
/// to be flat is the cost of an arrival, not the price of telling everybody.
const WATCHERS: usize = 10;

/// How long the greetings may take: two seconds of silence come first.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the last line of a greeting begins with.
const LAST_OF_GREETING: &[u8] = b"You are guest";

const EVENTS_MAX: usize = 256;

const KINDS: [&str; 4] = [
    "connect, and say nothing",
    "be greeted after a while",
    "connect, and be named",
    "join the same room",
];

/// What each kind costs, in microseconds of the server's for each client.
type Cell = [f64; KINDS.len()];

/// At most so many beside the watchers.
pub(crate) fn affordable(wanted: usize) -> io::Result<usize> {
    Ok(machine::affordable(wanted + 2 * WATCHERS)?.saturating_sub(2 * WATCHERS).max(10))
}

/// Measures crowds of several sizes, and prints a table for each kind of arrival.
pub(crate) fn measure(sizes: &[usize], runs: usize, cores: Cores) -> io::Result<Vec<Table>> {
    let mut cells: Vec<Vec<Cell>> = sizes.iter().map(|_| Vec::new()).collect();
    let mut progress = Progress::new(runs * sizes.len());
    for _ in 0..runs {
        for (size, cells) in sizes.iter().zip(&mut cells) {
            progress.next(&format!("{size}, arrivals"));
            let [connect, greeted] = silent(*size, cores)?;
            let [named, join] = named(*size, cores)?;
            cells.push([connect, greeted, named, join]);
        }
    }
    progress.clear();
    let tables: Vec<Table> = (0..KINDS.len()).map(|kind| table(kind, sizes, &cells)).collect();
    tables.iter().for_each(Table::print);
    Ok(tables)
}

/// What arriving in one way costs, by the size of the crowd.
fn table(kind: usize, sizes: &[usize], cells: &[Vec<Cell>]) -> Table {
    let rows: Vec<(String, Vec<f64>)> = sizes
        .iter()
        .zip(cells)
        .map(|(size, cells)| {
            let name = stats::grouped(stats::float(*size as u64));
            (name, cells.iter().map(|cell| cell[kind]).collect())
        })
        .collect();
    let title = format!("arrivals: {}, {WATCHERS} told of it in each room", KINDS[kind]);
    let most = sizes.iter().copied().max().unwrap_or(0);
    let column = Column::main("CPU us each", 1, |microseconds: &f64| *microseconds);
    Table::new("arrivals", title, most, Some(0), &rows, &[column])
}

/// People who connect and look: the greeting comes, because they say nothing. They are
/// all in long before that.
fn silent(size: usize, cores: Cores) -> io::Result<[f64; 2]> {
    let server = ServerProcess::start(Subject::Chinwag, cores)?;
    let mut crowd = with_watchers(&server)?;
    let empty = server.cpu_microseconds()?;
    crowd.connect(server.addr(), size, |_| Vec::new())?;
    server.wait_until_accepted(crowd.len())?;
    let connected = server.cpu_microseconds()?;
    wait_until_greeted(&mut crowd, size)?;
    let greeted = server.cpu_microseconds()?;
    let each = |microseconds: f64| microseconds / stats::float(size as u64);
    Ok([each(connected - empty), each(greeted - connected)])
}

/// Programs that connect, take names, and then all go to one room.
fn named(size: usize, cores: Cores) -> io::Result<[f64; 2]> {
    let server = ServerProcess::start(Subject::Chinwag, cores)?;
    let mut crowd = with_watchers(&server)?;
    let empty = server.cpu_microseconds()?;
    crowd.connect(server.addr(), size, ask::name)?;
    let connected = server.cpu_microseconds()?;
    crowd.ask(crowd.len() - size..crowd.len(), |_| vec![Ask::join(ROOM)])?;
    let joined = server.cpu_microseconds()?;
    let each = |microseconds: f64| microseconds / stats::float(size as u64);
    Ok([each(connected - empty), each(joined - connected)])
}

fn with_watchers(server: &ServerProcess) -> io::Result<Crowd> {
    let mut crowd = Crowd::new()?;
    crowd.connect(server.addr(), 2 * WATCHERS, |id| {
        let join = (id < WATCHERS).then(|| Ask::join(ROOM));
        let notices = Ask::new("/notices on", "Notices on.");
        ask::name(id).into_iter().chain(join).chain([notices]).collect()
    })?;
    Ok(crowd)
}

/// Waits until the last `size` clients have been greeted.
fn wait_until_greeted(crowd: &mut Crowd, size: usize) -> io::Result<()> {
    let mut events = Events::with_capacity(EVENTS_MAX);
    let first = crowd.len() - size;
    let mut missing = size;
    let start = Instant::now();
    while missing > 0 {
        crowd.receive(&mut events, |id, bytes| {
            // All of a greeting is queued in one go, and so comes in one piece.
            let is_greeting = memchr::memmem::find(bytes, LAST_OF_GREETING).is_some();
            missing -= usize::from(id >= first && is_greeting);
        })?;
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("{missing} clients were not greeted")));
        }
    }
    Ok(())
}
