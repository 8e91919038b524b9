//! Several come back with one token, or come back while they leave: within a round trip.

use chinwag::ConnId;

use super::chats::{Cluster, token_of};

const UNKNOWN: &str = "That token is not known, or no longer.\n";

/// All nodes say that these are in the lobby, and the log holds ann's name if she is.
fn check(cluster: &mut Cluster, all: &str) {
    for node in 0..cluster.nodes.len() {
        let asker = cluster.connect(node, "native");
        let read = cluster.say(node, asker, "/who");
        let named = read.split(" (and").next().unwrap_or_default();
        let named = named.trim_end().split(": ").nth(1).unwrap_or_default();
        let named = named.split(", ").filter(|name| !name.starts_with("guest"));
        assert_eq!(named.collect::<Vec<_>>().join(", "), all, "by node {node}: {read}");
        let read = cluster.say(node, asker, "/nick ann");
        let is_taken = all.split(", ").any(|name| name == "ann");
        assert_eq!(read == "Name ann is taken.\n", is_taken, "{read}");
        cluster.say(node, asker, "quit");
    }
}

/// Three nodes, where ann is at the first and zoe at the second; and ann's token.
fn three() -> (Cluster, ConnId, ConnId, String) {
    let mut cluster = Cluster::new(3);
    let (ann, zoe) = (cluster.named(0, "ann"), cluster.named(1, "zoe"));
    cluster.say(0, ann, "hello");
    cluster.say(1, zoe, "hello");
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.read(0, ann);
    cluster.read(1, zoe);
    (cluster, ann, zoe, token)
}

#[test]
fn of_two_who_come_back_at_once_one_does() {
    // Where the two are: the token is of the first node.
    for [first, second] in [[0, 0], [1, 1], [1, 2], [0, 1], [1, 0]] {
        let (mut cluster, ann, _, token) = three();
        let one = cluster.connect(first, "native");
        let other = cluster.connect(second, "native");
        let ask = format!("/resume {token}");
        for node in [first, second] {
            cluster.cut(node);
        }
        assert_eq!(cluster.say(first, one, &ask), "");
        assert_eq!(cluster.say(second, other, &ask), "");
        cluster.mend(first);
        if second != first {
            cluster.mend(second);
        }
        let case = format!("at nodes {first} and {second}");
        let read = [cluster.read(first, one), cluster.read(second, other)];
        assert!(read[0].starts_with("You are now ann\n"), "{case}: {read:?}");
        assert_eq!(read[1], UNKNOWN, "{case}");
        assert!(cluster.nodes[0].is_closed(ann) && !cluster.nodes[first].is_closed(one), "{case}");
        check(&mut cluster, "ann, zoe");
        assert_eq!(cluster.say(first, one, "back"), "[ann] back\n", "{case}");
        assert!(cluster.read(second, other).ends_with("[ann] back\n"), "{case}");
        cluster.say(first, one, "quit");
        check(&mut cluster, "zoe");
    }
}

#[test]
fn whoever_comes_back_stays_when_their_old_connection_ends_meanwhile() {
    for (node, is_quit) in [(0, true), (0, false), (1, true), (1, false)] {
        for is_first in [true, false] {
            let (mut cluster, ann, _, token) = three();
            let again = cluster.connect(node, "native");
            cluster.cut(0);
            if node == 1 {
                cluster.cut(1);
            }
            assert_eq!(cluster.say(node, again, &format!("/resume {token}")), "");
            if is_quit {
                cluster.say(0, ann, "quit");
            } else {
                cluster.nodes[0].reset(ann);
            }
            cluster.settle();
            let order = if is_first { [1, 0] } else { [0, 1] };
            for cut in order.into_iter().filter(|cut| *cut == 0 || node == 1) {
                cluster.mend(cut);
            }
            let case = format!("at node {node}, {is_quit}, {is_first}");
            let read = cluster.read(node, again);
            if node == 1 && is_quit && !is_first {
                // She had left before.
                assert_eq!(read, UNKNOWN, "{case}");
                check(&mut cluster, "zoe");
                continue;
            }
            assert!(read.starts_with("You are now ann\n"), "{case}: {read}");
            check(&mut cluster, "ann, zoe");
            cluster.pass(400_000);
            check(&mut cluster, "ann, zoe");
            assert_eq!(cluster.say(node, again, "back"), "[ann] back\n", "{case}");
            assert!(!cluster.nodes[node].is_closed(again), "{case}");
        }
    }
}

