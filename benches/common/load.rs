//! What the clients of the fan-out bench say, and when.

use super::crowd::Crowd;
use super::ledger::{LINE_LENGTH, Ledger, PREFIX_LENGTH, line};
use super::stats;
use mio::Events;
use std::io;
use std::time::{Duration, Instant};

/// How many clients speak in the second pattern, and how many of its lines each
/// has under way.
const SENDERS: usize = 16;
const OUTSTANDING: usize = 16;

/// When nothing has come for so long, what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

const EVENTS_MAX: usize = 256;

/// Who says when what.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Pattern {
    /// One client speaks; the next line follows when everybody has the last.
    OneAtATime,
    /// 16 clients keep 16 lines each under way. A sender's own line is its
    /// acknowledgement.
    Outstanding,
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
    ledger: Ledger,
    /// Those who speak. They are spread over the room: side by side they would all
    /// be served at once, and whether a server happens to come round to that place
    /// earlier would decide how many lines share a send.
    senders: Vec<Sender>,
}

struct Sender {
    id: usize,
    /// How many lines it has sent.
    sent: u64,
}

impl Load {
    pub(crate) fn new(crowd: Crowd, prefix: Prefix) -> Load {
        let apart = crowd.len() / SENDERS;
        let ids: Vec<usize> = (0..SENDERS).map(|sender| sender * apart).collect();
        Load {
            ledger: Ledger::new(crowd.len(), &ids),
            senders: ids.into_iter().map(|id| Sender { id, sent: 0 }).collect(),
            events: Events::with_capacity(EVENTS_MAX),
            crowd,
            prefix,
        }
    }

    /// Speaks for so long, then waits until everything said has arrived.
    pub(crate) fn run(&mut self, pattern: Pattern, duration: Duration) -> io::Result<Outcome> {
        let start = Instant::now();
        let (lines, idle) = (self.ledger.lines(), self.crowd.idle_seconds());
        let end = start + duration;
        match pattern {
            Pattern::OneAtATime => self.run_one_at_a_time(end)?,
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

    /// How many lines have not arrived where they should, or have arrived too often.
    pub(crate) fn lost(&self) -> u64 {
        self.ledger.lost(self.sent())
    }

    /// How many lines the sample has found to be other than the next of their sender.
    pub(crate) fn disordered(&self) -> u64 {
        self.ledger.disordered()
    }

    fn run_one_at_a_time(&mut self, end: Instant) -> io::Result<()> {
        while Instant::now() < end && self.all_have_arrived() {
            self.say(0, 1)?;
            self.wait_for_the_rest()?;
        }
        Ok(())
    }

    fn run_outstanding(&mut self, end: Instant) -> io::Result<()> {
        // What was acknowledged in an earlier stretch has had its successor.
        for index in 0..SENDERS {
            self.ledger.take_acknowledged(self.senders[index].id);
            self.say(index, OUTSTANDING)?;
        }
        while Instant::now() < end {
            self.receive()?;
            for index in 0..SENDERS {
                let acknowledged = self.ledger.take_acknowledged(self.senders[index].id);
                if acknowledged > 0 {
                    self.say(index, acknowledged)?;
                }
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

    fn sent(&self) -> u64 {
        self.senders.iter().map(|sender| sender.sent).sum()
    }

    fn all_have_arrived(&self) -> bool {
        self.ledger.lines() >= self.sent() * self.crowd.len() as u64
    }

    fn receive(&mut self) -> io::Result<()> {
        let ledger = &mut self.ledger;
        self.crowd.receive(&mut self.events, |id, bytes| ledger.enter(id, bytes))
    }

    /// Sends a sender's next lines, all in one packet.
    fn say(&mut self, index: usize, count: usize) -> io::Result<()> {
        let sender = &mut self.senders[index];
        let mut packet = String::with_capacity(count * LINE_LENGTH);
        for _ in 0..count {
            let line = line(sender.id, sender.sent);
            packet.push_str(match self.prefix {
                Prefix::ByServer => &line[PREFIX_LENGTH..],
                Prefix::ByClient => &line,
            });
            sender.sent += 1;
        }
        self.crowd.send(sender.id, packet.as_bytes())
    }
}
