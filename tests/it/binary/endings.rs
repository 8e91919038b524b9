//! How it ends: asked, made to, and not because nobody reads what it prints.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use super::{GREETS_NOBODY, Program, chinwag};
use crate::client::{Client, eventually};

#[test]
fn a_signal_makes_it_say_so_to_all_close_and_exit_with_0() {
    for signal in ["TERM", "INT"] {
        let program = Program::start(&["-l", "127.0.0.1:0"]);
        let mut clients = ["alice", "bob"].map(|name| program.client(name));
        clients[0].say("last words");
        for client in &mut clients {
            client.expect("[alice] last words");
        }
        program.signal(signal);
        for client in &mut clients {
            assert_eq!(client.rest(), "Server is shutting down.\n");
        }
        drop(clients);
        assert_eq!(program.outcome().code, Some(0), "{signal}");
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    // Polite closing takes five seconds with those who do not close. So may a machine that is busy
    // with other things, now and then.
    let is_at_once = || two_signals() < Duration::from_secs(4);
    assert!(is_at_once() || is_at_once() || is_at_once());
}

/// How long it takes to end.
fn two_signals() -> Duration {
    let program = Program::start(&["-l", "127.0.0.1:0"]);
    let mut alice = program.client("alice");
    let begun = Instant::now();
    program.signal("TERM");
    alice.expect("Server is shutting down.");
    alice.expect_end();
    program.signal("INT");
    assert_eq!(program.outcome().code, Some(0));
    begun.elapsed()
}

#[test]
#[cfg(target_os = "linux")]
fn after_a_kill_it_can_be_started_again_where_it_was() {
    let mut first = Program::start(&["-l", &free_addr().to_string()]);
    let addr = first.addr().to_string();
    let mut clients = ["alice", "bob"].map(|name| first.client(name));
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    // There is one attempt; the connections of the first are still about.
    let second = Program::start(&["-l", &addr]);
    assert_eq!(second.addr(), first.addr());
    let mut new = second.client("alice");
    assert_eq!(new.ask("hello"), "[alice] hello");
    clients.iter_mut().for_each(Client::expect_end);
}

/// An address that nobody else uses, for one who cannot tell which he was given: the
/// host is named after this process.
#[cfg(target_os = "linux")]
fn free_addr() -> SocketAddr {
    static NEXT_PORT: AtomicU16 = AtomicU16::new(1340);
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    let port = NEXT_PORT.fetch_add(1, Ordering::Relaxed);
    SocketAddr::from(([127, 64 + high % 64, middle, low], port))
}

/// Serves although nothing that it prints or logs can be written.
#[cfg(target_os = "linux")]
fn serves(command: &mut Command) {
    let addr = free_addr();
    let command = command.args(["-vv", "-l", &addr.to_string()]).args(GREETS_NOBODY);
    let program = Program::spawn(command);
    let mut first = None;
    eventually("it listens", || {
        first = Client::try_connect(addr);
        first.is_some()
    });
    let mut alice = first.unwrap().register("alice");
    for _ in 0..10 {
        let mut bob = Client::named(addr, "bob");
        assert_eq!(bob.ask("hello"), "[bob] hello");
        alice.expect("[bob] hello");
        assert_eq!(bob.ask("/exit"), "Bye.");
    }
    program.signal("TERM");
    alice.expect("Server is shutting down.");
    drop(alice);
    assert_eq!(program.outcome().code, Some(0));
}

#[test]
#[cfg(target_os = "linux")]
fn it_serves_with_its_output_closed() {
    let mut shell = Command::new("sh");
    let chinwag = env!("CARGO_BIN_EXE_chinwag");
    serves(shell.args(["-c", r#"exec "$0" "$@" >&- 2>&-"#, chinwag]));
}

#[test]
#[cfg(target_os = "linux")]
fn it_serves_with_its_output_on_a_full_device() {
    let full = || File::options().write(true).open("/dev/full").unwrap();
    serves(chinwag().stdout(full()).stderr(full()));
}

#[test]
#[cfg(target_os = "linux")]
fn it_serves_with_nobody_at_the_other_end_of_its_output() {
    let broken = || std::io::pipe().unwrap().1;
    serves(chinwag().stdout(broken()).stderr(broken()));
}

#[test]
#[cfg(target_os = "linux")]
fn it_serves_and_ends_with_its_output_stuck() {
    // The pipes are full from the beginning, and nobody reads. What the server has to say
    // besides it can keep.
    let stuck = || {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(&vec![b'x'; 64 << 10]).unwrap();
        (reader, writer)
    };
    let ((_out, stdout), (_err, stderr)) = (stuck(), stuck());
    serves(chinwag().stdout(stdout).stderr(stderr));
}
