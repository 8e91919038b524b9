//! Resume tokens at other nodes than the one that has given them.

use chinwag::chat::OPERATORS;

use super::chats::{Cluster, token_of};

#[test]
fn a_token_is_good_at_every_node() {
    let mut cluster = Cluster::new(3);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    cluster.say(0, ann, "/join tea");
    cluster.say(0, ann, "hello");
    cluster.say(1, bob, "/join tea");
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.say(0, ann, "/ignore bob");
    // She still has her connection, which is closed.
    let again = cluster.connect(2, "native");
    let read = cluster.say(2, again, &format!("/resume {token} 0"));
    assert!(read.starts_with("You are now ann\n"), "{read}");
    assert!(read.ends_with("[ann] hello\n"), "{read}");
    assert!(cluster.read(0, ann).ends_with("You have been replaced by another connection.\n"));
    assert!(cluster.nodes[0].is_closed(ann));
    cluster.read(1, bob);
    assert_eq!(cluster.say(2, again, "back"), "[ann] back\n");
    assert_eq!(cluster.read(1, bob), "[ann] back\n");
    cluster.say(1, bob, "hello");
    assert_eq!(cluster.read(2, again), "");
    assert_eq!(cluster.say(1, bob, "/who"), "2 in tea: ann, bob\n");
    let thief = cluster.connect(0, "native");
    let read = cluster.say(0, thief, &format!("/resume {token}"));
    assert_eq!(read, "That token is not known, or no longer.\n");
}

#[test]
fn a_token_of_whoever_resumes_as_another_is_good_no_more() {
    let mut cluster = Cluster::new(2);
    let ann = cluster.named(0, "ann");
    let token = token_of(&cluster.say(0, ann, "/resume"));
    let other = cluster.connect(0, "native");
    let lost = token_of(&cluster.say(0, other, "/resume"));
    assert_eq!(cluster.say(0, other, &format!("/resume {token}")), "You are now ann\n");
    for node in 0..2 {
        let next = cluster.connect(node, "native");
        let read = cluster.say(node, next, &format!("/resume {lost}"));
        assert_eq!(read, "That token is not known, or no longer.\n");
    }
}

#[test]
fn a_token_takes_no_name_from_whoever_has_it_by_now() {
    let mut cluster = Cluster::new(3);
    let (ann, zoe) = (cluster.named(0, "ann"), cluster.named(2, "zoe"));
    cluster.say(0, ann, "/join tea");
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.cut(0);
    cluster.pass(7000);
    assert_eq!(cluster.say(2, zoe, "/nick ann"), "You are now ann\n");
    let bob = cluster.named(1, "bob");
    let read = cluster.say(1, bob, &format!("/resume {token}"));
    assert_eq!(read, "Name ann is taken.\nYou are now bob\n");
    assert_eq!(cluster.say(1, bob, "/who"), "1 in tea: bob\n");
    assert_eq!(cluster.say(2, zoe, "/rooms"), "lobby 1\ntea 1\n");
    assert_eq!(cluster.say(2, zoe, "/nick zoe"), "You are now zoe\n");
    assert_eq!(cluster.say(1, bob, "/nick ann"), "You are now ann\n");
}

#[test]
fn a_token_that_is_good_no_more_leaves_the_name_free() {
    let mut cluster = Cluster::new(3);
    let (ann, zoe) = (cluster.named(0, "ann"), cluster.named(2, "zoe"));
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.cut(0);
    cluster.pass(400_000);
    let bob = cluster.named(1, "bob");
    let read = cluster.say(1, bob, &format!("/resume {token}"));
    assert_eq!(read, "That token is not known, or no longer.\n");
    assert_eq!(cluster.say(2, zoe, "/nick ann"), "You are now ann\n");
    assert_eq!(cluster.say(2, zoe, "/nick bob"), "Name bob is taken.\n");
}

#[test]
fn a_token_is_good_when_its_node_is_gone() {
    let mut cluster = Cluster::new(2);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    cluster.say(1, bob, "/notices on");
    cluster.say(0, ann, "/join tea");
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.cut(0);
    cluster.pass(7000);
    let again = cluster.connect(1, "native");
    let read = cluster.say(1, again, &format!("/resume {token}"));
    assert_eq!(read, "You are now ann\n");
    assert_eq!(cluster.say(1, again, "/who"), "1 in tea: ann\n");
    cluster.mend(0);
    assert!(cluster.nodes[0].is_closed(ann));
    assert_eq!(cluster.say(1, again, "/who"), "1 in tea: ann\n");
}

