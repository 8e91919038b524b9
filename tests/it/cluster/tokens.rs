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
