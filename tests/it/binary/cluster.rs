//! Several servers, one chat: programs over a real redis-server, which stops, is killed, is emptied
//! and comes back. `cargo test --features redis cluster` runs them; with `-- --ignored` come the
//! long forms: fifty talkers a node, 200 lines a second.

mod crowd;
mod nodes;
mod outages;
mod person;
mod start;
mod switch;
mod talk;
mod upgrades;

use super::{Program, chinwag, piped};
use crate::redis::server::Redis;
use person::Person;

/// Patience and lease.
type Times = [&'static str; 2];

/// Nothing in a test takes so long, however busy the machine is.
const PATIENT: Times = ["20s", "60s"];
/// For tests that wait until it is over. A node has so long to start, too.
const IMPATIENT: Times = ["3s", "6s"];

const CUT_OFF: &str =
    "Cut off from the other servers: until they are back, only this one hears you.";

/// Nodes, and the Redis that they share.
struct Cluster {
    redis: Redis,
    nodes: Vec<Program>,
}

impl Cluster {
    fn start(redis: Redis, count: usize, times: Times) -> Cluster {
        let port = redis.port();
        Cluster::behind(redis, port, count, times)
    }

    /// The nodes reach Redis at this port.
    fn behind(redis: Redis, port: u16, count: usize, times: Times) -> Cluster {
        let nodes = (0..count).map(|node| {
            let arguments = arguments(port, node, times);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            Program::start_as(piped(&mut chinwag()).args(&arguments), &arguments)
        });
        let nodes = nodes.collect();
        Cluster { redis, nodes }
    }

    fn connect(&self, node: usize) -> Person {
        Person::connect(self.nodes[node].addr())
    }

    /// Somebody whom every node knows.
    fn named(&self, node: usize, name: &str) -> Person {
        let mut person = self.connect(node);
        assert_eq!(person.ask(&format!("REGISTER {name}")), format!("Registered as {name}"));
        for other in (0..self.nodes.len()).filter(|other| *other != node) {
            let mut witness = self.connect(other);
            // Nobody but a name's owner reads that it is theirs already.
            witness.ask_until(&format!("/nick {name}"), &format!("Name {name} is taken."));
        }
        person
    }
}

/// What a node is started with: its listeners are for people and for programs.
fn arguments(port: u16, node: usize, [patience, lease]: Times) -> Vec<String> {
    let (url, node) = (format!("redis://127.0.0.1:{port}"), format!("node-{node}"));
    let listen = ["-v", "-l", "127.0.0.1:0", "-l", "json=127.0.0.1:0", "--rate", "off"];
    let redis = ["--redis", &url, "--node", &node];
    let times = ["--redis-patience", patience, "--redis-lease", lease];
    listen.iter().chain(&redis).chain(&times).map(|argument| (*argument).to_owned()).collect()
}
