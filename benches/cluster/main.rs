//! What it costs that several servers are one chat, and what it gives: beside one server, beside
//! bare commands to Redis, and beside the way of chats that publish each line.
//!
//! `cargo bench --features redis --bench cluster` measures; it needs a redis-server. Nodes and
//! Redis share one core.

#[path = "../common/mod.rs"]
mod common;

mod person;
mod redis;

use common::crowd::Crowd;
use common::driver::{self, Bound, Case, FAULTS, Group, Target, Value};
use common::load::{Load, Pattern, Talk};
use common::machine::{self, Cores};
use common::options::{self, Options};
use common::rooms::Rooms;
use common::server::{ServerProcess, Subject};
use common::stats;
use common::table::{Cell, Column};
use person::Person;
use redis::{Redis, command};
use std::io;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

const CLIENTS: usize = 1000;
const CLIENTS_HALVED: usize = 10_000;
const CLIENTS_QUICK: usize = 200;
const RUNS: usize = 3;
const SENDERS: usize = 16;

/// Lines that are seen by one other, and added to a stream.
const SEEN: usize = 2000;
const ADDED: usize = 100_000;
const QUICKLY: usize = 20;
const PIPELINED: usize = 256;

/// Seconds for which Redis does nothing.
const OUTAGE: Duration = Duration::from_secs(1);
const PACE: Duration = Duration::from_millis(2);

/// A node's, unless it is told another.
const LEASE: Duration = Duration::from_secs(5);

const ABOUT: &str = "\
What to make of it: CPU is that of a node with all its threads, Redis' stands beside it. A line is
said once, and delivered to each. `seen` is idle: one says a line, another sees it. In `outage`
Redis is stopped for a second, less than a node's patience; the silence beyond that is shown. In
`restart` it is killed and started again, with its append-only file, while somebody says a line
each two milliseconds.";

const COST: Column = Column::main("CPU us/line", 4);
const SAID: Column = Column::new("lines said/s", 0);
const REDIS: Column = Column::new("Redis us/said", 1);
const SERVER: Column = Column::new("node %", 0);
const GENERATOR: Column = Column::new("generator %", 0);
const P50: Column = Column::main("p50 us", 0);
const P99: Column = Column::new("p99 us", 0);
const EXCESS: Column = Column::main("silence - outage ms", 0);
const LEASES: Column = Column::main("leases", 2);
const RESIDENT: Column = Column::new("MiB a node", 1);
const MISSING: Column = Column::main("lines missing", 0);
const LOST: Column = Column::new(FAULTS[0], 0);
const DISORDERED: Column = Column::new(FAULTS[1], 0);

#[derive(Clone, Copy)]
struct Plan {
    cores: Cores,
    is_quick: bool,
    warm_up: Duration,
    duration: Duration,
}

/// A server, or several over one Redis.
struct Servers {
    nodes: Vec<ServerProcess>,
    redis: Option<Redis>,
}

fn main() -> ExitCode {
    options::run("cluster", measure)
}

fn measure(options: &Options) -> io::Result<bool> {
    let (warm_up, duration) = if options.quick { (50, 150) } else { (500, 2000) };
    let [warm_up, duration] = [warm_up, duration].map(Duration::from_millis);
    let plan = Plan { cores: machine::prepare(), is_quick: options.quick, warm_up, duration };
    let wanted = if options.quick { CLIENTS_QUICK } else { CLIENTS };
    let clients = machine::affordable(options.clients.unwrap_or(wanted))?;
    let wanted = if options.quick { CLIENTS_QUICK } else { CLIENTS_HALVED };
    let halved = machine::affordable(options.clients.unwrap_or(wanted))?;
    let one = plan.beside_one("one", "one line at a time", clients, Pattern::Waves(1), 1.05);
    let outstanding = Pattern::Outstanding(SENDERS);
    let many = plan.beside_one("outstanding", "16 x 16 outstanding", clients, outstanding, 2.0);
    let groups = vec![
        one,
        many,
        plan.seen(),
        plan.batches(),
        plan.outage(),
        plan.killed(),
        plan.halves(halved),
        plan.restart(),
    ];
    driver::run("cluster", ABOUT, options, RUNS, groups)
}

