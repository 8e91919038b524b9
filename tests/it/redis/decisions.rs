//! What the log decides, and that all nodes are told the same.

use std::collections::BTreeSet;

use chinwag::cluster::{Action, Carrier, NodeId, Outcome, Report};

use super::links::{Node, events};
use super::server::{MINUTE, Redis};

#[test]
fn all_nodes_read_the_same_in_one_dense_order() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    let (mut last_a, mut last_b) = (0, 0);
    for i in 0..500 {
        last_a = a.say(&format!("a{i}"));
        last_b = b.say(&format!("b{i}"));
    }
    let ids = [(a.id(), last_a), (b.id(), last_b)];
    for node in [&mut a, &mut b] {
        node.wait("all", |told| {
            let has = |(id, last)| events(told).any(|it| it.node == id && it.number == last);
            ids.into_iter().all(has)
        });
    }
    let told_b: Vec<_> = events(&b.told).collect();
    let told_a: Vec<_> = events(&a.told).skip_while(|it| it.id < told_b[0].id).collect();
    assert_eq!(told_a, told_b);
    for (node, letter) in [(&a, 'a'), (&b, 'b')] {
        let ids: Vec<u64> = events(&node.told).map(|it| it.id).collect();
        assert!(ids.is_sorted_by(|one, next| one + 1 == *next), "{ids:?}");
        let own: Vec<_> = node.texts().into_iter().filter(|it| it.starts_with(letter)).collect();
        assert_eq!(own, (0..500).map(|i| format!("{letter}{i}")).collect::<Vec<_>>());
    }
    let seqs = events(&a.told).filter_map(|it| match it.outcome {
        Outcome::Said { seq, epoch } => Some((seq, epoch)),
        _ => None,
    });
    let seqs: Vec<_> = seqs.collect();
    let epoch = seqs[0].1;
    assert_eq!(seqs, (1..=1000).map(|seq| (seq, epoch)).collect::<Vec<_>>());
}

#[test]
fn of_two_nodes_that_claim_a_name_exactly_one_gets_it_a_thousand_times() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    let claims = (0..1000).map(|i| {
        let name = format!("name{i}");
        // Who is first changes.
        if i % 2 == 0 {
            let first = a.claim(&name, i);
            (first, b.claim(&name, i))
        } else {
            let first = b.claim(&name, i);
            (a.claim(&name, i), first)
        }
    });
    let claims: Vec<(u64, u64)> = claims.collect();
    let mut winners = [0, 0];
    for (of_a, of_b) in claims {
        match (a.outcome(of_a), b.outcome(of_b)) {
            (Outcome::Claimed, Outcome::Taken) => winners[0] += 1,
            (Outcome::Taken, Outcome::Claimed) => winners[1] += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(winners[0] + winners[1], 1000);
}

#[test]
fn a_name_is_its_owners_until_it_is_released_or_taken_over() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    let (id_of_a, id_of_b) = (a.id(), b.id());
    let claim = |name: &str, user, releases: Option<&str>, takes_over| Action::Claim {
        name: name.to_owned(),
        user,
        releases: releases.map(str::to_owned),
        takes_over,
    };
    let release = |name: &str, user| Action::Release { name: name.to_owned(), user, heir: None };
    let mut decided = |by_a: bool, action: Action| {
        let node = if by_a { &mut a } else { &mut b };
        let number = node.append(action);
        node.outcome(number)
    };
    assert_eq!(decided(true, claim("erin", 1, None, false)), Outcome::Claimed);
    assert_eq!(decided(true, claim("erin", 1, None, false)), Outcome::Claimed, "one's own");
    assert_eq!(decided(true, claim("erin", 2, None, false)), Outcome::Taken);
    assert_eq!(decided(false, claim("erin", 1, None, false)), Outcome::Taken);
    // Who loses keeps the earlier name.
    assert_eq!(decided(false, claim("finn", 1, None, false)), Outcome::Claimed);
    assert_eq!(decided(false, claim("erin", 1, Some("finn"), false)), Outcome::Taken);
    assert_eq!(decided(true, claim("finn", 3, None, false)), Outcome::Taken);
    // What is not one's own is not released.
    assert_eq!(decided(false, release("erin", 1)), Outcome::Told);
    assert_eq!(decided(false, claim("erin", 1, None, false)), Outcome::Taken);
    assert_eq!(decided(false, claim("greta", 1, Some("erin"), false)), Outcome::Claimed);
    assert_eq!(decided(false, claim("erin", 1, None, false)), Outcome::Taken);
    // A new name sets the old one free, and so does a release.
    assert_eq!(decided(true, claim("hans", 1, Some("erin"), false)), Outcome::Claimed);
    assert_eq!(decided(false, claim("erin", 1, Some("greta"), false)), Outcome::Claimed);
    assert_eq!(decided(true, claim("greta", 9, None, false)), Outcome::Claimed);
    assert_eq!(decided(true, release("hans", 1)), Outcome::Told);
    assert_eq!(decided(false, claim("hans", 5, None, false)), Outcome::Claimed);
    // Claimed again in another spelling, it is not released.
    assert_eq!(decided(false, claim("hans", 5, Some("hans"), false)), Outcome::Claimed);
    assert_eq!(decided(true, claim("hans", 5, None, false)), Outcome::Taken);
    assert_eq!(decided(true, claim("hans", 5, None, true)), Outcome::Claimed);
    assert_eq!(decided(false, claim("hans", 5, None, false)), Outcome::Taken);
    // Whoever releases it may name an heir; it is free if the heir's node is not there.
    let leave = |user, heir| Action::Release { name: "hans".to_owned(), user, heir: Some(heir) };
    assert_eq!(decided(true, leave(6, (id_of_b, 7))), Outcome::Told, "it is not theirs");
    assert_eq!(decided(false, claim("hans", 7, None, false)), Outcome::Taken);
    assert_eq!(decided(true, leave(5, (id_of_b, 7))), Outcome::Told);
    assert_eq!(decided(true, claim("hans", 5, None, false)), Outcome::Taken);
    assert_eq!(decided(false, claim("hans", 7, None, false)), Outcome::Claimed);
    assert_eq!(decided(false, leave(7, (NodeId(!id_of_a.0), 1))), Outcome::Told);
    assert_eq!(decided(true, claim("hans", 5, None, false)), Outcome::Claimed);
}

