//! The cost of a delivered line, and the time it takes: beside the floors that the kernel
//! sets, beside what else one might run, and beside itself under other circumstances.
//!
//! `cargo bench --bench fanout` measures 1000 and 10 000 receivers; `-- --clients N` so
//! many, `-- --only paced` one kind of table, `-- --peers all` also what is installed.
//!
//! The figure to trust is the server's CPU time a line as a ratio to the floor's of
//! the same minute; a machine's own speed drifts more than servers differ.

mod common;

use common::book::Book;
use common::crowd::Crowd;
use common::floor::Floor;
use common::load::{Halves, Load, Pattern, Talk};
use common::machine::{self, Cores};
use common::options::{self, Options};
use common::progress::Progress;
use common::rooms::Rooms;
use common::server::{ServerProcess, Subject};
use common::syscalls::Count;
use common::table::{Column, Table};
use common::{ask, stats};
use std::io;
use std::process::ExitCode;
use std::time::Duration;

const CLIENTS_DEFAULT: [usize; 2] = [1000, 10_000];
const CLIENTS_QUICK: usize = 300;
const RUNS_DEFAULT: usize = 3;

/// The members of the room where some do not read, and how long its lines are.
const STALLED_CLIENTS: usize = 200;
const STALLED_LENGTH: usize = 400;

/// Lines a second that keep them busy, and the server's core about half of the time.
const BUSY_PACE: u32 = 1000;

/// Senders when lines are outstanding, unless it is to be many.
const SENDERS: usize = 16;

/// Lines a second to all receivers together, when they are paced.
const PACED_DELIVERIES: usize = 100_000;

/// One table: who is measured, and which of them is the floor.
struct Contest {
    id: &'static str,
    title: String,
    clients: usize,
    entrants: Vec<Entrant>,
    floor: usize,
    columns: Vec<Column<Cell>>,
}

/// A server, where its clients are, and what they say.
struct Entrant {
    name: String,
    subject: Subject,
    /// The rooms that the clients join; without any they stay where they came in.
    rooms: Option<Rooms>,
    talk: Talk,
}

/// How long is measured.
struct Plan {
    cores: Cores,
    runs: usize,
    warm_up: Duration,
    /// Not worth the wait for a glance.
    counts_syscalls: bool,
    duration: Duration,
}

/// What one fresh server has given.
struct Cell {
    lines_per_second: f64,
    /// To each who reads.
    lines_per_reader: f64,
    microseconds_per_line: f64,
    /// In milliseconds; of paced lines only.
    latency: [f64; 3],
    /// Resident memory at most, over what it was before, in KiB.
    peak: f64,
    /// What waits in sockets for each who does not read, at both ends, in KiB.
    kernel: f64,
    server_busy: f64,
    generator_busy: f64,
    /// Not a number where nobody counts them.
    syscalls_per_line: f64,
    lost: f64,
    disordered: f64,
}

const LINES: Column<Cell> = Column::new("lines/s", 0, |cell| cell.lines_per_second);
const EACH: Column<Cell> = Column::main("lines/s a reader", 0, |cell| cell.lines_per_reader);
const COST: Column<Cell> = Column::main("CPU us a line", 4, |cell| cell.microseconds_per_line);
const P50: Column<Cell> = Column::new("p50 ms", 2, |cell| cell.latency[0]);
const P99: Column<Cell> = Column::main("p99 ms", 2, |cell| cell.latency[1]);
const P999: Column<Cell> = Column::new("p99.9 ms", 2, |cell| cell.latency[2]);
const PEAK: Column<Cell> = Column::new("peak KiB over idle", 0, |cell| cell.peak);
const KERNEL: Column<Cell> = Column::new("KiB in sockets each, both ends", 0, |cell| cell.kernel);
const CALLS: Column<Cell> = Column::new("syscalls a line", 4, |cell| cell.syscalls_per_line);
const SERVER: Column<Cell> = Column::new("server busy %", 0, |cell| cell.server_busy);
const GENERATOR: Column<Cell> = Column::new("generator busy %", 0, |cell| cell.generator_busy);
const LOST: Column<Cell> = Column::new("lost", 0, |cell| cell.lost);
const DISORDERED: Column<Cell> = Column::new("disordered", 0, |cell| cell.disordered);

