//! What each step of a line's way costs by itself: nanoseconds, and allocations.
//!
//! `cargo bench --bench micro`. Everything runs through the public interface and over
//! streams in memory, so nothing here waits for a kernel. What has no door of its own is
//! the difference of two rows: a line that must be sanitised and one that need not, one in
//! another dialect and one in this.

mod common;

use chinwag::chat::Settings;
use chinwag::{Chat, ConnId, Decoder, Ending, Limits, LogId, Now, Outbox, Peer, Service, testing};
use common::driver::{self, Case, Group};
use common::machine;
use common::options::{self, Options};
use common::stats;
use common::table::{Cell, Column};
use common::wire::Network;
use std::hint::black_box;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

const LINE: &[u8] = b"Good morning, everybody! How are things over there today?";
const RUNS: usize = 5;

/// How long each is repeated for, in each run.
const REPEAT: Duration = Duration::from_millis(200);
const REPEAT_QUICK: Duration = Duration::from_millis(10);

/// Receivers of a line to many.
const MANY: usize = 1000;

const ABOUT: &str = "\
What to make of it: everything runs through the library over streams in memory, so no kernel
is in these figures; a send to a socket costs some 2000 ns beside them. What has no row of its
own is the difference of two: sanitising, say, or another dialect. A delivery must allocate
nothing.";

const TIME: Column = Column::main("ns each", 1);
const ALLOCATIONS: Column = Column::new("allocations each", 2);

/// What is timed: each call does `count` of what it is about.
struct Step {
    name: &'static str,
    count: usize,
    run: Box<dyn FnMut()>,
}

fn main() -> ExitCode {
    options::run("micro", measure)
}

fn measure(options: &Options) -> io::Result<bool> {
    machine::prepare();
    let repeat = if options.quick { REPEAT_QUICK } else { REPEAT };
    let steps = [
        ("framing", "from bytes to lines", splitting()),
        ("chat", "from a line to what is queued for two users who are there", chatting()),
        (
            "turn",
            "to 1000 connections: the outbox by itself, then whole turns of the loop",
            turning(),
        ),
    ];
    let groups = steps.map(|(id, title, steps)| {
        let case = |mut step: Step| Case::new(step.name, move || Ok(cell(&mut step, repeat)));
        let cases = steps.into_iter().map(case);
        Group { floor: None, ..Group::new(id, title, 0, cases, &[TIME, ALLOCATIONS]) }
    });
    driver::run("micro", ABOUT, options, RUNS, groups.into())
}

/// Repeats a step for so long, once it has got going.
fn cell(step: &mut Step, repeat: Duration) -> Cell {
    for _ in 0..3 {
        (step.run)();
    }
    let mut calls = 0;
    let mut took = Duration::ZERO;
    let allocated = allocation_counter::measure(|| {
        let start = Instant::now();
        while took < repeat {
            (step.run)();
            calls += 1;
            took = start.elapsed();
        }
    });
    let each = stats::float(calls) * stats::size(step.count);
    vec![
        (TIME, took.as_secs_f64() * 1e9 / each),
        (ALLOCATIONS, stats::float(allocated.count_total) / each),
    ]
}

fn step(name: &'static str, count: usize, run: impl FnMut() + 'static) -> Step {
    Step { name, count, run: Box::new(run) }
}

fn now() -> Now {
    Now { monotonic: Instant::now(), wall: SystemTime::now() }
}

/// From bytes to lines.
fn splitting() -> Vec<Step> {
    const LINES: usize = 256;
    let packet = [LINE, b"\n"].concat().repeat(LINES);
    let keys = b"Good morning, everx\x7fybody!\x1b[D How are things\xff\xf1 over there today?\r\n";
    let (halves, typed) = (packet.clone(), keys.repeat(LINES));
    let decoder = || Decoder::new(4096, 1 << 16);
    let (mut whole, mut other, mut edited) = (decoder(), decoder(), decoder());
    vec![
        step("split off a line of 57 bytes, of 256 in a packet", LINES, move || {
            let mut bytes = packet.as_slice();
            while let Some(item) = whole.next(&mut bytes) {
                black_box(item);
            }
        }),
        step("split off a line that comes in two packets", LINES, move || {
            for line in halves.chunks(LINE.len() + 1) {
                let (mut first, mut second) = line.split_at(20);
                black_box(other.next(&mut first));
                black_box(other.next(&mut second));
            }
        }),
        step("split off a line with keys and telnet in it", LINES, move || {
            let mut bytes = typed.as_slice();
            while let Some(item) = edited.next(&mut bytes) {
                black_box(item);
            }
        }),
    ]
}

