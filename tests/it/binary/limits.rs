//! What nobody can do to anybody else: each limit, small enough to run into.

use std::fs;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::{Program, chinwag};
use crate::client::{Client, PATIENCE, eventually};

fn start(options: &[&str]) -> Program {
    Program::start(&[&["-l", "127.0.0.1:0"][..], options].concat())
}

#[test]
fn who_speaks_too_fast_is_delayed_and_nothing_is_lost() {
    let program = start(&["--rate", "10"]);
    let mut calm = program.client("calm");
    let mut fast = program.client("fast");
    let start = Instant::now();
    let lines: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    fast.write(lines.join("\n") + "\n");
    let mut heard = Vec::new();
    while heard.len() < 41 {
        heard.push(fast.line());
        if heard.len() == 20 {
            // Whoever keeps to the rate is not kept waiting with him.
            calm.write("/up me\n");
        }
    }
    // Twenty at once (one of them for the name), the others a tenth of a second apart.
    assert!(start.elapsed() > Duration::from_secs(2), "{:?}", start.elapsed());
    let told = heard.iter().position(|line| line == "Slow down: your lines are being delayed.");
    heard.remove(told.expect("he is told"));
    assert_eq!(heard, lines.iter().map(|line| format!("[fast] {line}")).collect::<Vec<_>>());
    let calm: Vec<String> = (0..41).map(|_| calm.line()).collect();
    let answer = calm.iter().position(|line| line == "ME").expect("an answer");
    assert!(answer < 35, "it came after {answer} lines");
}

#[test]
fn a_long_line_counts_for_more_and_a_rate_may_be_off() {
    let program = start(&["--rate", "2"]);
    let mut client = program.client("long");
    let start = Instant::now();
    // Five tokens are more than a bucket holds: each of these waits for a full one.
    client.write(format!("/up {0}\n/up {0}\n/up end\n", "x".repeat(4090)));
    while client.line() != "END" {}
    assert!(start.elapsed() > Duration::from_millis(2500), "{:?}", start.elapsed());
    let program = self::start(&["--rate", "off"]);
    let mut client = program.client("free");
    client.write("x\n".repeat(1000));
    for _ in 0..1000 {
        client.expect("[free] x");
    }
}

/// A client from another of this machine's addresses.
#[cfg(target_os = "linux")]
fn from(host: u8, program: &Program) -> Client {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(IpAddr::from([127, 0, 0, host]), 0).into()).unwrap();
    socket.connect_timeout(&program.addr().into(), PATIENCE).unwrap();
    Client::of(socket.into())
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
    assert_eq!(other.ask("/who"), "3 in lobby: first, second, other");
    assert_eq!(first.ask("/exit"), "Bye.");
    first.expect_end();
    let _third = from(7, &program).register("third");
    assert_eq!(second.ask("/up still here"), "STILL HERE");
    let program = start(&["--max-per-ip", "1"]);
    let _clients = [program.client("one"), program.client("two")];
}

#[test]
fn who_takes_nothing_for_too_long_is_cut_off() {
    let program = start(&["--stall", "300ms", "--rate", "off"]);
    let mut alice = program.client("alice");
    let stalled = Client::connect_narrow(program.addr()).register("stalled");
    let patient = program.client("patient");
    let text = "x".repeat(3000);
    for _ in 0..200 {
        alice.ask(&text);
    }
    eventually("he is cut off", || alice.ask("/who") == "2 in lobby: alice, patient");
    drop((stalled, patient));
}

#[test]
fn who_takes_a_little_now_and_then_is_not_cut_off() {
    let options = ["--stall", "400ms", "--rate", "off", "--queue-park", "2M", "--queue-max", "2M"];
    let program = start(&options);
    let mut alice = program.client("alice");
    let mut slow = Client::connect_narrow(program.addr()).register("slow");
    let text = "x".repeat(3000);
    for number in 0..300 {
        let sent = format!("[alice → slow] {number} {text}");
        assert_eq!(alice.ask(&format!("/msg slow {number} {text}")), sent);
    }
    for number in 0..300 {
        if number % 20 == 0 {
            // Each pause is shorter than what is allowed, all together are longer.
            alice.expect_nothing_for(Duration::from_millis(100));
        }
        slow.expect(&format!("[alice → slow] {number} {text}"));
    }
}

#[test]
fn who_sends_nothing_is_asked_and_then_closed() {
    let program = start(&["--idle", "300ms"]);
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
fn all_together_can_leave_only_so_much_unread() {
    let program = start(&[
        "--queue-total",
        "300K",
        "--queue-soft",
        "1M",
        "--queue-park",
        "1M",
        "--rate",
        "off",
    ]);
    let mut alice = program.client("alice");
    let mut names = vec!["alice".to_owned()];
    let mut readers = Vec::new();
    for number in 0..4 {
        let name = format!("reader-{number}");
        readers.push(Client::connect_narrow(program.addr()).register(&name));
        names.push(name);
    }
    let text = "x".repeat(3000);
    eventually("somebody is cut off", || {
        alice.ask(&text);
        !alice.ask("/who").starts_with("5 in lobby: ")
    });
    // Those who read were no part of it.
    assert_eq!(alice.ask("/up here"), "HERE");
}

#[test]
#[cfg(target_os = "linux")]
fn a_pause_of_the_whole_process_is_nobodys_fault() {
    let program = start(&["--idle", "1s"]);
    let mut alice = program.client("alice");
    program.signal("STOP");
    // It cannot be waited for, only for: three seconds are more than twice the time.
    alice.expect_nothing_for(Duration::from_secs(3));
    program.signal("CONT");
    // Her second may be over by now, but not the one after it.
    alice.say("/up here");
    while alice.line() != "HERE" {}
}

/// The other side of a connection shows up in the kernel's table with its timer.
#[test]
#[cfg(target_os = "linux")]
fn vanished_peers_are_looked_for() {
    let program = start(&[]);
    let client = program.client("alice");
    let (server, peer) = (program.addr().port(), client.local_addr().port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let pair = |line: &&str| {
        line.contains(&format!(":{server:04X} ")) && line.contains(&format!(":{peer:04X} "))
    };
    let lines: Vec<&str> = table.lines().filter(pair).collect();
    let of_server = lines.iter().find(|line| {
        line.split_whitespace()
            .nth(1)
            .is_some_and(|local| local.ends_with(&format!(":{server:04X}")))
    });
    // The sixth field is the timer: 02 is keepalive.
    let timer = of_server.and_then(|line| line.split_whitespace().nth(5)).unwrap();
    assert!(timer.starts_with("02:"), "{timer}");
}

#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    // Far more log than a pipe holds, and the pipe is never read.
    let mut command = chinwag();
    command.args(["-vvvv", "-l", "127.0.0.1:0"]);
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