fn main() -> ExitCode {
    options::run("fanout", measure)
}

/// Measures and prints everything. Returns whether every line arrived in order.
fn measure(options: &Options) -> io::Result<bool> {
    let cores = machine::prepare();
    let (default_runs, warm_up, duration) =
        if options.quick { (1, 50, 150) } else { (RUNS_DEFAULT, 500, 2000) };
    let plan = Plan {
        cores,
        runs: options.runs.unwrap_or(default_runs),
        warm_up: Duration::from_millis(warm_up),
        counts_syscalls: !options.quick,
        duration: Duration::from_millis(duration),
    };
    let sizes = match options.clients {
        Some(clients) => vec![clients],
        None if options.quick => vec![CLIENTS_QUICK],
        None => CLIENTS_DEFAULT.to_vec(),
    };
    let mut contests = vec![stalled(options), beside_one_stalled()];
    for size in sizes {
        let clients = machine::affordable(size)?;
        contests.extend(beside_floors(options, clients));
        contests.extend(beside_itself(clients));
        contests.extend(beside_one_room(options.rooms(clients)));
    }
    contests.retain(|contest| options.wants(contest.id));
    let cells = contests.iter().map(|contest| contest.entrants.len() * plan.runs).sum();
    let mut progress = Progress::new(cells);
    let (mut tables, mut all_arrived) = (Vec::new(), true);
    for contest in contests {
        let (table, arrived) = plan.hold(&contest, &mut progress)?;
        all_arrived &= arrived;
        tables.push(table);
    }
    Book::enter("fanout", options, &tables)?;
    Ok(all_arrived)
}

fn entrant(name: &str, subject: Subject, talk: Talk) -> Entrant {
    Entrant { name: name.to_owned(), subject, rooms: None, talk }
}

/// Chinwag, the smallest servers, and those that one might run instead, all clients in one
/// place.
fn beside_floors(options: &Options, clients: usize) -> Vec<Contest> {
    let contest = |id, title: &str, pattern, floors: &[Floor], floor, columns: Vec<_>| {
        let floors = floors.iter().map(|floor| Subject::Floor(*floor));
        let subjects = floors.chain([Subject::Chinwag]);
        let peers = options.peers_for(clients).map(Subject::Peer);
        let enter = |subject: Subject| entrant(subject.name(), subject, Talk::new(pattern));
        let entrants = subjects.chain(peers).map(enter).collect();
        Contest { id, title: title.to_owned(), clients, entrants, floor, columns }
    };
    let [plain, coalescing, rolling] = [Floor::Plain, Floor::Coalescing, Floor::Rolling];
    let per_second = (PACED_DELIVERIES / clients).clamp(1, 100);
    let paced = Pattern::Paced(u32::try_from(per_second).expect("it is at most 100"));
    let paced_title = format!("paced, {per_second} lines/s");
    vec![
        contest("one", "one line at a time", Pattern::Waves(1), &[rolling, plain], 1, costs()),
        contest(
            "outstanding",
            "16 senders x 16 lines outstanding",
            Pattern::Outstanding(SENDERS),
            &[coalescing, rolling],
            1,
            costs(),
        ),
        contest(
            "paced",
            &paced_title,
            paced,
            &[plain],
            0,
            vec![P50, P99, P999, COST, SERVER, LOST, DISORDERED],
        ),
    ]
}

fn costs() -> Vec<Column<Cell>> {
    vec![LINES, COST, CALLS, SERVER, GENERATOR, LOST, DISORDERED]
}

/// One in ten never reads, and the others should not notice.
fn stalled(options: &Options) -> Contest {
    let all_read = Talk { length: STALLED_LENGTH, ..Talk::new(Pattern::Outstanding(SENDERS)) };
    let talk = Talk { deaf_every: Some(10), ..all_read };
    let peers = options.peers_for(STALLED_CLIENTS).map(Subject::Peer);
    let mut entrants = vec![entrant("chinwag, all read", Subject::Chinwag, all_read)];
    entrants.push(entrant("chinwag", Subject::Chinwag, talk));
    entrants.extend(peers.map(|peer| entrant(peer.name(), peer, talk)));
    Contest {
        id: "stalled",
        title: format!("one in ten never reads, lines of {STALLED_LENGTH} bytes"),
        clients: STALLED_CLIENTS,
        entrants,
        floor: 0,
        columns: vec![LINES, EACH, PEAK, KERNEL, SERVER, GENERATOR, LOST, DISORDERED],
    }
}

