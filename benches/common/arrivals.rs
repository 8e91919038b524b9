//! What it costs to come when many come at once: each arrival must cost the same, and
//! not the more, the more are there already.
//!
//! Some are told who comes and goes, in the lobby and in the room that all join, so
//! that there is somebody to tell until the rooms are too large for that. What a chat
//! pays for having many there shows only if they come within a second, and then as a
//! microsecond beside the ten that the kernel takes: a figure that keeps growing with
//! the crowd is the sign, `--clients 19000` makes it plainer.

use super::ask::{self, Ask};
use super::crowd::Crowd;
use super::driver::{Case, Group};
use super::machine::{self, Cores};
use super::server::{ServerProcess, Subject};
use super::stats;
use super::table::{Cell, Column};
use std::io;
use std::time::{Duration, Instant};

/// The room that everybody joins.
const ROOM: &str = "crowd";

/// How many take notices in the lobby, and how many in the room. Few, because what is
/// to be flat is the cost of an arrival, not the price of telling everybody.
const WATCHERS: usize = 10;

/// How long the greetings may take: two seconds of silence come first.
const PATIENCE: Duration = Duration::from_mins(2);

/// What the last line of a greeting begins with.
const LAST_OF_GREETING: &[u8] = b"You are guest";

const COST: Column = Column::main("CPU us each", 1);

/// At most so many beside the watchers.
pub(crate) fn affordable(wanted: usize) -> io::Result<usize> {
    Ok(machine::affordable(wanted + 2 * WATCHERS)?.saturating_sub(2 * WATCHERS).max(10))
}

/// What arriving costs the server in each way, in a crowd of this size.
pub(crate) fn group(size: usize, cores: Cores) -> Group<'static> {
    let silent: Come = |_| Vec::new();
    // The greeting comes because they say nothing; they are all in long before that.
    let ways: [(&str, Come, Option<Then>); 4] = [
        ("connect, and say nothing", silent, None),
        ("be greeted after a while", silent, Some(wait_until_greeted)),
        ("connect, and be named", ask::name, None),
        ("join the same room", ask::name, Some(join)),
    ];
    let case = |(name, come, then)| Case::new(name, move || arrive(size, cores, come, then));
    let cases = ways.map(case);
    let title = format!("arrivals, {WATCHERS} told of it in each room");
    Group { floor: None, ..Group::new("arrivals", title, size, cases, &[COST]) }
}

/// What each asks for when it connects, by its number.
type Come = fn(usize) -> Vec<Ask>;

/// What so many of them do once they are in.
type Then = fn(&mut Crowd, usize) -> io::Result<()>;

/// So many come, and perhaps do something then; the last step is what counts.
fn arrive(size: usize, cores: Cores, come: Come, then: Option<Then>) -> io::Result<Cell> {
    let server = ServerProcess::start(Subject::Chinwag, &[], cores)?;
    let mut crowd = with_watchers(&server)?;
    let mut before = server.cpu_microseconds()?;
    crowd.connect(server.addr(), size, come)?;
    server.wait_until_accepted(crowd.len())?;
    if let Some(then) = then {
        before = server.cpu_microseconds()?;
        then(&mut crowd, size)?;
    }
    Ok(vec![(COST, (server.cpu_microseconds()? - before) / stats::size(size))])
}

/// The last `size` clients go to one room.
fn join(crowd: &mut Crowd, size: usize) -> io::Result<()> {
    crowd.ask(crowd.len() - size..crowd.len(), |_| vec![Ask::join(ROOM)])
}

fn with_watchers(server: &ServerProcess) -> io::Result<Crowd> {
    let mut crowd = Crowd::new()?;
    crowd.connect(server.addr(), 2 * WATCHERS, |id| {
        let join = (id < WATCHERS).then(|| Ask::join(ROOM));
        let notices = Ask::new("/notices on", "Notices on.");
        ask::name(id).into_iter().chain(join).chain([notices]).collect()
    })?;
    Ok(crowd)
}

/// Waits until the last `size` clients have been greeted.
fn wait_until_greeted(crowd: &mut Crowd, size: usize) -> io::Result<()> {
    let first = crowd.len() - size;
    let mut missing = size;
    let start = Instant::now();
    while missing > 0 {
        crowd.receive(|id, bytes| {
            // All of a greeting is queued in one go, and so comes in one piece.
            let is_greeting = memchr::memmem::find(bytes, LAST_OF_GREETING).is_some();
            missing -= usize::from(id >= first && is_greeting);
        })?;
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("{missing} clients were not greeted")));
        }
    }
    Ok(())
}
