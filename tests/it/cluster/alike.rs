//! What nodes have to decide alike, each from what it knows.

use chinwag::chat::OPERATORS;

use super::chats::{Cluster, token_of};

#[test]
fn a_line_under_way_is_said_where_its_speaker_was_before_they_were_taken_over() {
    let mut cluster = Cluster::new(3);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    let program = cluster.connect(2, "json");
    for (node, id) in [(0, ann), (1, bob), (2, program)] {
        cluster.say(node, id, "/join tea");
    }
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.cut(0);
    assert_eq!(cluster.say(0, ann, "one"), "");
    let again = cluster.connect(2, "native");
    assert_eq!(cluster.say(2, again, &format!("/resume {token}")), "You are now ann\n");
    cluster.say(2, again, "/join den");
    cluster.read(1, bob);
    cluster.mend(0);
    assert_eq!(cluster.read(1, bob), "[ann] one\n");
    assert!(cluster.nodes[0].is_closed(ann));
    cluster.say(1, bob, "two");
    let read = cluster.read(2, program);
    let seqs = ["\"seq\":1,", "\"seq\":2,"].map(|seq| read.matches(seq).count());
    assert_eq!(seqs, [1, 1], "{read}");
    for node in 0..3 {
        let next = cluster.connect(node, "native");
        assert_eq!(cluster.say(node, next, "/who den"), "1 in den: ann\n");
        let read = cluster.say(node, next, "/join tea");
        assert!(read.contains("[ann] one\n") && read.ends_with("[bob] two\n"), "{read}");
        cluster.nodes[node].end(next);
        cluster.settle();
    }
}

#[test]
fn what_is_under_way_to_somebody_who_is_taken_over_finds_them() {
    let mut cluster = Cluster::new(3);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    let op = cluster.connect(1, OPERATORS);
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.cut(1);
    assert_eq!(cluster.say(1, bob, "/msg ann psst"), "");
    assert_eq!(cluster.say(1, op, "/mute ann"), "");
    let again = cluster.connect(2, "native");
    assert_eq!(cluster.say(2, again, &format!("/resume {token}")), "You are now ann\n");
    cluster.mend(1);
    assert_eq!(cluster.read(2, again), "[bob → ann] psst\nYou were muted by op.\n");
    assert_eq!(cluster.read(1, bob), "[bob → ann] psst\n");
    let read = cluster.say(2, again, "hello");
    assert!(read.starts_with("You are muted"), "{read}");
}

#[test]
fn whoever_is_taken_over_as_they_leave_is_there() {
    let mut cluster = Cluster::new(3);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    let cat = cluster.named(0, "cat");
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.cut(0);
    assert_eq!(cluster.say(0, ann, "quit"), "Goodbye!\n");
    let again = cluster.connect(2, "native");
    assert_eq!(cluster.say(2, again, &format!("/resume {token}")), "You are now ann\n");
    cluster.mend(0);
    for (node, id) in [(0, cat), (1, bob), (2, again)] {
        cluster.read(node, id);
        assert_eq!(cluster.say(node, id, "/who"), "3 in lobby: ann, bob, cat\n");
    }
    assert_eq!(cluster.say(2, again, "hello"), "[ann] hello\n");
    assert_eq!(cluster.read(0, cat), "[ann] hello\n");
}

#[test]
fn whoever_resumes_as_themselves_stays_who_they_are() {
    let mut cluster = Cluster::new(2);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    let token = token_of(&cluster.say(0, ann, "/resume"));
    let read = cluster.say(0, ann, &format!("/resume {token}"));
    assert_eq!(read, "That token is not known, or no longer.\n");
    cluster.say(0, ann, "hello");
    assert_eq!(cluster.read(1, bob), "[ann] hello\n");
    let again = cluster.connect(1, "native");
    let read = cluster.say(1, again, &format!("/resume {token}"));
    assert!(read.starts_with("You are now ann\n"), "{read}");
}

#[test]
fn a_token_is_shown_once_every_node_knows_it() {
    let mut cluster = Cluster::new(2);
    let ann = cluster.named(0, "ann");
    cluster.cut(0);
    assert_eq!(cluster.say(0, ann, "/resume"), "");
    cluster.mend(0);
    let token = token_of(&cluster.read(0, ann));
    let again = cluster.connect(1, "native");
    assert_eq!(cluster.say(1, again, &format!("/resume {token}")), "You are now ann\n");
    cluster.cut(1);
    assert_eq!(cluster.say(1, again, "/resume"), "");
    cluster.pass(3200);
    let read = cluster.read(1, again);
    assert!(read.contains("To come back within "), "it is good at this node: {read}");
}