/// One who never reads, beside a room that is kept busy: how late lines reach the others.
fn beside_one_stalled() -> Contest {
    let all_read = Talk { length: STALLED_LENGTH, ..Talk::new(Pattern::Paced(BUSY_PACE)) };
    let talk = Talk { deaf_every: Some(STALLED_CLIENTS), ..all_read };
    Contest {
        id: "beside-stalled",
        title: format!("one of them never reads, {BUSY_PACE} lines/s of {STALLED_LENGTH} bytes"),
        clients: STALLED_CLIENTS,
        entrants: vec![
            entrant("chinwag, all read", Subject::Chinwag, all_read),
            entrant("chinwag", Subject::Chinwag, talk),
        ],
        floor: 0,
        columns: vec![P50, P99, P999, PEAK, SERVER, LOST, DISORDERED],
    }
}

/// What a server without wordings and names does not have; and very many who speak.
fn beside_itself(clients: usize) -> Vec<Contest> {
    let plain = Talk::new(Pattern::Outstanding(SENDERS));
    let chinwag = |name: &str, talk| entrant(name, Subject::Chinwag, talk);
    let halves = |halves| Talk { halves, ..plain };
    let many = Talk::new(Pattern::Outstanding(clients / 10));
    let contest = |id, title: String, entrants, columns| {
        let floor = 0;
        Contest { id, title, clients, entrants, floor, columns }
    };
    vec![
        contest(
            "wording",
            "16 x 16 outstanding, said in two ways".to_owned(),
            vec![
                chinwag("one wording", plain),
                chinwag("half end with CR LF", halves(Halves::OtherEnding)),
                chinwag("half in another dialect", halves(Halves::OtherDialect)),
            ],
            costs(),
        ),
        contest(
            "private",
            "16 x 16 outstanding, a private line to each two".to_owned(),
            vec![
                chinwag("without", plain),
                chinwag("with private lines", Talk { with_private: true, ..plain }),
            ],
            costs(),
        ),
        contest(
            "crowd",
            format!("{} senders x 16 outstanding", clients / 10),
            vec![
                entrant("rolling", Subject::Floor(Floor::Rolling), many),
                entrant("chinwag", Subject::Chinwag, many),
            ],
            vec![LINES, COST, PEAK, SERVER, LOST, DISORDERED],
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
    let clients = rooms.clients();
    let contest = |id, title: &str, pattern, counts: &[usize]| {
        let entrants = counts.iter().map(|count| {
            let rooms = Rooms::new(clients, *count);
            let name = match count {
                1 => "one room".to_owned(),
                count => format!("{} rooms", stats::grouped(stats::float(*count as u64))),
            };
            let rooms = Some(rooms);
            Entrant { name, subject: Subject::Chinwag, rooms, talk: Talk::new(pattern) }
        });
        let (title, entrants) = (title.to_owned(), entrants.collect());
        Contest { id, title, clients, entrants, floor: 0, columns: costs() }
    };
    let many = rooms.count();
    let mut counts = vec![1, 10, 100, many];
    counts.retain(|count| *count <= many);
    counts.dedup();
    vec![
        contest(
            "rooms-one",
            "one sender a room, one line at a time (a send a delivery in both)",
            Pattern::Waves(1),
            &[1, many],
        ),
        contest(
            "rooms-sixteen",
            "one sender a room, 16 lines at a time (a send for 16 deliveries in both)",
            Pattern::Waves(16),
            &[1, many],
        ),
        contest(
            "rooms",
            "16 senders or one a room x 16 lines outstanding (fewer share a send in small rooms)",
            Pattern::Outstanding(SENDERS),
            &counts,
        ),
    ]
}

impl Plan {
    /// Measures one table and prints it. Returns whether every line arrived in order.
    fn hold(&self, contest: &Contest, progress: &mut Progress) -> io::Result<(Table, bool)> {
        let mut rows: Vec<_> =
            contest.entrants.iter().map(|entrant| (entrant.name.clone(), Vec::new())).collect();
        for run in 0..self.runs {
            let mut order: Vec<usize> = (0..contest.entrants.len()).collect();
            // Every other run goes backwards, so that a drift of the machine
            // does not favour whoever comes first.
            if run % 2 == 1 {
                order.reverse();
            }
            for index in order {
                let entrant = &contest.entrants[index];
                progress.next(&format!("{}, {}: {}", contest.clients, contest.id, entrant.name));
                match (self.cell(contest.clients, entrant), entrant.subject) {
                    (Ok(cell), _) => rows[index].1.push(cell),
                    (Err(error), Subject::Peer(_)) => {
                        println!("{} is left out of a run: {error}", entrant.name);
                    }
                    (Err(error), _) => return Err(error),
                }
            }
        }
        progress.clear();
        let arrived = rows.iter().zip(&contest.entrants).all(|((_, cells), entrant)| {
            // Whether a peer loses lines is its own affair; the table shows it.
            let is_right = |cell: &Cell| cell.lost + cell.disordered < 0.5;
            matches!(entrant.subject, Subject::Peer(_)) || cells.iter().all(is_right)
        });
        // A peer that failed once is no pair to the floor any more.
        let (floor, clients) = (Some(contest.floor), contest.clients);
        rows.retain(|(_, cells)| cells.len() == self.runs);
        let title = contest.title.clone();
        let table = Table::new(contest.id, title, clients, floor, &rows, &contest.columns);
        table.print();
        Ok((table, arrived))
    }

    /// Lets everything get going. Returns the server's system calls a delivered line, where
    /// they can be counted.
    fn warm_up(&self, load: &mut Load, server: &ServerProcess) -> io::Result<f64> {
        let count = if self.counts_syscalls { Count::begin(server.id()) } else { None };
        let outcome = load.run(self.warm_up)?;
        let calls = count.map(Count::end).transpose()?.flatten();
        Ok(calls.map_or(f64::NAN, |calls| stats::float(calls) / outcome.delivered))
    }

    /// Starts a server, puts the load on it, and stops it.
    fn cell(&self, clients: usize, entrant: &Entrant) -> io::Result<Cell> {
        let Entrant { subject, talk, .. } = *entrant;
        let server = ServerProcess::start(subject, self.cores)?;
        let mut crowd = Crowd::new()?;
        crowd.spare_backlog(subject.backlog());
        crowd.connect(server.addr(), clients, |id| talk.enter(subject, id))?;
        crowd.ask(0..clients, |_| subject.join())?;
        if let Some(rooms) = entrant.rooms {
            crowd.ask(0..clients, |id| ask::room(id, rooms))?;
        }
        server.wait_until_accepted(clients)?;
        let rooms = entrant.rooms.unwrap_or(Rooms::new(clients, 1));
        let mut load = Load::new(crowd, rooms, subject, talk)?;
        let (resident, waiting) = (server.resident()?, machine::kernel_queues()?);
        let syscalls = self.warm_up(&mut load, &server)?;
        let before = server.cpu_microseconds()?;
        let outcome = load.run(self.duration)?;
        let cpu = server.cpu_microseconds()? - before;
        let kibibytes = |bytes: u64| stats::float(bytes) / 1024.0;
        let waiting = machine::kernel_queues()?.saturating_sub(waiting);
        let quantile = |quantile| stats::float(outcome.latency.value_at_quantile(quantile)) / 1e3;
        let readers = stats::float((clients - load.deaf()) as u64);
        Ok(Cell {
            lines_per_second: outcome.delivered / outcome.seconds,
            lines_per_reader: outcome.delivered / outcome.seconds / readers,
            microseconds_per_line: cpu / outcome.delivered,
            latency: [0.5, 0.99, 0.999].map(quantile),
            peak: kibibytes(server.resident_at_most()?.saturating_sub(resident)),
            kernel: match load.deaf() {
                0 => 0.0,
                deaf => kibibytes(waiting) / stats::float(deaf as u64),
            },
            syscalls_per_line: syscalls,
            server_busy: 100.0 * cpu / (outcome.seconds * 1e6),
            generator_busy: 100.0 * outcome.busy,
            lost: stats::float(load.lost()),
            disordered: stats::float(load.disordered()),
        })
    }
}
