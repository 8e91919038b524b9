//! What each step of a line's way costs by itself: nanoseconds, and allocations.
//!
//! `cargo bench --bench micro`. Everything runs through the public interface and over
//! streams in memory, so nothing here waits for a kernel. What has no door of its own is
//! the difference of two rows: a line that must be sanitised and one that need not, one in
//! another dialect and one in this.

mod common;

use chinwag::chat::Settings;
use chinwag::{
    Chat, ConnId, Ending, Lane, Limits, LineSplitter, Now, Outbox, Peer, Service, Telnet,
};
use common::book::Book;
use common::machine;
use common::options::{self, Options};
use common::progress::Progress;
use common::stats;
use common::table::{Column, Table};
use common::wire::Network;
use std::hint::black_box;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

const LINE: &[u8] = b"Good morning, everybody! How are things over there today?";
const RUNS_DEFAULT: usize = 5;

/// How long each is repeated for, in each run.
const REPEAT: Duration = Duration::from_millis(200);
const REPEAT_QUICK: Duration = Duration::from_millis(10);

/// Receivers of a line to many.
const MANY: usize = 1000;

/// What is timed: each call does `count` of what it is about.
struct Case {
    name: &'static str,
    count: usize,
    run: Box<dyn FnMut()>,
}

#[derive(Clone, Copy)]
struct Cell {
    nanoseconds: f64,
    allocations: f64,
}

fn main() -> ExitCode {
    options::run("micro", measure)
}

fn measure(options: &Options) -> io::Result<bool> {
    machine::prepare();
    let runs = options.runs.unwrap_or(if options.quick { 1 } else { RUNS_DEFAULT });
    let repeat = if options.quick { REPEAT_QUICK } else { REPEAT };
    let mut cases = cases();
    let mut rows: Vec<_> = cases.iter().map(|case| (case.name.to_owned(), Vec::new())).collect();
    let mut progress = Progress::new(runs * cases.len());
    for _ in 0..runs {
        for (case, (name, cells)) in cases.iter_mut().zip(&mut rows) {
            progress.next(name);
            cells.push(cell(case, repeat));
        }
    }
    progress.clear();
    let columns = [
        Column::new("ns each", 1, |cell: &Cell| cell.nanoseconds),
        Column::new("allocations each", 2, |cell: &Cell| cell.allocations),
    ];
    let title = "one step at a time".to_owned();
    let table = Table::new("micro", title, 1, None, &rows, &columns);
    table.print();
    Book::enter("micro", options, &[table])?;
    Ok(true)
}

/// Repeats a case for so long, once it has got going.
fn cell(case: &mut Case, repeat: Duration) -> Cell {
    for _ in 0..3 {
        (case.run)();
    }
    let mut calls = 0;
    let mut took = Duration::ZERO;
    let allocated = allocation_counter::measure(|| {
        let start = Instant::now();
        while took < repeat {
            (case.run)();
            calls += 1;
            took = start.elapsed();
        }
    });
    let each = stats::float(calls) * stats::float(case.count as u64);
    Cell {
        nanoseconds: took.as_secs_f64() * 1e9 / each,
        allocations: stats::float(allocated.count_total) / each,
    }
}

fn cases() -> Vec<Case> {
    let mut cases = splitting();
    cases.extend(chatting());
    cases.push(sending_to_many());
    cases.extend(turning());
    cases
}

fn case(name: &'static str, count: usize, run: impl FnMut() + 'static) -> Case {
    Case { name, count, run: Box::new(run) }
}

fn now() -> Now {
    Now { monotonic: Instant::now(), wall: SystemTime::now() }
}

