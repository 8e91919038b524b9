//! What a connection costs past the descriptor limit: a million of them, in memory.
//!
//! The heap is what the allocator has given out, not what it keeps around that; the
//! kernel has no part in this, and the streams are as small as a descriptor.

use super::driver::{Case, Group, Target, Value};
use super::stats;
use super::table::{Cell, Column};
use super::wire::{self, Network};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 1_000_000;
const CONNECTIONS_QUICK: usize = 50_000;

/// So many share a room, where there are rooms.
const TOGETHER: usize = 10;

/// After so long nothing of the arrivals is left to tell.
const REST: Duration = Duration::from_secs(5);

const BYTES: Column = Column::new("heap B/connection", 0);
const COMING: Column = Column::new("us to come in", 2);
const TO_ALL: Column = Column::new("ms to all in the lobby", 2);
const DELIVERY: Column = Column::new("ns a delivery", 0);

/// What a newcomer says, by its number.
type Says = fn(usize) -> String;

/// So many connections in memory, which have got this far.
pub(crate) fn group(quick: bool) -> Group<'static> {
    let clients = if quick { CONNECTIONS_QUICK } else { CONNECTIONS };
    let kinds: [(&str, Says); 3] = [
        ("connected", |_| String::new()),
        ("named", |id| format!("REGISTER u{id:07}\n")),
        ("named, in rooms of ten", |id| {
            format!("REGISTER u{id:07}\n/join room-{}\n", id / TOGETHER)
        }),
    ];
    let cases = kinds.map(|(name, says)| Case::new(name, move || Ok(cell(clients, says))));
    let columns = [BYTES, COMING, TO_ALL, DELIVERY];
    let group = Group::new("million", "in memory, without a kernel", clients, cases, &columns);
    let target = Target::at_most("named", BYTES, Value::Median, 200.0);
    Group { floor: None, ..group.with([target]) }
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
    let count = stats::size(connections);
    vec![
        (BYTES, stats::float(allocated.bytes_current.unsigned_abs()) / count),
        (COMING, coming.as_secs_f64() * 1e6 / count),
        (TO_ALL, to_all.as_secs_f64() * 1e3),
        (DELIVERY, to_all.as_secs_f64() * 1e9 / stats::float(deliveries)),
    ]
}
