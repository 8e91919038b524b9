//! Who is there: leases that run out, nodes that come back too late, and upgrades.

use std::thread;

use chinwag::Handle;
use chinwag::cluster::{Action, Carrier, Outcome, Report};
use chinwag::redis::Link;

use super::links::{Node, age, count, entered, events, patient};
use super::server::{MINUTE, Redis};
use crate::client::eventually;

/// The node that goes on where this one has stopped.
fn go_on(mut node: Node, redis: &Redis) -> Node {
    let stopped = node.link.stop();
    assert_eq!(node.link.take(), None, "it is stopped");
    let link = Link::resume(&stopped, &patient(redis), Handle::detached()).unwrap();
    Node { link, ..node }
}

#[test]
fn what_a_dead_node_had_is_free_once_its_lease_has_run_out() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    for i in 0..300 {
        a.claim(&format!("name{i}"), i);
    }
    let number = a.append(Action::LeaseGuests);
    assert_eq!(a.outcome(number), Outcome::Block(0));
    let number = b.claim("name7", 1);
    assert_eq!(b.outcome(number), Outcome::Taken);
    let dead = a.id();
    a.wait_until_idle();
    b.wait_until_idle();
    drop(a);
    age(&redis, dead);
    b.beat(&redis);
    b.wait("its end", |told| count(told, dead, &Outcome::Gone) == 1);
    let number = b.claim("name7", 1);
    assert_eq!(b.outcome(number), Outcome::Claimed);
    let number = b.append(Action::LeaseGuests);
    assert_eq!(b.outcome(number), Outcome::Block(0));
    // The others are forgotten in time, a few a beat.
    eventually("one name is left", || {
        b.beat(&redis);
        redis.ask("HLEN {chinwag}:names") == "1"
    });
    b.take();
    assert_eq!(count(&b.told, dead, &Outcome::Gone), 1);
}

#[test]
fn nothing_of_a_node_that_is_gone_is_accepted_until_it_has_entered_again() {
    let redis = Redis::start();
    // A lease that runs out soon, and a node that looks for that only when it is made to.
    let (mut a, mut b) = (Node::with(&redis.options()), Node::start(&redis));
    let claim = a.claim("erin", 1);
    assert_eq!(a.outcome(claim), Outcome::Claimed);
    b.wait_until_idle();
    // It stands still, as a process that is stopped does.
    let (id, _) = (a.id(), a.link.stop());
    eventually("its end", || {
        b.beat(&redis);
        b.take();
        count(&b.told, id, &Outcome::Gone) == 1
    });
    let claim = b.claim("erin", 1);
    assert_eq!(b.outcome(claim), Outcome::Claimed);
    a.link.go_on();
    let zombie = a.say("what a zombie says");
    a.wait_until_entered(2);
    assert_eq!(count(&a.told, id, &Outcome::Gone), 1, "it is told of its own end");
    let claim = a.claim("erin", 1);
    assert_eq!(a.outcome(claim), Outcome::Taken);
    b.wait("its entering", |told| entered(told, id) == 1);
    assert!(!events(&b.told).any(|it| it.node == id && it.number == zombie));
}

#[test]
fn nobody_is_gone_because_redis_was_away() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    a.wait_until_idle();
    b.wait_until_idle();
    // As if it had been away for an hour.
    for node in [a.id(), b.id()] {
        age(&redis, node);
    }
    let script = "redis.call('HINCRBY', KEYS[1], 'at', -3600000)";
    redis.call(&[b"EVAL", script.as_bytes(), b"1", b"{chinwag}:head"]);
    a.beat(&redis);
    b.beat(&redis);
    let (id, number) = (a.id(), a.get_said());
    b.wait("the line", |told| events(told).any(|it| it.node == id && it.number == number));
    for node in [&a, &b] {
        assert!(!events(&node.told).any(|it| it.outcome == Outcome::Gone));
    }
}

#[test]
fn a_name_that_a_node_does_not_claim_again_after_entering_is_free_in_time() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    for name in ["erin", "finn"] {
        let claim = a.claim(name, 1);
        assert_eq!(a.outcome(claim), Outcome::Claimed);
    }
    // Both enter again.
    redis.ask("EVAL \"return redis.call('HINCRBY',KEYS[1],'id',1)\" 1 {chinwag}:head");
    a.wait_until_entered(2);
    b.wait_until_entered(2);
    let claim = a.claim("erin", 1);
    assert_eq!(a.outcome(claim), Outcome::Claimed);
    let claim = b.claim("finn", 1);
    assert_eq!(b.outcome(claim), Outcome::Taken);
    a.wait_until_idle();
    b.wait_until_idle();
    age(&redis, a.id());
    for (name, outcome) in [("finn", Outcome::Claimed), ("erin", Outcome::Taken)] {
        let claim = b.claim(name, 1);
        assert_eq!(b.outcome(claim), outcome);
    }
}

