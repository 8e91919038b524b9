//! The cost of a client that does nothing: coming in, staying, being reached, going.
//!
//! `cargo bench --bench density` measures several numbers of clients, up to as many as
//! there are descriptors; each side has a process, and so all of them, to itself.
//!
//! The floor's clients only connect, and so do the first of chinwag's; the others are
//! named with `REGISTER` and have read the reply; those in rooms have also joined one, ten
//! together, and take notices, so that what they cost to connect holds what the others in
//! the room are told of each. A peer's clients have come as far as to hear what is said.
//!
//! Then somebody says a line to all; then there is a spike of traffic, which one in ten
//! reads only when it is over; then all leave. In a table of its own stands what the
//! kernel's descriptors do not allow: a million connections, in memory. Last comes what an
//! arrival costs the larger a crowd is; see `arrivals`.

mod common;

use common::arrivals;
use common::ask::{self, Ask};
use common::book::Book;
use common::crowd::Crowd;
use common::floor::Floor;
use common::load::{Load, Pattern, Talk};
use common::machine::{self, Cores};
use common::million;
use common::options::{self, Options};
use common::peers::Peer;
use common::progress::Progress;
use common::rooms::Rooms;
use common::server::{ServerProcess, Subject};
use common::stats;
use common::table::{Column, Table};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{io, thread};

/// The last is more than a process may usually have, and becomes as many as it may.
const CLIENTS_DEFAULT: [usize; 4] = [100, 1000, 10_000, 19_900];
const CLIENTS_QUICK: usize = 500;
const RUNS_DEFAULT: usize = 3;

/// The largest crowd whose arrival is measured.
const ARRIVALS_DEFAULT: usize = 10_000;

/// How far the clients of a server have got when they are left alone.
#[derive(Clone, Copy, PartialEq)]
enum Stay {
    Floor,
    Connected,
    Named,
    /// Named, in a room, and told who comes and goes.
    InRooms,
    Peer(Peer),
}

/// Who came last is told of a second later, who says nothing after two; memory is given back
/// within two of the last that was done. Only then is there nothing left to do.
const REST: Duration = Duration::from_millis(2500);

/// How long all clients are left alone, to see what the server does meanwhile.
const IDLE: Duration = Duration::from_secs(1);

/// A glance does not wait for as long as all that follows.
const QUICK_SHARE: f64 = 0.1;

/// How long the spike lasts, and how long nothing must come for it to be over.
const SPIKE: Duration = Duration::from_millis(300);
const QUIET: Duration = Duration::from_millis(300);

/// How long a server gets to give memory back.
const GIVE_BACK: Duration = Duration::from_millis(2500);

/// How long it may take to notice that all have gone.
const GONE_MAX: Duration = Duration::from_secs(30);

/// What one fresh server has given. Memory is in bytes.
struct Cell {
    connects_per_second: f64,
    microseconds_per_connect: f64,
    bytes_per_client: f64,
    /// In the kernel, at both ends.
    kernel_per_client: f64,
    /// CPU time while idle, in microseconds a second.
    idle_microseconds: f64,
    milliseconds_to_all: f64,
    /// Over what it was before the spike.
    after_spike: f64,
    /// Over what it was when nobody had come yet.
    after_all: f64,
    generator_busy: f64,
}

fn columns() -> Vec<Column<Cell>> {
    vec![
        Column::main("connects/s", 0, |cell| cell.connects_per_second),
        Column::main("CPU us a connect", 1, |cell| cell.microseconds_per_connect),
        Column::new("generator busy %", 0, |cell| cell.generator_busy),
        Column::new("bytes a client", 0, |cell| cell.bytes_per_client),
        Column::new("in the kernel", 0, |cell| cell.kernel_per_client),
        Column::new("idle CPU us/s", 0, |cell| cell.idle_microseconds),
        Column::main("ms to all", 2, |cell| cell.milliseconds_to_all),
        Column::new("KiB more after a spike", 0, |cell| cell.after_spike / 1024.0),
        Column::new("KiB more when all have left", 0, |cell| cell.after_all / 1024.0),
    ]
}

