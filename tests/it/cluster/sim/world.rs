//! Nodes, their clients, their log, and the one clock. What happens is told to the oracle at once:
//! which report a node has got, and what each of its clients reads because of it.

use std::collections::BTreeMap;
use std::time::Duration;

use chinwag::cluster::{NodeId, Report};
use chinwag::testing::Network;
use chinwag::{ConnId, Limits};

use super::member::Member;
use super::oracle::Oracle;
use super::reading::{Reading, token, understand};
use super::record::{Cause, Records};
use super::shared::{Job, Shared};
use crate::cluster::link::{Link, Times};
use crate::cluster::log::Log;
use crate::sim::rng::Rng;

const LEASE: u64 = 5000;
pub(super) const TIMES: Times = Times { patience: 3000, beat: LEASE / 4, delay: 800 };

/// Lines that the log keeps for nodes that enter later.
const SAID_MAX: usize = 30;

/// More happens at one time only if it never ends.
const AT_ONCE_MAX: usize = 10_000;

pub(super) struct World {
    pub(super) rng: Rng,
    /// The choices of what happens only in some runs: the others are as they were without it.
    pub(super) more: Rng,
    pub(super) with: With,
    pub(super) now: u64,
    pub(super) log: Log,
    /// `None` once it is killed.
    pub(super) nodes: Vec<Option<Node>>,
    pub(super) clients: Vec<Client>,
    pub(super) tokens: u64,
    pub(super) records: Records,
    pub(super) oracle: Oracle,
    pub(super) shared: Shared,
    /// Whether clients come back with tokens.
    pub(super) resumes: bool,
    pub(super) is_traced: bool,
    /// What this client reads from now on.
    pub(super) heard: Option<(usize, Vec<String>)>,
}

/// What happens only in some runs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct With {
    /// Operators ban names.
    pub(super) bans: bool,
    /// There may be few rooms.
    pub(super) few_rooms: bool,
    /// An operator ends all nodes.
    pub(super) shutdowns: bool,
}

pub(super) struct Node {
    pub(super) network: Network<Member>,
    pub(super) link: Link,
    /// How far its clock is.
    now: u64,
    /// When its way is open again, if it is not.
    pub(super) mended: Option<u64>,
    pub(super) is_open: bool,
    /// What its worker does.
    pub(super) job: Option<Job>,
}

pub(super) struct Client {
    pub(super) node: usize,
    pub(super) conn: ConnId,
    pub(super) is_operator: bool,
    pub(super) is_closed: bool,
    /// With which they may come back.
    pub(super) token: Option<String>,
}

impl World {
    pub(super) fn new(seed: u64, resumes: bool, is_traced: bool) -> World {
        let (mut rng, mut more) = (Rng::new(seed), Rng::new(!seed));
        let has_more = !resumes && matches!(seed % 10, 2 | 3);
        let mut is_so = |one_in| has_more && more.one_in(one_in);
        let with = With { bans: is_so(2), few_rooms: is_so(2), shutdowns: is_so(4) };
        let count = rng.between(2, 3);
        let mut world = World {
            rng,
            more,
            with,
            now: 0,
            log: Log::new(LEASE, SAID_MAX),
            nodes: Vec::new(),
            clients: Vec::new(),
            tokens: 0,
            records: Records::default(),
            oracle: Oracle::default(),
            shared: Shared::default(),
            resumes,
            is_traced,
            heard: None,
        };
        for _ in 0..count {
            world.start();
        }
        world
    }

    /// A node starts.
    pub(super) fn start(&mut self) {
        let number = self.nodes.len();
        let id = NodeId(number as u64 + 1);
        self.trace(|| format!("node {number} starts"));
        let limits = Limits::default().with(|it| it.rate = None);
        let mut network = Network::new(Member::new(id, self.with), &limits);
        network.pass(Duration::from_millis(self.now));
        let link = Link::new(id, &format!("node-{number}"), TIMES, self.rng.fork(), self.now);
        let node = Node { network, link, now: self.now, mended: None, is_open: false, job: None };
        self.nodes.push(Some(node));
        self.oracle.start(number);
    }

    /// The nodes that run, and have been in the cluster.
    pub(super) fn running(&self) -> Vec<usize> {
        let runs = |node: &(usize, &Node)| node.1.is_open && !node.1.link.is_paused();
        self.alive().filter(runs).map(|(number, _)| number).collect()
    }

