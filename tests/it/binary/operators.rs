//! Operators of the program: their socket, bans at accept, and reloads.
#![cfg(target_os = "linux")]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::mpsc;
use std::thread;

use super::{Folder, Program, run};
use crate::client::{Client, PATIENCE, eventually};

/// A program with an operators' socket in a folder.
fn start(folder: &Folder, options: &[&str]) -> Program {
    fs::create_dir_all(&folder.0).unwrap();
    let socket = format!("op=unix:{}/op", folder.path());
    Program::start(&[&["-l", "127.0.0.1:0", "-l", &socket][..], options].concat())
}

/// A client from another of this machine's addresses.
pub(super) fn from(host: u8, program: &Program) -> Client {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, host], 0)).into()).unwrap();
    socket.connect(&program.addr().into()).unwrap();
    Client::of(socket.into())
}

#[test]
fn only_the_operators_socket_makes_operators() {
    let folder = Folder::new("op-socket");
    let program = start(&folder, &["-v"]);
    let socket = folder.0.join("op");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let mut alice = program.client("alice");
    assert_eq!(alice.ask("/kick bob"), "Unknown command: kick (did you mean /nick?)");
    let mut op = program.operator();
    let whois = op.ask("/whois alice");
    let addr = alice.local_addr();
    let is_alice = whois.starts_with(&format!("alice: {addr}, idle "));
    assert!(is_alice && whois.ends_with(" s, 0 bytes queued, in lobby"), "{whois}");
    op.say("good evening");
    assert_eq!((alice.line(), op.line()).0, "[guest] good evening");
    assert_eq!(op.ask("/kick alice too  loud"), "alice was kicked by op: too  loud");
    assert_eq!(alice.rest(), "alice was kicked by op: too  loud\n");
    op.say("/shutdown tea");
    assert_eq!(op.rest(), "Server is shutting down: tea\n");
    drop(op);
    let outcome = program.outcome();
    assert_eq!(outcome.code, Some(0));
    let log = outcome.stderr.join("\n");
    assert!(log.contains(" event=accepted conn=2 listener=op\n"), "{log}");
    assert!(log.contains(" event=kicked by=op name=alice conn=1 reason=\"too  loud\"\n"), "{log}");
    assert!(log.contains(" event=shutdown by=op reason=tea\n"), "{log}");
    assert!(!socket.exists());
}

