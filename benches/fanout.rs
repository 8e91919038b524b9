//! The cost of a delivered line, and the time it takes: beside the floors that the kernel
//! sets, beside what else one might run, and beside itself under other circumstances.
//!
//! `cargo bench --bench fanout` measures 1000 and 10 000 receivers; `-- --clients N` so
//! many, `-- --only paced` one kind of table, `-- --peers all` also what is installed.

mod common;

use common::ask;
use common::crowd::Crowd;
use common::driver::{self, Case, DISORDERED, Group, LOST, Target, Value};
use common::figures::{COST, GENERATOR, SERVER, Times};
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
const P50: Column = Column::new("p50 ms", 2);
const P99: Column = Column::main("p99 ms", 2);
const P999: Column = Column::new("p99.9 ms", 2);
/// Resident memory at most, over what it was before.
const PEAK: Column = Column::new("peak KiB", 0);
/// What waits in sockets for each who does not read, at both ends.
const KERNEL: Column = Column::new("KiB in sockets", 0);

const COSTS: [Column; 6] = [LINES, COST, SERVER, GENERATOR, LOST, DISORDERED];

/// Where is measured, and how long.
#[derive(Clone, Copy)]
struct Plan {
    cores: Cores,
    times: Times,
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
    let plan = Plan { cores: machine::prepare(), times: Times::new(options) };
    let sizes = options.sizes(&CLIENTS_DEFAULT, CLIENTS_QUICK);
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

impl Plan {
    /// Chinwag, the floors, and what one might run instead, all clients in one place.
    fn beside_floors(self, options: &Options, clients: usize) -> [Group<'static>; 3] {
        let group = |id, title: &str, pattern, floors: &[Floor], columns: &[Column]| {
            let floors = floors.iter().map(|floor| Subject::Floor(*floor));
            let peers = options.peers_for(clients).map(Subject::Peer);
            let subjects = floors.chain([Subject::Chinwag]).chain(peers);
            let talk = Talk::new(pattern);
            let cases = subjects.map(|subject| self.case(subject.name(), subject, clients, talk));
            Group::new(id, title, clients, cases, columns)
        };
        let [plain, coalescing, rolling] = [Floor::Plain, Floor::Coalescing, Floor::Rolling];
        let pace = (PACED_DELIVERIES / clients).clamp(1, 100);
        let paced = Pattern::Paced(u32::try_from(pace).expect("it is at most 100"));
        let latency = if clients < 10_000 { 1.05 } else { 1.08 };
        [
            group("one", "one line at a time", Pattern::Waves(1), &[plain, rolling], &COSTS)
                .with([Target::at_most("chinwag", COST, Value::Ratio, 1.05)]),
            group(
                "outstanding",
                "16 senders x 16 lines outstanding",
                Pattern::Outstanding(SENDERS),
                &[rolling, coalescing],
                &COSTS,
            )
            .with([
                Target::at_most("chinwag", COST, Value::Ratio, 1.2),
                Target::at_least("chinwag", COST, Value::BestPeer, 8.0),
            ]),
            group(
                "paced",
                &format!("paced, {pace} lines/s"),
                paced,
                &[plain],
                &[P50, P99, P999, COST, SERVER, LOST, DISORDERED],
            )
            .with([Target::at_most("chinwag", P99, Value::Ratio, latency)]),
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
        Group::new(
            "stalled",
            format!("one in ten never reads, lines of {STALLED_LENGTH} bytes"),
            STALLED_CLIENTS,
            cases,
            &[LINES, EACH, PEAK, KERNEL, SERVER, GENERATOR, LOST, DISORDERED],
        )
        .with([
            Target::at_least("chinwag", EACH, Value::Ratio, 0.95),
            // 8 MiB, and what may wait for twenty.
            Target::at_most("chinwag", PEAK, Value::Median, 8192.0 + 20.0 * 64.0),
        ])
    }

    /// One who never reads, beside a room that is kept busy: how late lines reach the others.
    fn beside_one_stalled(self) -> Group<'static> {
        let all_read = Talk { length: STALLED_LENGTH, ..Talk::new(Pattern::Paced(BUSY_PACE)) };
        let talk = Talk { deaf_every: Some(STALLED_CLIENTS), ..all_read };
        Group::new(
            "beside-stalled",
            format!("one of them never reads, {BUSY_PACE} lines/s of {STALLED_LENGTH} bytes"),
            STALLED_CLIENTS,
            [
                self.case("chinwag, all read", Subject::Chinwag, STALLED_CLIENTS, all_read),
                self.case("chinwag", Subject::Chinwag, STALLED_CLIENTS, talk),
            ],
            &[P50, P99, P999, PEAK, SERVER, LOST, DISORDERED],
        )
        .with([Target::at_most("chinwag", P99, Value::Ratio, 1.2)])
    }

