//! What a node is told, and what becomes of its entries, whatever happens on the way.

use chinwag::cluster::{Action, Entry, NodeId, Outcome, Report};

use super::{Link, Times};
use crate::cluster::log::Log;
use crate::sim::rng::Rng;

const PATIENCE: u64 = 300;
const LEASE: u64 = 500;
const TIMES: Times = Times { patience: PATIENCE, beat: LEASE / 4, delay: 100 };

/// Two nodes and their log.
struct Pair {
    log: Log,
    links: [Link; 2],
    now: u64,
    number: u64,
    /// What each was told, in short.
    told: [Vec<String>; 2],
}

impl Pair {
    fn new(seed: u64) -> Pair {
        let mut rng = Rng::new(seed);
        let mut link = |number| Link::new(NodeId(number), "node", TIMES, Rng::new(rng.word()), 0);
        let (log, links) = (Log::new(LEASE, 100), [link(0), link(1)]);
        let mut pair = Pair { log, links, now: 0, number: 0, told: Default::default() };
        pair.pass(2 * PATIENCE);
        pair.forget();
        pair
    }

    /// Takes a while in which all arrives that can, and shorter than anybody's patience.
    fn settle(&mut self) {
        self.pass(PATIENCE - 1);
    }

    fn pass(&mut self, time: u64) {
        let end = self.now + time;
        while self.now <= end {
            self.links.iter_mut().for_each(|link| link.pass(&mut self.log, self.now));
            for (link, told) in self.links.iter_mut().zip(&mut self.told) {
                link.read(&self.log, self.now);
                if link.is_paused() {
                    continue;
                }
                told.extend(
                    std::iter::from_fn(|| link.take(self.now)).map(|report| short(&report)),
                );
            }
            self.now += 1;
        }
        self.now = end;
    }

    fn forget(&mut self) {
        self.told = Default::default();
    }

    fn say(&mut self, node: usize, text: &str) {
        self.number += 1;
        let action = Action::Say { room: "lobby".to_owned() };
        let entry = Entry { number: self.number, action, payload: text.into() };
        self.links[node].append(entry, self.now);
    }

    fn say_until_it_has_entered(&mut self, node: usize, text: &str) {
        let old = self.links[node].taken;
        while self.links[node].taken == old {
            self.say(node, text);
            self.pass(1);
        }
    }

    fn told(&self, node: usize) -> String {
        self.told[node].join(" ")
    }
}

fn short(report: &Report) -> String {
    match report {
        Report::Past(event) => format!("past:{}", String::from_utf8_lossy(&event.payload)),
        Report::Lost(count) => format!("lost:{count}"),
        Report::CutOff => "cut-off".to_owned(),
        Report::NewEra => "new-era".to_owned(),
        Report::Event(event) => match event.outcome {
            Outcome::Entered => format!("in:{}", event.node.0),
            Outcome::Gone => format!("gone:{}", event.node.0),
            _ => String::from_utf8_lossy(&event.payload).into_owned(),
        },
    }
}

/// Whatever the delays are.
fn always(check: impl Fn(&mut Pair)) {
    for seed in 0..50 {
        check(&mut Pair::new(seed));
    }
}

#[test]
fn both_are_told_the_same_in_the_same_order() {
    always(|pair| {
        for text in ["a1", "a2", "a3"] {
            pair.say(0, text);
            pair.say(1, &text.replace('a', "b"));
            pair.pass(1);
        }
        pair.settle();
        let told = pair.told(0);
        assert_eq!(told, pair.told(1));
        for node in ["a", "b"] {
            let own: Vec<&str> = told.split(' ').filter(|text| text.starts_with(node)).collect();
            assert_eq!(own, ["1", "2", "3"].map(|number| format!("{node}{number}")));
        }
    });
}

