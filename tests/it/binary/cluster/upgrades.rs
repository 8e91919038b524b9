//! One node after the other is upgraded in place, and nobody notices at any of them.
#![cfg(target_os = "linux")]

use std::process::Command;

use super::crowd::{Crowd, LONG, SHORT, Size};
use super::{Cluster, PATIENT, arguments};
use crate::binary::upgrade::{install, upgrade};
use crate::binary::{Program, piped};
use crate::redis::server::Redis;

fn talk_through_upgrades(name: &str, size: Size, times: usize) {
    let folder = install(name);
    let redis = Redis::start();
    let nodes = (0..2).map(|node| {
        let arguments = arguments(redis.port(), node, PATIENT);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = Command::new(folder.0.join("chinwag"));
        Program::start_as(piped(&mut command).args(&arguments), &arguments)
    });
    let cluster = Cluster { nodes: nodes.collect(), redis };
    let crowd = Crowd::gather(&cluster, size);
    crowd.talk_while(|| {
        for _ in 0..times {
            for node in &cluster.nodes {
                upgrade(node);
            }
        }
    });
    crowd.check_nothing_happened();
    crowd.check_names(&cluster);
}

#[test]
fn nodes_are_upgraded_while_their_people_talk() {
    talk_through_upgrades("cluster-upgrade", SHORT, 3);
}

#[test]
#[ignore = "it takes long"]
fn nodes_are_upgraded_while_many_talk() {
    talk_through_upgrades("cluster-upgrade-many", LONG, 10);
}
