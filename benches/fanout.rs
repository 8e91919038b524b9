//! The cost of a delivered line, and the time it takes: beside the floors that the kernel
//! sets, beside what else one might run, and beside itself under other circumstances.
//!
//! `cargo bench --bench fanout` measures 1000 and 10 000 receivers; `-- --clients N` so
//! many, `-- --only paced` one kind of table, `-- --peers all` also what is installed.

mod common;

use common::ask;
use common::crowd::Crowd;
use common::driver::{self, Bound, Case, Group, Target, Value};
use common::floor::Floor;
use common::load::{Halves, Load, Pattern, Talk};
use common::machine::{self, Cores};
use common::options::{self, Options};
use common::rooms::Rooms;
use common::server::{ServerProcess, Subject};
use common::stats;
use common::table::{Cell, Column};
use std::io;
use std::process::ExitCode;
use std::time::Duration;

const CLIENTS_DEFAULT: [usize; 2] = [1000, 10_000];
const CLIENTS_QUICK: usize = 300;
const RUNS: usize = 3;

/// The members of the room where some do not read, and how long its lines are.
const STALLED_CLIENTS: usize = 200;
const STALLED_LENGTH: usize = 400;

/// Lines a second that keep them busy, and the server's core about half of the time.
const BUSY_PACE: u32 = 1000;

/// Senders when lines are outstanding, unless it is to be many.
const SENDERS: usize = 16;

/// Lines a second to all receivers together, when they are paced.
const PACED_DELIVERIES: usize = 100_000;

const ABOUT: &str = "\
What to make of it: the figure to trust is the server's CPU time a delivered line as a ratio
to the floor's of the same run; a machine's own speed drifts more than servers differ. Read
`one` for a quiet room (a send a line a client is all there is), `outstanding` for a busy one
(how many lines share a send), `paced` for latency.";

const LINES: Column = Column::new("lines/s", 0);
const EACH: Column = Column::main("lines/s a reader", 0);
const COST: Column = Column::main("CPU us/line", 4);
const P50: Column = Column::new("p50 ms", 2);
const P99: Column = Column::main("p99 ms", 2);
const P999: Column = Column::new("p99.9 ms", 2);
/// Resident memory at most, over what it was before.
const PEAK: Column = Column::new("peak KiB", 0);
/// What waits in sockets for each who does not read, at both ends.
const KERNEL: Column = Column::new("KiB in sockets", 0);
const SERVER: Column = Column::new("server %", 0);
const GENERATOR: Column = Column::new("generator %", 0);
const LOST: Column = Column::new(driver::FAULTS[0], 0);
const DISORDERED: Column = Column::new(driver::FAULTS[1], 0);

const COSTS: [Column; 6] = [LINES, COST, SERVER, GENERATOR, LOST, DISORDERED];

/// How long is measured, and where.
#[derive(Clone, Copy)]
struct Plan {
    cores: Cores,
    warm_up: Duration,
    duration: Duration,
}

/// A server, where its clients are, and what they say.
#[derive(Clone, Copy)]
struct Setting {
    subject: Subject,
    clients: usize,
    /// The rooms that the clients join; without any they stay where they came in.
    rooms: Option<Rooms>,
    talk: Talk,
}

fn main() -> ExitCode {
    options::run("fanout", measure)
}

/// Measures and prints everything. Returns whether every line arrived in order.
fn measure(options: &Options) -> io::Result<bool> {
    let (warm_up, duration) = if options.quick { (50, 150) } else { (500, 2000) };
    let [warm_up, duration] = [warm_up, duration].map(Duration::from_millis);
    let plan = Plan { cores: machine::prepare(), warm_up, duration };
    let sizes = match options.clients {
        Some(clients) => vec![clients],
        None if options.quick => vec![CLIENTS_QUICK],
        None => CLIENTS_DEFAULT.to_vec(),
    };
    let mut groups = vec![plan.stalled(options), plan.beside_one_stalled()];
    for size in sizes {
        let clients = machine::affordable(size)?;
        groups.extend(plan.beside_floors(options, clients));
        groups.extend(plan.beside_itself(clients));
        let rooms = options.rooms.unwrap_or(clients / 10);
        groups.extend(plan.beside_one_room(Rooms::new(clients, rooms)));
    }
    driver::run("fanout", ABOUT, options, RUNS, groups)
}

