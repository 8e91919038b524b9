//! What it uses: descriptors and time.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::{Program, piped};
use crate::client::{Client, eventually};

const WHILE: Duration = Duration::from_millis(500);

impl Program {
    /// Starts it with so many descriptors.
    fn start_with_descriptors(count: usize, arguments: &[&str]) -> Program {
        let script = format!(r#"ulimit -n {count}; exec "$0" "$@""#);
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_chinwag")]).args(arguments);
        Program::start_as(piped(&mut shell), arguments)
    }

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

    /// The processor time that it uses while nothing happens.
    fn time_used_in_quiet(&self, witness: &mut Client) -> Duration {
        let before = self.time_used();
        witness.expect_nothing_for(WHILE);
        self.time_used().saturating_sub(before)
    }
}

#[test]
fn with_fifty_idle_clients_it_does_nothing() {
    let program = Program::start(&["-l", "127.0.0.1:0"]);
    let mut clients: Vec<_> =
        (0..50).map(|number| program.client(&format!("client-{number}"))).collect();
    let before = program.waits();
    let used = program.time_used_in_quiet(&mut clients[0]);
    let waits = program.waits() - before;
    assert!(used < Duration::from_millis(5), "it used {used:?} of {WHILE:?}");
    assert!(waits < 5, "it woke {waits} times for nothing");
    assert_eq!(clients[0].ask("hello"), "[client-0] hello");
}

/// A hundred connect, and all try to register. Returns those who could; the others
/// have been told that they cannot.
fn rush(program: &Program) -> Vec<Client> {
    let mut crowd: Vec<_> = (0..100).map(|_| Client::connect(program.addr())).collect();
    for (number, client) in crowd.iter_mut().enumerate() {
        client.say(&format!("REGISTER client-{number}"));
    }
    // Nobody leaves before all have been answered: no descriptor comes free by chance.
    let answers: Vec<_> = crowd.iter_mut().map(Client::line).collect();
    let answered = crowd.into_iter().zip(answers).enumerate();
    let is_in = |number: usize, answer: &str| match answer {
        "Server is full." => false,
        answer => answer == format!("Registered as client-{number}") || panic!("{answer}"),
    };
    answered
        .filter_map(|(number, (client, answer))| is_in(number, &answer).then_some(client))
        .collect()
}

/// All places are taken, again and again, and nobody is left without an answer. Returns
/// how many got in the first time.
fn survives_rushes(program: &Program) -> usize {
    let mut counts = [0; 2];
    for count in &mut counts {
        let mut registered = rush(program);
        *count = registered.len();
        let first = registered.first_mut().expect("somebody gets in");
        let used = program.time_used_in_quiet(first);
        assert!(used < Duration::from_millis(25), "it used {used:?} of {WHILE:?}");
        drop(registered);
        eventually("all places are free", || {
            let mut client = Client::connect(program.addr());
            client.ask("/who").starts_with("1 in lobby: ")
        });
    }
    counts[0]
}

#[test]
fn with_few_descriptors_it_takes_fewer_clients_and_says_so() {
    let program = Program::start_with_descriptors(48, &["-l", "127.0.0.1:0"]);
    let line = program.log_line();
    assert!(
        line.contains("WARN") && line.contains("at most 16 clients instead of 10000"),
        "{line}"
    );
    assert_eq!(survives_rushes(&program), 16);
    // What fits needs no warning, and who wants none gets none.
    for options in [["--max-clients", "16"], ["-q", "--max-clients=17"]] {
        let arguments = [&["-l", "127.0.0.1:0"], &options[..]].concat();
        let program = Program::start_with_descriptors(48, &arguments);
        program.signal("TERM");
        assert_eq!(program.outcome().stderr, [""; 0]);
    }
}

#[test]
fn with_no_descriptor_left_everybody_is_answered_and_nothing_spins() {
    let listeners = ["-l", "127.0.0.1:0"].repeat(28);
    let program = Program::start_with_descriptors(48, &listeners);
    let line = program.log_line();
    assert!(line.contains("at most 16 clients instead of 10000"), "{line}");
    survives_rushes(&program);
    let line = program.log_line();
    assert!(line.contains("no more connections on "), "{line}");
    program.signal("TERM");
    // It does not say so each time.
    assert_eq!(program.outcome().stderr, [""; 0]);
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