#[test]
fn a_node_that_is_stopped_and_goes_on_has_lost_nothing() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    for round in 0..20 {
        for i in 0..100 {
            a.say(&format!("{round} {i}"));
        }
        if round % 2 == 0 {
            a.take();
        }
        a = go_on(a, &redis);
    }
    let (id, last) = (a.id(), a.count);
    for node in [&mut a, &mut b] {
        node.wait("the last", |told| events(told).any(|it| it.node == id && it.number == last));
        let numbers = events(&node.told).filter(|it| it.node == id && it.number > 0);
        assert_eq!(numbers.map(|it| it.number).collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
    }
    assert_eq!((entered(&a.told, id), entered(&b.told, id)), (1, 0));
}

#[test]
fn a_node_that_is_stopped_while_it_reads_what_was_said_before_reads_the_rest() {
    let redis = Redis::start();
    let mut a = Node::start(&redis);
    for i in 0..3000 {
        a.say(&format!("{i}"));
    }
    let last = a.count;
    a.outcome(last);
    let link = Link::start(&patient(&redis), Handle::detached()).unwrap();
    let mut b = Node { link, told: Vec::new(), count: 0 };
    for _ in 0..5 {
        let before = b.told.len();
        while b.told.len() < before + 300 {
            b.told.extend(b.link.take());
        }
        b = go_on(b, &redis);
    }
    b.wait_until_entered(1);
    let past = b.told.iter().filter_map(|report| match report {
        Report::Past(event) => Some(String::from_utf8(event.payload.clone()).unwrap()),
        _ => None,
    });
    assert_eq!(past.collect::<Vec<_>>(), (0..3000).map(|i| i.to_string()).collect::<Vec<_>>());
}

#[test]
fn what_was_appended_while_redis_was_away_is_handed_over() {
    let mut redis = Redis::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    redis.kill();
    let actions = [
        Action::Tell,
        Action::Say { room: "lobby".to_owned() },
        Action::Claim {
            name: "erin".to_owned(),
            user: 1 << 60,
            releases: Some("finn".to_owned()),
            takes_over: true,
        },
        Action::Release { name: "erin".to_owned(), user: 7, heir: None },
        Action::Raise { room: "lobby".to_owned(), seq: 9 },
        Action::LeaseGuests,
        Action::KeepGuests { blocks: vec![0, 7] },
        Action::Say { room: "lobby".to_owned() },
    ];
    for action in actions {
        a.append_with(action, "payload");
    }
    a = go_on(a, &redis);
    redis.start_again();
    let (id, last) = (a.id(), a.count);
    b.wait("the last", |told| events(told).any(|it| it.node == id && it.number == last));
    let of_a = events(&b.told).filter(|it| it.node == id);
    let outcomes: Vec<Outcome> = of_a.map(|it| it.outcome.clone()).collect();
    let Outcome::Said { seq: 1, epoch } = outcomes[1] else { panic!("{outcomes:?}") };
    let expected = [
        Outcome::Told,
        Outcome::Said { seq: 1, epoch },
        Outcome::Claimed,
        Outcome::Told,
        Outcome::Told,
        Outcome::Block(0),
        Outcome::Kept(vec![0, 7]),
        Outcome::Said { seq: 10, epoch },
    ];
    assert_eq!(outcomes, expected);
}

#[test]
fn a_node_that_is_stopped_before_it_is_told_of_a_cut_is_told_later() {
    let redis = Redis::start();
    let mut a = Node::with(&redis.options());
    let cuts = |a: &Node| a.told.iter().filter(|it| **it == Report::CutOff).count();
    redis.signal("-STOP");
    a.wait_until_cut_off();
    // From here on it is patient, however busy the machine is.
    let told = cuts(&a);
    a = go_on(a, &redis);
    redis.signal("-CONT");
    a.wait_until_back();
    assert_eq!(cuts(&a), told + 1);
    // What it had asked of Redis before is done as well, and it enters once more.
    a = go_on(a, &redis);
    a.get_said();
    assert_eq!(cuts(&a), told + 1);
}

#[test]
fn what_was_on_its_way_when_a_node_was_stopped_is_sent_again() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    a.wait_until_idle();
    redis.signal("-STOP");
    for i in 0..100 {
        a.say(&format!("line {i}"));
    }
    // The others wait for the answer to the first.
    a.wait_for_stats("some are on their way", |stats| stats.waiting < 100);
    a = go_on(a, &redis);
    redis.signal("-CONT");
    let (id, last) = (a.id(), a.count);
    b.wait("the last", |told| events(told).any(|it| it.node == id && it.number == last));
    let numbers = events(&b.told).filter(|it| it.node == id && it.number > 0);
    assert_eq!(numbers.map(|it| it.number).collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>());
}

#[test]
fn a_redis_that_hangs_delays_no_stop() {
    let redis = Redis::start();
    // A call of such a node may take longer than this test.
    let options = redis.options().with(|options| {
        options.patience = 10 * MINUTE;
        options.lease = 20 * MINUTE;
    });
    let mut a = Node::with(&options);
    redis.ask("CLIENT KILL TYPE normal");
    redis.signal("-STOP");
    let (end, ended) = std::sync::mpsc::channel();
    thread::spawn(move || {
        a.link.stop();
        end.send(()).unwrap();
    });
    let stopped = ended.recv_timeout(MINUTE);
    redis.signal("-CONT");
    stopped.expect("it stops");
}
