//! Caps, and budgets that end before the work does.

use std::fmt::Write;
#[cfg(target_os = "linux")]
use std::io::ErrorKind;
use std::io::Write as _;
#[cfg(target_os = "linux")]
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
#[cfg(target_os = "linux")]
use std::time::Duration;

use chinwag::{Config, Limits};

use super::{HOUR, Running, bind, chat, config, fast, limited, start};
use crate::client::{Client, PATIENCE, eventually};

fn capped(max_clients: usize) -> Config {
    config().with(|it| it.max_clients = max_clients)
}

#[test]
fn one_too_many_is_told_so_and_nobody_hears_of_it() {
    let server = start(capped(2));
    let mut alice = Client::named(server.addr, "alice");
    let _bob = Client::named(server.addr, "bob");
    for _ in 0..3 {
        let mut late = Client::connect(server.addr);
        // All that he sends is taken, and nothing of it is obeyed: more than the buffers
        // hold, so it would meet a reset had the server simply closed.
        late.write("REGISTER late\nhello\n".repeat(400_000));
        assert_eq!(late.rest(), "Server is full.\n");
    }
    assert_eq!(alice.ask("SEND @late hi"), "No one is called late.");
    assert!(alice.ask("/who").starts_with("2 in lobby: "));
}

#[test]
fn a_place_is_free_as_soon_as_its_owner_has_left_even_if_he_does_not_close() {
    let server = start(capped(1));
    let mut gone = Vec::new();
    for _ in 0..5 {
        let mut bob = Client::named(server.addr, "bob");
        assert_eq!(bob.ask("/exit"), "Bye.");
        bob.expect_end();
        gone.push(bob);
    }
    let mut alice = Client::named(server.addr, "alice");
    assert_eq!(alice.ask("/who"), "1 in lobby: alice");
    assert_eq!(Client::connect(server.addr).rest(), "Server is full.\n");
}

#[test]
fn draining_connections_keep_a_descriptor_only_while_they_are_few() {
    let limits = fast().with(|it| {
        it.draining_max = 3;
        it.drain_time = HOUR;
        it.linger_time = HOUR;
    });
    let server = start(limited(limits));
    let mut gone: Vec<_> = (0..20).map(|_| Client::connect(server.addr)).collect();
    for client in &mut gone {
        assert_eq!(client.ask("/exit"), "Bye.");
        client.expect_end();
    }
    // To one that is closed what comes is no longer of interest: it is answered with a reset.
    eventually("all but three are closed", || {
        gone.retain_mut(|client| {
            let is_told = client.stream().write_all(b"hello\n").is_err();
            !is_told && !client.is_reset()
        });
        gone.len() <= 3
    });
    assert_eq!(gone.len(), 3);
    assert_eq!(Client::connect(server.addr).ask("/up room"), "ROOM");
}

#[test]
fn nobody_is_closed_to_make_room_for_one_who_is_not_let_in() {
    let limits = fast().with(|it| {
        it.per_ip_max = 2;
        it.limit_loopback = true;
    });
    let limits = limits.with(|it| {
        it.drain_time = HOUR;
        it.linger_time = HOUR;
    });
    let server = start(limited(limits).with(|it| it.max_clients = 2));
    let mut alice = Client::named(server.addr, "alice");
    let mut gone = Client::connect(server.addr);
    assert_eq!(gone.ask("/exit"), "Bye.");
    gone.expect_end();
    let full = "Too many connections from your address.\n";
    assert_eq!(Client::connect(server.addr).rest(), full);
    assert_eq!(alice.ask("/up still here"), "STILL HERE");
    assert!(!gone.is_reset());
}

#[test]
fn however_many_are_refused_at_once_each_reads_why() {
    let server = start(capped(1));
    let mut alice = Client::named(server.addr, "alice");
    // None of them closes before all have been answered: more than are drained politely.
    let mut refused: Vec<_> = (0..60).map(|_| Client::connect(server.addr)).collect();
    for late in &mut refused {
        assert_eq!(late.rest(), "Server is full.\n");
    }
    assert_eq!(alice.ask("/who"), "1 in lobby: alice");
}