/// From bytes to lines.
fn splitting() -> Vec<Case> {
    const LINES: usize = 256;
    let packet = [LINE, b"\n"].concat().repeat(LINES);
    let (whole, halves, telnet) = (packet.clone(), packet.clone(), packet);
    let mut splitter = LineSplitter::new(4096, 1 << 16);
    let mut other = LineSplitter::new(4096, 1 << 16);
    let mut commands = Telnet::default();
    vec![
        case("split a line, many in a packet", LINES, move || {
            let mut bytes = whole.as_slice();
            while let Some(piece) = splitter.next(&mut bytes) {
                black_box(piece);
            }
        }),
        case("split a line, in two packets", LINES, move || {
            for line in halves.chunks(LINE.len() + 1) {
                let (mut first, mut second) = line.split_at(20);
                black_box(other.next(&mut first));
                black_box(other.next(&mut second));
            }
        }),
        case("look for telnet, a packet of 15 KB", 1, move || {
            let mut bytes = telnet.as_slice();
            while let Some(token) = commands.next(&mut bytes) {
                black_box(token);
            }
        }),
    ]
}

/// From lines to what is queued: parsed, sanitised, acted on, rendered, and dropped.
fn chatting() -> Vec<Case> {
    let says: [(&'static str, &str, &[u8]); 8] = [
        ("say a line", "native", LINE),
        ("say a line with a control character", "native", b"Good\x07 morning, everybody!"),
        ("say a line in other scripts", "native", "Grüße, 你好, 👩‍👩‍👧, всем привет!".as_bytes()),
        ("say a line to a program", "json", LINE),
        ("do something (/me)", "native", b"/me waves at everybody who is there today"),
        ("say something to one (/msg)", "native", b"/msg first psst, have you heard about it?"),
        ("ask for an answer (/topic)", "native", b"/topic"),
        ("mistype a command", "native", b"/nikc first"),
    ];
    says.into_iter().map(|(name, label, line)| chat_case(name, label, line.to_vec())).collect()
}

/// Two users, of whom the second says this.
fn chat_case(name: &'static str, label: &'static str, line: Vec<u8>) -> Case {
    let mut out = Outbox::new(&Limits::default(), now());
    let mut chat = Chat::new(Settings::default());
    let peer = Peer { addr: SocketAddr::from(([192, 0, 2, 1], 4000)), label };
    let ids: Vec<ConnId> = (0..2).map(|slot| out.open(slot)).collect();
    for (id, name) in ids.iter().zip([&b"REGISTER first"[..], b"REGISTER second"]) {
        chat.on_open(*id, &peer, &mut out);
        chat.on_ending(*id, Ending::Lf, &mut out);
        chat.on_line(*id, name, &mut out);
    }
    case(name, 1, move || {
        chat.on_line(ids[1], &line, &mut out);
        take(&mut out, &ids);
    })
}

/// Drops what waits, without the memory that a caller of `take` is given.
fn take(out: &mut Outbox, ids: &[ConnId]) {
    for id in ids {
        allocation_counter::opt_out(|| drop(black_box(out.take(*id))));
    }
}

/// A line in the queues of many, who take it only every 64 lines.
fn sending_to_many() -> Case {
    const LINES: usize = 64;
    let mut out = Outbox::new(&Limits::default(), now());
    let ids: Vec<ConnId> = (0..MANY).map(|slot| out.open(slot)).collect();
    case("queue a line for one of 1000, and 1/64 of taking it", LINES * MANY, move || {
        for _ in 0..LINES {
            out.send_all(Lane::of(0), ids.iter().copied(), LINE);
        }
        take(&mut out, &ids);
    })
}

/// Whole turns, from the bytes that are read to the bytes that are written.
fn turning() -> Vec<Case> {
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
        case("deliver a line to one of 1000", MANY, move || single.types(7, &line)),
        case("deliver a line to one of 1000, 16 at a time", 16 * MANY, move || {
            many.types(7, &packet);
        }),
        case("a turn with nothing to do, among 1000", 1, move || {
            idle.hub.turn(idle.now);
            black_box(idle.hub.timeout(idle.now));
        }),
        case("come, be named, and go", 1, move || {
            let slot = churn.connect();
            churn.types(slot, b"REGISTER somebody\n/quit\n");
            churn.pass(Duration::from_secs(6));
            churn.hub.take_closed().for_each(drop);
        }),
    ]
}
