//! Many at a time.
#![cfg(target_os = "linux")]

use super::{Running, bind, chat, config};
use crate::client::Client;

/// As many as asked for, unless the system does not have the descriptors.
fn affordable(wanted: usize) -> usize {
    let limit = rlimit::increase_nofile_limit(8192).unwrap();
    wanted.min(usize::try_from(limit).unwrap_or(usize::MAX) / 3)
}

/// With a backlog of 128 the kernel would let most of them wait for seconds.
#[test]
fn fifteen_hundred_connect_at_once_and_each_is_answered() {
    let crowd = affordable(1500);
    let server = bind(config());
    // Nobody is accepted before all are there.
    let mut clients: Vec<_> =
        (0..crowd).map(|_| Client::connect(server.local_addrs()[0])).collect();
    let _server = Running::run(server, chat());
    for (number, client) in clients.iter_mut().enumerate() {
        client.say(&format!("/up here {number}"));
    }
    for (number, client) in clients.iter_mut().enumerate() {
        client.expect(&format!("HERE {number}"));
    }
    assert!(clients[0].ask("/who").ends_with(&format!(" (and {} silent)", crowd - 1)));
}

#[test]
fn a_thousand_speak_and_everybody_hears_everything_in_the_same_order() {
    let crowd = affordable(1000);
    let server = bind(config());
    let mut clients: Vec<_> =
        (0..crowd).map(|_| Client::connect(server.local_addrs()[0])).collect();
    let _server = Running::run(server, chat());
    for client in &mut clients {
        client.say("/up here");
    }
    for client in &mut clients {
        client.expect("HERE");
    }
    for (number, client) in clients.iter_mut().enumerate() {
        client.say(&format!("{number}"));
    }
    let heard: Vec<Vec<String>> =
        clients.iter_mut().map(|client| (0..crowd).map(|_| client.line()).collect()).collect();
    assert!(heard.iter().all(|lines| *lines == heard[0]), "not all heard the same");
    let mut numbers: Vec<usize> = heard[0].iter().filter_map(|line| number_in(line)).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..crowd).collect::<Vec<_>>());
}

fn number_in(line: &str) -> Option<usize> {
    line.strip_prefix("[guest")?.split_once("] ")?.1.parse().ok()
}