impl Plan {
    /// So many servers; more than one are a cluster, and so is one `with_redis`.
    fn start(self, count: usize, with_redis: bool) -> io::Result<Servers> {
        let redis = (with_redis || count > 1).then(|| Redis::start(self.cores)).transpose()?;
        let url = redis.as_ref().map(Redis::url);
        let words = url.as_ref().map_or(vec![], |url| vec!["--redis", url]);
        let nodes = (0..count).map(|_| ServerProcess::start(Subject::Chinwag, &words, self.cores));
        Ok(Servers { nodes: nodes.collect::<io::Result<_>>()?, redis })
    }

    fn few(self, count: usize) -> usize {
        if self.is_quick { QUICKLY } else { count }
    }

    /// One server by itself, and the same as the only node of a cluster.
    fn beside_one(
        self,
        id: &'static str,
        title: &str,
        clients: usize,
        pattern: Pattern,
        most: f64,
    ) -> Group<'static> {
        let case = |name, nodes, with_redis| {
            Case::new(name, move || self.load(nodes, with_redis, clients, pattern))
        };
        let cases = vec![case("one server", 1, false), case("a node", 1, true)];
        let columns = vec![COST, REDIS, SAID, SERVER, GENERATOR, LOST, DISORDERED];
        let targets = vec![at_most("a node", COST, Value::Ratio, most)];
        let floor = Some(0);
        Group { id, title: title.to_owned(), clients, cases, floor, columns, targets }
    }

    /// As many clients at two nodes as at one server.
    fn halves(self, clients: usize) -> Group<'static> {
        let pace = u32::try_from((100_000 / clients).clamp(1, 100)).expect("it is at most 100");
        let case = |name, nodes| {
            Case::new(name, move || self.load(nodes, false, clients, Pattern::Paced(pace)))
        };
        Group {
            id: "halves",
            title: format!("paced, {pace} lines/s"),
            clients,
            cases: vec![case("1 server", 1), case("2 nodes", 2)],
            floor: Some(0),
            columns: vec![P50, P99, COST, RESIDENT, LOST, DISORDERED],
            targets: vec![at_most("2 nodes", P50, Value::Ratio, 0.75)],
        }
    }

    fn load(
        self,
        nodes: usize,
        with_redis: bool,
        clients: usize,
        pattern: Pattern,
    ) -> io::Result<Cell> {
        let servers = self.start(nodes, with_redis)?;
        let (subject, talk) = (Subject::Chinwag, Talk::new(pattern));
        let mut crowd = Crowd::new()?;
        for (node, share) in servers.nodes.iter().zip(shares(clients, nodes)) {
            let first = crowd.len();
            crowd.connect(node.addr(), share, |id| talk.enter(subject, id))?;
            node.wait_until_accepted(crowd.len() - first)?;
        }
        // Each has to be known everywhere before lines are counted.
        thread::sleep(self.warm_up);
        crowd.forget_unread()?;
        let mut load = Load::new(crowd, Rooms::new(clients, 1), subject, talk)?;
        load.run(self.warm_up)?;
        let (before, redis_before) = (servers.cpu()?, servers.redis_cpu()?);
        let outcome = load.run(self.duration)?;
        let cpu = servers.cpu()? - before;
        let said = outcome.delivered / stats::size(clients);
        let micros = |quantile| stats::float(outcome.latency.value_at_quantile(quantile));
        let resident = stats::float(servers.nodes[0].resident()?) / 1_048_576.0;
        let mut cell = vec![
            (COST.heading, cpu / outcome.delivered),
            (SAID.heading, said / outcome.seconds),
            (SERVER.heading, cpu / outcome.seconds / 1e4),
            (GENERATOR.heading, 100.0 * outcome.busy),
            (P50.heading, micros(0.5)),
            (P99.heading, micros(0.99)),
            (RESIDENT.heading, resident),
            (LOST.heading, stats::float(load.lost())),
            (DISORDERED.heading, stats::float(load.disordered())),
        ];
        if servers.redis.is_some() {
            cell.push((REDIS.heading, (servers.redis_cpu()? - redis_before) / said));
        }
        Ok(cell)
    }

    /// From saying a line until another has it.
    fn seen(self) -> Group<'static> {
        let case = |name, nodes, with_redis| {
            Case::new(name, move || {
                let servers = self.start(nodes, with_redis)?;
                let (mut ann, mut bob) = servers.two_people()?;
                let mut times = Vec::new();
                for number in 0..self.few(SEEN) {
                    thread::sleep(PACE);
                    let start = Instant::now();
                    ann.say(&number.to_string())?;
                    bob.hear(&number.to_string())?;
                    times.push(1e6 * start.elapsed().as_secs_f64());
                    ann.hear(&number.to_string())?;
                }
                times.sort_by(f64::total_cmp);
                let rank = |share: usize| times[(times.len() - 1) * share / 100];
                Ok(vec![(P50.heading, rank(50)), (P99.heading, rank(99))])
            })
        };
        Group {
            id: "seen",
            title: "from saying a line until another sees it, idle".to_owned(),
            clients: 2,
            cases: vec![
                case("one server", 1, false),
                case("the same node", 1, true),
                case("the other node", 2, true),
            ],
            floor: Some(0),
            columns: vec![P50, P99],
            targets: vec![at_most("the other node", P50, Value::Ratio, 5.0)],
        }
    }

    /// What a line costs Redis, beside adding the same bytes to a stream.
    fn batches(self) -> Group<'static> {
        let bare = Case::new("XADD", move || {
            let redis = Redis::start(self.cores)?;
            let mut client = redis.connect()?;
            let text = "x".repeat(64);
            let mut packet = Vec::new();
            (0..PIPELINED).for_each(|_| command(&["XADD", "s", "*", "p", &text], &mut packet));
            let rounds = self.few(ADDED).div_ceil(PIPELINED);
            let before = redis.process().cpu_microseconds()?;
            for _ in 0..rounds {
                client.write(&packet)?;
                (0..PIPELINED).try_for_each(|_| client.reply().map(|_| ()))?;
            }
            let cpu = redis.process().cpu_microseconds()? - before;
            Ok(vec![(REDIS.heading, cpu / stats::size(rounds * PIPELINED))])
        });
        let node = Case::new("a node", move || {
            self.load(1, true, machine::CLIENTS_MIN, Pattern::Outstanding(SENDERS))
        });
        Group {
            id: "batches",
            title: "what a line costs Redis".to_owned(),
            clients: machine::CLIENTS_MIN,
            cases: vec![bare, node],
            floor: Some(0),
            columns: vec![Column::main(REDIS.heading, 1), SAID],
            targets: vec![at_most("a node", REDIS, Value::Ratio, 3.0)],
        }
    }

    /// Redis does nothing for a while, shorter than a node's patience.
    fn outage(self) -> Group<'static> {
        let case = Case::new("2 nodes", move || {
            let servers = self.start(2, true)?;
            let (mut ann, mut bob) = servers.two_people()?;
            let redis = servers.redis.as_ref().expect("two have one").process();
            redis.signal("STOP")?;
            let start = Instant::now();
            let mut said = 0;
            while start.elapsed() < OUTAGE {
                ann.say(&said.to_string())?;
                said += 1;
                thread::sleep(PACE);
            }
            redis.signal("CONT")?;
            for number in 0..said {
                bob.hear(&number.to_string())?;
            }
            let silence = start.elapsed().saturating_sub(OUTAGE);
            Ok(vec![(EXCESS.heading, 1e3 * silence.as_secs_f64()), (LOST.heading, 0.0)])
        });
        Group {
            id: "outage",
            title: "Redis is stopped for 1 s, and all lines said meanwhile have come".to_owned(),
            clients: 2,
            cases: vec![case],
            floor: None,
            columns: vec![EXCESS, LOST],
            targets: vec![at_most("2 nodes", EXCESS, Value::Median, 250.0)],
        }
    }

    /// A node is killed, and its people are said to have left.
    fn killed(self) -> Group<'static> {
        let case = Case::new("2 nodes", move || {
            let mut servers = self.start(2, true)?;
            let (mut ann, mut bob) = servers.two_people()?;
            bob.say("/notices on")?;
            bob.hear("Notices on.")?;
            ann.say("last words")?;
            bob.hear("last words")?;
            let start = Instant::now();
            drop(servers.nodes.remove(0));
            bob.hear("ann left the chat.")?;
            Ok(vec![(LEASES.heading, start.elapsed().as_secs_f64() / LEASE.as_secs_f64())])
        });
        Group {
            id: "killed",
            title: "a node is killed, until others are told".to_owned(),
            clients: 2,
            cases: vec![case],
            floor: None,
            columns: vec![LEASES],
            targets: vec![at_most("2 nodes", LEASES, Value::Median, 1.5)],
        }
    }

    /// Redis is killed and started again: what does the other one miss?
    fn restart(self) -> Group<'static> {
        let published = Case::new("pub/sub", move || {
            let mut redis = Redis::start(self.cores)?;
            let said = person::publish_through_a_restart(&mut redis, PACE)?;
            Ok(vec![(MISSING.heading, stats::size(said.missing))])
        });
        let node = Case::new("2 nodes", move || {
            let mut servers = self.start(2, true)?;
            let (mut ann, mut bob) = servers.two_people()?;
            let redis = servers.redis.as_mut().expect("two have one");
            let mut said = 0;
            let mut say_for = |millis: u64| -> io::Result<()> {
                let end = Instant::now() + Duration::from_millis(millis);
                while Instant::now() < end {
                    ann.say(&said.to_string())?;
                    said += 1;
                    thread::sleep(PACE);
                }
                Ok(())
            };
            say_for(200)?;
            thread::scope(|scope| {
                let restarted = scope.spawn(|| redis.restart());
                say_for(500)?;
                restarted.join().expect("it does not panic")
            })?;
            say_for(200)?;
            let missing = (0..said).try_fold(0, |missing: usize, number| {
                bob.hear(&number.to_string()).map(|()| missing)
            })?;
            Ok(vec![(MISSING.heading, stats::size(missing))])
        });
        Group {
            id: "restart",
            title: "Redis is killed and starts again".to_owned(),
            clients: 2,
            cases: vec![Case { is_peer: true, ..published }, node],
            floor: None,
            columns: vec![MISSING],
            targets: vec![at_most("2 nodes", MISSING, Value::Median, 0.0)],
        }
    }
}

impl Servers {
    /// Of all nodes together.
    fn cpu(&self) -> io::Result<f64> {
        self.nodes.iter().map(ServerProcess::cpu_microseconds).sum()
    }

    fn redis_cpu(&self) -> io::Result<f64> {
        self.redis.as_ref().map_or(Ok(0.0), |redis| redis.process().cpu_microseconds())
    }

    /// One at the first node, and one at the last.
    fn two_people(&self) -> io::Result<(Person, Person)> {
        let (first, last) = (&self.nodes[0], &self.nodes[self.nodes.len() - 1]);
        let (mut ann, mut bob) =
            (Person::connect(first.addr(), "ann")?, Person::connect(last.addr(), "bob")?);
        ann.say("are you there?")?;
        bob.hear("are you there?")?;
        ann.hear("are you there?")?;
        Ok((ann, bob))
    }
}

fn at_most(row: &'static str, column: Column, value: Value, most: f64) -> Target {
    Target { row, heading: column.heading, value, bound: Bound::AtMost(most) }
}

/// Clients dealt out to servers.
fn shares(clients: usize, servers: usize) -> impl Iterator<Item = usize> {
    (0..servers).map(move |server| (clients - server).div_ceil(servers))
}
