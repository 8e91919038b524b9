//! What it does when there are few descriptors, or none.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::Command;
use std::time::Duration;

use rlimit::{Resource, prlimit};

use super::{Program, piped};
use crate::client::{Client, eventually};

impl Program {
    /// Starts it with so many descriptors.
    fn start_with_descriptors(count: usize, arguments: &[&str]) -> Program {
        Program::start_after(&format!("ulimit -n {count}"), arguments)
    }

    /// Starts it in a shell that has done something before.
    fn start_after(command: &str, arguments: &[&str]) -> Program {
        let script = format!(r#"{command}; exec "$0" "$@""#);
        let mut shell = Command::new("sh");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_chinwag")]).args(arguments);
        Program::start_as(piped(&mut shell), arguments)
    }

    /// How many descriptors it has in use.
    fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// The number of the next that it is given: the lowest that is free.
    pub(super) fn next_descriptor(&self) -> usize {
        let is_free = |number: &usize| {
            fs::read_link(format!("/proc/{}/fd/{number}", self.child.id())).is_err()
        };
        (0..10_000).find(is_free).expect("it has fewer")
    }

    /// From here on it is given none but those below this number. Those that it has stay.
    pub(super) fn limit_descriptors(&self, count: usize) {
        let pid = self.child.id().try_into().unwrap();
        let (mut soft, mut hard) = (0, 0);
        prlimit(pid, Resource::NOFILE, None, Some((&mut soft, &mut hard))).unwrap();
        prlimit(pid, Resource::NOFILE, Some((count as u64, hard)), None).unwrap();
    }
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
        program.expect_rest(first, 8);
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
    let lowered = " level=warn event=max_clients_lowered wanted=10000 allowed=16 descriptors=48";
    assert!(line.ends_with(lowered), "{line}");
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
    assert!(line.contains(" event=max_clients_lowered "), "{line}");
    survives_rushes(&program);
    program.logged(" event=accept_failed listener=127.0.0.1:");
    program.signal("TERM");
    // It does not say so each time.
    let log = program.outcome().stderr;
    assert!(log.iter().all(|line| line.contains(" event=refused ")), "{log:?}");
}

#[test]
fn the_soft_limit_is_raised_as_far_as_it_goes() {
    // Under the soft limit sixteen fit, and that would be said.
    let arguments = ["-l", "127.0.0.1:0", "--max-clients", "40"];
    let program = Program::start_after("ulimit -Sn 48", &arguments);
    let mut clients: Vec<_> =
        (0..40).map(|number| program.client(&format!("client-{number}"))).collect();
    assert!(clients[0].ask("/who").starts_with("40 in lobby: "));
    drop(clients);
    program.signal("TERM");
    assert_eq!(program.outcome().stderr, [""; 0]);
}

#[test]
fn with_no_descriptor_left_who_has_spoken_already_is_answered_too() {
    let program = Program::start(&["-l", "127.0.0.1:0"]);
    let mut alice = program.client("alice");
    program.limit_descriptors(program.next_descriptor());
    // All have sent something before the server can look.
    program.signal("STOP");
    let mut late: Vec<_> = (0..20).map(|_| Client::connect(program.addr())).collect();
    for (number, client) in late.iter_mut().enumerate() {
        client.say(&format!("REGISTER client-{number}"));
    }
    program.signal("CONT");
    for client in &mut late {
        assert_eq!(client.rest(), "Server is full.\n");
    }
    assert_eq!(alice.ask("/who"), "1 in lobby: alice");
    // Left unread, what they sent would have turned the end into a reset.
    assert!(!late.iter().any(Client::is_reset));
}

#[test]
fn if_even_the_spare_descriptor_is_of_no_use_it_tries_again_and_does_not_spin() {
    let program = Program::start(&["-l", "127.0.0.1:0"]);
    let mut alice = program.client("alice");
    let enough = program.next_descriptor() + 1;
    // The spare one has a larger number than it may have from now on.
    program.limit_descriptors(3);
    let mut late = Client::connect(program.addr());
    late.say("/up late");
    // It tries again ten times a second.
    program.expect_rest(&mut alice, 8);
    late.expect_nothing_for(Duration::from_millis(1));
    // Nobody connects and nobody leaves: only time tells that it is worth another try.
    program.limit_descriptors(enough);
    late.expect("LATE");
}

#[test]
fn a_spare_descriptor_that_was_lost_is_taken_back_before_anybody_is_let_in() {
    let program = Program::start(&["-l", "127.0.0.1:0"]);
    let mut alice = program.client("alice");
    let count = program.next_descriptor();
    // The spare one is given up for somebody, and then may not be had again.
    program.limit_descriptors(3);
    let late = Client::connect(program.addr());
    assert_eq!(alice.ask("/up here"), "HERE");
    // Now its number is the only one that is free.
    program.limit_descriptors(count);
    for mut late in [late, Client::connect(program.addr()), Client::connect(program.addr())] {
        late.expect("Server is full.");
    }
    assert_eq!(alice.ask("/who"), "1 in lobby: alice");
}

#[test]
fn only_so_many_of_those_turned_away_keep_a_descriptor() {
    let program = Program::start(&["-l", "127.0.0.1:0", "--max-clients", "1"]);
    let mut alice = program.client("alice");
    let before = program.descriptors();
    // They read why, and do not close.
    let mut late: Vec<_> = (0..60).map(|_| Client::connect(program.addr())).collect();
    for client in &mut late {
        client.expect("Server is full.");
    }
    // With the second answer the turn of the last refusal is over.
    assert_eq!((alice.ask("/up a"), alice.ask("/up b")), ("A".to_owned(), "B".to_owned()));
    let more = program.descriptors() - before;
    assert!(more <= 16, "{more} of them have one");
}