#[test]
fn a_node_that_starts_is_told_what_was_said_before_and_then_each_event() {
    always(|pair| {
        pair.say(0, "one");
        pair.say(0, "two");
        pair.settle();
        pair.links[1] = Link::new(NodeId(7), "new", TIMES, Rng::new(pair.now), pair.now);
        pair.say(0, "three");
        pair.forget();
        pair.pass(2 * PATIENCE);
        // The old one is not missed.
        let told = pair.told(1).replace("past:three", "three").replace(" gone:1", "");
        let orders = ["three in:7", "in:7 three"].map(|rest| format!("past:one past:two {rest}"));
        assert!(orders.contains(&told), "{told}");
    });
}

#[test]
fn an_outage_shorter_than_patience_shows_in_nothing() {
    always(|pair| {
        pair.say(0, "before");
        pair.links[0].cut(pair.now);
        pair.say(0, "during");
        pair.say(1, "other");
        pair.pass(PATIENCE - 1);
        assert!(!pair.told(0).contains("during"), "{}", pair.told(0));
        pair.links[0].mend(pair.now);
        pair.say(0, "after");
        pair.settle();
        let told = pair.told(0);
        assert_eq!((told.split(' ').count(), &told), (4, &pair.told(1)));
    });
}

#[test]
fn who_is_cut_off_for_longer_enters_again_and_nothing_older_comes_behind() {
    always(|pair| {
        pair.say(0, "under-way");
        pair.links[0].cut(pair.now);
        pair.pass(PATIENCE);
        // With what has come meanwhile.
        pair.pass(100);
        assert!(pair.told(0).ends_with("cut-off"), "{}", pair.told(0));
        pair.say(0, "never");
        pair.say(1, "other");
        // The lease may run out, or not.
        pair.pass(pair.now % 5 * 50);
        pair.links[0].mend(pair.now);
        pair.settle();
        pair.say(0, "again");
        pair.settle();
        let told = pair.told(0).replace(" cut-off", "").replace("cut-off ", "");
        assert_eq!(told, pair.told(1));
        let (_, after) = told.split_once("in:0").expect("it has entered again");
        assert!(!after.contains("under-way") && after.ends_with("again"), "{told}");
        assert!(told.contains("other") && !told.contains("never"), "{told}");
    });
}

#[test]
fn who_was_paused_past_its_lease_is_fenced_and_enters_again() {
    always(|pair| {
        pair.say(0, "under-way");
        pair.links[0].pause(pair.now);
        pair.pass(LEASE * 2);
        assert!(pair.told(1).ends_with("gone:0"), "{}", pair.told(1));
        pair.links[0].mend(pair.now);
        pair.say(0, "zombie");
        pair.settle();
        let told = pair.told(0).replace(" cut-off", "").replace("cut-off ", "");
        assert_eq!(told, pair.told(1));
        assert!(told.ends_with("gone:0 in:0"), "{told}");
    });
}

#[test]
fn a_pause_shorter_than_the_lease_shows_in_nothing() {
    always(|pair| {
        pair.say(1, "one");
        pair.links[0].pause(pair.now);
        pair.pass(PATIENCE - 1);
        assert_eq!(pair.told(0), "");
        pair.links[0].mend(pair.now);
        pair.settle();
        assert_eq!((pair.told(0), pair.told(1)), ("one".to_owned(), "one".to_owned()));
    });
}

#[test]
fn what_a_node_appends_before_it_has_taken_its_entering_is_dropped() {
    always(|pair| {
        pair.links[0].pause(pair.now);
        pair.pass(LEASE * 2);
        pair.links[0].mend(pair.now);
        let old = pair.links[0].epoch;
        while pair.links[0].epoch == old {
            pair.pass(1);
        }
        let has_taken_it = pair.links[0].taken != old;
        pair.say(0, "zombie");
        pair.settle();
        pair.say(0, "again");
        pair.settle();
        assert!(pair.told(1).ends_with("again"), "{}", pair.told(1));
        assert_eq!(pair.told(1).contains("zombie"), has_taken_it, "{}", pair.told(1));
    });
}

