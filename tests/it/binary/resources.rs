//! What it uses: time and memory.
#![cfg(target_os = "linux")]

use std::fs;
use std::time::Duration;

use super::Program;
use crate::client::{Client, eventually};

const WHILE: Duration = Duration::from_millis(500);

impl Program {
    /// The processor time that its loop has used.
    fn time_used(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/schedstat", self.child.id())).unwrap();
        let nanoseconds = stat.split(' ').next().and_then(|number| number.parse().ok());
        Duration::from_nanos(nanoseconds.unwrap_or_else(|| panic!("schedstat says {stat}")))
    }

    /// How often its loop has waited.
    fn waits(&self) -> u64 {
        self.status("voluntary_ctxt_switches:")
    }

    /// Resident memory in bytes.
    fn resident(&self) -> u64 {
        1024 * self.status("VmRSS:")
    }

    /// A number from its status.
    fn status(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let value = status.lines().find_map(|line| line.strip_prefix(field));
        let number = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
        number.unwrap_or_else(|| panic!("no {field} in its status"))
    }

    /// It may have something to do yet, but while nothing happens it comes to rest, and wakes at
    /// most so often in half a second.
    #[track_caller]
    pub(super) fn expect_rest(&self, witness: &mut Client, waits_max: u64) {
        eventually("it comes to rest", || {
            let (time, waits) = (self.time_used(), self.waits());
            witness.expect_nothing_for(WHILE);
            let used = self.time_used().saturating_sub(time);
            used < Duration::from_millis(10) && self.waits() - waits <= waits_max
        });
    }
}

#[test]
fn with_fifty_idle_clients_it_does_nothing() {
    let program = Program::start(&["-l", "127.0.0.1:0"]);
    let mut clients: Vec<_> =
        (0..50).map(|number| program.client(&format!("client-{number}"))).collect();
    program.expect_rest(&mut clients[0], 4);
    assert_eq!(clients[0].ask("hello"), "[client-0] hello");
}

/// Three hundred do not read, and somebody talks until much waits for each of them. Then
/// all go but one in ten, whose memory lies between that of the others: an allocator left
/// to itself would keep nearly all of it.
#[test]
fn after_a_spike_memory_is_given_back() {
    const MIB: u64 = 1 << 20;
    let program = Program::start(&["-l", "127.0.0.1:0", "--rate", "off"]);
    let mut talker = program.client("talker");
    assert_eq!(talker.ask("/echo off"), "Echo off.");
    let before = program.resident();
    let mut crowd: Vec<_> = (0..300).map(|_| Client::connect_narrow(program.addr())).collect();
    let line = "x".repeat(4000);
    eventually("much waits for those who do not read", || {
        talker.say(&line);
        program.resident() > before + 16 * MIB
    });
    let mut number = 0;
    crowd.retain(|_| {
        number += 1;
        number % 10 == 0
    });
    eventually("memory is given back", || program.resident() < before + 8 * MIB);
}
