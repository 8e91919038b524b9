//! What happens to entries and events when Redis is away, comes back, or has forgotten.

use std::thread;
use std::time::Duration;

use chinwag::cluster::{Action, Carrier, Outcome, Report};
use chinwag::redis::Options;

use super::links::{Node, entered, events, patient};
use super::server::{MINUTE, Redis};
use crate::client::eventually;

/// Of nodes that beat every few seconds, and are patient as well.
fn beating(redis: &Redis) -> Options {
    redis.options().with(|options| {
        options.patience = Duration::from_secs(8);
        options.lease = Duration::from_secs(16);
    })
}

/// Says so many lines, a few at a time.
fn say(node: &mut Node, count: usize) {
    for _ in 0..count {
        let text = format!("line {}", node.count + 1);
        node.say(&text);
        thread::sleep(Duration::from_micros(200));
        node.take();
    }
}

/// Whether every line came, in order, once, with a number without a gap.
fn check_lines(node: &mut Node, by: &Node) {
    let (id, last) = (by.id(), by.count);
    node.wait("the last line", |told| events(told).any(|it| it.node == id && it.number == last));
    let numbers: Vec<u64> = events(&node.told)
        .filter(|it| it.node == id && it.number > 0)
        .map(|it| it.number)
        .collect();
    assert_eq!(numbers, (1..=last).collect::<Vec<_>>());
    let seqs: Vec<u64> = events(&node.told)
        .filter_map(|it| match it.outcome {
            Outcome::Said { seq, .. } => Some(seq),
            _ => None,
        })
        .collect();
    assert!(seqs.is_sorted_by(|one, next| one + 1 == *next));
    assert_eq!(node.told.iter().filter(|it| !matches!(it, Report::Event(_))).count(), 0);
}

#[test]
fn a_broken_connection_loses_nothing_and_repeats_nothing() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    for _ in 0..30 {
        say(&mut a, 100);
        redis.ask("CLIENT KILL TYPE normal");
    }
    say(&mut a, 1);
    check_lines(&mut b, &a);
    let last = a.count;
    a.outcome(last);
    assert_eq!(entered(&b.told, a.id()), 0, "it entered again");
}

#[test]
fn killed_and_started_again_with_its_file_redis_has_lost_nothing() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    for _ in 0..3 {
        say(&mut a, 200);
        redis.kill();
        say(&mut a, 200);
        redis.start_again();
    }
    say(&mut a, 1);
    check_lines(&mut b, &a);
    assert_eq!(entered(&b.told, a.id()), 0, "it entered again");
}

#[test]
fn a_pause_shorter_than_patience_is_not_told() {
    let redis = Redis::start();
    let options = beating(&redis);
    let (mut a, mut b) = (Node::with(&options), Node::with(&options));
    say(&mut a, 100);
    redis.signal("-STOP");
    say(&mut a, 100);
    // Half of its patience is over then.
    a.wait_for_stats("a call has failed", |stats| stats.failing.is_some());
    redis.signal("-CONT");
    say(&mut a, 100);
    check_lines(&mut b, &a);
    assert!(!a.has(&Report::CutOff));
}

#[test]
fn a_node_that_is_cut_off_enters_again_once_redis_is_back() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::with(&redis.options()), Node::with(&redis.options()));
    a.get_said();
    redis.signal("-STOP");
    a.say("at the cut");
    a.wait_for(&Report::CutOff);
    a.say("after the cut");
    b.wait_for(&Report::CutOff);
    a.take();
    assert_eq!(a.told.iter().filter(|it| **it == Report::CutOff).count(), 1);
    redis.signal("-CONT");
    a.wait_until_entered(2);
    let (id, after) = (a.id(), a.get_said());
    assert!(!a.texts().contains(&"after the cut".to_owned()), "an entry of an epoch that is over");
    b.wait("the line", |told| events(told).any(|it| it.node == id && it.number == after));
}

#[test]
fn an_idle_node_is_cut_off_as_well() {
    let mut redis = Redis::start();
    let mut a = Node::with(&redis.options());
    redis.kill();
    a.wait_until_cut_off();
    a.wait_for(&Report::CutOff);
    redis.start_again();
    a.wait_for(&Report::NewEra);
    a.wait_until_back();
    // The other thread comes back when it tries it again. On a busy machine it may be cut off once
    // more.
    eventually("all is well", || {
        a.take();
        let stats = a.link.stats();
        stats.failing.is_none() && !stats.is_cut_off
    });
}

