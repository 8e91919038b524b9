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
use common::driver::{self, Case, DISORDERED, Group, LOST, Target, Value};
use common::figures::{COST, GENERATOR, Times};
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

const SAID: Column = Column::new("lines said/s", 0);
const REDIS: Column = Column::new("Redis us/said", 1);
const NODE: Column = Column::new("node %", 0);
const P50: Column = Column::main("p50 us", 0);
const P99: Column = Column::new("p99 us", 0);
const EXCESS: Column = Column::main("silence - outage ms", 0);
const LEASES: Column = Column::main("leases", 2);
const RESIDENT: Column = Column::new("MiB a node", 1);
const MISSING: Column = Column::main("lines missing", 0);

#[derive(Clone, Copy)]
struct Plan {
    cores: Cores,
    is_quick: bool,
    times: Times,
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
    let (is_quick, times) = (options.quick, Times::new(options));
    let plan = Plan { cores: machine::prepare(), is_quick, times };
    let clients = machine::affordable(options.clients(CLIENTS, CLIENTS_QUICK))?;
    let halved = machine::affordable(options.clients(CLIENTS_HALVED, CLIENTS_QUICK))?;
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
        let cases = [case("one server", 1, false), case("a node", 1, true)];
        let columns = [COST, REDIS, SAID, NODE, GENERATOR, LOST, DISORDERED];
        let group = Group::new(id, title, clients, cases, &columns);
        group.with([Target::at_most("a node", COST, Value::Ratio, most)])
    }

    /// As many clients at two nodes as at one server.
    fn halves(self, clients: usize) -> Group<'static> {
        let pace = u32::try_from((100_000 / clients).clamp(1, 100)).expect("it is at most 100");
        let case = |name, nodes| {
            Case::new(name, move || self.load(nodes, false, clients, Pattern::Paced(pace)))
        };
        let columns = [P50, P99, COST, RESIDENT, LOST, DISORDERED];
        let cases = [case("1 server", 1), case("2 nodes", 2)];
        Group::new("halves", format!("paced, {pace} lines/s"), clients, cases, &columns)
            .with([Target::at_most("2 nodes", P50, Value::Ratio, 0.75)])
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
        thread::sleep(self.times.warm_up);
        crowd.forget_unread()?;
        let mut load = Load::new(crowd, Rooms::new(clients, 1), subject, talk)?;
        let mut cpu = Vec::new();
        let (outcome, mut cell) = self.times.measure(&mut load, || {
            cpu.push([servers.cpu()?, servers.redis_cpu()?]);
            Ok(cpu[cpu.len() - 1][0])
        })?;
        let [nodes, redis] = [0, 1].map(|whose| cpu[1][whose] - cpu[0][whose]);
        let said = outcome.delivered / stats::size(clients);
        let micros = |quantile| stats::float(outcome.latency.value_at_quantile(quantile));
        cell.extend([
            (SAID, said / outcome.seconds),
            (NODE, nodes / outcome.seconds / 1e4),
            (P50, micros(0.5)),
            (P99, micros(0.99)),
            (RESIDENT, stats::float(servers.nodes[0].resident()?) / 1_048_576.0),
        ]);
        if servers.redis.is_some() {
            cell.push((REDIS, redis / said));
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
                Ok(vec![(P50, rank(50)), (P99, rank(99))])
            })
        };
        let cases = [
            case("one server", 1, false),
            case("the same node", 1, true),
            case("the other node", 2, true),
        ];
        let title = "from saying a line until another sees it, idle";
        Group::new("seen", title, 2, cases, &[P50, P99]).with([Target::at_most(
            "the other node",
            P50,
            Value::Ratio,
            5.0,
        )])
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
            Ok(vec![(REDIS, cpu / stats::size(rounds * PIPELINED))])
        });
        let node = Case::new("a node", move || {
            self.load(1, true, machine::CLIENTS_MIN, Pattern::Outstanding(SENDERS))
        });
        let columns = [Column::main(REDIS.heading, 1), SAID];
        Group::new(
            "batches",
            "what a line costs Redis",
            machine::CLIENTS_MIN,
            [bare, node],
            &columns,
        )
        .with([Target::at_most("a node", REDIS, Value::Ratio, 3.0)])
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
            Ok(vec![(EXCESS, 1e3 * silence.as_secs_f64()), (LOST, 0.0)])
        });
        let title = "Redis is stopped for 1 s, and all lines said meanwhile have come";
        let group = Group::new("outage", title, 2, [case], &[EXCESS, LOST]);
        let target = Target::at_most("2 nodes", EXCESS, Value::Median, 250.0);
        Group { floor: None, ..group.with([target]) }
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
            Ok(vec![(LEASES, start.elapsed().as_secs_f64() / LEASE.as_secs_f64())])
        });
        let title = "a node is killed, until others are told";
        let group = Group::new("killed", title, 2, [case], &[LEASES]);
        Group {
            floor: None,
            ..group.with([Target::at_most("2 nodes", LEASES, Value::Median, 1.5)])
        }
    }

    /// Redis is killed and started again: what does the other one miss?
    fn restart(self) -> Group<'static> {
        let published = Case::new("pub/sub", move || {
            let mut redis = Redis::start(self.cores)?;
            let said = person::publish_through_a_restart(&mut redis, PACE)?;
            Ok(vec![(MISSING, stats::size(said.missing))])
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
            Ok(vec![(MISSING, stats::size(missing))])
        });
        let published = Case { is_peer: true, ..published };
        let title = "Redis is killed and starts again";
        let group = Group::new("restart", title, 2, [published, node], &[MISSING]);
        let target = Target::at_most("2 nodes", MISSING, Value::Median, 0.0);
        Group { floor: None, ..group.with([target]) }
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

/// Clients dealt out to servers.
fn shares(clients: usize, servers: usize) -> impl Iterator<Item = usize> {
    (0..servers).map(move |server| (clients - server).div_ceil(servers))
}
