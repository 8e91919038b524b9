//! What it writes on stderr, and what it never does.

use std::process::Command;

use super::{Program, piped};

#[test]
fn addresses_are_logged_only_when_asked_for_and_messages_never() {
    for (options, is_logged) in [(vec![], false), (vec!["-v"], true), (vec!["-vvvv"], true)] {
        let arguments = [&["-l", "127.0.0.1:0"][..], &options].concat();
        let program = Program::start(&arguments);
        let mut alice = program.client("alice");
        let mut bob = program.client("bob");
        let addrs = [alice.local_addr(), bob.local_addr()].map(|addr| addr.to_string());
        assert_eq!(alice.ask("sesame to all"), "[alice] sesame to all");
        bob.expect("[alice] sesame to all");
        alice.say("SEND @bob sesame to one");
        bob.expect("[alice → bob] sesame to one");
        assert_eq!(bob.ask("/sesame"), "Unknown command: sesame (did you mean /resume?)");
        bob.write("half a sesame");
        bob.reset();
        program.signal("TERM");
        alice.expect("Server is shutting down.");
        drop(alice);
        let log = program.outcome().stderr.join("\n");
        assert!(addrs.iter().all(|addr| log.contains(addr) == is_logged), "{options:?}: {log}");
        assert_eq!(log.is_empty(), !is_logged, "{options:?}: {log}");
        assert!(!log.to_lowercase().contains("sesame"), "{options:?}: {log}");
    }
}

#[test]
fn a_mapped_address_is_logged_as_the_ipv4_address_that_it_is() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // There is no IPv6 here.
    }
    let mut program = Program::start(&["-v", "-l", "[::]:0"]);
    let port = program.addr().port();
    program.addrs = vec![format!("127.0.0.1:{port}").parse().unwrap()];
    let alice = program.client("alice");
    let line = program.log_line();
    assert!(line.contains(&format!(" {} ", alice.local_addr())), "{line}");
}

#[test]
fn a_filter_that_cannot_be_read_is_told_of_and_harms_nobody() {
    let arguments = ["-v", "-l", "127.0.0.1:0"];
    for filter in ["a=b=c", "chinwag=loud", "a/b/c"] {
        let mut command = Command::new("env");
        command.arg(format!("RUST_LOG={filter}")).arg(env!("CARGO_BIN_EXE_chinwag"));
        let program = Program::start_as(piped(command.args(arguments)), &arguments);
        let line = program.log_line();
        assert!(line.contains("RUST_LOG does not count: "), "{filter}: {line}");
        // What -v says does.
        let _alice = program.client("alice");
        assert!(program.log_line().contains("connection 1 from "), "{filter}");
        drop(program);
        // Nor does it where nobody can be told.
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        if let Ok(full) = full {
            let program = Program::start_as(piped(&mut command).stderr(full), &arguments);
            assert_eq!(program.client("alice").ask("hello"), "[alice] hello");
        }
    }
}
