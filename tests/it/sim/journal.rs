//! What happened in a run, in the one order in which it did: the oracle's only witness.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use chinwag::testing::Call;
use chinwag::{CloseReason, Ending, Now, Refusal};

use super::coverage::Coverage;

/// What happened to a client. Clients are numbered as they come, from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    /// Somebody has connected; the hub has not been told.
    Arrived(Arrival),
    /// The service was asked what one who is turned away is told.
    Refusing(Refusal),
    /// The service was told so. Noted before it could do anything about it.
    Opened(SocketAddr),
    Ending(Ending),
    Line(Line),
    TooLong,
    /// Whether anybody is there.
    Asked,
    Skipped(u64),
    Throttled,
    Idle,
    /// No close was told, and the connection is not open any more.
    Silenced,
    Closed(CloseReason),
    Tick,
    Shutdown,
    /// It has done what the line asked for.
    Acted(Acted),
    /// It makes the client wait, or no longer.
    Paused,
    Resumed,
    /// The stream did so.
    Read(usize),
    Took(usize),
    Full,
    EndRead,
    Failed,
    ShutWrite,
    /// It was to be told that nothing more comes, and that failed.
    ShutFailed,
    /// The world did so: marked it writable; dropped the stream that the hub gave back.
    MarkedWritable,
    Dropped,
    /// Before a new process takes over all queues are flushed, in as many rounds as it takes; and
    /// the streams that were closed in any of them have been dropped.
    Settling,
    Settled,
    /// No edge was due and no time was up, so the server slept.
    Sleep(Rest),
}

/// Where somebody has connected from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) addr: SocketAddr,
    /// It is a proxy that connects, and will say for whom.
    pub(super) is_proxied: bool,
    /// There is a handshake.
    pub(super) is_layered: bool,
}

/// How things stand for one who has just spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Acted {
    pub(super) is_open: bool,
    /// What the outbox says that waits for it.
    pub(super) queued: usize,
}

/// How things stand when there is nothing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    /// Those of whom the outbox says that they do not read.
    pub(super) stuck: Vec<usize>,
    /// Those who have sent what was not read.
    pub(super) unread: Vec<usize>,
}

/// The time of a turn, as the service was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment {
    /// Since the start of the run.
    pub(super) since: Duration,
    /// On the wall clock, in milliseconds since the epoch.
    pub(super) millis: i64,
}

/// A line as the service got it, and how things stood at that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    /// What the outbox says that waits for the speaker.
    pub(super) queued: usize,
    /// Those of whom the outbox says that they do not read.
    pub(super) stuck: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) who: usize,
    /// Virtual time since the start of the run.
    pub(super) at: Duration,
    /// What the service took for the time when it was last told anything.
    pub(super) now: Moment,
    pub(super) fact: Fact,
}

/// Stands for a client where a fact concerns all of them.
pub(super) const EVERYBODY: usize = usize::MAX;

/// One journal a run, shared by the world, the streams and the recording service.
#[derive(Clone, Default)]
pub(super) struct Journal(Rc<Shared>);

#[derive(Default)]
struct Shared {
    entries: RefCell<Vec<Entry>>,
    coverage: RefCell<Coverage>,
    at: Cell<Duration>,
    now: Cell<Moment>,
    work: Cell<u64>,
    events: Cell<u64>,
    calm: Cell<bool>,
    traced: bool,
}

impl Journal {
    /// An empty one. If it is traced, everything is printed as it happens.
    pub(super) fn new(traced: bool) -> Journal {
        Journal(Rc::new(Shared { traced, ..Shared::default() }))
    }

    pub(super) fn note(&self, who: usize, fact: Fact) {
        let entry = Entry { who, at: self.0.at.get(), now: self.0.now.get(), fact };
        if self.0.traced {
            println!("{}", describe(&entry));
        }
        if !matches!(entry.fact, Fact::Full | Fact::MarkedWritable | Fact::Sleep(_)) {
            self.worked();
        }
        self.0.entries.borrow_mut().push(entry);
    }

    pub(super) fn hit(&self, kind: &str) {
        self.0.coverage.borrow_mut().hit(kind);
    }

    pub(super) fn failed(&self, call: Call, error: usize) {
        self.0.coverage.borrow_mut().failed(call, error);
    }

    /// Something got done, so that a turn was not for nothing.
    pub(super) fn worked(&self) {
        self.0.work.set(self.0.work.get() + 1);
    }

    /// How much was done so far.
    pub(super) fn work(&self) -> u64 {
        self.0.work.get()
    }

    /// A call of a stream, a mark of readiness, or something that a client does.
    pub(super) fn count_event(&self) {
        self.0.events.set(self.0.events.get() + 1);
    }

    pub(super) fn events(&self) -> u64 {
        self.0.events.get()
    }

    pub(super) fn set_time(&self, at: Duration) {
        self.0.at.set(at);
    }

    /// The service is told something, and what time it is.
    pub(super) fn set_now(&self, start: Instant, now: Now) {
        let since = now.monotonic.saturating_duration_since(start);
        assert_eq!(since, self.0.at.get(), "the service is told the time that it is");
        let wall = now.wall.duration_since(SystemTime::UNIX_EPOCH).expect("it is not that early");
        let millis = i64::try_from(wall.as_millis()).expect("nor that late");
        self.0.now.set(Moment { since, millis });
    }

    /// From here on nothing fails any more.
    pub(super) fn calm_down(&self) {
        self.0.calm.set(true);
    }

    pub(super) fn is_calm(&self) -> bool {
        self.0.calm.get()
    }

    /// How much has been noted so far.
    pub(super) fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    /// Those of whose input something was heard since so much was noted.
    pub(super) fn speakers_since(&self, len: usize) -> Vec<usize> {
        let is_said =
            |entry: &&Entry| matches!(entry.fact, Fact::Line(_) | Fact::TooLong | Fact::Asked);
        self.0.entries.borrow()[len..].iter().filter(is_said).map(|entry| entry.who).collect()
    }

    /// How many bytes the streams have given since so much was noted.
    pub(super) fn read_since(&self, len: usize) -> usize {
        let read = |entry: &Entry| if let Fact::Read(count) = entry.fact { count } else { 0 };
        self.0.entries.borrow()[len..].iter().map(read).sum()
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.0.entries.borrow().clone()
    }

    pub(super) fn coverage(&self) -> Coverage {
        self.0.coverage.borrow().clone()
    }
}

fn describe(entry: &Entry) -> String {
    let at = entry.at.as_millis();
    match &entry.fact {
        Fact::Line(line) => {
            format!("{at:>7} #{} says {:?}", entry.who, line.bytes.escape_ascii().to_string())
        }
        fact if entry.who == EVERYBODY => format!("{at:>7} {fact:?}"),
        fact => format!("{at:>7} #{} {fact:?}", entry.who),
    }
}
