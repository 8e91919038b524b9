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
use common::crowd::Crowd;
use common::driver::{self, Case, Group, Target, Value};
use common::floor::Floor;
use common::load::{Load, Pattern, Talk};
use common::machine::{self, Cores};
use common::million;
use common::options::{self, Options};
use common::peers::Peer;
use common::rooms::Rooms;
use common::server::{ServerProcess, Subject};
use common::stats;
use common::table::{Cell, Column};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{io, thread};

/// The last is more than a process may usually have, and becomes as many as it may.
const CLIENTS_DEFAULT: [usize; 4] = [100, 1000, 10_000, 19_900];
const CLIENTS_QUICK: usize = 500;
const RUNS: usize = 3;

/// The largest crowd whose arrival is measured.
const ARRIVALS_DEFAULT: usize = 10_000;

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
const GONE_MAX: Duration = Duration::from_mins(2);

const ABOUT: &str = "\
What to make of it: bytes a client are resident ones of the server, without what the first has
brought in, beside some 4.5 KB that the kernel takes at this end of any connection (its column
has both ends). What an arrival costs must be the same however many are there already. The last
two columns say what is kept once a spike is over, and once all have left.";

const CONNECTS: Column = Column::main("connects/s", 0);
const CONNECT_COST: Column = Column::main("CPU us/connect", 1);
const GENERATOR: Column = Column::new("generator %", 0);
const BYTES: Column = Column::new("B/client", 0);
const KERNEL: Column = Column::new("kernel B/client", 0);
/// CPU time while nobody does anything.
const IDLE_COST: Column = Column::new("idle CPU us/s", 0);
const TO_ALL: Column = Column::main("ms to all", 2);
/// Over what it was before the spike, and before anybody had come.
const AFTER_SPIKE: Column = Column::new("KiB after a spike", 0);
const AFTER_ALL: Column = Column::new("KiB when all left", 0);

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

fn main() -> ExitCode {
    options::run("density", measure)
}

fn measure(options: &Options) -> io::Result<bool> {
    let cores = machine::prepare();
    let mut groups = Vec::new();
    for size in options.sizes(&CLIENTS_DEFAULT, CLIENTS_QUICK) {
        groups.push(idle(options, machine::affordable(size)?, cores));
    }
    groups.push(million::group(options.quick));
    let most = arrivals::affordable(options.clients(ARRIVALS_DEFAULT, CLIENTS_QUICK))?;
    let sizes = if options.quick { vec![most] } else { vec![most / 10, most / 2, most] };
    groups.extend(sizes.into_iter().map(|size| arrivals::group(size, cores)));
    driver::run("density", ABOUT, options, RUNS, groups)
}

/// So many clients, of each server in turn.
fn idle(options: &Options, clients: usize, cores: Cores) -> Group<'static> {
    let share = if options.quick { QUICK_SHARE } else { 1.0 };
    let rooms = Rooms::new(clients, options.rooms.unwrap_or(clients / 10));
    let own = [Stay::Floor, Stay::Connected, Stay::Named, Stay::InRooms];
    let peers = options.peers_for(clients).map(Stay::Peer);
    let cases = own.into_iter().chain(peers).map(|stay| Case {
        is_peer: matches!(stay, Stay::Peer(_)),
        ..Case::new(stay.name(), move || cell(stay, rooms, cores, share))
    });
    let columns = [
        CONNECTS,
        CONNECT_COST,
        GENERATOR,
        BYTES,
        KERNEL,
        IDLE_COST,
        TO_ALL,
        AFTER_SPIKE,
        AFTER_ALL,
    ];
    let group = Group::new("idle", "who do nothing, and then something", clients, cases, &columns);
    if clients < 10_000 { group } else { group.with(targets()) }
}

fn targets() -> [Target; 9] {
    let [silent, named, rooms] = ["chinwag, connected only", "chinwag", "chinwag, in rooms"];
    [
        Target::at_most(named, BYTES, Value::Median, 200.0),
        Target::at_most(rooms, BYTES, Value::Median, 200.0),
        Target::at_most(silent, CONNECT_COST, Value::Ratio, 1.2),
        Target::at_most(named, CONNECT_COST, Value::Ratio, 1.8),
        Target::at_least(silent, CONNECTS, Value::Ratio, 0.65),
        Target::at_least(named, CONNECTS, Value::Ratio, 0.65),
        Target::at_most(named, IDLE_COST, Value::Median, 0.0),
        // The rest of the aim, 20 % of what was resident before, is on the safe side.
        Target::at_most(named, AFTER_SPIKE, Value::Median, 4096.0),
        Target::at_most(named, AFTER_ALL, Value::Median, 4096.0),
    ]
}

