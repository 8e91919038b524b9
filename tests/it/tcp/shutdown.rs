//! The handle: what it makes a running server do.

use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use chinwag::{ConnId, Outbox, Service};

use super::{HOUR, Running, bind, config, fast, limited, start};
use crate::client::{Client, PATIENCE, eventually};

/// Counts lines, and tells of ticks.
struct Counter {
    lines: usize,
    ticks: Sender<usize>,
}

impl Service for Counter {
    fn on_line(&mut self, id: ConnId, _: &[u8], out: &mut Outbox) {
        self.lines += 1;
        out.send(id, b"counted\n");
    }

    fn on_tick(&mut self, _: &mut Outbox) {
        self.ticks.send(self.lines).expect("the test listens");
    }

    fn on_shutdown(&mut self, out: &mut Outbox) {
        let _ = out; // It has nothing to say.
        self.lines += 100;
    }
}

#[test]
fn waking_a_server_calls_on_tick_and_ending_it_returns_the_service() {
    let (ticks, ticked) = mpsc::channel();
    let server = Running::run(bind(config()), Counter { lines: 0, ticks });
    let mut client = Client::connect(server.addr);
    for count in 1..=3 {
        assert_eq!(client.ask("anything"), "counted");
        server.handle.wake();
        assert_eq!(ticked.recv_timeout(PATIENCE), Ok(count));
    }
    server.handle.shutdown();
    client.expect_end();
    drop(client);
    assert_eq!(server.returned().lines, 103);
    // It ticked three times, and not once unasked.
    assert!(ticked.recv_timeout(PATIENCE).is_err());
    // Nobody is there any more, and that is no error.
    server.handle.wake();
    server.handle.shutdown();
}

#[test]
fn a_shutdown_is_told_to_everybody_and_loses_nothing_that_was_queued() {
    // Far more than the kernel takes, so that it waits in the server.
    const LINES: usize = 700;
    let [queue_soft, queue_park, queue_max] = [1 << 20; 3];
    let limits = fast().with(|it| {
        it.queue_soft = queue_soft;
        it.queue_park = queue_park;
        it.queue_max = queue_max;
        it.drain_time = HOUR;
    });
    let server = start(limited(limits));
    let mut alice = Client::named(server.addr, "alice");
    let mut bob = Client::connect_narrow(server.addr).register("bob");
    let text = "x".repeat(1000);
    for number in 0..LINES {
        alice.ask(&format!("{number} {text}"));
    }
    server.handle.shutdown();
    alice.expect("Server is shutting down.");
    alice.expect_end();
    for number in 0..LINES {
        bob.expect(&format!("[alice] {number} {text}"));
    }
    bob.expect("Server is shutting down.");
    bob.expect_end();
    drop((alice, bob));
    server.returned();
}

#[test]
fn a_client_that_was_sent_everything_does_not_hold_up_a_shutdown() {
    let linger_time = Duration::from_millis(50);
    let limits = fast().with(|it| {
        it.drain_time = HOUR;
        it.linger_time = linger_time;
    });
    let server = start(limited(limits));
    let mut alice = Client::named(server.addr, "alice");
    let _bob = Client::named(server.addr, "bob");
    server.handle.shutdown();
    alice.expect("Server is shutting down.");
    alice.expect_end();
    server.returned();
}

#[test]
fn a_server_that_is_stopping_takes_nobody_in() {
    let limits = fast().with(|it| {
        it.drain_time = HOUR;
        it.linger_time = HOUR;
    });
    let server = start(limited(limits));
    let mut alice = Client::named(server.addr, "alice");
    server.handle.shutdown();
    alice.expect("Server is shutting down.");
    alice.expect_end();
    // Alice has not closed yet, so it runs for an hour. (A process that another test is just
    // starting may have the listener too, for a moment.)
    eventually("nobody is let in", || Client::try_connect(server.addr).is_none());
}

#[test]
fn a_second_shutdown_waits_for_nobody() {
    let limits = fast().with(|it| {
        it.drain_time = HOUR;
        it.linger_time = HOUR;
    });
    let server = start(limited(limits));
    let mut alice = Client::named(server.addr, "alice");
    let mut bob = Client::connect_narrow(server.addr).register("bob");
    bob.write_until_blocked(&b"/help\n".repeat(1000));
    server.handle.shutdown();
    alice.expect("Server is shutting down.");
    // Neither closes, and bob does not even read.
    server.handle.shutdown();
    server.returned();
}