#[test]
fn whoever_is_lost_as_they_come_back_leaves_at_every_node() {
    for (node, has_token) in [(0, false), (1, false), (0, true), (1, true)] {
        let (mut cluster, ann, _, token) = three();
        let again = cluster.connect(node, "native");
        let own = token_of(&cluster.say(node, again, "/resume")).repeat(usize::from(has_token));
        if !has_token {
            cluster.say(node, again, "quit");
        }
        let again = if has_token { again } else { cluster.connect(node, "native") };
        cluster.cut(node);
        assert_eq!(cluster.say(node, again, &format!("/resume {token}")), "");
        cluster.nodes[node].reset(again);
        cluster.settle();
        cluster.mend(node);
        let case = format!("at node {node}, {has_token}");
        assert!(cluster.nodes[0].is_closed(ann), "{case}: they have come back, and left");
        if has_token && node == 1 {
            // With their own token they are who they were last.
            let next = cluster.connect(2, "native");
            let read = cluster.say(2, next, &format!("/resume {own}"));
            assert!(read.starts_with("You are now ann\n"), "{read}");
            cluster.say(2, next, "quit");
        }
        check(&mut cluster, "zoe");
        for at in 0..3 {
            let next = cluster.connect(at, "native");
            assert_eq!(cluster.say(at, next, &format!("/resume {token}")), UNKNOWN, "{case}");
        }
    }
}

#[test]
fn whoever_gets_another_name_meanwhile_is_taken_over_with_that() {
    for (wanted, expected) in [("/nick anna", "anna, zoe"), ("/resume", "ann, zoe")] {
        let (mut cluster, ann, _, token) = three();
        let again = cluster.connect(2, "native");
        cluster.cut(2);
        assert_eq!(cluster.say(2, again, &format!("/resume {token}")), "");
        let read = cluster.say(0, ann, wanted);
        cluster.mend(2);
        if wanted == "/resume" {
            assert_eq!(cluster.read(2, again), UNKNOWN);
            let read = cluster.say(2, again, &format!("/resume {}", token_of(&read)));
            assert!(read.starts_with("You are now ann\n"), "{read}");
        } else {
            let read = cluster.read(2, again);
            assert!(read.starts_with("You are now anna\n"), "{read}");
        }
        check(&mut cluster, expected);
    }
}

#[test]
fn a_token_that_is_good_no_more_takes_the_name_from_nobody() {
    let (mut cluster, ann, _, token) = three();
    let again = cluster.connect(2, "native");
    cluster.cut(2);
    assert_eq!(cluster.say(2, again, &format!("/resume {token}")), "");
    cluster.say(0, ann, "/resume");
    cluster.mend(2);
    assert_eq!(cluster.read(2, again), UNKNOWN);
    check(&mut cluster, "ann, zoe");
    assert!(!cluster.nodes[0].is_closed(ann));
    cluster.say(0, ann, "quit");
    check(&mut cluster, "zoe");
}

#[test]
fn a_token_of_somebody_who_left_at_a_node_that_was_gone_is_good_nowhere() {
    let (mut cluster, ann, _, token) = three();
    cluster.cut(0);
    cluster.pass(7000);
    cluster.say(0, ann, "quit");
    cluster.mend(0);
    for node in 0..3 {
        let next = cluster.connect(node, "native");
        assert_eq!(cluster.say(node, next, &format!("/resume {token}")), UNKNOWN, "{node}");
    }
    // The log keeps a name for two leases.
    cluster.pass(11_000);
    check(&mut cluster, "zoe");
}

