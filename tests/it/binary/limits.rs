//! What nobody can do to anybody else: each limit, small enough to run into.

use std::fs;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use super::{Folder, GREETS_NOBODY, Program, chinwag};
use crate::client::{Client, PATIENCE, eventually, in_time};

pub(super) fn start(options: &[&str]) -> Program {
    Program::start(&[&["-l", "127.0.0.1:0"][..], options].concat())
}

/// A client from another of this machine's addresses.
#[cfg(target_os = "linux")]
pub(super) fn from(host: u8, program: &Program) -> Client {
    try_from(host, program).expect("to connect in time")
}

/// The same, if it is not reset at once.
#[cfg(target_os = "linux")]
pub(super) fn try_from(host: u8, program: &Program) -> Option<Client> {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(IpAddr::from([127, 0, 0, host]), 0).into()).unwrap();
    socket.connect_timeout(&program.addr().into(), PATIENCE).ok()?;
    Some(Client::of(socket.into()))
}

#[test]
#[cfg(target_os = "linux")]
fn one_address_has_only_so_many_connections() {
    let program = start(&["--max-per-ip", "2", "--limit-loopback"]);
    let mut first = from(7, &program).register("first");
    let mut second = from(7, &program).register("second");
    assert_eq!(from(7, &program).rest(), "Too many connections from your address.\n");
    let mut other = from(8, &program).register("other");
    // Nobody hears of who was turned away.
    assert_eq!(other.ask("/who"), "3 in lobby: first, other, second");
    assert_eq!(first.ask("/exit"), "Bye.");
    first.expect_end();
    // It keeps its place until it has closed as well.
    assert_eq!(from(7, &program).rest(), "Too many connections from your address.\n");
    drop(first);
    let mut third = None;
    eventually("its place is free", || {
        third = Some(from(7, &program));
        third.as_mut().is_some_and(|third| third.ask("/up in") == "IN")
    });
    assert_eq!(second.ask("/up still here"), "STILL HERE");
    let program = start(&["--max-per-ip", "1"]);
    let _clients = [program.client("one"), program.client("two")];
}

#[test]
#[cfg(target_os = "linux")]
fn ipv4_addresses_are_told_apart_on_an_ipv6_listener_too() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // There is no IPv6 here.
    }
    let mut program = Program::start(&["-l", "[::]:0", "--max-per-ip", "1", "--limit-loopback"]);
    program.addrs = vec![SocketAddr::from(([127, 0, 0, 1], program.addr().port()))];
    let _first = from(7, &program).register("first");
    let _other = from(8, &program).register("other");
    assert_eq!(from(7, &program).rest(), "Too many connections from your address.\n");
}

/// What they are sent is forty times what may wait for all together. (They have ended no line,
/// so they read CR LF.)
#[test]
fn a_crowd_that_comes_all_at_once_is_greeted_whole() {
    let folder = Folder::new("long greeting");
    fs::create_dir_all(folder.path()).unwrap();
    let motd = format!("{}/motd", folder.path());
    let line = "x".repeat(1000);
    fs::write(&motd, format!("{line}\n").repeat(15)).unwrap();
    let options = ["--motd", &motd, "--greet-after", "1s", "--queue-total", "40K"];
    let options = [&options[..], &["--queue-soft", "1K", "--queue-park", "2K"]].concat();
    let program = start(&options);
    let mut crowd: Vec<_> = (0..100).map(|_| Client::connect(program.addr())).collect();
    thread::scope(|scope| {
        for client in &mut crowd {
            scope.spawn(|| {
                (0..15).for_each(|_| assert_eq!(client.line().trim_end(), line));
                while !client.line().starts_with("You are guest") {}
            });
        }
    });
}

#[test]
fn idle_clients_are_asked_and_then_closed() {
    let program = start(&["--idle", "3s"]);
    let mut silent = program.client("silent");
    let mut present = program.client("present");
    present.expect("Are you still there?");
    present.say("/up yes");
    present.expect("YES");
    silent.expect("Are you still there?");
    let start = Instant::now();
    silent.expect_end();
    assert!(start.elapsed() > Duration::from_millis(100), "{:?}", start.elapsed());
    present.say("/who");
    while present.line() != "1 in lobby: present" {}
}

#[test]
fn the_slowest_consumer_is_cut_off_first() {
    let options = ["--queue-total", "600K", "--queue-soft", "1M", "--queue-park", "1M"];
    let program = start(&[&options[..], &["--rate", "off"]].concat());
    let mut alice = program.client("alice");
    let _few = Client::connect_narrow(program.addr()).register("few");
    let _many = Client::connect_narrow(program.addr()).register("many");
    let text = "x".repeat(3000);
    // Some of it waits in the server, and that is less than half of what may.
    for _ in 0..95 {
        assert_eq!(alice.ask(&format!("/msg few {text}")), format!("[alice → few] {text}"));
    }
    eventually("somebody is cut off", || {
        let reply = alice.ask(&format!("/msg many {text}"));
        reply == "No one is called many."
    });
    assert_eq!(alice.ask("/who"), "2 in lobby: alice, few");
}

#[test]
#[cfg(target_os = "linux")]
fn a_pause_of_the_whole_process_is_nobodys_fault() {
    assert!(in_time(survives_a_pause));
}

