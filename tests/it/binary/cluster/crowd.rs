//! Talkers on all nodes, who say numbered lines and hear those of all, and what is to hold of that
//! whatever happens.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::person::Person;
use super::{CUT_OFF, Cluster};
use crate::binary::upgrade::Ends;
use crate::client::PATIENCE;

/// For a line to arrive, if nothing is in its way.
const A_WHILE: Duration = Duration::from_secs(5);

/// How many talk, and how much.
#[derive(Clone, Copy)]
pub(super) struct Size {
    /// At each node.
    pub(super) talkers: usize,
    /// Between two lines of anybody.
    pub(super) pause: Duration,
    /// Lines that are said before something happens, and after it.
    pub(super) lines: u64,
}

pub(super) const SHORT: Size = Size { talkers: 4, pause: Duration::from_millis(8), lines: 60 };
pub(super) const LONG: Size = Size { talkers: 50, pause: Duration::from_millis(5), lines: 1000 };

pub(super) struct Crowd {
    size: Size,
    talkers: Vec<Talker>,
    /// A program on each node, which reads the numbers of lines in their room.
    programs: Vec<Person>,
    total: AtomicU64,
}

struct Talker {
    node: usize,
    name: String,
    person: Person,
    said: AtomicU64,
}

impl Crowd {
    pub(super) fn gather(cluster: &Cluster, size: Size) -> Crowd {
        let places =
            (0..cluster.nodes.len()).flat_map(|node| (0..size.talkers).map(move |n| (node, n)));
        let talkers = places.map(|(node, number)| {
            let name = format!("talker-{node}-{number}");
            let mut person = cluster.connect(node);
            assert_eq!(person.ask(&format!("REGISTER {name}")), format!("Registered as {name}"));
            Talker { node, name, person, said: AtomicU64::new(0) }
        });
        let talkers = talkers.collect();
        let programs = cluster.nodes.iter().map(|node| {
            let mut program = Person::connect(node.addrs[1]);
            program.until("{");
            program
        });
        let programs = programs.collect();
        Crowd { size, talkers, programs, total: AtomicU64::new(0) }
    }