fn at_most(row: &'static str, heading: &'static str, value: Value, most: f64) -> Target {
    Target { row, heading, value, bound: Bound::AtMost(most) }
}

fn at_least(row: &'static str, heading: &'static str, value: Value, least: f64) -> Target {
    Target { row, heading, value, bound: Bound::AtLeast(least) }
}

impl Plan {
    /// Chinwag, the floors, and what one might run instead, all clients in one place.
    fn beside_floors(self, options: &Options, clients: usize) -> [Group<'static>; 3] {
        let group = |id, title: &str, pattern, floors: &[Floor], columns: &[Column], targets| {
            let floors = floors.iter().map(|floor| Subject::Floor(*floor));
            let peers = options.peers_for(clients).map(Subject::Peer);
            let subjects = floors.chain([Subject::Chinwag]).chain(peers);
            let talk = Talk::new(pattern);
            let cases = subjects.map(|subject| self.case(subject.name(), subject, clients, talk));
            group(id, title, clients, cases.collect(), columns, targets)
        };
        let [plain, coalescing, rolling] = [Floor::Plain, Floor::Coalescing, Floor::Rolling];
        let pace = (PACED_DELIVERIES / clients).clamp(1, 100);
        let paced = Pattern::Paced(u32::try_from(pace).expect("it is at most 100"));
        let cost = |value, bound| Target { row: "chinwag", heading: COST.heading, value, bound };
        let latency = if clients < 10_000 { 1.05 } else { 1.08 };
        [
            group(
                "one",
                "one line at a time",
                Pattern::Waves(1),
                &[plain, rolling],
                &COSTS,
                vec![cost(Value::Ratio, Bound::AtMost(1.05))],
            ),
            group(
                "outstanding",
                "16 senders x 16 lines outstanding",
                Pattern::Outstanding(SENDERS),
                &[rolling, coalescing],
                &COSTS,
                vec![
                    cost(Value::Ratio, Bound::AtMost(1.2)),
                    cost(Value::BestPeer, Bound::AtLeast(8.0)),
                ],
            ),
            group(
                "paced",
                &format!("paced, {pace} lines/s"),
                paced,
                &[plain],
                &[P50, P99, P999, COST, SERVER, LOST, DISORDERED],
                vec![at_most("chinwag", P99.heading, Value::Ratio, latency)],
            ),
        ]
    }

