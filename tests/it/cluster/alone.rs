//! What people are told of a node that the log was out of reach for.

use chinwag::chat::OPERATORS;

use super::chats::Cluster;

#[test]
fn an_operator_is_told_what_only_this_server_does() {
    let mut cluster = Cluster::new(2);
    cluster.named(0, "ann");
    cluster.named(1, "bob");
    let op = cluster.connect(0, OPERATORS);
    assert_eq!(cluster.say(0, op, "/mute bob"), "Muted bob for good.\n");
    cluster.cut(0);
    cluster.pass(4000);
    assert!(cluster.read(0, op).contains("Cut off from the other servers"));
    let unmuted = cluster.say(0, op, "/unmute bob");
    assert_eq!(unmuted, "bob is at another server, which is out of reach.\n");
    let only = "The other servers are out of reach: only this one";
    let announced = cluster.say(0, op, "/announce tea");
    assert!(announced.ends_with(&format!("\n{only} has heard that.\n")), "{announced}");
    assert_eq!(cluster.say(0, op, "/shutdownall"), format!("{only} ends.\n"));
}

#[test]
fn whoever_is_there_again_with_their_node_has_joined_where_they_had_left() {
    let mut cluster = Cluster::new(2);
    let (program, ann) = (cluster.connect(1, "json"), cluster.named(0, "ann"));
    let bob = cluster.named(1, "bob");
    cluster.cut(0);
    cluster.pass(8000);
    assert!(
        cluster
            .read(1, program)
            .ends_with("\"type\":\"leave\",\"room\":\"lobby\",\"from\":\"ann\"}\n")
    );
    cluster.read(0, ann);
    cluster.say(0, ann, "/notices on");
    cluster.mend(0);
    let read = cluster.read(1, program);
    assert!(read.ends_with("\"type\":\"join\",\"room\":\"lobby\",\"from\":\"ann\"}\n"), "{read}");
    // Where nobody was told that he left, nobody is told that he is there.
    assert_eq!(cluster.read(0, ann), "Back with the other servers.\n");
    cluster.say(1, bob, "hello");
    assert_eq!(cluster.read(0, ann), "[bob] hello\n");
}
