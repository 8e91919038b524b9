//! What a connection costs past the descriptor limit: a million of them, in memory.
//!
//! The heap is what the allocator has given out, not what it keeps around that; the
//! kernel has no part in this, and the streams are as small as a descriptor.

use super::progress::Progress;
use super::stats;
use super::table::{Column, Table};
use super::wire::{self, Network};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 1_000_000;
const CONNECTIONS_QUICK: usize = 50_000;

/// So many share a room, where there are rooms.
const TOGETHER: usize = 10;

/// After so long nothing of the arrivals is left to tell.
const REST: Duration = Duration::from_secs(5);

/// What a newcomer says, by its number.
type Says = fn(usize) -> String;

struct Cell {
    bytes_per_connection: f64,
    /// What it took to come in, in microseconds.
    microseconds: f64,
    milliseconds_to_all: f64,
    nanoseconds_per_delivery: f64,
}

/// Fills the memory, and prints the table.
pub(crate) fn measure(quick: bool) -> Table {
    let connections = if quick { CONNECTIONS_QUICK } else { CONNECTIONS };
    let kinds: [(&str, Says); 3] = [
        ("connected", |_| String::new()),
        ("named", |id| format!("REGISTER u{id:07}\n")),
        ("named, in rooms of ten", |id| {
            format!("REGISTER u{id:07}\n/join room-{}\n", id / TOGETHER)
        }),
    ];
    let mut progress = Progress::new(kinds.len());
    let rows: Vec<_> = kinds
        .into_iter()
        .map(|(name, says)| {
            progress.next(&format!("{connections} in memory: {name}"));
            (name.to_owned(), vec![cell(connections, says)])
        })
        .collect();
    progress.clear();
    let columns = [
        Column::new("heap bytes a connection", 0, |cell: &Cell| cell.bytes_per_connection),
        Column::new("us to come in", 2, |cell: &Cell| cell.microseconds),
        Column::new("ms to all in the lobby", 2, |cell: &Cell| cell.milliseconds_to_all),
        Column::new("ns a delivery", 0, |cell: &Cell| cell.nanoseconds_per_delivery),
    ];
    let title = "in memory, without a kernel".to_owned();
    let table = Table::new("million", title, connections, None, &rows, &columns);
    table.print();
    table
}

fn cell(connections: usize, says: Says) -> Cell {
    let mut network = Network::new();
    let start = Instant::now();
    let allocated = allocation_counter::measure(|| {
        for id in 0..connections {
            let slot = network.connect();
            network.types(slot, says(id).as_bytes());
        }
        network.pass(REST);
    });
    let coming = start.elapsed();
    let said = network.connect();
    wire::take_writes();
    // The first line takes what a chat keeps for lines; the second is as all that follow.
    network.types(said, b"Is anybody there?\n");
    wire::take_writes();
    let start = Instant::now();
    network.types(said, b"Hello, all!\n");
    let to_all = start.elapsed();
    let deliveries = wire::take_writes();
    let count = stats::float(connections as u64);
    Cell {
        bytes_per_connection: stats::float(allocated.bytes_current.unsigned_abs()) / count,
        microseconds: coming.as_secs_f64() * 1e6 / count,
        milliseconds_to_all: to_all.as_secs_f64() * 1e3,
        nanoseconds_per_delivery: to_all.as_secs_f64() * 1e9 / stats::float(deliveries),
    }
}
