//! People of two nodes talk as if there were one.

use super::{Cluster, PATIENT};
use crate::pages::chats::{Listening, play_the_readmes};
use crate::redis::server::Redis;

#[test]
fn what_is_piped_in_is_answered_to_its_last_line_at_each_node() {
    let cluster = Cluster::start(Redis::start(), 2, PATIENT);
    for round in 0..10 {
        for node in 0..2 {
            let name = format!("erin-{node}-{round}");
            let mut erin = cluster.connect(node);
            erin.say(&format!("REGISTER {name}\nhello\nquit"));
            erin.finish_writing();
            let mut read = erin.rest();
            // Who was there before may still be heard.
            read.retain(|line| !line.starts_with('[') || line.contains(&name));
            let all = [format!("Registered as {name}"), format!("[{name}] hello")];
            assert_eq!(read[..2], all);
            assert_eq!(read[2..], ["Goodbye!"]);
        }
    }
}

#[test]
fn the_readmes_conversation_goes_over_two_nodes() {
    let cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let [one, other] = [0, 1].map(|node| cluster.nodes[node].addr());
    play_the_readmes(Listening::at(&[one, other], cluster.nodes[0].addrs[1]));
}

#[test]
fn an_operator_sees_where_somebody_is() {
    let cluster = Cluster::start(Redis::start(), 2, PATIENT);
    let mut ann = cluster.named(0, "ann");
    let stats = |person: &mut super::Person| {
        person.say("/stats");
        person.until("Cluster: ")
    };
    let eve = cluster.named(1, "eve");
    ann.ask_until("/msg eve psst", "[ann → eve] psst");
    let line = stats(&mut ann);
    assert!(line.starts_with("Cluster: node node-0, ") && line.ends_with(" at node-1"), "{line}");
    drop(eve);
}
