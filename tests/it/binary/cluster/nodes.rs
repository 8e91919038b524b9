//! A node is killed, or stops for a while; and what it has not read is gone.

use std::thread;
use std::time::Duration;

use super::crowd::{Crowd, SHORT};
use super::{Cluster, IMPATIENT, PATIENT};
use crate::redis::server::Redis;

#[test]
fn a_node_stopped_for_less_than_its_lease_is_not_missed() {
    let cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let crowd = Crowd::gather(&cluster, SHORT);
    crowd.talk_while(|| {
        cluster.nodes[0].signal("STOP");
        // A pause has no sign of its end but that it is over.
        thread::sleep(Duration::from_secs(1));
        cluster.nodes[0].signal("CONT");
    });
    crowd.check_nothing_happened();
}

#[test]
fn a_node_stopped_for_longer_than_its_lease_loses_what_others_have_taken() {
    let cluster = Cluster::start(Redis::start(), 2, IMPATIENT);
    let (mut ann, mut bob) = (cluster.named(0, "ann"), cluster.named(0, "bob"));
    let mut eve = cluster.named(1, "eve");
    assert_eq!(eve.ask("/notices on"), "Notices on.");
    for person in [&mut ann, &mut bob] {
        person.say("hello");
    }
    eve.until("[bob] hello");
    cluster.nodes[0].signal("STOP");
    ann.say("I am ann of old");
    bob.say("I am still bob");
    eve.until("ann left the chat.");
    eve.until("bob left the chat.");
    let mut other = cluster.connect(1);
    assert_eq!(other.ask("/nick Ann"), "You are now Ann");
    cluster.nodes[0].signal("CONT");
    // What he said before he knew reaches everybody, since he still has his name.
    eve.until("[bob] I am still bob");
    bob.until("Back with the other servers.");
    ann.until("You have been replaced by another connection.");
    assert_eq!(ann.rest(), [""; 0]);
    bob.say("once more");
    eve.until("[bob] once more");
    eve.ask_until("/msg bob psst", "[eve → bob] psst");
    for person in [&eve, &other] {
        let heard = person.heard();
        assert!(!heard.iter().any(|line| line.contains("of old")), "{heard:?}");
        assert_eq!(heard.iter().filter(|line| line.contains("still bob")).count(), 1);
    }
    other.say("I am the new one");
    bob.until("[Ann] I am the new one");
}

#[test]
fn people_of_a_killed_node_have_left_after_their_last_line_and_come_back_elsewhere() {
    let mut cluster = Cluster::start(Redis::start(), 3, IMPATIENT);
    let mut names: Vec<String> = (0..9).map(|number| format!("talker-{number}")).collect();
    names.insert(0, "ann".to_owned());
    let mut talkers: Vec<_> = names.iter().map(|name| cluster.named(0, name)).collect();
    let mut others = [cluster.named(1, "eve"), cluster.named(2, "fay")];
    for other in &mut others {
        assert_eq!(other.ask("/notices on"), "Notices on.");
    }
    let token = talkers[0].ask("/resume").rsplit(' ').next().unwrap().to_owned();
    for (talker, name) in talkers.iter().zip(&names) {
        talker.say("hello");
        for other in &mut others {
            other.until(&format!("[{name}] hello"));
        }
    }
    for number in 1..=50 {
        talkers[1].say(&number.to_string());
    }
    talkers[1].until("[talker-0] 1");
    // Here and now, with the rest under way.
    cluster.nodes[0].child.kill().unwrap();
    for other in &mut others {
        other.until("ann left the chat.");
        other.expect("talker-0, talker-1 and 7 others left the chat.");
        let heard = other.heard();
        let at = heard.iter().position(|line| line.ends_with(" left the chat.")).unwrap();
        assert!(!heard[at..].iter().any(|line| line.starts_with("[talker-0]")));
        let numbers: Vec<&str> =
            heard.iter().filter_map(|line| line.strip_prefix("[talker-0] ")).skip(1).collect();
        let all: Vec<String> = (1..=numbers.len()).map(|number| number.to_string()).collect();
        assert_eq!(numbers, all);
    }
    let heard = |person: &super::Person| {
        let lines = person.heard().into_iter();
        lines.filter(|line| line.starts_with("[talker-0]")).collect::<Vec<_>>()
    };
    assert_eq!(heard(&others[0]), heard(&others[1]));
    let mut again = cluster.connect(2);
    assert_eq!(again.ask(&format!("/resume {token}")), "You are now ann");
    let mut talker = cluster.connect(1);
    assert_eq!(talker.ask("/nick talker-0"), "You are now talker-0");
    again.say("back again");
    others[0].until("[ann] back again");
    talker.until("[ann] back again");
}