#[test]
fn who_misses_events_is_told_how_many_and_enters_again() {
    always(|pair| {
        pair.links[0].cut(pair.now);
        for text in ["1", "2", "3", "4", "5"] {
            pair.say(1, text);
        }
        pair.pass(200);
        pair.log.trim(2);
        pair.links[0].mend(pair.now);
        pair.settle();
        assert_eq!(pair.told(0), "lost:3 4 5 in:0");
        assert_eq!(pair.told(1), "1 2 3 4 5 in:0");
    });
}

#[test]
fn all_enter_again_where_the_log_was_emptied() {
    always(|pair| {
        pair.say(0, "old");
        pair.settle();
        pair.log.empty();
        pair.say_until_it_has_entered(1, "lost");
        pair.settle();
        pair.say(1, "new");
        pair.settle();
        for node in 0..2 {
            let told = pair.told(node);
            let told = told.strip_prefix("old new-era ").expect("that comes first");
            assert!(["in:0 in:1 new", "in:1 in:0 new"].contains(&told), "{told}");
        }
    });
}

#[test]
fn who_was_behind_reads_what_a_rollback_has_left_and_all_enter_again() {
    always(|pair| {
        pair.links[0].cut(pair.now);
        for text in ["1", "2", "3"] {
            pair.say(1, text);
        }
        pair.pass(200);
        pair.log.roll_back(1);
        pair.say_until_it_has_entered(1, "lost");
        pair.settle();
        assert!(!pair.told(1).contains("lost"), "{}", pair.told(1));
        assert!(pair.told(1).starts_with("1 2 3 new-era in:1"), "{}", pair.told(1));
        pair.links[0].mend(pair.now);
        pair.settle();
        let told = pair.told(0).replace("cut-off ", "").replace(" cut-off", "");
        assert!(told.starts_with("1 2 new-era in:1"), "{told}");
        assert!(told.ends_with("in:0"), "{told}");
    });
}

#[test]
fn who_leaves_says_all_and_is_gone_and_of_who_is_killed_some_may_be_lost() {
    always(|pair| {
        for text in ["1", "2", "3"] {
            pair.say(0, text);
        }
        let new = Link::new(NodeId(7), "new", TIMES, Rng::new(1), pair.now + 10_000);
        let old = std::mem::replace(&mut pair.links[0], new);
        if pair.now.is_multiple_of(2) {
            old.leave(&mut pair.log, pair.now);
            pair.settle();
            assert_eq!(pair.told(1), "1 2 3 gone:0");
        } else {
            old.kill(&mut pair.log, pair.now);
            pair.pass(LEASE * 2);
            assert!("1 2 3 ".starts_with(pair.told(1).strip_suffix("gone:0").expect("it is gone")));
        }
    });
}

#[test]
fn a_link_says_when_it_has_something_to_do_and_when_it_is_quiet() {
    always(|pair| {
        pair.links.iter_mut().for_each(Link::calm);
        assert!(pair.links.iter().all(|link| link.is_quiet(&pair.log)));
        pair.say(0, "one");
        assert_eq!(pair.links[0].next(), pair.now);
        assert!(!pair.links[0].is_quiet(&pair.log));
        pair.pass(0);
        assert!(pair.links.iter().all(|link| link.is_quiet(&pair.log)));
        let beat = pair.links[0].next();
        assert!(beat > pair.now && beat <= pair.now + LEASE / 4);
        pair.links[0].cut(pair.now);
        assert_eq!(pair.links[0].next(), pair.now + PATIENCE);
        pair.links[1].report(Report::NewEra, 0, pair.now);
        pair.links[1].pause(pair.now);
        assert_eq!(pair.links[1].next(), u64::MAX, "a node that does nothing takes no report");
    });
}

#[test]
fn nobody_enters_a_log_that_they_have_not_begun_to_read() {
    always(|pair| {
        pair.links[0].enter_anew(pair.now);
        pair.log.empty();
        pair.links[0].pass(&mut pair.log, pair.now + TIMES.delay);
        assert_eq!(pair.log.last(), 0, "it is still empty");
        pair.settle();
        assert!(pair.told(0).starts_with("new-era in:"), "{}", pair.told(0));
    });
}