fn main() -> ExitCode {
    options::run("density", measure)
}

/// Measures and prints everything. Returns whether every line arrived.
fn measure(options: &Options) -> io::Result<bool> {
    let cores = machine::prepare();
    let sizes = match (options.clients, options.quick) {
        (Some(clients), _) => vec![clients],
        (None, true) => vec![CLIENTS_QUICK],
        (None, false) => CLIENTS_DEFAULT.to_vec(),
    };
    let runs = options.runs.unwrap_or(if options.quick { 1 } else { RUNS_DEFAULT });
    let mut tables = Vec::new();
    if options.wants("idle") {
        for size in sizes {
            tables.push(idle(options, machine::affordable(size)?, runs, cores)?);
        }
    }
    if options.wants("million") {
        tables.push(million::measure(options.quick));
    }
    if options.wants("arrivals") {
        let most = if options.quick { CLIENTS_QUICK } else { ARRIVALS_DEFAULT };
        let most = arrivals::affordable(options.clients.unwrap_or(most))?;
        let sizes = if options.quick { vec![most] } else { vec![most / 10, most / 2, most] };
        tables.extend(arrivals::measure(&sizes, runs, cores)?);
    }
    Book::enter("density", options, &tables)?;
    Ok(true)
}

/// So many clients, of each server in turn.
fn idle(options: &Options, clients: usize, runs: usize, cores: Cores) -> io::Result<Table> {
    let share = if options.quick { QUICK_SHARE } else { 1.0 };
    let rooms = options.rooms(clients);
    let own = [Stay::Floor, Stay::Connected, Stay::Named, Stay::InRooms];
    let peers = options.peers_for(clients).map(Stay::Peer);
    let stays: Vec<Stay> = own.into_iter().chain(peers).collect();
    let mut rows: Vec<_> = stays.iter().map(|stay| (stay.name(), Vec::new())).collect();
    let mut progress = Progress::new(runs * stays.len());
    for run in 0..runs {
        let mut order: Vec<usize> = (0..stays.len()).collect();
        // Every other run goes backwards; see `fanout`.
        if run % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let (stay, (name, cells)) = (stays[index], &mut rows[index]);
            progress.next(&format!("{clients}, idle: {name}"));
            match (cell(stay, rooms, cores, share), stay) {
                (Ok(cell), _) => cells.push(cell),
                (Err(error), Stay::Peer(_)) => println!("{name} is left out of a run: {error}"),
                (Err(error), _) => return Err(error),
            }
        }
    }
    progress.clear();
    rows.retain(|(_, cells)| cells.len() == runs);
    let title = "who do nothing, and then something".to_owned();
    let table = Table::new("idle", title, clients, Some(0), &rows, &columns());
    table.print();
    Ok(table)
}

impl Stay {
    fn subject(self) -> Subject {
        match self {
            Stay::Floor => Subject::Floor(Floor::Plain),
            Stay::Connected | Stay::Named | Stay::InRooms => Subject::Chinwag,
            Stay::Peer(peer) => Subject::Peer(peer),
        }
    }

    fn name(self) -> String {
        match self {
            Stay::Floor | Stay::Named | Stay::Peer(_) => self.subject().name().to_owned(),
            Stay::Connected => "chinwag, connected only".to_owned(),
            Stay::InRooms => "chinwag, in rooms".to_owned(),
        }
    }

    /// What a client asks for when it connects.
    fn enter(self, id: usize, rooms: Rooms) -> Vec<Ask> {
        match self {
            Stay::Connected => Vec::new(),
            // Notices come last, since what follows them answers nothing.
            Stay::InRooms => ask::name(id)
                .into_iter()
                .chain(ask::room(id, rooms))
                .chain([Ask::new("/notices on", "Notices on.")])
                .collect(),
            Stay::Floor | Stay::Named | Stay::Peer(_) => self.subject().enter(id),
        }
    }

    /// Who only connects would be greeted meanwhile, which is a cost of another kind; see
    /// `arrivals`.
    fn arguments(self) -> &'static [&'static str] {
        if self == Stay::Connected { &["--greet-after", "off"] } else { &[] }
    }
}