#[test]
fn a_node_that_enters_later_learns_of_tokens() {
    let mut cluster = Cluster::new(2);
    let ann = cluster.named(0, "ann");
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.cut(1);
    cluster.pass(7000);
    cluster.mend(1);
    let again = cluster.connect(1, "native");
    assert_eq!(cluster.say(1, again, &format!("/resume {token}")), "You are now ann\n");
}

#[test]
fn whoever_comes_back_from_a_node_that_is_gone_is_away_and_ignores_and_is_ignored_as_before() {
    for is_late in [false, true] {
        let mut cluster = Cluster::new(2);
        let ann = cluster.named(0, "ann");
        let (bob, cat) = (cluster.named(1, "bob"), cluster.named(1, "cat"));
        let token = token_of(&cluster.say(0, ann, "/resume"));
        cluster.say(0, ann, "/ignore cat");
        cluster.say(0, ann, "/away lunch");
        cluster.say(1, bob, "/ignore ann");
        cluster.cut(0);
        cluster.pass(7000);
        // Or at one that has entered after that.
        let node = if is_late { cluster.start(|_| {}) } else { 1 };
        cluster.settle();
        let again = cluster.connect(node, "native");
        assert_eq!(cluster.say(node, again, &format!("/resume {token}")), "You are now ann\n");
        cluster.say(1, cat, "hello");
        assert_eq!(cluster.read(node, again), "", "she ignores cat");
        cluster.read(1, bob);
        cluster.say(node, again, "hi");
        let read = [bob, cat].map(|id| cluster.read(1, id));
        assert_eq!(read, ["", "[ann] hi\n"], "bob ignores her");
        for there in [1, node] {
            let dan = cluster.connect(there, "native");
            let read = cluster.say(there, dan, "/msg ann psst");
            assert!(read.ends_with(" psst\nann is away: lunch\n"), "{read}");
        }
    }
}

#[test]
fn whoever_is_not_known_is_not_taken_for_somebody_who_came_back() {
    let mut cluster = Cluster::new(4);
    let ann = cluster.named(0, "ann");
    let (cat, dan) = (cluster.named(2, "cat"), cluster.named(3, "dan"));
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.cut(0);
    cluster.pass(7000);
    let again = cluster.connect(1, "native");
    assert_eq!(cluster.say(1, again, &format!("/resume {token}")), "You are now ann\n");
    // What is written to dan is under way when he leaves.
    cluster.cut(2);
    assert_eq!(cluster.say(2, cat, "/msg dan psst"), "");
    cluster.say(3, dan, "quit");
    cluster.mend(2);
    assert_eq!(cluster.read(2, cat), "No one is called dan.\n");
    assert_eq!(cluster.read(1, again), "");
}

#[test]
fn a_mute_that_is_kept_for_a_name_reaches_a_node_that_enters_later() {
    let mut cluster = Cluster::new(2);
    let ann = cluster.named(0, "ann");
    let op = cluster.connect(1, OPERATORS);
    cluster.say(1, op, "/mute ann");
    cluster.say(0, ann, "quit");
    let late = cluster.start(|_| {});
    cluster.settle();
    let next = cluster.connect(late, "native");
    assert_eq!(cluster.say(late, next, "/nick ann"), "You are now ann\n");
    let read = cluster.say(late, next, "hello");
    assert!(read.starts_with("You are muted"), "{read}");
}

#[test]
fn a_mute_outlives_the_node_of_the_muted() {
    let mut cluster = Cluster::new(2);
    let ann = cluster.named(0, "ann");
    let op = cluster.connect(1, OPERATORS);
    cluster.say(1, op, "/mute ann");
    cluster.read(0, ann);
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.cut(0);
    cluster.pass(7000);
    let again = cluster.connect(1, "native");
    assert_eq!(cluster.say(1, again, &format!("/resume {token}")), "You are now ann\n");
    assert_eq!(cluster.say(1, again, "hello"), "You are muted; nobody was told.\n");
}