#[test]
fn people_of_a_node_that_ends_by_itself_have_left_at_once() {
    // Nobody waits for this lease.
    let mut cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let (mut ann, mut eve) = (cluster.named(0, "ann"), cluster.named(1, "eve"));
    assert_eq!(eve.ask("/notices on"), "Notices on.");
    assert_eq!(ann.ask("hello"), "[ann] hello");
    eve.until("[ann] hello");
    let node = cluster.nodes.remove(0);
    node.signal("TERM");
    eve.until("ann left the chat.");
    drop(ann);
    assert_eq!(node.outcome().code, Some(0));
    let mut other = cluster.connect(0);
    assert_eq!(other.ask("/nick ann"), "You are now ann");
}

fn claim_one_name(rounds: usize) {
    let cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let mut people = [cluster.named(0, "ann"), cluster.named(1, "bob")];
    let mut won = [0, 0];
    for round in 0..rounds {
        let first = round % 2;
        people[first].say("/nick prize");
        people[1 - first].say("/nick prize");
        let answers = [people[0].line(), people[1].line()];
        let winner = usize::from(answers[0] != "You are now prize");
        won[winner] += 1;
        assert_eq!(answers[winner], "You are now prize", "{answers:?} in round {round}");
        assert_eq!(answers[1 - winner], "Name prize is taken.", "in round {round}");
        let own = ["ann", "bob"][winner];
        assert_eq!(people[winner].ask(&format!("/nick {own}")), format!("You are now {own}"));
    }
    assert!(won[0] > 0 && won[1] > 0, "one always wins: {won:?}");
}

#[test]
fn a_name_that_two_nodes_claim_at_once_is_one_users() {
    claim_one_name(100);
}

#[test]
#[ignore = "it takes long"]
fn a_name_that_two_nodes_claim_at_once_is_one_users_a_thousand_times() {
    claim_one_name(1000);
}

/// The newest id in the log.
pub(super) fn newest(redis: &Redis) -> u64 {
    redis.ask("HGET {chinwag}:head id").parse().unwrap()
}

#[test]
fn a_node_that_has_missed_what_was_trimmed_away_says_how_much() {
    let cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let (mut ann, mut eve) = (cluster.named(0, "ann"), cluster.named(1, "eve"));
    assert_eq!(eve.ask("hello"), "[eve] hello");
    ann.until("[eve] hello");
    cluster.nodes[0].signal("STOP");
    let before = newest(&cluster.redis);
    for number in 1..=50 {
        assert_eq!(eve.ask(&number.to_string()), format!("[eve] {number}"));
    }
    cluster.redis.ask("XTRIM {chinwag}:log MAXLEN = 5");
    let lost = newest(&cluster.redis) - 5 - before;
    assert!(lost >= 45);
    cluster.nodes[0].signal("CONT");
    // What was on its way when it was stopped has arrived.
    let mut arrived = 0;
    let told = loop {
        match ann.line() {
            line if line.starts_with("[eve] ") => arrived += 1,
            line => break line,
        }
    };
    assert_eq!(told, format!("{} events of the other servers are lost.", lost - arrived));
    for number in 46..=50 {
        ann.expect(&format!("[eve] {number}"));
    }
    assert_eq!(ann.ask("and now?"), "[ann] and now?");
    eve.expect("[ann] and now?");
    ann.ask_until("/msg eve psst", "[ann → eve] psst");
}