    /// What a server without formats and names does not have; and very many who speak.
    fn beside_itself(self, clients: usize) -> [Group<'static>; 3] {
        let alike = Talk::new(Pattern::Outstanding(SENDERS));
        let halves = |halves| Talk { halves, ..alike };
        let many = Talk::new(Pattern::Outstanding(clients / 10));
        let chinwag = |name, talk| self.case(name, Subject::Chinwag, clients, talk);
        let (ending, dialect) = ("half end with CR LF", "half in another dialect");
        let format = |row| Target::at_most(row, COST, Value::Ratio, 1.3);
        [
            Group::new(
                "format",
                "16 x 16 outstanding, said in two ways",
                clients,
                [
                    chinwag("one format", alike),
                    chinwag(ending, halves(Halves::OtherEnding)),
                    chinwag(dialect, halves(Halves::OtherDialect)),
                ],
                &COSTS,
            )
            .with([format(ending), format(dialect)]),
            Group::new(
                "private",
                "16 x 16 outstanding, a private line to each two",
                clients,
                [
                    chinwag("without", alike),
                    chinwag("with private lines", Talk { with_private: true, ..alike }),
                ],
                &COSTS,
            )
            .with([Target::at_most("with private lines", COST, Value::Ratio, 1.2)]),
            Group::new(
                "crowd",
                format!("{} senders x 16 outstanding", clients / 10),
                clients,
                [
                    self.case("rolling", Subject::Floor(Floor::Rolling), clients, many),
                    chinwag("chinwag", many),
                ],
                &[LINES, COST, PEAK, SERVER, LOST, DISORDERED],
            )
            .with([Target::at_most("chinwag", PEAK, Value::Median, 16_384.0)]),
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
        let group = |id, title, pattern, counts: &[usize]| {
            let cases = counts.iter().map(|count| {
                let name = match count {
                    1 => "one room".to_owned(),
                    count => format!("{count} rooms"),
                };
                let (rooms, talk) = (Some(Rooms::new(clients, *count)), Talk::new(pattern));
                let setting = Setting { subject: Subject::Chinwag, clients, rooms, talk };
                Case::new(name, move || self.cell(setting))
            });
            Group::new(id, title, clients, cases, &COSTS)
        };
        let mut counts = vec![1, 10, 100, many];
        counts.retain(|count| *count <= many);
        counts.dedup();
        let aims = [("100 rooms", 0.25), ("10 rooms", 0.16)].into_iter();
        let aims = aims.filter(|_| clients >= 10_000);
        let aims = aims.map(|(row, most)| Target::at_most(row, COST, Value::Median, most));
        [
            group(
                "rooms-one",
                "one sender a room, one line at a time (a send a delivery in both)",
                Pattern::Waves(1),
                &[1, many],
            ),
            group(
                "rooms-sixteen",
                "one sender a room, 16 lines at a time (a send for 16 deliveries in both)",
                Pattern::Waves(16),
                &[1, many],
            ),
            group(
                "rooms",
                "16 senders or one a room x 16 outstanding (fewer share a send in small rooms)",
                Pattern::Outstanding(SENDERS),
                &counts,
            )
            .with(aims),
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
        let (outcome, mut cell) = self.times.measure(&mut load, || server.cpu_microseconds())?;
        let peak = server.resident_at_most()?.saturating_sub(resident);
        let waiting = machine::kernel_queues()?.saturating_sub(waiting);
        // Where all read, there is nothing to divide by, and nothing to show.
        let deaf = if load.deaf() == 0 { f64::NAN } else { stats::size(load.deaf()) };
        let per_second = outcome.delivered / outcome.seconds;
        let latency = |quantile| stats::float(outcome.latency.value_at_quantile(quantile)) / 1e3;
        cell.extend([
            (LINES, per_second),
            (EACH, per_second / stats::size(clients - load.deaf())),
            (P50, latency(0.5)),
            (P99, latency(0.99)),
            (P999, latency(0.999)),
            (PEAK, stats::float(peak) / 1024.0),
            (KERNEL, stats::float(waiting) / 1024.0 / deaf),
        ]);
        Ok(cell)
    }
}