impl Stay {
    fn subject(self) -> Subject {
        match self {
            Stay::Floor => Subject::Floor(Floor::Plain),
            Stay::Connected | Stay::Named | Stay::InRooms => Subject::Chinwag,
            Stay::Peer(peer) => Subject::Peer(peer),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Stay::Floor | Stay::Named | Stay::Peer(_) => self.subject().name(),
            Stay::Connected => "chinwag, connected only",
            Stay::InRooms => "chinwag, in rooms",
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
    let server = ServerProcess::start(subject, stay.arguments(), cores)?;
    let (clients, descriptors) = (rooms.clients(), server.descriptors()?);
    let mut crowd = Crowd::new()?;
    let enter = |crowd: &mut Crowd, count| {
        let came = crowd.len();
        crowd.connect(server.addr(), count, |id| stay.enter(id, rooms))?;
        crowd.ask(came..came + count, |_| subject.join())?;
        server.wait_until_accepted(crowd.len())
    };
    // The first brings in the program's own pages, which all share.
    enter(&mut crowd, 1)?;
    let (cpu_when_empty, empty) = (server.cpu_microseconds()?, server.resident()?);
    let kernel_when_empty = machine::kernel_objects()?;

    let start = Instant::now();
    enter(&mut crowd, clients - 1)?;
    let connecting = start.elapsed().as_secs_f64();
    let busy = 1.0 - crowd.idle_seconds() / connecting;
    thread::sleep(REST.mul_f64(share));
    let cpu_when_full = server.cpu_microseconds()?;
    thread::sleep(IDLE.mul_f64(share));
    let idle = server.cpu_microseconds()? - cpu_when_full;
    let full = server.resident()?;
    let kernel = machine::kernel_objects()?.saturating_sub(kernel_when_empty);

    let rooms = if stay == Stay::InRooms { rooms } else { Rooms::new(clients, 1) };
    // What one is told of others is out of the way before lines are counted.
    match stay {
        Stay::Connected => crowd.ask(0..clients, ask::name)?,
        Stay::InRooms => {
            crowd.ask(0..clients, |_| vec![Ask::new("/notices off", "Notices off.")])?;
        }
        Stay::Floor | Stay::Named | Stay::Peer(_) => crowd.forget_unread()?,
    }
    let (to_all, after_spike) = talk(crowd, rooms, subject, &server, share)?;
    let after_all = leave(&server, descriptors, empty, share)?;
    let count = stats::size(clients - 1);
    Ok(vec![
        (CONNECTS, count / connecting),
        (CONNECT_COST, (cpu_when_full - cpu_when_empty) / count),
        (GENERATOR, 100.0 * busy),
        (BYTES, stats::float(full.saturating_sub(empty)) / count),
        (KERNEL, stats::float(kernel) / count),
        (IDLE_COST, idle / (share * IDLE.as_secs_f64())),
        (TO_ALL, to_all.as_secs_f64() * 1e3),
        (AFTER_SPIKE, after_spike),
        (AFTER_ALL, after_all),
    ])
}

/// Says a line to all, then much. Returns how long the line took, and how many KiB more
/// are resident when the spike is over. The clients are gone then.
fn talk(
    crowd: Crowd,
    rooms: Rooms,
    subject: Subject,
    server: &ServerProcess,
    share: f64,
) -> io::Result<(Duration, f64)> {
    let before = server.resident()?;
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
    Ok((to_all, kibibytes_over(server, before)?))
}

/// Waits until the server has noticed that all have gone. Returns how many KiB more are
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
    kibibytes_over(server, empty)
}

fn kibibytes_over(server: &ServerProcess, before: u64) -> io::Result<f64> {
    Ok(stats::float(server.resident()?.saturating_sub(before)) / 1024.0)
}