/// Starts a server, fills it, leaves it alone, has it do something, and empties it. Waits
/// for the share of the usual times that is given.
fn cell(stay: Stay, rooms: Rooms, cores: Cores, share: f64) -> io::Result<Cell> {
    let subject = stay.subject();
    let server = ServerProcess::start_with(subject, stay.arguments(), cores)?;
    let (cpu_when_empty, empty) = (server.cpu_microseconds()?, server.resident()?);
    let (descriptors, kernel_when_empty) = (server.descriptors()?, machine::kernel_objects()?);

    let clients = rooms.clients();
    let start = Instant::now();
    let mut crowd = Crowd::new()?;
    crowd.spare_backlog(subject.backlog());
    crowd.connect(server.addr(), clients, |id| stay.enter(id, rooms))?;
    crowd.ask(0..clients, |_| subject.join())?;
    server.wait_until_accepted(clients)?;
    let connecting = start.elapsed().as_secs_f64();
    let busy = 1.0 - crowd.idle_seconds() / connecting;
    thread::sleep(REST);
    let cpu_when_full = server.cpu_microseconds()?;
    thread::sleep(IDLE.mul_f64(share));
    let idle = server.cpu_microseconds()? - cpu_when_full;
    let full = server.resident()?;
    let kernel = machine::kernel_objects()?.saturating_sub(kernel_when_empty);

    let rooms = if stay == Stay::InRooms { rooms } else { Rooms::new(clients, 1) };
    // What one is told of others has not been heard yet.
    crowd.forget_unread()?;
    if stay == Stay::Connected {
        crowd.ask(0..clients, ask::name)?;
    }
    let (to_all, after_spike) = stir(crowd, rooms, &server, share)?;
    let after_all = leave(&server, descriptors, empty, share)?;
    let count = stats::float(clients as u64);
    Ok(Cell {
        connects_per_second: count / connecting,
        microseconds_per_connect: (cpu_when_full - cpu_when_empty) / count,
        bytes_per_client: stats::float(full.saturating_sub(empty)) / count,
        kernel_per_client: stats::float(kernel) / count,
        idle_microseconds: idle / (share * IDLE.as_secs_f64()),
        milliseconds_to_all: to_all.as_secs_f64() * 1e3,
        after_spike,
        after_all,
        generator_busy: 100.0 * busy,
    })
}

/// Says a line to all, then much. Returns how long the line took, and how much more memory
/// is resident when the spike is over. The clients are gone then.
fn stir(
    crowd: Crowd,
    rooms: Rooms,
    server: &ServerProcess,
    share: f64,
) -> io::Result<(Duration, f64)> {
    let (subject, before) = (server.subject(), server.resident()?);
    let mut load = Load::new(crowd, rooms, subject, Talk::new(Pattern::Waves(1)))?;
    let to_all = load.say_once()?;
    if load.lost() > 0 {
        return Err(io::Error::other(format!("a line was lost to {} clients", load.lost())));
    }
    let spike = Talk { deaf_every: Some(10), ..Talk::new(Pattern::Outstanding(16)) };
    let mut load = Load::new(load.into_crowd(), rooms, subject, spike)?;
    load.run(SPIKE.mul_f64(share))?;
    load.wake_the_deaf(QUIET.mul_f64(share))?;
    thread::sleep(GIVE_BACK.mul_f64(share));
    Ok((to_all, stats::float(server.resident()?.saturating_sub(before))))
}

/// Waits until the server has noticed that all have gone. Returns how much more memory is
/// resident than before they came.
fn leave(server: &ServerProcess, descriptors: u64, empty: u64, share: f64) -> io::Result<f64> {
    let start = Instant::now();
    while server.descriptors()? > descriptors {
        if start.elapsed() > GONE_MAX {
            return Err(io::Error::other("the server does not notice that all have gone"));
        }
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(GIVE_BACK.mul_f64(share));
    Ok(stats::float(server.resident()?.saturating_sub(empty)))
}