    /// They talk before something happens, all the while, and after it. Then everybody who is left
    /// hears a last line of each node.
    pub(super) fn talk_while(&self, what: impl FnOnce()) {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let _ends = Ends(&is_over);
            scope.spawn(|| {
                for talker in self.talkers.iter().cycle() {
                    if is_over.load(Ordering::Acquire) {
                        return;
                    }
                    self.say(talker);
                    thread::sleep(self.size.pause);
                }
            });
            self.go_on();
            what();
            self.go_on();
        });
        self.settle();
    }

    fn say(&self, talker: &Talker) {
        let number = talker.said.fetch_add(1, Ordering::Relaxed) + 1;
        // Their node may be gone.
        let _ = talker.person.try_say(&number.to_string());
        self.total.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until some more lines were said.
    pub(super) fn go_on(&self) {
        let until = self.total.load(Ordering::Relaxed) + self.size.lines;
        let by = Instant::now() + PATIENCE;
        while self.total.load(Ordering::Relaxed) < until {
            assert!(Instant::now() < by, "nobody talks any more");
            thread::sleep(self.size.pause);
        }
    }

    /// One of each node says something, and everybody hears it. What was said before has arrived
    /// then, or never will.
    fn settle(&self) {
        for talker in self.nodes_first() {
            let by = Instant::now() + PATIENCE;
            while !self.is_heard_by_all(talker) {
                assert!(Instant::now() < by, "what {} says does not arrive", talker.name);
            }
        }
    }

    /// Says something, and waits a little until everybody hears it. On a busy machine a node with
    /// little patience may be cut off once more, and then it stays there.
    fn is_heard_by_all(&self, talker: &Talker) -> bool {
        self.say(talker);
        let (name, last) = (&talker.name, talker.said.load(Ordering::Relaxed));
        let line = format!("[{name}] {last}");
        let parts = [format!("\"from\":\"{name}\""), format!("\"text\":\"{last}\"")];
        let is_it = |it: &String| *it == line || parts.iter().all(|part| it.contains(part));
        let programs = self.programs.iter().filter(|program| !program.has_ended());
        let mut all = self.living().map(|it| &it.person).chain(programs);
        all.all(|it| it.wait_for(A_WHILE, |lines| lines.iter().rev().any(is_it)).is_some())
    }

    fn living(&self) -> impl Iterator<Item = &Talker> {
        self.talkers.iter().filter(|talker| !talker.person.has_ended())
    }

    /// One for each node that is there.
    fn nodes_first(&self) -> Vec<&Talker> {
        let firsts: BTreeMap<usize, &Talker> = self.living().map(|it| (it.node, it)).collect();
        firsts.into_values().collect()
    }

    /// Waits until everybody has heard a line that begins so.
    #[track_caller]
    pub(super) fn all_hear(&self, start: &str) {
        for Talker { person, .. } in &self.talkers {
            person.wait(start, |lines| lines.iter().rev().any(|line| line.starts_with(start)));
        }
    }

    /// How often everybody has heard a line that begins so.
    pub(super) fn count(&self, start: &str) -> Vec<usize> {
        let count =
            |it: &Talker| it.person.heard().iter().filter(|it| it.starts_with(start)).count();
        self.talkers.iter().map(count).collect()
    }

    /// What each has heard of the lines that were said.
    fn heard(&self) -> Vec<(&Talker, Vec<(usize, u64)>)> {
        let numbers: BTreeMap<&str, usize> =
            self.talkers.iter().enumerate().map(|(at, it)| (it.name.as_str(), at)).collect();
        let parse = |line: &String| {
            let (name, number) = line.strip_prefix('[')?.split_once("] ")?;
            Some((*numbers.get(name)?, number.parse().ok()?))
        };
        self.living().map(|it| (it, it.person.heard().iter().filter_map(parse).collect())).collect()
    }

    /// Everybody hears all that everybody says, once, in one order, and nothing else.
    pub(super) fn check_nothing_happened(&self) {
        let all = self.heard();
        for (talker, heard) in &all {
            assert_eq!(*heard, all[0].1, "{} hears another order", talker.name);
            for (at, other) in self.talkers.iter().enumerate() {
                let numbers = heard.iter().filter(|(who, _)| *who == at).map(|(_, number)| *number);
                let said = other.said.load(Ordering::Relaxed);
                let (numbers, all): (Vec<u64>, Vec<u64>) =
                    (numbers.collect(), (1..=said).collect());
                assert_eq!(numbers, all, "of {}, to {}", other.name, talker.name);
            }
            let others = talker.person.heard().len() - heard.len();
            assert_eq!(others, 1, "{} reads more: {:?}", talker.name, talker.person.heard());
        }
        for seqs in self.programs.iter().map(seqs) {
            assert!(seqs.is_sorted_by(|(_, one), (_, next)| one + 1 == *next), "{seqs:?}");
        }
    }

    /// Nobody hears anything twice, or what somebody has said in another order than they said it.
    pub(super) fn check_nothing_twice(&self) {
        for (talker, heard) in self.heard() {
            let mut last = vec![0; self.talkers.len()];
            for (who, number) in heard {
                let by = &self.talkers[who].name;
                assert!(
                    number > last[who],
                    "{number} after {} of {by}, to {}",
                    last[who],
                    talker.name
                );
                last[who] = number;
            }
        }
        for seqs in self.programs.iter().map(seqs) {
            let is_next = |(epoch, one): &(u64, u64), (other, next): &(u64, u64)| {
                one < next || epoch != other
            };
            assert!(seqs.is_sorted_by(is_next), "{seqs:?}");
        }
    }

    /// How many lines were said at a node, and how many of them each node has not heard.
    fn missing(&self, from: usize) -> Vec<u64> {
        let said = self.talkers.iter().filter(|it| it.node == from);
        let said: u64 = said.map(|it| it.said.load(Ordering::Relaxed)).sum();
        let heard = self.heard();
        let missing = heard.iter().map(|(_, heard)| {
            let is_from = |(who, _): &&(usize, u64)| self.talkers[*who].node == from;
            said - heard.iter().filter(is_from).count() as u64
        });
        missing.collect()
    }

    /// All that is lost was said somewhere while its node was cut off, and counted there.
    pub(super) fn check_what_is_lost_was_told(&self) {
        let nodes = self.programs.len();
        for from in 0..nodes {
            let told = self.told_unheard(from);
            for ((talker, _), missing) in self.heard().iter().zip(self.missing(from)) {
                let expected = if talker.node == from { 0 } else { told };
                assert_eq!(missing, expected, "of node {from}, to {}", talker.name);
            }
        }
    }

    /// What a node's people were told of what has not reached the others.
    fn told_unheard(&self, node: usize) -> u64 {
        let first = self.talkers.iter().find(|it| it.node == node).expect("it has some");
        let counts = first.person.heard().into_iter().filter_map(|line| {
            let rest = line.strip_prefix("Back with the other servers.")?;
            let count = rest.trim_start().split(' ').next()?.to_owned();
            Some(if count.is_empty() { 0 } else { count.parse().unwrap() })
        });
        counts.sum()
    }

    /// Nobody was told that anything is wrong.
    pub(super) fn check_nobody_was_told(&self) {
        assert_eq!(self.count(CUT_OFF).iter().sum::<usize>(), 0);
        assert_eq!(self.count("Back with ").iter().sum::<usize>(), 0);
    }

    /// Each talker still has their name.
    pub(super) fn check_names(&self, cluster: &Cluster) {
        for node in 0..cluster.nodes.len() {
            let mut stranger = cluster.connect(node);
            for talker in self.living() {
                let answer = stranger.ask(&format!("/nick {}", talker.name));
                assert_eq!(answer, format!("Name {} is taken.", talker.name));
            }
        }
    }
}

/// Epochs and numbers of the lines that a program has read, those that have some.
fn seqs(program: &Person) -> Vec<(u64, u64)> {
    let objects = program.heard().into_iter().map(|line| {
        serde_json::from_str::<serde_json::Value>(&line).unwrap_or_else(|_| panic!("{line}"))
    });
    objects.filter_map(|it| Some((it["epoch"].as_u64()?, it["seq"].as_u64()?))).collect()
}