#[test]
fn guests_blocks_are_the_lowest_that_nobody_has() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    let mut blocks = BTreeSet::new();
    for _ in 0..20 {
        for node in [&mut a, &mut b] {
            let number = node.append(Action::LeaseGuests);
            let Outcome::Block(block) = node.outcome(number) else { panic!("no block") };
            assert!(blocks.insert(block), "{block} twice");
        }
    }
    assert_eq!(blocks, (0..40).collect());
    let keep = |blocks: &[u32]| Action::KeepGuests { blocks: blocks.to_vec() };
    // Nobody has 77; 1 is the other's.
    let number = a.append(keep(&[0, 1, 2, 77]));
    assert_eq!(a.outcome(number), Outcome::Kept(vec![0, 2, 77]));
    let number = b.append(keep(&[]));
    assert_eq!(b.outcome(number), Outcome::Kept(Vec::new()));
    // Once a node is gone, all its blocks are free.
    let gone = a.id();
    a.link.leave(MINUTE);
    b.wait("the other's leave", |told| super::links::count(told, gone, &Outcome::Gone) == 1);
    let number = b.append(Action::LeaseGuests);
    assert_eq!(b.outcome(number), Outcome::Block(0));
}

#[test]
fn of_an_earlier_entering_a_node_keeps_the_blocks_that_it_asks_for_and_no_others() {
    let redis = Redis::start();
    let (mut a, mut b) = (Node::start(&redis), Node::start(&redis));
    let lease = |node: &mut Node| {
        let number = node.append(Action::LeaseGuests);
        node.outcome(number)
    };
    assert_eq!([0; 2].map(|_| lease(&mut a)), [0, 1].map(Outcome::Block));
    // Both enter again.
    redis.ask("EVAL \"return redis.call('HINCRBY',KEYS[1],'id',1)\" 1 {chinwag}:head");
    a.wait_until_entered(2);
    b.wait_until_entered(2);
    for _ in 0..2 {
        let number = a.append(Action::KeepGuests { blocks: vec![0] });
        assert_eq!(a.outcome(number), Outcome::Kept(vec![0]));
    }
    assert_eq!([0; 2].map(|_| lease(&mut b)), [1, 2].map(Outcome::Block));
}

#[test]
fn a_rooms_numbers_are_above_what_any_node_knows() {
    let redis = Redis::start();
    let mut a = Node::start(&redis);
    let raise = |room: &str, seq| Action::Raise { room: room.to_owned(), seq };
    a.append(raise("lobby", 41));
    a.append(raise("lobby", 12));
    let number = a.say("one");
    let Outcome::Said { seq: 42, .. } = a.outcome(number) else { panic!("another number") };
    let number = a.append(Action::Say { room: "other room".to_owned() });
    let Outcome::Said { seq: 1, epoch } = a.outcome(number) else { panic!("another number") };
    a.append(raise("other room", 10));
    let number = a.append(Action::Say { room: "other room".to_owned() });
    assert_eq!(a.outcome(number), Outcome::Said { seq: 11, epoch });
}

#[test]
fn what_was_said_before_comes_first_and_once() {
    let redis = Redis::start();
    let mut a = Node::start(&redis);
    // More than a page; of another kind too; and the nodes that enter do so in the middle of it.
    let mut told = Vec::new();
    for round in 0..4 {
        for i in 0..200 {
            a.say(&format!("{round} {i}"));
            a.append(Action::Tell);
        }
        told.push(Node::start(&redis));
    }
    let last = a.say("the end");
    a.outcome(last);
    let id = a.id();
    for node in &mut told {
        node.wait("the end", |told| events(told).any(|it| it.node == id && it.number == last));
        let is_past = |report: &Report| matches!(report, Report::Past(_));
        let past = node.told.iter().filter(|it| is_past(it)).count();
        assert!(node.told[..past].iter().all(is_past), "one came late");
        let lines = node.told.iter().filter_map(|report| match report {
            Report::Past(event) | Report::Event(event) => match event.outcome {
                Outcome::Said { seq, .. } => Some(seq),
                _ => None,
            },
            _ => None,
        });
        assert_eq!(lines.collect::<Vec<_>>(), (1..=801).collect::<Vec<_>>());
    }
}