    /// The nodes that are not killed.
    pub(super) fn alive(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes.iter().enumerate().filter_map(|(number, node)| Some((number, node.as_ref()?)))
    }

    pub(super) fn node(&mut self, number: usize) -> &mut Node {
        self.nodes[number].as_mut().expect("it is not killed")
    }

    /// All clients that are connected.
    pub(super) fn connected(&self) -> Vec<usize> {
        (0..self.clients.len()).filter(|client| !self.clients[*client].is_closed).collect()
    }

    /// The clients of a node that are connected.
    pub(super) fn clients_of(&self, node: usize) -> Vec<usize> {
        let is_there = |(_, client): &(usize, &Client)| client.node == node && !client.is_closed;
        self.clients.iter().enumerate().filter(is_there).map(|(client, _)| client).collect()
    }

    pub(super) fn connect(&mut self, node: usize, label: &str) -> usize {
        let client = self.clients.len();
        self.trace(|| format!("node {node}: client {client} connects, {label}"));
        let conn = self.node(node).network.connect(label);
        let is_operator = label == "op";
        self.clients.push(Client { node, conn, is_operator, is_closed: false, token: None });
        self.oracle.connect(client, node);
        self.observe(node, Cause::Local);
        client
    }

    /// A client says something, in one piece.
    pub(super) fn say(&mut self, client: usize, text: &str) {
        let Client { node, conn, .. } = self.clients[client];
        self.trace(|| format!("node {node}: client {client} says {text:?}"));
        for line in text.lines() {
            self.oracle.sent(client, token(line.as_bytes()), line);
            self.shared.sent(client, line);
        }
        self.node(node).network.send(conn, text.as_bytes());
        self.observe(node, Cause::Local);
    }

    /// A client is cut off, or ends its input.
    pub(super) fn hang_up(&mut self, client: usize, is_reset: bool) {
        let Client { node, conn, .. } = self.clients[client];
        self.trace(|| format!("node {node}: client {client} is cut off"));
        let network = &mut self.node(node).network;
        if is_reset {
            network.reset(conn);
            self.close(client);
        } else {
            network.end(conn);
        }
        self.observe(node, Cause::Local);
    }

    fn close(&mut self, client: usize) {
        self.clients[client].is_closed = true;
        self.oracle.closed(client);
    }

    /// A node is killed, with all its connections.
    pub(super) fn kill(&mut self, number: usize) {
        self.trace(|| format!("node {number} is killed"));
        for client in self.clients_of(number) {
            self.close(client);
        }
        let node = self.nodes[number].take().expect("it is not killed twice");
        node.link.kill(&mut self.log, self.now);
        self.collect();
    }

    /// A node is shut down.
    pub(super) fn shut_down(&mut self, number: usize) {
        self.trace(|| format!("node {number} is shut down"));
        self.node(number).network.shutdown();
        self.take_entries(number);
        for client in self.clients_of(number) {
            self.close(client);
        }
        let node = self.nodes[number].take().expect("it is not killed twice");
        node.link.leave(&mut self.log, self.now);
        self.collect();
    }

    /// Time passes, and whatever is due happens.
    pub(super) fn pass(&mut self, time: u64) {
        let end = self.now + time;
        let mut at_once = 0;
        loop {
            self.arrive();
            let next = self.alive().map(|(_, node)| node.next()).min().unwrap_or(end).max(self.now);
            at_once = if next == self.now { at_once + 1 } else { 0 };
            assert!(at_once < AT_ONCE_MAX, "it never ends");
            if next > end || (next == end && self.now == end) && self.is_done(end) {
                break;
            }
            self.set_time(next);
        }
        self.set_time(end);
        self.arrive();
    }

    fn is_done(&self, end: u64) -> bool {
        self.alive().all(|(_, node)| node.next() > end)
    }

    fn set_time(&mut self, now: u64) {
        self.now = now;
        for number in 0..self.nodes.len() {
            let Some(node) = &mut self.nodes[number] else { continue };
            if node.mended.is_some_and(|at| at <= now) {
                node.mended = None;
                node.link.mend(now);
                self.trace(|| format!("node {number} is mended"));
            }
            let Some(node) = &mut self.nodes[number] else { continue };
            if !node.link.is_paused() && node.now < now {
                node.network.pass(Duration::from_millis(now - node.now));
                node.now = now;
                self.observe(number, Cause::Local);
            }
        }
    }

