//! What the log decides, and loses.

use chinwag::cluster::{Action, Entry, NodeId, Outcome};

use super::{CLOCK, Fenced, Log};

const ANN: NodeId = NodeId(1);
const BOB: NodeId = NodeId(2);
const LEASE: u64 = 100;

/// A log with two nodes, of epochs 1 and 2, that numbers their entries.
struct Pair {
    log: Log,
    number: u64,
}

impl Pair {
    fn new() -> Pair {
        let mut log = Log::new(LEASE, 3);
        assert_eq!((log.enter(ANN, "ann", 0), log.enter(BOB, "bob", 0)), (1, 2));
        Pair { log, number: 0 }
    }

    /// What is decided.
    fn ask(&mut self, node: NodeId, action: Action) -> Outcome {
        self.number += 1;
        let entry = Entry { number: self.number, action, payload: Vec::new() };
        self.log.append(node, node.0, entry, 0).expect("it has entered");
        self.outcome(self.log.last())
    }

    fn outcome(&self, id: u64) -> Outcome {
        self.log.event(id).expect("it is kept").0.outcome.clone()
    }
}

fn say(room: &str) -> Action {
    Action::Say { room: room.to_owned() }
}

fn claim(name: &str, user: u64, releases: Option<&str>, takes_over: bool) -> Action {
    let releases = releases.map(str::to_owned);
    Action::Claim { name: name.to_owned(), user, releases, takes_over }
}

fn seq(outcome: &Outcome) -> u64 {
    let Outcome::Said { seq, .. } = outcome else { panic!("{outcome:?} is no line") };
    *seq
}

#[test]
fn lines_are_numbered_by_room() {
    let mut pair = Pair::new();
    let rooms = [(ANN, "lobby"), (BOB, "lobby"), (ANN, "tea"), (BOB, "lobby")];
    let seqs = rooms.map(|(node, room)| seq(&pair.ask(node, say(room))));
    assert_eq!(seqs, [1, 2, 1, 3]);
    let ids: Vec<u64> = pair.log.said().map(|event| event.id).collect();
    assert_eq!(ids, [4, 5, 6], "three lines are kept for nodes that enter later");
}

#[test]
fn a_room_that_is_raised_goes_on_behind_it() {
    let mut pair = Pair::new();
    let raise = |seq| Action::Raise { room: "lobby".to_owned(), seq };
    assert_eq!(pair.ask(ANN, raise(7)), Outcome::Told);
    assert_eq!(pair.ask(ANN, say("lobby")), Outcome::Said { seq: 8, epoch: CLOCK });
    pair.ask(BOB, raise(5));
    assert_eq!(pair.ask(BOB, say("lobby")), Outcome::Said { seq: 9, epoch: CLOCK });
}

#[test]
fn a_name_is_whose_claim_comes_first() {
    let mut pair = Pair::new();
    assert_eq!(pair.ask(ANN, claim("tom", 1, None, false)), Outcome::Claimed);
    assert_eq!(pair.ask(BOB, claim("tom", 1, None, false)), Outcome::Taken);
    assert_eq!(pair.ask(ANN, claim("tom", 2, None, false)), Outcome::Taken);
    assert_eq!(pair.ask(ANN, claim("tom", 1, None, false)), Outcome::Claimed, "it is theirs");
    assert_eq!(pair.ask(BOB, claim("tom", 7, None, true)), Outcome::Claimed, "with a password");
    assert_eq!(pair.ask(ANN, claim("tom", 1, None, false)), Outcome::Taken);
}

