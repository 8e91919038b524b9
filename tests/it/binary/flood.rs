//! How fast anybody may speak, and what becomes of who speaks faster.

use std::iter::repeat_with;
use std::thread;
use std::time::{Duration, Instant};

use super::limits::{self, start};
use crate::client::{Client, eventually};

#[test]
fn lines_beyond_the_rate_are_delayed_and_not_lost() {
    let program = start(&["--rate", "10"]);
    let mut calm = program.client("calm");
    let mut fast = program.client("fast");
    let start = Instant::now();
    let lines: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    fast.write(lines.join("\n") + "\n");
    // Whoever keeps to the rate is not kept waiting with him.
    calm.write("/up me\n");
    let mut heard: Vec<String> = (0..41).map(|_| fast.line()).collect();
    // Twenty at once (one of them for the name), the others a tenth of a second apart.
    assert!(start.elapsed() > Duration::from_secs(2), "{:?}", start.elapsed());
    let told = heard.iter().position(|line| line == "Slow down: your lines are being delayed.");
    heard.remove(told.expect("he is told"));
    assert_eq!(heard, lines.iter().map(|line| format!("[fast] {line}")).collect::<Vec<_>>());
    let calm: Vec<String> = (0..41).map(|_| calm.line()).collect();
    let answer = calm.iter().position(|line| line == "ME").expect("an answer");
    assert!(answer < 40, "it came after all the others");
}

#[test]
fn a_long_line_counts_for_more_and_a_rate_may_be_off() {
    let program = start(&["--rate", "2"]);
    let mut client = Client::connect(program.addr());
    let start = Instant::now();
    // Five tokens are more than a bucket holds: each of these waits for a full one.
    client.write(format!("/up one\n/up {0}\n/up {0}\n", "x".repeat(4092)));
    let mut answers = 0;
    while answers < 2 {
        answers += usize::from(client.line().starts_with("XXX"));
    }
    assert!(start.elapsed() > Duration::from_millis(2500), "{:?}", start.elapsed());
    let program = limits::start(&["--rate", "off"]);
    let mut client = program.client("free");
    client.write("x\n".repeat(1000));
    for _ in 0..1000 {
        client.expect("[free] x");
    }
}

/// What is dropped costs as much as what is said. Each of these has forty tokens to pay,
/// of which it has twenty.
#[test]
fn what_is_blank_or_too_long_counts_too() {
    let blank = "\n".repeat(40);
    let too_long = format!("{}\n", "x".repeat(65)).repeat(40);
    let far_too_long = "x".repeat(40 << 10) + "\n";
    thread::scope(|scope| {
        for (line_max, said) in [("64", blank), ("64", too_long), ("4K", far_too_long)] {
            scope.spawn(move || {
                let program = limits::start(&["--rate", "10", "--max-line", line_max]);
                let mut client = Client::connect(program.addr());
                let start = Instant::now();
                client.write(said + "/up end\n");
                while client.line() != "END" {}
                assert!(start.elapsed() > Duration::from_millis(1500), "{:?}", start.elapsed());
            });
        }
    });
}

#[test]
fn the_rate_limit_is_told_again_after_silence() {
    let program = start(&["--rate", "50"]);
    let mut fast = program.client("fast");
    for spell in 0..2 {
        fast.write("/up x\n".repeat(110) + "/up end\n");
        let heard: Vec<_> =
            std::iter::from_fn(|| Some(fast.line()).filter(|line| line != "END")).collect();
        let told = heard.iter().filter(|line| line.starts_with("Slow down: ")).count();
        assert_eq!((told, heard.len()), (1, 111), "spell {spell}");
        // In two seconds the bucket is full again.
        fast.expect_nothing_for(Duration::from_millis(2100));
    }
}

#[test]
fn throttled_clients_are_not_read_from() {
    let program = start(&["--rate", "2"]);
    let mut flooding = Client::connect_narrow(program.addr()).register("flooding");
    // It fails if everything is taken: all that would be in the server's memory.
    flooding.write_until_blocked(&b"/up x\n".repeat(1000));
    let mut alice = program.client("alice");
    assert_eq!(alice.ask("/up here"), "HERE");
}

#[test]
#[cfg(target_os = "linux")]
fn reconnecting_is_no_way_round_the_rate_of_an_address() {
    let options = ["--limit-loopback", "--max-per-ip", "2", "--rate", "5", "--connect-rate", "off"];
    let program = start(&options);
    let mut witness = limits::from(8, &program).register("witness");
    let start = Instant::now();
    let said: Vec<String> = (0..4).flat_map(|_| (0..10).map(|line| line.to_string())).collect();
    for spell in said.chunks(10) {
        eventually("it is let in", || {
            let mut fast = limits::from(7, &program);
            // A burst by itself, where twice as much is the address's. All of it is said, if
            // it is let in, though it does not stay for that.
            let answer = fast.try_ask(&(spell.join("\n") + "\n"));
            answer.is_some_and(|line| !line.starts_with("Too many connections"))
        });
    }
    let heard: Vec<String> =
        (0..40).map(|_| witness.line().rsplit(' ').next().unwrap_or_default().to_owned()).collect();
    let count = |line: &String| heard.iter().filter(|heard| *heard == line).count();
    assert!(said.iter().all(|line| count(line) == 4), "{heard:?}");
    assert!(start.elapsed() > Duration::from_millis(1500), "{:?}", start.elapsed());
}

#[test]
#[cfg(target_os = "linux")]
fn one_address_connects_only_so_often() {
    let program = start(&["--limit-loopback", "--connect-rate", "2"]);
    let full = "Too many connections from your address.\n";
    let ask = || limits::try_from(7, &program)?.try_ask("/up in\n");
    // Too many in a second are not even told why.
    let answers: Vec<String> = repeat_with(ask).take(10_000).map_while(|answer| answer).collect();
    assert!(answers.len() < 10_000, "all of them were answered");
    let refused = answers.iter().filter(|answer| *answer == full).count();
    assert!(refused >= 32, "{refused} were told why");
    assert_eq!(limits::from(8, &program).ask("/up in"), "IN");
    eventually("it may come again", || ask().as_deref() == Some("IN\n"));
}