/// Both are told of the new era, enter again, and go on.
fn check_new_era(a: &mut Node, b: &mut Node, name: &str) {
    for node in [&mut *a, &mut *b] {
        node.wait_for(&Report::NewEra);
        node.wait("entering", |told| {
            let era = told.iter().rposition(|it| *it == Report::NewEra).unwrap_or(0);
            events(&told[era..]).any(|it| it.outcome == Outcome::Entered)
        });
    }
    let (id_a, id_b) = (a.id(), b.id());
    for node in [&mut *a, &mut *b] {
        node.wait("both", |told| {
            let era = told.iter().rposition(|it| *it == Report::NewEra).unwrap_or(0);
            [id_a, id_b].into_iter().all(|id| entered(&told[era..], id) > 0)
        });
        let era = node.told.iter().rposition(|it| *it == Report::NewEra).unwrap();
        let ids: Vec<u64> = events(&node.told[era..]).map(|it| it.id).collect();
        assert_eq!(ids[0], 1);
        assert!(ids.is_sorted_by(|one, next| one + 1 == *next), "{ids:?}");
        assert_eq!(node.told.iter().filter(|it| **it == Report::NewEra).count(), 1);
    }
    let number = a.say("in the new era");
    a.outcome(number);
    b.wait("the line", |told| events(told).any(|it| it.node == id_a && it.number == number));
    // Whoever it was, they are forgotten.
    let claim = b.claim(name, 1);
    assert_eq!(b.outcome(claim), Outcome::Claimed);
}

#[test]
fn an_emptied_redis_begins_a_new_era() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    let options = beating(&redis);
    let (mut c, mut d) = (Node::with(&options), Node::with(&options));
    say(&mut a, 300);
    a.claim("somebody", 7);
    a.claim("another", 7);
    let last = a.count;
    a.outcome(last);
    redis.ask("FLUSHALL");
    // Whose beat is hours away notices because it reads.
    check_new_era(&mut a, &mut b, "somebody");
    check_new_era(&mut c, &mut d, "another");
}

#[test]
fn a_redis_that_is_started_empty_begins_a_new_era() {
    let mut redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    say(&mut a, 300);
    redis.kill();
    redis.start_again();
    check_new_era(&mut a, &mut b, "somebody");
}

#[test]
fn a_redis_that_was_rolled_back_begins_a_new_era() {
    let mut redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    say(&mut a, 100);
    let last = a.count;
    a.outcome(last);
    assert_eq!(redis.ask("SAVE"), "OK");
    say(&mut a, 100);
    let last = a.count;
    a.outcome(last);
    redis.kill();
    redis.start_again();
    // Others may have appended as much again before a node is back: its own newest event is not
    // the one that it knows.
    let mut c = Node::start(&redis);
    for _ in 0..200 {
        c.append(Action::Tell);
    }
    check_new_era(&mut a, &mut b, "somebody");
}

#[test]
fn a_rolled_back_log_that_has_grown_again_is_known_by_its_events() {
    let mut redis = Redis::start();
    let mut a = Node::start(&redis);
    assert_eq!(redis.ask("SAVE"), "OK");
    for i in 0..100 {
        let number = a.say(&format!("line {i}"));
        a.outcome(number);
    }
    a.link.stop();
    redis.kill();
    redis.start_again();
    let mut b = Node::start(&redis);
    for _ in 0..300 {
        b.append(Action::Tell);
    }
    let last = b.count;
    b.outcome(last);
    // The newest event that it knows has another in its place, and there are newer ones.
    a.link.go_on();
    a.wait_until_entered(2);
    for node in [&mut a, &mut b] {
        node.wait_for(&Report::NewEra);
    }
    let (id, number) = (a.id(), a.say("hello"));
    b.wait("the line", |told| events(told).any(|it| it.node == id && it.number == number));
}

