//! Connections that end: politely, half, with a reset, and the server's own.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
#[cfg(unix)]
use std::{env, process::Command};

use chinwag::{Limits, Server};
#[cfg(unix)]
use signal_hook::consts::SIGPIPE;

use super::{Running, bind, chat, config, fast, limited, listening, start};
use crate::client::{Client, eventually};

/// Requests, and what is to be read after them: 3.9 MB, more than all buffers hold.
fn long_conversation() -> (String, String) {
    let (mut asked, mut answered) = (String::new(), String::new());
    let text = "x".repeat(3900);
    for number in 0..1000 {
        writeln!(asked, "/up {number} {text}").unwrap();
    }
    let text = text.to_uppercase();
    for number in 0..1000 {
        writeln!(answered, "{number} {text}").unwrap();
    }
    (asked, answered)
}

#[test]
fn after_a_half_close_all_replies_arrive_and_then_the_end() {
    let server = start(config());
    let (asked, answered) = long_conversation();
    let mut client = Client::connect(server.addr);
    let mut writer = client.twin();
    let writing = thread::spawn(move || {
        writer.write(asked);
        // It has no ending, and is a line.
        writer.write("/up last");
        writer.finish_writing();
    });
    assert!(client.rest() == answered + "LAST\n", "replies were lost, or changed");
    writing.join().unwrap();
}

#[test]
fn half_a_connection_is_closed_at_once_when_there_is_nothing_to_say() {
    let server = start(config());
    let mut silent = Client::connect(server.addr);
    silent.finish_writing();
    silent.expect_end();
    let mut brief = Client::connect(server.addr);
    brief.write("/up brief");
    brief.finish_writing();
    assert_eq!(brief.rest(), "BRIEF\n");
}

#[test]
fn megabytes_after_quit_destroy_nothing_that_was_said_before() {
    let server = start(config());
    let (asked, answered) = long_conversation();
    let mut client = Client::connect(server.addr);
    let mut writer = client.twin();
    let writing = thread::spawn(move || {
        writer.write(&asked);
        writer.say("quit");
        writer.write(&asked);
        writer.write(&asked);
    });
    assert!(client.rest() == answered + "Goodbye!\n", "replies were lost, or changed");
    // All of it was taken: the server has not closed its ears.
    writing.join().unwrap();
}

#[test]
fn bytes_without_an_end_are_answered_once_and_come_to_an_end() {
    let server = start(config());
    let answer = "Line too long (limit 4096 bytes); dropped.\n";
    let by_telnet = answer.replace('\n', "\r\n");
    // The second is telnet's: a negotiation without an end, which comes to one.
    for (start, answer) in [(&b"x"[..], answer), (b"\xff\xfa", &by_telnet)] {
        let mut client = Client::connect(server.addr);
        client.write(start);
        let mut writer = client.twin();
        let writing = thread::spawn(move || writer.write("x".repeat(8 << 20)));
        assert_eq!(client.rest(), answer);
        // What came behind was taken, and dropped.
        writing.join().unwrap();
    }
}