#[test]
fn a_name_is_free_once_another_is_claimed_or_it_is_released() {
    let mut pair = Pair::new();
    pair.ask(ANN, claim("tom", 1, None, false));
    pair.ask(ANN, claim("tim", 1, Some("tom"), false));
    assert_eq!(pair.ask(BOB, claim("tom", 1, None, false)), Outcome::Claimed);
    pair.ask(ANN, claim("tum", 1, Some("tom"), false));
    pair.ask(ANN, Action::Release { name: "tom".to_owned(), user: 1, heir: None });
    assert_eq!(pair.ask(ANN, claim("tom", 2, None, false)), Outcome::Taken, "it was not theirs");
    pair.ask(BOB, claim("tum", 1, Some("tom"), false));
    assert_eq!(
        pair.ask(ANN, claim("tom", 2, None, false)),
        Outcome::Taken,
        "a refused one frees none"
    );
    pair.ask(BOB, Action::Release { name: "tom".to_owned(), user: 1, heir: None });
    assert_eq!(pair.ask(ANN, claim("tom", 2, None, false)), Outcome::Claimed);
}

#[test]
fn a_released_name_is_its_heirs_unless_their_node_is_gone() {
    let mut pair = Pair::new();
    let release = |user, heir| Action::Release { name: "tom".to_owned(), user, heir };
    pair.ask(ANN, claim("tom", 1, None, false));
    pair.ask(ANN, release(2, Some((BOB, 7))));
    assert_eq!(pair.ask(BOB, claim("tom", 7, None, false)), Outcome::Taken, "it was not theirs");
    pair.ask(ANN, release(1, Some((BOB, 7))));
    assert_eq!(pair.ask(ANN, claim("tom", 1, None, false)), Outcome::Taken);
    assert_eq!(pair.ask(BOB, claim("tom", 7, None, false)), Outcome::Claimed);
    pair.log.leave(ANN, 1, 0).expect("it is there");
    pair.ask(BOB, release(7, Some((ANN, 1))));
    assert_eq!(pair.ask(BOB, claim("tom", 8, None, false)), Outcome::Claimed);
}

#[test]
fn each_gets_the_lowest_block_that_is_free() {
    let mut pair = Pair::new();
    let blocks = [ANN, BOB, ANN].map(|node| pair.ask(node, Action::LeaseGuests));
    assert_eq!(blocks, [0, 1, 2].map(Outcome::Block));
    let keep = |blocks: &[u32]| Action::KeepGuests { blocks: blocks.to_vec() };
    assert_eq!(pair.ask(BOB, keep(&[0, 1, 3])), Outcome::Kept(vec![1, 3]));
    pair.log.leave(ANN, 1, 0).expect("it is there");
    assert_eq!(pair.ask(BOB, Action::LeaseGuests), Outcome::Block(0));
}

#[test]
fn an_entry_is_appended_once() {
    let mut pair = Pair::new();
    let entry = |number| Entry { number, action: say("lobby"), payload: Vec::new() };
    for number in [1, 2, 1, 2, 4, 3] {
        pair.log.append(ANN, 1, entry(number), 0).expect("it has entered");
    }
    let numbers: Vec<u64> = pair.log.said().map(|event| event.number).collect();
    assert_eq!(numbers, [1, 2, 4]);
}

#[test]
fn a_lease_runs_out_unless_it_is_renewed_and_the_node_is_fenced() {
    let mut pair = Pair::new();
    pair.ask(ANN, claim("tom", 1, None, false));
    pair.ask(ANN, Action::LeaseGuests);
    assert_eq!(pair.log.beat(BOB, 2, LEASE - 1), Ok(()));
    assert_eq!(pair.log.beat(ANN, 1, LEASE), Err(Fenced));
    assert_eq!(pair.log.last(), 4, "nobody has noticed yet");
    assert_eq!(pair.log.beat(BOB, 2, LEASE), Ok(()));
    assert_eq!((pair.outcome(5), pair.log.last()), (Outcome::Gone, 5));
    assert_eq!(pair.log.event(5).map(|(event, _)| event.node), Some(ANN));
    assert_eq!(pair.ask(BOB, claim("tom", 1, None, false)), Outcome::Claimed);
    assert_eq!(pair.ask(BOB, Action::LeaseGuests), Outcome::Block(0));
    assert_eq!(pair.log.enter(ANN, "ann", LEASE), 3);
    assert_eq!(pair.log.beat(ANN, 1, LEASE), Err(Fenced), "its epoch is over");
    assert_eq!(pair.log.beat(ANN, 3, LEASE), Ok(()));
}