#[test]
fn of_a_log_that_was_trimmed_away_unread_all_is_counted() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    let (id, number) = (a.id(), a.say("first"));
    b.wait("the first", |told| events(told).any(|it| it.node == id && it.number == number));
    b.link.stop();
    for i in 0..3000 {
        a.say(&format!("line {i}"));
    }
    let number = a.say("last");
    a.outcome(number);
    redis.ask("XTRIM {chinwag}:log MAXLEN 1");
    b.link.go_on();
    b.wait("the last", |told| events(told).any(|it| it.node == id && it.number == number));
    b.wait_until_entered(2);
    let mut next = None;
    let mut lost = 0;
    for report in &b.told {
        match report {
            Report::Event(event) => {
                assert!(next.is_none_or(|next| next == event.id), "{next:?} {event:?}");
                next = Some(event.id + 1);
            }
            Report::Lost(count) => {
                lost += count;
                next = next.map(|next| next + count);
            }
            _ => {}
        }
    }
    assert!(lost > 1000, "{lost}");
    assert_eq!(b.link.stats().lost, lost);
}

#[test]
fn the_log_is_trimmed_by_whoever_appends() {
    let redis = Redis::start();
    let options = patient(&redis).with(|it| (it.log_max, it.said_max) = (2000, 300));
    let mut a = Node::with(&options);
    // Not so many at once that it loses some itself.
    for _ in 0..10 {
        let last = (0..1000).map(|i| a.say(&format!("line {i}"))).last().unwrap();
        a.outcome(last);
    }
    // The answer comes before the trimming that follows it.
    let number = a.say("then");
    a.outcome(number);
    let lines = |stream: &str| {
        let text = redis.ask(&format!("XRANGE {{chinwag}}:{stream} - +"));
        text.lines().filter(|line| line.contains(" S ")).count()
    };
    let (log, said) = (lines("log"), lines("said"));
    // Each 2000 entries; what is in one batch stays together.
    assert!((2000..6000).contains(&log), "{log}");
    assert!((300..4000).contains(&said), "{said}");
}

#[test]
fn lost_events_are_counted_without_any_after_them() {
    let redis = Redis::start();
    let mut a = Node::start(&redis);
    redis.ask("EVAL \"return redis.call('HINCRBY',KEYS[1],'id',7)\" 1 {chinwag}:head");
    a.wait_for(&Report::Lost(7));
    a.wait_until_entered(2);
    let number = a.say("hello");
    a.outcome(number);
    assert_eq!(a.link.stats().lost, 7);
}

#[test]
fn while_memory_is_used_up_entries_wait() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    say(&mut a, 100);
    let last = a.count;
    a.outcome(last);
    assert_eq!(redis.ask("CONFIG SET maxmemory 1000"), "OK");
    say(&mut a, 100);
    let waiting = a.count;
    a.wait_for_stats("a failure", |stats| stats.failing.is_some());
    a.take();
    assert!(!events(&a.told).any(|it| it.node == a.id() && it.number == waiting));
    assert_eq!(redis.ask("CONFIG SET maxmemory 0"), "OK");
    say(&mut a, 1);
    check_lines(&mut b, &a);
}

#[test]
fn a_script_that_redis_has_forgotten_is_sent_again() {
    let redis = Redis::start();
    let mut a = Node::start(&redis);
    for _ in 0..3 {
        redis.ask("SCRIPT FLUSH");
        let number = a.say("hello");
        a.outcome(number);
    }
    assert_eq!(entered(&a.told, a.id()), 1);
}

#[test]
fn a_node_that_leaves_has_sent_everything() {
    let redis = Redis::start();
    let (mut a, mut b): (Node, Node) = (Node::start(&redis), Node::start(&redis));
    for i in 0..1000 {
        a.say(&format!("line {i}"));
    }
    let (id, last) = (a.id(), a.count);
    a.link.leave(MINUTE);
    b.wait("its leave", |told| super::links::count(told, id, &Outcome::Gone) == 1);
    let of_a: Vec<_> = events(&b.told).filter(|it| it.node == id).collect();
    assert_eq!(of_a.last().unwrap().outcome, Outcome::Gone);
    assert_eq!(of_a.len() as u64, last + 1);
    // Which the beat of another does not tell again.
    Node::start(&redis).wait_until_idle();
    b.take();
    assert_eq!(super::links::count(&b.told, id, &Outcome::Gone), 1);
}