    /// Whatever is there by now arrives.
    fn arrive(&mut self) {
        for node in self.nodes.iter_mut().flatten() {
            node.link.pass(&mut self.log, self.now);
        }
        self.collect();
        for number in 0..self.nodes.len() {
            if let Some(node) = &mut self.nodes[number] {
                node.link.read(&self.log, self.now);
            }
            while let Some(node) = &mut self.nodes[number]
                && !node.link.is_paused()
                && let Some(report) = node.link.take(self.now)
            {
                self.report(number, report);
            }
            self.serve(number);
        }
    }

    fn report(&mut self, number: usize, report: Report) {
        let cause = self.records.cause(&report);
        self.trace(|| format!("node {number} is told {cause:?} {}", self.records.show(&cause)));
        self.oracle.before(number, &cause, &self.records);
        let node = self.node(number);
        node.network.service().tell(report);
        node.network.wake();
        node.is_open |= node.network.service().is_in_cluster();
        self.observe(number, cause);
    }

    /// What has come of something at a node.
    pub(super) fn observe(&mut self, number: usize, cause: Cause) {
        self.take_entries(number);
        let mut readings = BTreeMap::new();
        let mut closed = Vec::new();
        for client in self.clients_of(number) {
            let conn = self.clients[client].conn;
            let network = &mut self.node(number).network;
            let text = network.read(conn);
            if network.is_closed(conn) {
                closed.push(client);
            }
            let lines: Vec<Reading> = text.lines().map(understand).collect();
            for line in text.lines() {
                self.trace(|| format!("node {number}:     client {client} reads {line}"));
            }
            let given = lines.iter().rev().find_map(|line| match line {
                Reading::Token(token) => Some(token.clone()),
                _ => None,
            });
            self.clients[client].token = given.or(self.clients[client].token.take());
            if let Some((_, heard)) = self.heard.as_mut().filter(|(who, _)| *who == client) {
                heard.extend(text.lines().map(str::to_owned));
            }
            for line in &lines {
                self.is_told_of_ban(client, line);
            }
            if !lines.is_empty() {
                readings.insert(client, lines);
            }
        }
        let is_ending = self.node(number).network.service().takes_shutdown();
        self.oracle.shuts_down(number, is_ending, &cause, &self.records);
        self.take_entries(number);
        self.oracle.observe(number, &cause, &readings, &closed, &self.records);
        for client in closed {
            self.close(client);
        }
        if is_ending {
            return self.shut_down(number);
        }
        if matches!(cause, Cause::Event(_)) {
            for (client, lines) in &readings {
                self.ask_where(*client, lines);
            }
        }
    }

    /// Somebody whose token was refused has come back all the same: nobody says where they are.
    fn ask_where(&mut self, client: usize, lines: &[Reading]) {
        let is_named = lines.iter().any(|line| matches!(line, Reading::Named(_)));
        let is_told = lines.iter().any(|line| matches!(line, Reading::Who { .. }));
        let may_be_another = self.oracle.told()[client].may_be_another;
        if is_named && !is_told && may_be_another && !self.clients[client].is_closed {
            self.say(client, "/who\n");
        }
    }

    fn take_entries(&mut self, number: usize) {
        let now = self.now;
        let node = self.nodes[number].as_mut().expect("it is not killed");
        for entry in node.network.service().take_entries() {
            self.oracle.appended(number, entry.number, token(&entry.payload));
            self.records.appended(NodeId(number as u64 + 1), &entry);
            node.link.append(entry, now);
        }
    }

    fn collect(&mut self) {
        let known = self.records.count();
        self.records.collect(&self.log);
        for index in known..self.records.count() {
            self.oracle.logged(self.records.get(index), index + 1);
        }
    }

    pub(super) fn trace(&self, text: impl Fn() -> String) {
        if self.is_traced {
            println!("{:>6} {}", self.now, text());
        }
    }
}

impl Node {
    fn next(&self) -> u64 {
        let job = self.job.as_ref().filter(|_| !self.link.is_paused());
        let job = job.map_or(u64::MAX, |job| job.due);
        self.mended.unwrap_or(u64::MAX).min(self.link.next()).min(job)
    }
}
