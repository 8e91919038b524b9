//! What the clients of the fan-out bench say, and when.

use super::crowd::Crowd;
use super::ledger::{LINE_LENGTH, Ledger, PREFIX_LENGTH, line};
use super::rooms::Rooms;
use super::stats;
use mio::Events;
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

/// How many clients speak when lines are outstanding, or more where there are more
/// rooms; and how many of its lines each has under way.
const SENDERS: usize = 16;
const OUTSTANDING: usize = 16;

/// When nothing has come for so long, what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

const EVENTS_MAX: usize = 256;

/// Who says when what.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Pattern {
    /// One client a room says so many lines at once; the next follow when everybody
    /// everywhere has the last. So every receiver waits for equally many lines, and
    /// equally many share a send, however many rooms there are.
    Waves(usize),
    /// 16 clients, or one a room, keep 16 lines each under way. A sender's own line is
    /// its acknowledgement, so that in a large room lines catch up with one another.
    Outstanding,
}

impl Pattern {
    fn senders(self) -> usize {
        match self {
            Pattern::Waves(_) => 1,
            Pattern::Outstanding => SENDERS,
        }
    }
}

/// Which part of a line the server adds.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Prefix {
    /// The server puts `[name] ` before what is said.
    ByServer,
    /// The client says the whole line, so that the same bytes go out.
    ByClient,
}

/// What one stretch of load has given.
pub(crate) struct Outcome {
    pub(crate) delivered: f64,
    pub(crate) seconds: f64,
    /// The part of the time in which the generator had something to do.
    pub(crate) busy: f64,
}

/// The clients of one server, and their book-keeping.
pub(crate) struct Load {
    crowd: Crowd,
    events: Events,
    prefix: Prefix,
    pattern: Pattern,
    rooms: Rooms,
    ledger: Ledger,
    /// Those who speak, and how many lines each has sent.
    senders: BTreeMap<usize, u64>,
    /// How many lines all clients together should have received.
    expected: u64,
}

impl Load {
    pub(crate) fn new(crowd: Crowd, rooms: Rooms, prefix: Prefix, pattern: Pattern) -> Load {
        let senders = rooms.speakers(pattern.senders());
        Load {
            ledger: Ledger::new(rooms, &senders),
            senders: senders.into_iter().map(|id| (id, 0)).collect(),
            events: Events::with_capacity(EVENTS_MAX),
            expected: 0,
            crowd,
            rooms,
            prefix,
            pattern,
        }
    }

    /// Speaks for so long, then waits until everything said has arrived.
    pub(crate) fn run(&mut self, duration: Duration) -> io::Result<Outcome> {
        let start = Instant::now();
        let (lines, idle) = (self.ledger.lines(), self.crowd.idle_seconds());
        let end = start + duration;
        match self.pattern {
            Pattern::Waves(lines) => self.run_waves(lines, end)?,
            Pattern::Outstanding => self.run_outstanding(end)?,
        }
        let seconds = start.elapsed().as_secs_f64();
        let idle = self.crowd.idle_seconds() - idle;
        Ok(Outcome {
            delivered: stats::float(self.ledger.lines() - lines),
            seconds,
            busy: 1.0 - idle / seconds,
        })
    }

    /// How many lines have not arrived where they should, or have arrived too often,
    /// or in a room where nobody said them.
    pub(crate) fn lost(&self) -> u64 {
        let mut sent = vec![0; self.rooms.count()];
        for (sender, lines) in &self.senders {
            sent[self.rooms.of(*sender)] += lines;
        }
        self.ledger.lost(|id| sent[self.rooms.of(id)])
    }

    /// How many lines the sample has found to be other than the next of their sender.
    pub(crate) fn disordered(&self) -> u64 {
        self.ledger.disordered()
    }

    fn run_waves(&mut self, lines: usize, end: Instant) -> io::Result<()> {
        while Instant::now() < end && self.all_have_arrived() {
            self.all_say(lines)?;
            self.wait_for_the_rest()?;
            self.ledger.take_acknowledged();
        }
        Ok(())
    }

    fn run_outstanding(&mut self, end: Instant) -> io::Result<()> {
        // What was acknowledged in an earlier stretch has had its successor.
        self.ledger.take_acknowledged();
        self.all_say(OUTSTANDING)?;
        while Instant::now() < end {
            self.receive()?;
            for (sender, acknowledged) in self.ledger.take_acknowledged() {
                self.say(sender, acknowledged)?;
            }
        }
        self.wait_for_the_rest()
    }

    fn wait_for_the_rest(&mut self) -> io::Result<()> {
        let mut lines = self.ledger.lines();
        let mut last_came = Instant::now();
        while !self.all_have_arrived() && last_came.elapsed() < PATIENCE {
            self.receive()?;
            if self.ledger.lines() > lines {
                lines = self.ledger.lines();
                last_came = Instant::now();
            }
        }
        Ok(())
    }

    fn all_have_arrived(&self) -> bool {
        self.ledger.lines() >= self.expected
    }

    fn receive(&mut self) -> io::Result<()> {
        let ledger = &mut self.ledger;
        self.crowd.receive(&mut self.events, |id, bytes| ledger.enter(id, bytes))
    }

    fn all_say(&mut self, count: usize) -> io::Result<()> {
        let senders: Vec<usize> = self.senders.keys().copied().collect();
        senders.into_iter().try_for_each(|id| self.say(id, count))
    }

    /// Sends a sender's next lines, all in one packet.
    fn say(&mut self, id: usize, count: usize) -> io::Result<()> {
        let Some(sent) = self.senders.get_mut(&id) else { return Ok(()) };
        let mut packet = String::with_capacity(count * LINE_LENGTH);
        for _ in 0..count {
            let line = line(id, *sent);
            packet.push_str(match self.prefix {
                Prefix::ByServer => &line[PREFIX_LENGTH..],
                Prefix::ByClient => &line,
            });
            *sent += 1;
        }
        self.expected += (count * self.rooms.members(self.rooms.of(id))) as u64;
        self.crowd.send(id, packet.as_bytes())
    }
}