#[test]
fn a_socket_that_nobody_listens_on_is_replaced_and_nothing_else_is() {
    let folder = Folder::new("op-stale");
    fs::create_dir_all(&folder.0).unwrap();
    let socket = folder.0.join("op");
    drop(UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    let program = start(&folder, &[]);
    assert_eq!(program.operator().ask("/bans"), "There are no bans.");
    let place = format!("op=unix:{}", socket.display());
    let fails = |why: &str| {
        let outcome = run(&["-l", "127.0.0.1:0", "-l", &place]);
        assert_eq!((outcome.code, outcome.stdout.len()), (Some(1), 0));
        assert_eq!(outcome.stderr, [format!("chinwag: {}: {why}", socket.display())]);
    };
    fails("another server listens there");
    assert_eq!(program.operator().ask("/bans"), "There are no bans.");
    // A server that is killed leaves it there; the next one takes it over.
    program.signal("KILL");
    assert_eq!(program.outcome().code, None);
    assert!(socket.exists());
    drop(start(&folder, &[]));
    fs::remove_file(&socket).unwrap();
    fs::write(&socket, "precious").unwrap();
    fails("something else than a socket is there");
    assert_eq!(fs::read(&socket).unwrap(), b"precious");
}

#[test]
fn a_server_that_ends_leaves_a_socket_there_that_is_anothers() {
    let folder = Folder::new("op-taken-over");
    let first = start(&folder, &[]);
    let socket = folder.0.join("op");
    fs::remove_file(&socket).unwrap();
    let second = start(&folder, &[]);
    first.signal("TERM");
    assert_eq!(first.outcome().code, Some(0));
    assert_eq!(second.operator().ask("/bans"), "There are no bans.");
    second.signal("TERM");
    assert_eq!(second.outcome().code, Some(0));
    assert!(!socket.exists());
}

#[test]
fn banned_clients_are_told_at_accept_and_nobody_else_hears_of_it() {
    let folder = Folder::new("op-ban");
    let program = start(&folder, &[]);
    let mut alice = program.client("alice");
    let mut op = program.operator();
    let mut eve = from(7, &program).register("eve");
    assert_eq!(op.ask("/ban 127.0.0.7 be gone"), "Banned 127.0.0.7 for good.");
    assert_eq!(eve.rest(), "eve was banned by op: be gone\n");
    alice.expect("eve was banned by op: be gone");
    for _ in 0..3 {
        assert_eq!(from(7, &program).rest(), "You are banned: be gone\n");
    }
    assert_eq!(from(8, &program).ask("/up in"), "IN");
    // The visitor and nobody else has come and gone since.
    assert_eq!(op.ask("/unban 127.0.0.7"), "No longer banned: 127.0.0.7");
    assert_eq!(from(7, &program).ask("/up in"), "IN");
    let answer = op.ask("/ban 127.0.0.7 1s");
    assert!(answer.starts_with("Banned 127.0.0.7 until "), "{answer}");
    eventually("the ban is over", || {
        from(7, &program).try_ask("/down IN\n").is_some_and(|line| line == "in\n")
    });
}

#[test]
fn behind_a_proxy_it_is_the_clients_own_address_that_is_banned() {
    let folder = Folder::new("op-proxy");
    let program = start(&folder, &["--proxy-protocol", "0.0.0.0/0"]);
    let connect = |source: &str| {
        let mut client = Client::connect(program.addr());
        client.write(format!("PROXY TCP4 {source} 192.0.2.1 4000 1337\r\n/up in\n"));
        client
    };
    // The operator comes by no proxy, whatever the networks of proxies are.
    let mut op = program.operator();
    assert_eq!(op.ask("/ban 198.51.100.0/24 spam"), "Banned 198.51.100.0/24 for good.");
    connect("203.0.113.9").expect("IN");
    assert_eq!(connect("198.51.100.9").rest(), "You are banned: spam\n");
    let mut mapped = Client::connect(program.addr());
    mapped.write("PROXY TCP6 ::ffff:198.51.100.9 ::ffff:192.0.2.1 4000 1337\r\n/up in\n");
    assert_eq!(mapped.rest(), "You are banned: spam\n");
    assert_eq!(op.ask("/whois nobody"), "No one is called nobody.");
}

#[test]
fn what_an_operator_types_ahead_waits_for_the_answer_before() {
    let folder = Folder::new("op-ahead");
    let state = format!("{}/state", folder.path());
    let program = start(&folder, &["--state", &state]);
    let mut op = program.operator();
    op.write("/ban one\n/up a\n/ban two\n/bans\n/unban one\n/up b\n/exit\n");
    let lines = op.rest();
    let wanted = [
        "Banned one for good.",
        "A",
        "Banned two for good.",
        "one for good by op.",
        "two for good by op.",
        "No longer banned: one",
        "B",
        "Bye.\n",
    ];
    assert_eq!(lines, wanted.join("\n"));
    // All of it, too, when it has said its last.
    let mut op = program.operator();
    op.write("/ban three\n/unban two\n/up c");
    op.finish_writing();
    assert_eq!(op.rest(), "Banned three for good.\nNo longer banned: two\nC\n");
}

#[test]
fn a_reload_that_cannot_be_yet_keeps_nobody_from_ending_it() {
    let folder = Folder::new("op-no-reload");
    let state = format!("{}/state", folder.path());
    let program = start(&folder, &["--state", &state]);
    // Nothing is saved as long as somebody else has the lock.
    let lock = fs::File::create(folder.0.join("state/lock")).unwrap();
    lock.lock().unwrap();
    let (busy, is_busy) = mpsc::channel();
    for number in 0..40 {
        let (mut op, busy) = (program.operator(), busy.clone());
        thread::spawn(move || {
            let mut line = op.try_ask(&format!("/ban name-{number}\n"));
            while line.is_some() {
                if line.as_deref() == Some("Busy; try again in a moment.\n") {
                    // It fails once nobody wants to know any more.
                    let _ = busy.send(());
                }
                line = op.try_ask("");
            }
        });
    }
    // One is being carried out, and sixteen wait; the others are told so.
    for _ in 17..40 {
        is_busy.recv_timeout(PATIENCE).expect("an answer, in time");
    }
    program.signal("HUP");
    program.signal("TERM");
    assert_eq!(program.outcome().code, Some(0));
}