    /// One in ten never reads, and the others should not notice.
    fn stalled(self, options: &Options) -> Group<'static> {
        let all_read = Talk { length: STALLED_LENGTH, ..Talk::new(Pattern::Outstanding(SENDERS)) };
        let talk = Talk { deaf_every: Some(10), ..all_read };
        let peers = options.peers_for(STALLED_CLIENTS).map(Subject::Peer);
        let case = |name, subject, talk| self.case(name, subject, STALLED_CLIENTS, talk);
        let mut cases = vec![case("chinwag, all read", Subject::Chinwag, all_read)];
        cases.push(case("chinwag", Subject::Chinwag, talk));
        cases.extend(peers.map(|peer| case(peer.name(), peer, talk)));
        group(
            "stalled",
            &format!("one in ten never reads, lines of {STALLED_LENGTH} bytes"),
            STALLED_CLIENTS,
            cases,
            &[LINES, EACH, PEAK, KERNEL, SERVER, GENERATOR, LOST, DISORDERED],
            vec![
                at_least("chinwag", EACH.heading, Value::Ratio, 0.95),
                // 8 MiB, and what may wait for twenty.
                at_most("chinwag", PEAK.heading, Value::Median, 8192.0 + 20.0 * 64.0),
            ],
        )
    }

    /// One who never reads, beside a room that is kept busy: how late lines reach the others.
    fn beside_one_stalled(self) -> Group<'static> {
        let all_read = Talk { length: STALLED_LENGTH, ..Talk::new(Pattern::Paced(BUSY_PACE)) };
        let talk = Talk { deaf_every: Some(STALLED_CLIENTS), ..all_read };
        group(
            "beside-stalled",
            &format!("one of them never reads, {BUSY_PACE} lines/s of {STALLED_LENGTH} bytes"),
            STALLED_CLIENTS,
            vec![
                self.case("chinwag, all read", Subject::Chinwag, STALLED_CLIENTS, all_read),
                self.case("chinwag", Subject::Chinwag, STALLED_CLIENTS, talk),
            ],
            &[P50, P99, P999, PEAK, SERVER, LOST, DISORDERED],
            vec![at_most("chinwag", P99.heading, Value::Ratio, 1.2)],
        )
    }

    /// What a server without formats and names does not have; and very many who speak.
    fn beside_itself(self, clients: usize) -> [Group<'static>; 3] {
        let alike = Talk::new(Pattern::Outstanding(SENDERS));
        let halves = |halves| Talk { halves, ..alike };
        let many = Talk::new(Pattern::Outstanding(clients / 10));
        let chinwag = |name, talk| self.case(name, Subject::Chinwag, clients, talk);
        let (ending, dialect) = ("half end with CR LF", "half in another dialect");
        let format = |row| at_most(row, COST.heading, Value::Ratio, 1.3);
        [
            group(
                "format",
                "16 x 16 outstanding, said in two ways",
                clients,
                vec![
                    chinwag("one format", alike),
                    chinwag(ending, halves(Halves::OtherEnding)),
                    chinwag(dialect, halves(Halves::OtherDialect)),
                ],
                &COSTS,
                vec![format(ending), format(dialect)],
            ),
            group(
                "private",
                "16 x 16 outstanding, a private line to each two",
                clients,
                vec![
                    chinwag("without", alike),
                    chinwag("with private lines", Talk { with_private: true, ..alike }),
                ],
                &COSTS,
                vec![at_most("with private lines", COST.heading, Value::Ratio, 1.2)],
            ),
            group(
                "crowd",
                &format!("{} senders x 16 outstanding", clients / 10),
                clients,
                vec![
                    self.case("rolling", Subject::Floor(Floor::Rolling), clients, many),
                    chinwag("chinwag", many),
                ],
                &[LINES, COST, PEAK, SERVER, LOST, DISORDERED],
                vec![at_most("chinwag", PEAK.heading, Value::Median, 16_384.0)],
            ),
        ]
    }

    /// Chinwag with all clients in one room, and in many. A line that has been read and
    /// rendered once is delivered as often as the room has members, so a small room's
    /// deliveries have to bear more of that; the sends are equally many in the first two
    /// tables. In the third they are not: lines catch up with one another only where a
    /// room takes longer to serve than its senders to go on, which is what large rooms
    /// gain there, and not a cost of small ones.
    fn beside_one_room(self, rooms: Rooms) -> [Group<'static>; 3] {
        let clients = rooms.clients();
        let many = rooms.count();
        let group = |id, title: &str, pattern, counts: &[usize], targets| {
            let cases = counts.iter().map(|count| {
                let name = match count {
                    1 => "one room".to_owned(),
                    count => format!("{count} rooms"),
                };
                let (rooms, talk) = (Some(Rooms::new(clients, *count)), Talk::new(pattern));
                let setting = Setting { subject: Subject::Chinwag, clients, rooms, talk };
                Case::new(name, move || self.cell(setting))
            });
            group(id, title, clients, cases.collect(), &COSTS, targets)
        };
        let mut counts = vec![1, 10, 100, many];
        counts.retain(|count| *count <= many);
        counts.dedup();
        let aims = [("100 rooms", 0.25), ("10 rooms", 0.16)].into_iter();
        let aims = aims.filter(|_| clients >= 10_000);
        let aims = aims.map(|(row, most)| at_most(row, COST.heading, Value::Median, most));
        [
            group(
                "rooms-one",
                "one sender a room, one line at a time (a send a delivery in both)",
                Pattern::Waves(1),
                &[1, many],
                Vec::new(),
            ),
            group(
                "rooms-sixteen",
                "one sender a room, 16 lines at a time (a send for 16 deliveries in both)",
                Pattern::Waves(16),
                &[1, many],
                Vec::new(),
            ),
            group(
                "rooms",
                "16 senders or one a room x 16 outstanding (fewer share a send in small rooms)",
                Pattern::Outstanding(SENDERS),
                &counts,
                aims.collect(),
            ),
        ]
    }

    fn case(self, name: &str, subject: Subject, clients: usize, talk: Talk) -> Case<'static> {
        let setting = Setting { subject, clients, rooms: None, talk };
        let case = Case::new(name, move || self.cell(setting));
        Case { is_peer: matches!(subject, Subject::Peer(_)), ..case }
    }

    /// Starts a server, puts the load on it, and stops it.
    fn cell(self, setting: Setting) -> io::Result<Cell> {
        let Setting { subject, clients, rooms, talk } = setting;
        let server = ServerProcess::start(subject, &[], self.cores)?;
        let mut crowd = Crowd::new()?;
        crowd.connect(server.addr(), clients, |id| talk.enter(subject, id))?;
        crowd.ask(0..clients, |_| subject.join())?;
        if let Some(rooms) = rooms {
            crowd.ask(0..clients, |id| ask::room(id, rooms))?;
        }
        server.wait_until_accepted(clients)?;
        let mut load = Load::new(crowd, rooms.unwrap_or(Rooms::new(clients, 1)), subject, talk)?;
        let (resident, waiting) = (server.resident()?, machine::kernel_queues()?);
        load.run(self.warm_up)?;
        let before = server.cpu_microseconds()?;
        let outcome = load.run(self.duration)?;
        let cpu = server.cpu_microseconds()? - before;
        let peak = server.resident_at_most()?.saturating_sub(resident);
        let waiting = machine::kernel_queues()?.saturating_sub(waiting);
        // Where all read, there is nothing to divide by, and nothing to show.
        let deaf = if load.deaf() == 0 { f64::NAN } else { stats::size(load.deaf()) };
        let per_second = outcome.delivered / outcome.seconds;
        let latency = |quantile| stats::float(outcome.latency.value_at_quantile(quantile)) / 1e3;
        Ok(vec![
            (LINES.heading, per_second),
            (EACH.heading, per_second / stats::size(clients - load.deaf())),
            (COST.heading, cpu / outcome.delivered),
            (P50.heading, latency(0.5)),
            (P99.heading, latency(0.99)),
            (P999.heading, latency(0.999)),
            (PEAK.heading, stats::float(peak) / 1024.0),
            (KERNEL.heading, stats::float(waiting) / 1024.0 / deaf),
            (SERVER.heading, cpu / outcome.seconds / 1e4),
            (GENERATOR.heading, 100.0 * outcome.busy),
            (LOST.heading, stats::float(load.lost())),
            (DISORDERED.heading, stats::float(load.disordered())),
        ])
    }
}

/// The first case is the floor.
fn group<'a>(
    id: &'static str,
    title: &str,
    clients: usize,
    cases: Vec<Case<'a>>,
    columns: &[Column],
    targets: Vec<Target>,
) -> Group<'a> {
    let (title, columns) = (title.to_owned(), columns.to_vec());
    Group { id, title, clients, cases, floor: Some(0), columns, targets }
}