#[test]
fn a_refused_client_that_has_spoken_reads_why_and_then_the_end() {
    let server = bind(capped(0));
    // All have sent something before the server first looks, and do not close: more than
    // are drained politely.
    let mut late: Vec<_> = (0..60).map(|_| Client::connect(server.local_addrs()[0])).collect();
    for client in &mut late {
        client.say("REGISTER late");
    }
    let server = Running::run(server, chat());
    for client in &mut late {
        assert_eq!(client.rest(), "Server is full.\n");
    }
    // Left unread, what they sent would turn the end into a reset. With somebody else
    // refused the server has closed all of them.
    assert_eq!(Client::connect(server.addr).rest(), "Server is full.\n");
    assert!(!late.iter().any(Client::is_reset));
}

/// Connects from another address of this machine.
#[cfg(target_os = "linux")]
fn connect_from(from: Ipv4Addr, to: SocketAddr, timeout: Duration) -> std::io::Result<TcpStream> {
    use socket2::{Domain, Socket, Type};

    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect_timeout(&to.into(), timeout)?;
    Ok(socket.into())
}

#[test]
#[cfg(target_os = "linux")]
fn an_address_that_connects_without_end_is_dropped_by_the_kernel() {
    let server = start(limited(fast().with(|it| it.limit_loopback = true)));
    let stranger = Ipv4Addr::new(127, 0, 0, 2);
    let connect = |timeout| connect_from(stranger, server.addr, timeout);
    // Others are reset, some of them so early that the connect fails.
    let is_dropped = || {
        let connected = connect(Duration::from_millis(500));
        connected.is_err_and(|error| error.kind() == ErrorKind::TimedOut)
    };
    // Once may be the fault of a machine that has stood still.
    let dropped_at = (1..20_000).find(|_| is_dropped() && is_dropped());
    assert!(dropped_at > Some(256), "{dropped_at:?}");
    assert_eq!(Client::connect(server.addr).ask("/up room"), "ROOM");
    // The first packet comes again after a second.
    let mut again = Client::of(connect(PATIENCE).unwrap());
    assert_eq!(again.ask("/up room"), "ROOM");
}

/// Limits under which everything takes as many turns as it can.
fn tiny() -> Limits {
    let [chunk, read_budget, write_budget, accept_budget] = [16, 1, 1, 1];
    fast().with(|it| {
        it.chunk = chunk;
        it.read_budget = read_budget;
        it.write_budget = write_budget;
        it.accept_budget = accept_budget;
        it.log_max = 64;
    })
}

#[test]
fn what_one_read_leaves_over_is_read_without_another_event() {
    for limits in [
        tiny(),
        fast().with(|it| {
            it.read_budget = 1;
            it.chunk = 1;
        }),
    ] {
        let server = bind(limited(limits));
        let mut client = Client::connect(server.local_addrs()[0]);
        let mut lines = "/nick bob\n/echo off\n".to_owned();
        (0..500).for_each(|number| writeln!(lines, "line {number}").unwrap());
        // All of it and the end are there before the server first looks: there will be
        // no event but the first.
        client.write(lines + "/up end");
        client.finish_writing();
        let _server = Running::run(server, chat());
        assert_eq!(client.rest(), "You are now bob\nEcho off.\nEND\n");
    }
}

#[test]
fn clients_beyond_the_budget_of_one_turn_come_in_the_next() {
    let server = bind(limited(tiny()));
    // All are there before the server first looks.
    let mut clients: Vec<_> = (0..50).map(|_| Client::connect(server.local_addrs()[0])).collect();
    let _server = Running::run(server, chat());
    for (number, client) in clients.iter_mut().enumerate() {
        assert_eq!(client.ask(&format!("/up here {number}")), format!("HERE {number}"));
    }
    clients[7].say("hello");
    let heard: Vec<_> = clients.iter_mut().map(Client::line).collect();
    assert!(heard[0].ends_with("] hello") && heard.iter().all(|line| *line == heard[0]));
}