#[test]
fn a_web_browser_reads_that_this_is_no_web_server_and_nobody_hears_of_it() {
    let server = start(config());
    let mut alice = Client::named(server.addr, "alice");
    let mut browser = Client::connect(server.addr);
    let mut writer = browser.twin();
    let writing = thread::spawn(move || {
        writer.write("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        writer.write("/me was here\r\n".repeat(400_000));
    });
    assert_eq!(browser.rest(), "This is a chat server, not a web server.\r\n");
    writing.join().unwrap();
    assert_eq!(alice.ask("/who"), "1 in lobby: alice");
}

/// Limits under which what was said here in one go takes some tenths of a second.
fn paced() -> Limits {
    Limits::default().with(|it| it.rate = Some(50))
}

/// A hundred and forty lines, of which a hundred may be said at once.
fn many_lines() -> Vec<String> {
    (0..140).map(|number| format!("line {number}")).collect()
}

#[test]
fn what_was_sent_before_a_close_or_a_reset_is_said() {
    let server = start(limited(paced()));
    let mut alice = Client::named(server.addr, "alice");
    for (name, is_reset) in [("closer", false), ("ghost", true)] {
        let mut bob = Client::named(server.addr, name);
        bob.write(many_lines().join("\n") + "\nand half a line");
        // Some of it has been heard, and so has been written to one who does not read.
        alice.expect(&format!("[{name}] line 0"));
        if is_reset {
            bob.reset();
        } else {
            drop(bob);
        }
        for line in &many_lines()[1..] {
            alice.expect(&format!("[{name}] {line}"));
        }
        eventually("it is gone", || alice.ask("/who") == "1 in lobby: alice");
    }
}

#[test]
fn the_lines_of_a_client_that_is_gone_are_said_for_so_long_and_newcomers_get_in() {
    let last_words_time = Duration::from_millis(300);
    let config = limited(paced().with(|it| it.last_words_time = last_words_time))
        .with(|it| it.max_clients = 2);
    let server = start(config);
    let mut alice = Client::named(server.addr, "alice");
    for is_awaited in [true, false] {
        let mut ghost = Client::named(server.addr, "ghost");
        // To say all of it would take far longer than is waited here.
        ghost.write("\n".repeat(10_000));
        ghost.expect("Slow down: your lines are being delayed.");
        ghost.reset();
        if is_awaited {
            eventually("it is gone", || alice.ask("/who") == "1 in lobby: alice");
        } else {
            eventually("its place is free", || {
                let mut bob = Client::connect(server.addr);
                bob.try_ask("/up in\n").as_deref() == Some("IN\n")
            });
        }
    }
}

#[test]
fn another_protocol_is_known_by_its_start_if_its_first_line_is_too_long() {
    let server = start(config());
    let mut alice = Client::named(server.addr, "alice");
    let path = "x".repeat(5000);
    let request = format!("POST /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n/me was here\r\n");
    for cut in [1, 3, 6, 100, 4096, 4097, request.len()] {
        let mut browser = Client::connect(server.addr);
        browser.write(&request[..cut]);
        // So that what is left comes in a packet of its own.
        alice.ask("/time");
        browser.write(&request[cut..]);
        assert_eq!(browser.rest().trim_end(), "This is a chat server, not a web server.", "{cut}");
    }
    for length in [500, 5000, 70_000] {
        let mut tls = Client::connect(server.addr);
        tls.write([&b"\x16\x03\x01\x02\x00\x01\x00"[..], &vec![b'x'; length]].concat());
        assert_eq!(tls.rest(), "\x15\x03\x03\0\x02\x02\n");
    }
    let mut bob = Client::connect(server.addr);
    bob.write(format!("GETTING {path}\nhello\n"));
    bob.expect("Line too long (limit 4096 bytes); dropped.");
    bob.expect("[guest] hello");
    assert_eq!(alice.line(), "[guest] hello");
}

#[test]
fn nothing_runs_after_a_command_that_closes() {
    let server = start(config());
    let mut alice = Client::named(server.addr, "alice");
    for (command, farewell) in
        [("quit", "Goodbye!"), ("EXIT", "Goodbye!"), ("/exit", "Bye."), ("/quit", "Bye.")]
    {
        let mut bob = Client::named(server.addr, "bob");
        bob.write(format!("{command}\nhello?\n/nick robert\n"));
        assert_eq!(bob.rest(), format!("{farewell}\n"));
        assert_eq!(alice.ask("SEND @bob hi"), "No one is called bob.");
    }
}

#[test]
fn a_reset_frees_the_name_and_nobody_else_notices() {
    let server = start(config());
    let mut alice = Client::named(server.addr, "alice");
    let mut bob = Client::named(server.addr, "bob");
    // The half line is not said by anybody.
    bob.write("half a line");
    bob.reset();
    eventually("the name is free", || match alice.ask("/nick bob").as_str() {
        "Name bob is taken." => false,
        reply => reply == "You are now bob",
    });
    assert_eq!(alice.ask("/who"), "1 in lobby: bob");
}

/// Whoever has gone by then has an address no more, but what it said is still there: only
/// accept knows who it was, and reading comes before its end.
#[test]
#[cfg(target_os = "linux")]
fn the_last_words_of_one_who_reset_before_he_was_let_in_are_heard() {
    let server = bind(config());
    let addr = server.local_addrs()[0];
    let mut alice = Client::connect(addr);
    alice.say("/nick alice");
    let mut bob = Client::connect(addr);
    bob.say("/nick bob\nfarewell");
    bob.reset();
    let _server = Running::run(server, chat());
    alice.expect("You are now alice");
    while alice.line() != "[bob] farewell" {}
    eventually("he is gone", || alice.ask("/who") == "1 in lobby: alice");
}

/// When a client has ended its input, and then resets, the next write to it is a broken pipe. A
/// server inside of another program must not end that program for it.
#[test]
#[cfg(unix)]
fn a_broken_pipe_is_an_error_and_no_signal() {
    const NAME: &str = "tcp::closing::a_broken_pipe_is_an_error_and_no_signal";
    const ALONE: &str = "CHINWAG_TEST_ALONE";
    if env::var_os(ALONE).is_none() {
        // Signals are the whole process's, and other tests write into pipes, too.
        let mut test = Command::new(env::current_exe().unwrap());
        let output = test.args(["--exact", NAME]).env(ALONE, "").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let is_signalled = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGPIPE, Arc::clone(&is_signalled)).unwrap();
    let server = start(config());
    let mut alice = Client::named(server.addr, "alice");
    for _ in 0..20 {
        let mut bob = Client::connect_narrow(server.addr).register("bob");
        // More than he reads: when he goes, the server is about to write.
        bob.write("/help\n".repeat(1000));
        bob.finish_writing();
        bob.reset();
        eventually("he is gone", || alice.ask("/who") == "1 in lobby: alice");
    }
    assert!(!is_signalled.load(Ordering::Relaxed), "SIGPIPE");
}

#[test]
fn receivers_that_reset_in_the_midst_of_a_broadcast_are_nobody_elses_business() {
    let server = start(config());
    let mut alice = Client::named(server.addr, "alice");
    let mut witness = Client::named(server.addr, "witness");
    for round in 0..20 {
        let guests: Vec<_> = (0..10)
            .map(|guest| Client::named(server.addr, &format!("guy-{round}-{guest}")))
            .collect();
        alice.say(&format!("before {round}"));
        for (index, guest) in guests.into_iter().enumerate() {
            alice.say(&format!("during {round} {index}"));
            guest.reset();
        }
        for client in [&mut alice, &mut witness] {
            client.expect(&format!("[alice] before {round}"));
            (0..10).for_each(|index| client.expect(&format!("[alice] during {round} {index}")));
        }
    }
    eventually("they are gone", || alice.ask("/who").starts_with("2 in lobby: "));
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_can_listen_again_at_once_where_one_with_connections_has_been() {
    // At an address of its own, where nobody else is given the port meanwhile.
    let first = start(listening("127.3.0.1:0"));
    let addr = first.addr;
    let mut old = Client::named(addr, "alice");
    first.handle.shutdown();
    first.handle.shutdown();
    first.returned();
    // The old connection is still half open, and holds on to the port for minutes. (The
    // old listener is gone, but a process that another test is just starting may have it
    // too, for a moment.)
    let mut second = None;
    eventually("somebody can listen again", || {
        second = Server::bind(listening(&addr.to_string())).ok();
        second.is_some()
    });
    let second = Running::run(second.unwrap(), chat());
    let mut new = Client::named(second.addr, "alice");
    assert_eq!(new.ask("hello"), "[alice] hello");
    assert_eq!(old.rest(), "Server is shutting down.\n");
}

#[test]
fn one_who_never_closes_his_side_is_given_up() {
    let drain_time = Duration::from_millis(50);
    let server = start(limited(fast().with(|it| it.drain_time = drain_time)));
    let mut bob = Client::named(server.addr, "bob");
    assert_eq!(bob.ask("/exit"), "Bye.");
    bob.expect_end();
    let mut alice = Client::named(server.addr, "alice");
    server.handle.shutdown();
    alice.expect("Server is shutting down.");
    alice.expect_end();
    // Neither of them has closed, so only the time that they have been given ends this.
    server.returned();
}

#[test]
fn a_name_is_free_for_whoever_asks_next_even_in_the_same_turn() {
    let server = bind(config());
    let addr = server.local_addrs()[0];
    // Both have said everything before the server first looks.
    let mut first = Client::connect(addr);
    first.write("REGISTER ann\nquit\n");
    let mut second = Client::connect(addr);
    second.write("REGISTER ann\n");
    let _server = Running::run(server, chat());
    assert_eq!(first.rest(), "Registered as ann\nGoodbye!\n");
    second.expect("Registered as ann");
}
