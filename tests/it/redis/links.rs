//! A node for tests: a link, and what it was told.

use std::thread;
use std::time::{Duration, Instant};

use chinwag::Handle;
use chinwag::cluster::{Action, Carrier, Entry, Event, NodeId, Outcome, Report};
use chinwag::redis::{Link, Options, Stats};

use super::server::{MINUTE, Redis};
use crate::client::eventually;

pub(super) struct Node {
    pub(super) link: Link,
    pub(super) told: Vec<Report>,
    /// How many entries it has appended.
    pub(super) count: u64,
}

impl Node {
    /// One that is patient: nothing in a test takes so long, however busy the machine is.
    pub(super) fn start(redis: &Redis) -> Node {
        Node::with(&patient(redis))
    }

    /// It has read its own entering.
    pub(super) fn with(options: &Options) -> Node {
        let link = Link::start(options, Handle::detached()).unwrap();
        let mut node = Node { link, told: Vec::new(), count: 0 };
        node.wait_until_entered(1);
        node
    }

    pub(super) fn id(&self) -> NodeId {
        self.link.node()
    }

    pub(super) fn append(&mut self, action: Action) -> u64 {
        self.append_with(action, "")
    }

    pub(super) fn append_with(&mut self, action: Action, payload: &str) -> u64 {
        self.count += 1;
        let payload = payload.as_bytes().to_vec();
        self.link.append(Entry { number: self.count, action, payload });
        self.count
    }

    pub(super) fn say(&mut self, text: &str) -> u64 {
        self.append_with(Action::Say { room: "lobby".to_owned() }, text)
    }

    /// Says something, and again if the node has entered meanwhile, as a chat does, until it is in
    /// the log. Returns its number.
    pub(super) fn get_said(&mut self) -> u64 {
        let id = self.id();
        loop {
            let (before, number) = (entered(&self.told, id), self.say("hello"));
            let is_it = |it: &Event| it.node == id && it.number == number;
            self.wait("a line or an entering", |told| {
                events(told).any(is_it) || entered(told, id) > before
            });
            if events(&self.told).any(is_it) {
                return number;
            }
        }
    }

    pub(super) fn claim(&mut self, name: &str, user: u64) -> u64 {
        self.append(Action::Claim {
            name: name.to_owned(),
            user,
            releases: None,
            takes_over: false,
        })
    }

    /// Takes what there is.
    pub(super) fn take(&mut self) {
        while let Some(report) = self.link.take() {
            self.told.push(report);
        }
    }

    /// Takes reports until it has been told what is wanted.
    pub(super) fn wait(&mut self, what: &str, is_told: impl Fn(&[Report]) -> bool) {
        let by = Instant::now() + MINUTE;
        loop {
            self.take();
            if is_told(&self.told) {
                return;
            }
            let last = &self.told[self.told.len().saturating_sub(20)..];
            assert!(Instant::now() < by, "{what} never came: {:?} {last:#?}", self.link.stats());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// What was decided on an entry of its own.
    pub(super) fn outcome(&mut self, number: u64) -> Outcome {
        let id = self.id();
        let is_it = |event: &&Event| event.node == id && event.number == number;
        self.wait("an entry", |told| events(told).any(|event| is_it(&event)));
        events(&self.told).find(is_it).expect("it is there").outcome.clone()
    }

    /// On a busy machine one with little patience may enter more often.
    pub(super) fn wait_until_entered(&mut self, times: usize) {
        let id = self.id();
        self.wait("entering", |told| entered(told, id) >= times);
    }

    /// Waits until it is cut off, without taking anything.
    pub(super) fn wait_until_cut_off(&self) {
        self.wait_for_stats("it is cut off", |stats| stats.is_cut_off);
    }

    /// Waits until it waits for something to send: no beat is under way, and no trimming.
    pub(super) fn wait_until_idle(&mut self) {
        // Its first call is a beat, and trims. The answer to the second call is the last then.
        for _ in 0..2 {
            self.get_said();
        }
        let count = self.count;
        self.wait_for_stats("all is answered", |stats| stats.entries == count);
    }

    /// Has it beat while it is idle: it does when its other connection breaks, by which it reads.
    pub(super) fn beat(&mut self, redis: &Redis) {
        let before = self.link.stats().batches;
        eventually("a beat", || {
            let clients = redis.ask("CLIENT LIST");
            for reader in clients.lines().filter(|line| line.contains(" cmd=xread ")) {
                let id = reader.strip_prefix("id=").and_then(|rest| rest.split(' ').next());
                redis.ask(&format!("CLIENT KILL ID {}", id.expect("it has one")));
            }
            self.link.stats().batches > before
        });
    }

    pub(super) fn wait_for_stats(&self, what: &str, are_they: impl Fn(&Stats) -> bool) {
        let by = Instant::now() + MINUTE;
        while !are_they(&self.link.stats()) {
            assert!(Instant::now() < by, "never: {what}, {:?}", self.link.stats());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits until it has been told of a cut, and has entered after the last one.
    pub(super) fn wait_until_back(&mut self) {
        let id = self.id();
        self.wait("the end of a cut", |told| {
            let cut = told.iter().rposition(|it| *it == Report::CutOff);
            cut.is_some_and(|cut| entered(&told[cut..], id) > 0)
        });
    }

    pub(super) fn wait_for(&mut self, report: &Report) {
        self.wait("a report", |told| told.contains(report));
    }

    /// The texts of its events that have one, in their order.
    pub(super) fn texts(&self) -> Vec<String> {
        let lines =
            events(&self.told).filter(|event| matches!(event.outcome, Outcome::Said { .. }));
        lines.map(|event| String::from_utf8(event.payload.clone()).unwrap()).collect()
    }

    pub(super) fn has(&self, report: &Report) -> bool {
        self.told.contains(report)
    }
}

pub(super) fn patient(redis: &Redis) -> Options {
    redis.options().with(|options| {
        options.patience = MINUTE;
        options.lease = 2 * MINUTE;
    })
}

/// As if a node had entered an hour earlier, and had not been heard of since. It has to be idle.
pub(super) fn age(redis: &Redis, node: NodeId) {
    const HOUR: u64 = 3_600_000;
    let record = redis.ask(&format!("HGET {{chinwag}}:nodes {node}"));
    let mut words: Vec<String> = record.splitn(5, ' ').map(str::to_owned).collect();
    // Until when its lease runs, and when it entered.
    for time in &mut words[2..4] {
        *time = (time.parse::<u64>().unwrap() - HOUR).to_string();
    }
    let (node, record) = (node.to_string(), words.join(" "));
    redis.call(&[b"HSET", b"{chinwag}:nodes", node.as_bytes(), record.as_bytes()]);
}

pub(super) fn events(told: &[Report]) -> impl Iterator<Item = &Event> {
    told.iter().filter_map(|report| match report {
        Report::Event(event) => Some(event),
        _ => None,
    })
}

pub(super) fn entered(told: &[Report], node: NodeId) -> usize {
    count(told, node, &Outcome::Entered)
}

pub(super) fn count(told: &[Report], node: NodeId, outcome: &Outcome) -> usize {
    events(told).filter(|event| event.node == node && event.outcome == *outcome).count()
}
