//! Readers who are slow: what they miss, what they do not, and that nobody else waits.

use std::thread;
use std::time::{Duration, Instant};

use super::{config, fast, limited, start};
use crate::client::{Client, eventually};

/// Long enough that a few hundred fill every buffer of one who does not read.
fn numbered(number: usize) -> String {
    format!("{number} {}", "x".repeat(1000))
}

/// Reads alice's numbered lines from `next` up to `end`: each comes, whole and in
/// order, or is counted in a notice that stands where it is missing. Returns how many
/// were skipped.
fn account(reader: &mut Client, mut next: usize, end: usize) -> usize {
    let mut skipped = 0;
    while next < end {
        let line = reader.line();
        if let Some(count) = skip_notice(&line) {
            skipped += count;
            next += count;
        } else {
            assert_eq!(line, format!("[alice] {}", numbered(next)));
            next += 1;
        }
    }
    assert_eq!(next, end, "more lines were said to be skipped than there were");
    skipped
}

fn skip_notice(line: &str) -> Option<usize> {
    let count = line.strip_prefix("-- ")?.split(' ').next()?.parse().ok()?;
    let lines = if count == 1 { "line" } else { "lines" };
    let notice = format!("-- {count} {lines} skipped: your connection is slow --");
    assert_eq!(line, notice);
    Some(count)
}

#[test]
fn slow_consumers_miss_whole_lines_and_are_told_how_many() {
    let server = start(config());
    let mut alice = Client::named(server.addr, "alice");
    let mut carol = Client::named(server.addr, "carol");
    let mut slow = Client::connect_narrow(server.addr).register("slow");
    for round in 0..3 {
        let (start, end) = (round * 700, (round + 1) * 700);
        for number in start..end {
            // Each line comes back before the next is said: nobody waits for the slow.
            let said = alice.ask(&numbered(number));
            assert_eq!(said, format!("[alice] {}", numbered(number)));
            assert_eq!(carol.line(), said);
        }
        let skipped = account(&mut slow, start, end);
        assert!(skipped > 0, "it was to fall behind");
    }
    // Having caught up, it gets everything again.
    alice.say("there you are");
    slow.expect("[alice] there you are");
}

#[test]
fn a_private_line_reaches_one_who_is_behind_on_the_room_and_it_may_still_speak() {
    let server = start(config());
    let mut alice = Client::named(server.addr, "alice");
    let mut slow = Client::connect_narrow(server.addr).register("slow");
    for number in 0..700 {
        alice.ask(&numbered(number));
    }
    assert_eq!(alice.ask("/msg slow psst"), "[alice → slow] psst");
    slow.say("I am still here");
    alice.expect("[slow] I am still here");
    let mut heard = 0;
    while slow.line() != "[alice → slow] psst" {
        heard += 1;
    }
    // The room's lines since then, its own among them, are those that were skipped.
    let skipped = skip_notice(&slow.line()).expect("a notice comes next");
    assert_eq!(heard + skipped, 701);
    assert_eq!(slow.ask("hello again"), "[slow] hello again");
}

#[test]
fn a_client_that_does_not_read_its_replies_is_not_read_from() {
    let server = start(config());
    let mut alice = Client::named(server.addr, "alice");
    let mut bob = Client::connect_narrow(server.addr).register("bob");
    let flood = bob.write_until_blocked(&b"/help\n".repeat(1000));
    let mut delivered = 0;
    eventually("bob is not reading", || {
        let reply = alice.ask("/msg bob hi");
        delivered += usize::from(reply == "[alice → bob] hi");
        reply == "bob is not reading; not delivered."
    });
    assert_eq!(alice.ask("SEND @bob hi"), "bob is not reading; not delivered.");
    let help = help(&mut alice);
    let mut writer = bob.twin();
    let writing = thread::spawn(move || {
        // The rest of the word that was cut short when the server stopped reading.
        writer.write(&b"/help\n"[flood % 6..]);
        writer.finish_writing();
    });
    let read = bob.rest();
    let (private, replies): (Vec<&str>, Vec<&str>) =
        read.lines().partition(|line| *line == "[alice → bob] hi");
    assert_eq!((private.len(), replies.len()), (delivered, (flood / 6 + 1) * help.len()));
    assert!(replies.chunks(help.len()).all(|reply| reply == help), "out of order");
    writing.join().unwrap();
}

fn help(client: &mut Client) -> Vec<String> {
    client.write("/help\n/up end\n");
    std::iter::from_fn(|| Some(client.line()).filter(|line| line != "END")).collect()
}

#[test]
fn a_client_that_reads_a_little_at_a_time_has_not_stalled() {
    const STALL: Duration = Duration::from_secs(3);
    let server = start(limited(fast().with(|it| it.stall_time = STALL)));
    let mut alice = Client::named(server.addr, "alice");
    let mut slow = Client::connect_narrow(server.addr).register("slow");
    // Talking takes as long as the machine needs, and the client that is to stall reads meanwhile.
    let talking = thread::spawn(move || {
        alice.ask("/echo off");
        for start in (0..700).step_by(20) {
            (start..start + 20).for_each(|number| alice.say(&numbered(number)));
            alice.ask("/up said");
        }
        alice
    });
    // Far less than what has to be free before its socket is said to take more.
    let (start, mut next) = (Instant::now(), 0);
    while start.elapsed() < 2 * STALL || !talking.is_finished() {
        slow.expect(&format!("[alice] {}", numbered(next)));
        next += 1;
        thread::sleep(STALL / 10);
    }
    assert!(next < 80, "{next} lines are not a little");
    assert!(account(&mut slow, next, 700) > 0, "it was to fall behind");
    let mut alice = talking.join().unwrap();
    assert_eq!(alice.ask("/who"), "2 in lobby: alice, slow");
}

#[test]
fn slow_consumers_miss_notices_as_they_miss_speech() {
    const RENAMES: usize = 5000;
    let [queue_soft, queue_park, queue_max] = [16 << 10, 16 << 10, 32 << 10];
    let stall_time = Duration::from_hours(1);
    let server = start(limited(fast().with(|it| {
        it.queue_soft = queue_soft;
        it.queue_park = queue_park;
        it.queue_max = queue_max;
        it.stall_time = stall_time;
    })));
    let mut slow = Client::connect_narrow(server.addr).register("slow");
    slow.say("/dialect json");
    slow.line();
    let mut alice = Client::named(server.addr, "alice");
    slow.line();
    for number in 0..RENAMES {
        let name = format!("alice-with-a-long-name-{number}");
        assert_eq!(alice.ask(&format!("/nick {name}")), format!("You are now {name}"));
    }
    let (mut heard, mut skipped) = (0, 0);
    while heard + skipped < RENAMES {
        let line = slow.line();
        if line.contains("\"type\":\"skipped\"") {
            let count = line.split("-- ").nth(1).and_then(|text| text.split(' ').next());
            skipped += count.and_then(|count| count.parse::<usize>().ok()).expect(&line);
        } else {
            assert!(line.contains("\"type\":\"rename\""), "{line}");
            heard += 1;
        }
    }
    assert!(skipped > 0, "it was to fall behind");
    assert_eq!(heard + skipped, RENAMES);
}