/// From lines to what is queued: parsed, sanitised, acted on, rendered, and dropped.
fn chatting() -> Vec<Step> {
    let says: [(&'static str, &str, &[u8]); 8] = [
        ("a line to the room, 57 bytes", "native", LINE),
        ("a line with a control character to sanitise", "native", b"Good\x07 morning, everybody!"),
        ("a line in other scripts and emoji", "native", "Grüße, 你好, 👩‍👩‍👧, всем привет!".as_bytes()),
        ("a line in the json dialect", "json", LINE),
        ("/me", "native", b"/me waves at everybody who is there today"),
        ("/msg to the other", "native", b"/msg first psst, have you heard about it?"),
        ("/topic, which is answered in a line", "native", b"/topic"),
        ("a mistyped command, answered with the one meant", "native", b"/nikc first"),
    ];
    says.into_iter().map(|(name, label, line)| chat_step(name, label, line.to_vec())).collect()
}

/// Two users, of whom the second says this.
fn chat_step(name: &'static str, label: &'static str, line: Vec<u8>) -> Step {
    let mut out = Outbox::new(&Limits::default(), now());
    let mut chat = Chat::new(Settings::default());
    let peer = Peer::new(SocketAddr::from(([192, 0, 2, 1], 4000)).into(), label);
    let ids: Vec<ConnId> = (0..2).map(|slot| testing::open(&mut out, slot)).collect();
    for (id, name) in ids.iter().zip([&b"REGISTER first"[..], b"REGISTER second"]) {
        chat.on_open(*id, &peer, &mut out);
        chat.on_ending(*id, Ending::Lf, &mut out);
        chat.on_line(*id, name, &mut out);
    }
    step(name, 1, move || {
        chat.on_line(ids[1], &line, &mut out);
        take(&mut out, &ids);
    })
}

/// Drops what waits, without the memory that a caller of `take` is given.
fn take(out: &mut Outbox, ids: &[ConnId]) {
    for id in ids {
        allocation_counter::opt_out(|| drop(black_box(testing::take(out, *id))));
    }
}

/// A line in the queues of many, who take it only every 64 lines.
fn sending_to_many() -> Step {
    const LINES: usize = 64;
    let mut out = Outbox::new(&Limits::default(), now());
    let ids: Vec<ConnId> = (0..MANY).map(|slot| testing::open(&mut out, slot)).collect();
    step("queue a line for 1000, each of them; taken every 64 lines", LINES * MANY, move || {
        for _ in 0..LINES {
            out.send_all(LogId::of(0), ids.iter().copied(), LINE);
        }
        take(&mut out, &ids);
    })
}

/// Whole turns, from the bytes that are read to the bytes that are written.
fn turning() -> Vec<Step> {
    let room = || {
        let mut network = Network::new();
        for id in 0..MANY {
            let slot = network.connect();
            network.types(slot, format!("REGISTER member-{id}\n").as_bytes());
        }
        network
    };
    let line = [LINE, b"\n"].concat();
    let packet = line.repeat(16);
    let (mut single, mut many, mut idle) = (room(), room(), room());
    let mut churn = room();
    vec![
        sending_to_many(),
        step("deliver a line to 1000, each of them; one at a time", MANY, move || {
            single.types(7, &line);
        }),
        step("deliver a line to 1000, each of them; 16 lines at a time", 16 * MANY, move || {
            many.types(7, &packet);
        }),
        step("a turn with nothing to do", 1, move || {
            idle.hub.turn(idle.now);
            black_box(idle.hub.timeout(idle.now));
        }),
        step("a connection comes, is named, says /quit, and is closed", 1, move || {
            let slot = churn.connect();
            churn.types(slot, b"REGISTER somebody\n/quit\n");
            churn.pass(Duration::from_secs(6));
            churn.hub.take_closed().for_each(drop);
        }),
    ]
}