#[test]
fn a_muted_user_comes_back_to_the_same_room_at_every_node() {
    let mut cluster = Cluster::new(2);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    let op = cluster.connect(1, OPERATORS);
    cluster.say(0, ann, "/join tea");
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.say(1, op, "/mute ann");
    cluster.nodes[0].end(ann);
    cluster.settle();
    assert_eq!(cluster.say(1, bob, "/rooms"), "lobby 1\n");
    let again = cluster.connect(0, "native");
    cluster.say(0, again, &format!("/resume {token}"));
    for (node, id) in [(0, again), (1, bob)] {
        assert_eq!(cluster.say(node, id, "/who tea"), "1 in tea: ann\n");
    }
}

#[test]
fn the_last_line_of_somebody_who_left_is_kept_at_every_node_even_if_rooms_are_full() {
    let mut cluster = Cluster::with(2, |node, settings| {
        settings.rooms_max = if node == 0 { 2 } else { 9 };
    });
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    cluster.say(0, ann, "/join tea");
    cluster.cut(0);
    assert_eq!(cluster.say(0, ann, "bye"), "");
    cluster.nodes[0].reset(ann);
    cluster.say(1, bob, "/join den");
    cluster.mend(0);
    for node in 0..2 {
        let next = cluster.connect(node, "native");
        let read = cluster.say(node, next, "/join tea");
        assert!(read.ends_with("[ann] bye\n"), "at node {node}: {read}");
    }
}

#[test]
fn whoever_is_an_operator_no_more_is_one_at_no_node() {
    let mut cluster = Cluster::new(2);
    let boss = cluster.connect(0, OPERATORS);
    cluster.say(0, boss, "/nick boss");
    let token = token_of(&cluster.say(0, boss, "/resume"));
    let op = cluster.connect(1, OPERATORS);
    assert_eq!(cluster.say(1, op, "/ban boss"), "boss is an operator.\n");
    cluster.cut(1);
    cluster.nodes[0].end(boss);
    let again = cluster.connect(0, "native");
    assert_eq!(cluster.say(0, again, &format!("/resume {token}")), "You are now boss\n");
    cluster.trim();
    cluster.mend(1);
    cluster.read(1, op);
    let read = cluster.say(1, op, "/ban boss");
    assert!(read.starts_with("Banned boss for good.\n"), "{read}");
    assert!(cluster.nodes[0].is_closed(again));
}

#[test]
fn a_node_that_is_cut_off_before_it_has_entered_enters_once_it_can() {
    let mut cluster = Cluster::new(1);
    let ann = cluster.named(0, "ann");
    let late = cluster.start(|_| {});
    cluster.tell_cut_off(late);
    cluster.settle();
    let bob = cluster.named(late, "bob");
    assert_eq!(cluster.say(late, bob, "hello"), "[bob] hello\n");
    assert_eq!(cluster.read(0, ann), "[bob] hello\n");
}

#[test]
fn slash_who_lists_all_in_one_order_at_every_node() {
    let mut cluster = Cluster::new(2);
    for (node, name) in [(1, "dan"), (0, "Eve"), (1, "ann"), (0, "bob")] {
        cluster.named(node, name);
    }
    for node in 0..2 {
        let asker = cluster.connect(node, "native");
        let read = cluster.say(node, asker, "/who");
        assert!(read.starts_with("5 in lobby: ann, bob, dan, Eve, guest"), "{read}");
    }
}

#[test]
fn who_connects_while_the_log_is_out_of_reach_is_known_in_whatever_order_they_are_listed() {
    let mut cluster = Cluster::new(2);
    let bob = cluster.named(1, "bob");
    cluster.cut(0);
    cluster.pass(3200);
    let [first, second] = [0, 0].map(|node| cluster.connect(node, "native"));
    cluster.nodes[0].end(first);
    cluster.settle();
    // They have the first one's place.
    cluster.connect(0, "native");
    cluster.mend(0);
    cluster.read(1, bob);
    assert_eq!(cluster.say(1, bob, "/who"), "1 in lobby: bob (and 2 silent)\n");
    cluster.say(0, second, "hello");
    assert!(cluster.read(1, bob).ends_with("] hello\n"));
}