#[test]
fn a_token_of_somebody_who_stayed_at_a_node_that_was_gone_is_good_everywhere() {
    for node in 0..3 {
        let (mut cluster, ann, _, token) = three();
        cluster.cut(0);
        cluster.pass(7000);
        cluster.mend(0);
        let next = cluster.connect(node, "native");
        let read = cluster.say(node, next, &format!("/resume {token}"));
        assert!(read.starts_with("You are now ann\n"), "{read}");
        assert!(cluster.nodes[0].is_closed(ann));
        check(&mut cluster, "ann, zoe");
    }
}

#[test]
fn somebody_who_moved_as_they_were_cut_off_comes_back_to_that_room() {
    let (mut cluster, ann, _, token) = three();
    cluster.cut(0);
    assert_eq!(cluster.say(0, ann, "/join tea"), "");
    cluster.nodes[0].reset(ann);
    cluster.settle();
    cluster.mend(0);
    let again = cluster.connect(0, "native");
    cluster.say(0, again, &format!("/resume {token}"));
    for node in 0..3 {
        let asker = cluster.connect(node, "native");
        assert_eq!(cluster.say(node, asker, "/who tea"), "1 in tea: ann\n", "by node {node}");
    }
}

#[test]
fn a_line_of_somebody_who_was_replaced_meanwhile_is_left_out_and_the_room_told() {
    let mut cluster = Cluster::with(3, |_, settings| settings.accounts = true);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    let program = cluster.connect(2, "json");
    cluster.say(0, ann, "before");
    cluster.read(1, bob);
    cluster.cut(0);
    assert_eq!(cluster.say(0, ann, "meanwhile"), "");
    assert_eq!(cluster.say(1, bob, "/nick ann hunter22"), "You are now ann\n");
    cluster.read(2, program);
    cluster.mend(0);
    assert!(cluster.nodes[0].is_closed(ann));
    let told = "A line of somebody who was replaced meanwhile is not shown.\n";
    assert_eq!(cluster.read(1, bob), told);
    let read = cluster.read(2, program);
    assert!(read.contains("\"line_left_out\"") && !read.contains("meanwhile\""), "{read}");
    assert_eq!(cluster.say(1, bob, "behind"), "[ann] behind\n");
    assert!(cluster.read(2, program).contains("\"seq\":3,"), "its number is missing");
    for node in 0..3 {
        let next = cluster.connect(node, "native");
        let read = cluster.say(node, next, "/history");
        let lines: Vec<&str> = read.lines().map(|line| &line[6..]).collect();
        assert_eq!(lines, ["[ann] before", "[ann] behind"], "at node {node}");
    }
}

#[test]
fn whoever_was_ignored_by_the_one_they_come_back_as_does_not_ignore_themselves() {
    let (mut cluster, ann, zoe, token) = three();
    cluster.cut(0);
    assert_eq!(cluster.say(0, ann, "/ignore zoe"), "Ignoring zoe.\n");
    let read = cluster.say(1, zoe, &format!("/resume {token}"));
    assert!(read.starts_with("You are now ann\n"), "{read}");
    cluster.mend(0);
    assert_eq!(cluster.say(1, zoe, "hello"), "[ann] hello\n");
}

#[test]
fn a_name_that_was_claimed_by_mistake_goes_back_to_whose_it_is() {
    let (mut cluster, ann, _, token) = three();
    let again = cluster.connect(2, "native");
    cluster.cut(2);
    assert_eq!(cluster.say(2, again, &format!("/resume {token}")), "");
    cluster.say(0, ann, "/resume");
    cluster.cut(0);
    cluster.mend(2);
    assert_eq!(cluster.read(2, again), UNKNOWN);
    // Her node is not told of it, so it claims nothing.
    assert_eq!(cluster.say(2, again, "/nick ann"), "Name ann is taken.\n");
    cluster.mend(0);
    assert!(!cluster.nodes[0].is_closed(ann));
    check(&mut cluster, "ann, zoe");
    cluster.say(0, ann, "quit");
    check(&mut cluster, "zoe");
}

