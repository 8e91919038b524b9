//! What an operator is told while the log is out of reach.

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