/// Whether somebody stays who was to answer while the process was stopped. `None` where this
/// machine was so slow that they may have been too late without that.
#[cfg(target_os = "linux")]
fn survives_a_pause() -> Option<bool> {
    let second = Duration::from_secs(1);
    let program = self::start(&["--idle", "2s"]);
    let start = Instant::now();
    let mut alice = program.client("alice");
    // A second later, so that the server waits for bob's time when it is stopped, and not
    // for alice's: how much of that was left cannot be known.
    thread::sleep(second);
    let _bob = program.client("bob");
    let named = start.elapsed();
    alice.expect("Are you still there?");
    // Time that a turn takes counts, so it has to be done with this one.
    let stat = format!("/proc/{}/stat", program.child.id());
    eventually("it sleeps", || fs::read_to_string(&stat).unwrap().contains(") S "));
    program.signal("STOP");
    // She has four seconds in all, and one of them is to be left.
    if named > second * 3 / 2 || start.elapsed() > 3 * second {
        return None;
    }
    // Nothing tells that a stopped process has missed a deadline: this is longer than hers.
    thread::sleep(3 * second);
    let start = Instant::now();
    program.signal("CONT");
    let is_heard = alice.try_ask("/up here\n").as_deref() == Some("HERE\n");
    (is_heard || start.elapsed() < second).then_some(is_heard)
}

/// The server comes to see both in one turn.
#[test]
#[cfg(target_os = "linux")]
fn a_closed_connection_has_made_room_for_the_next() {
    /// Of a socket whose end the other side has, as the table of all sockets has it.
    const FIN_WAIT2: &str = "05";
    let program = start(&["--max-clients", "1"]);
    for _ in 0..10 {
        let mut gone = Client::connect(program.addr());
        assert_eq!(gone.ask("/who"), "1 in lobby: guest");
        program.signal("STOP");
        gone.finish_writing();
        let port = format!(":{:04X} ", gone.local_addr().port());
        eventually("its end has arrived", || {
            let sockets = fs::read_to_string("/proc/net/tcp").unwrap();
            let mut states = sockets.lines().filter_map(|line| {
                let (_, rest) = line.split_once(&port)?;
                rest.split(' ').nth(1).map(|state| state == FIN_WAIT2)
            });
            states.any(|is_it| is_it)
        });
        let mut next = Client::connect(program.addr());
        program.signal("CONT");
        assert_eq!(next.ask("/who"), "1 in lobby: guest");
        assert_eq!(next.ask("/exit"), "Bye.");
        next.expect_end();
    }
}

/// The pause is too short to be taken for one, and long enough for her time to be up.
#[test]
#[cfg(target_os = "linux")]
fn answers_that_came_while_the_process_was_stopped_are_read_before_idle_timeouts() {
    in_time(|| {
        let start = Instant::now();
        let program = self::start(&["--idle", "2s"]);
        let mut alice = program.client("alice");
        alice.expect("Are you still there?");
        program.signal("STOP");
        // Later she may have been closed before.
        if start.elapsed() > Duration::from_secs(4) {
            return None;
        }
        alice.say("/up here");
        thread::sleep(Duration::from_millis(2500));
        program.signal("CONT");
        alice.expect("HERE");
        Some(())
    });
}

/// What the kernel's table says of the server's side of a connection, field by field.
#[cfg(target_os = "linux")]
fn entry(program: &Program, client: &Client) -> Vec<String> {
    let ends = [program.addr(), client.local_addr()].map(|addr| format!(":{:04X}", addr.port()));
    let is_it =
        |fields: &Vec<String>| fields[1].ends_with(&ends[0]) && fields[2].ends_with(&ends[1]);
    let mut found = None;
    // While others come and go it may be left out.
    eventually("the connection is in the table", || {
        let table = fs::read_to_string("/proc/net/tcp").unwrap();
        let mut entries =
            table.lines().map(|line| line.split_whitespace().map(str::to_owned).collect());
        found = entries.find(is_it);
        found.is_some()
    });
    found.expect("it was waited for")
}

#[test]
#[cfg(target_os = "linux")]
fn vanished_peers_are_looked_for() {
    let program = start(&[]);
    let client = program.client("alice");
    // The sixth field is the timer: its kind, where 02 is keepalive, and for how long
    // it still runs, in hundredths of a second.
    eventually("keepalive is under way, once the last answer is acknowledged", || {
        let timer = entry(&program, &client).swap_remove(5);
        let (kind, left) = timer.split_once(':').unwrap();
        kind == "02" && u32::from_str_radix(left, 16).unwrap() <= 6100
    });
}

#[test]
#[cfg(target_os = "linux")]
fn the_kernel_keeps_little_for_who_does_not_read() {
    let program = start(&["--rate", "off"]);
    let mut alice = program.client("alice");
    let stalled = program.client("stalled");
    let text = "x".repeat(4000);
    for _ in 0..2000 {
        alice.ask(&text);
    }
    // The fifth field is what the peer has not taken: 8 MB have been said.
    let queued = entry(&program, &stalled).swap_remove(4);
    let unsent = usize::from_str_radix(queued.split(':').next().unwrap(), 16).unwrap();
    assert!((1..=256 << 10).contains(&unsent), "{unsent} bytes");
}

#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    // Far more log than a pipe holds, and the pipe is never read.
    let mut command = chinwag();
    command.args(["-vvvv", "-l", "127.0.0.1:0"]).args(GREETS_NOBODY);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stderr = child.stderr.take().unwrap();
    let mut first = [0; 64];
    let mut stdout = child.stdout.take().unwrap();
    let read = stdout.read(&mut first).unwrap();
    let line = String::from_utf8_lossy(&first[..read]).into_owned();
    let addr: SocketAddr = line.split(' ').nth(3).and_then(|addr| addr.parse().ok()).expect(&line);
    let mut alice = Client::named(addr, "alice");
    for number in 0..2000 {
        let name = format!("user-{number}");
        drop(Client::named(addr, &name));
        if number % 100 == 0 {
            assert_eq!(alice.ask("/up still here"), "STILL HERE");
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(stderr);
}