#[test]
fn a_node_that_enters_anew_keeps_its_names_for_two_leases_unless_it_claims_them_again() {
    let mut pair = Pair::new();
    pair.ask(ANN, claim("tom", 1, None, false));
    pair.ask(ANN, claim("tim", 2, None, false));
    assert_eq!(pair.log.enter(ANN, "ann", 10), 3);
    let mut ask = |(node, epoch), number, name, now| {
        let entry = Entry { number, action: claim(name, 2, None, false), payload: Vec::new() };
        pair.log.append(node, epoch, entry, now).expect("it has entered");
        pair.log.event(pair.log.last()).expect("it is kept").0.outcome.clone()
    };
    let (ann, bob) = ((ANN, 3), (BOB, 2));
    assert_eq!(ask(bob, 9, "tom", 90), Outcome::Taken);
    assert_eq!(ask(ann, 1, "tim", 100), Outcome::Claimed);
    assert_eq!(ask(bob, 10, "tom", 150), Outcome::Taken);
    assert_eq!(ask(ann, 2, "tim", 180), Outcome::Claimed);
    assert_eq!(ask(bob, 11, "tom", 210), Outcome::Taken);
    assert_eq!(ask(bob, 12, "tom", 211), Outcome::Claimed);
    assert_eq!(ask(bob, 13, "tim", 250), Outcome::Taken);
}

#[test]
fn what_is_rolled_back_never_happened() {
    let mut pair = Pair::new();
    pair.ask(ANN, say("lobby"));
    pair.ask(ANN, claim("tom", 1, None, false));
    pair.ask(BOB, say("lobby"));
    pair.ask(BOB, Action::LeaseGuests);
    assert_eq!(pair.log.roll_back(3), 3);
    assert_eq!((pair.log.last(), pair.log.era()), (3, (2, 3)));
    assert_eq!(pair.log.said().count(), 1);
    assert_eq!(pair.ask(BOB, claim("tom", 1, None, false)), Outcome::Claimed);
    assert_eq!(seq(&pair.ask(BOB, say("lobby"))), 1, "it is another numbering");
    assert_eq!(pair.ask(BOB, Action::LeaseGuests), Outcome::Block(0));
    assert_eq!(pair.log.last(), 6);
    let entered = pair.log.roll_back(100);
    assert_eq!(entered, 3, "only what came after the last fault");
}

#[test]
fn what_is_emptied_begins_anew() {
    let mut pair = Pair::new();
    pair.ask(ANN, claim("tom", 1, None, false));
    pair.ask(ANN, say("lobby"));
    assert_eq!(pair.log.roll_back(1), 1);
    pair.log.empty();
    assert_eq!((pair.log.last(), pair.log.first(), pair.log.era()), (0, 1, (3, 0)));
    assert_eq!(pair.log.said().count(), 0);
    assert_eq!(pair.log.beat(ANN, 1, 0), Err(Fenced));
    assert_eq!(pair.log.enter(BOB, "bob", 9), 3);
    let (event, epoch) = pair.log.event(1).expect("it is the first");
    assert_eq!((&event.outcome, *epoch), (&Outcome::Entered, 3));
}

#[test]
fn what_is_trimmed_is_not_kept() {
    let mut pair = Pair::new();
    for _ in 0..3 {
        pair.ask(ANN, say("lobby"));
    }
    pair.log.trim(2);
    assert_eq!((pair.log.first(), pair.log.last()), (4, 5));
    assert!(pair.log.event(3).is_none() && pair.log.event(6).is_none());
    assert_eq!(pair.log.event(4).map(|(event, _)| seq(&event.outcome)), Some(2));
}