#[test]
fn a_name_that_goes_back_to_somebody_who_has_left_meanwhile_is_free() {
    let (mut cluster, ann, _, token) = three();
    let again = cluster.connect(2, "native");
    cluster.cut(2);
    assert_eq!(cluster.say(2, again, &format!("/resume {token}")), "");
    cluster.say(0, ann, "/resume");
    cluster.cut(0);
    cluster.say(0, ann, "quit");
    cluster.mend(2);
    assert_eq!(cluster.read(2, again), UNKNOWN);
    cluster.mend(0);
    check(&mut cluster, "zoe");
}

#[test]
fn whoever_is_refused_a_token_that_has_got_through_comes_back_once_their_node_knows() {
    let (mut cluster, ann, zoe, token) = three();
    let again = cluster.connect(2, "native");
    let ask = format!("/resume {token}");
    cluster.deafen(2);
    assert_eq!(cluster.say(2, again, &ask), "");
    assert!(cluster.nodes[0].is_closed(ann));
    cluster.pass(3500);
    let read = cluster.read(2, again);
    assert!(read.ends_with("out of reach.\n"), "{read}");
    assert_eq!(cluster.say(1, zoe, &ask), UNKNOWN);
    cluster.say(1, zoe, "/join tea");
    cluster.mend(2);
    let read = cluster.read(2, again);
    assert!(read.starts_with("You are now ann\n"), "{read}");
    assert_eq!(cluster.say(2, again, "/who tea"), "1 in tea: zoe\n");
    check(&mut cluster, "ann");
    check_alike(&mut cluster);
}

/// All nodes say the same of the lobby, once somebody is at each of them.
fn check_alike(cluster: &mut Cluster) {
    let nodes = 0..cluster.nodes.len();
    let askers: Vec<ConnId> = nodes.map(|node| cluster.connect(node, "native")).collect();
    for (node, asker) in askers.iter().enumerate() {
        cluster.say(node, *asker, &format!("at {node}"));
    }
    let mut who = |(node, asker): (usize, &ConnId)| {
        cluster.read(node, *asker);
        cluster.say(node, *asker, "/who")
    };
    let said: Vec<String> = askers.iter().enumerate().map(&mut who).collect();
    assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
}

#[test]
fn a_node_that_starts_learns_who_was_taken_over_just_before() {
    let (mut cluster, ann, zoe, token) = three();
    cluster.cut(0);
    assert_eq!(cluster.say(0, ann, "meanwhile"), "");
    let read = cluster.say(1, zoe, &format!("/resume {token}"));
    assert!(read.starts_with("You are now ann\n"), "{read}");
    cluster.start(|_| {});
    cluster.settle();
    cluster.mend(0);
    assert!(cluster.nodes[0].is_closed(ann));
    check(&mut cluster, "ann");
    check_alike(&mut cluster);
}

#[test]
fn whoever_is_taken_over_is_who_they_were_once_their_node_has_missed_it_and_enters_again() {
    let mut cluster = Cluster::new(3);
    let (one, other) = (cluster.connect(0, "native"), cluster.connect(1, "native"));
    cluster.say(0, one, "hello");
    let token = token_of(&cluster.say(0, one, "/resume"));
    cluster.cut(0);
    cluster.say(1, other, &format!("/resume {token}"));
    // Neither node is told what happens at the other from now on.
    cluster.cut(1);
    cluster.trim();
    cluster.mend(0);
    cluster.trim();
    cluster.mend(1);
    cluster.say(0, one, "hello");
    check_alike(&mut cluster);
}

#[test]
fn a_mute_stays_that_whoever_lists_its_user_did_not_know_of() {
    let (mut cluster, _, zoe, token) = three();
    let op = cluster.connect(0, chinwag::chat::OPERATORS);
    cluster.deafen(1);
    assert_eq!(cluster.say(1, zoe, &format!("/resume {token}")), "");
    assert!(cluster.say(0, op, "/mute ann").starts_with("Muted ann"));
    // Node 1 lists her as it is told that she is hers, and of the mute after that.
    cluster.mend(1);
    assert_eq!(cluster.say(0, op, "/unmute ann"), "No longer muted: ann\n");
    assert!(cluster.read(1, zoe).ends_with("You are no longer muted.\n"));
    assert_eq!(cluster.say(1, zoe, "hello"), "[ann] hello\n");
}
