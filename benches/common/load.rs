//! What the clients of the fan-out bench say, and when.

use super::ask::Ask;
use super::crowd::Crowd;
use super::ledger::{Ledger, line, private_line};
use super::rooms::Rooms;
use super::server::Subject;
use super::stats;
use hdrhistogram::Histogram;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

/// How many lines each sender has under way in rounds, and when lines are outstanding.
const OUTSTANDING: usize = 16;

/// When nothing has come for so long, what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who says when what.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Pattern {
    /// One client a room says so many lines at once; the next follow when everybody
    /// everywhere has the last. So every receiver waits for equally many lines, and
    /// equally many share a send, however many rooms there are.
    Waves(usize),
    /// The same of so many clients, 16 lines each. As many lines share a send however long a
    /// client takes to decrypt or unwrap them, so that transports can be compared.
    Rounds(usize),
    /// So many clients, or one a room, keep 16 lines each under way. That a line has come
    /// back is its acknowledgement, so that in a large room lines catch up with one another.
    Outstanding(usize),
    /// One client says so many lines a second, whatever has become of the last.
    Paced(u32),
}

/// What half of the clients do otherwise than the others, so that lines have to be put
/// in two ways.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Halves {
    Alike,
    /// End their lines with CR LF, and are answered so.
    OtherEnding,
    /// Use another dialect, which happens to say the same.
    OtherDialect,
}

/// All that is particular about what is said, and to whom.
#[derive(Clone, Copy)]
pub(crate) struct Talk {
    pub(crate) pattern: Pattern,
    /// Of a line as it is heard, in bytes, its LF included.
    pub(crate) length: usize,
    pub(crate) halves: Halves,
    /// With each two lines to the room goes one to somebody alone.
    pub(crate) with_private: bool,
    /// One in so many never reads.
    pub(crate) deaf_every: Option<usize>,
}

impl Talk {
    pub(crate) fn new(pattern: Pattern) -> Talk {
        let (halves, with_private, deaf_every) = (Halves::Alike, false, None);
        Talk { pattern, length: 64, halves, with_private, deaf_every }
    }

    /// What a client asks for when it connects.
    pub(crate) fn enter(&self, subject: Subject, id: usize) -> Vec<Ask> {
        let mut asks = subject.enter(id);
        if self.is_other(id) {
            match self.halves {
                Halves::Alike => {}
                Halves::OtherEnding => asks.iter_mut().for_each(|ask| ask.line.push('\r')),
                Halves::OtherDialect => asks.push(Ask::new("/dialect recipe", "Dialect: recipe")),
            }
        }
        asks
    }

    fn is_other(&self, id: usize) -> bool {
        self.halves != Halves::Alike && id % 2 == 1
    }

    /// How long a client's lines are.
    fn length_for(&self, id: usize) -> usize {
        self.length + usize::from(self.halves == Halves::OtherEnding && self.is_other(id))
    }

    fn senders(&self, rooms: Rooms) -> Vec<usize> {
        rooms.speakers(match self.pattern {
            Pattern::Waves(_) | Pattern::Paced(_) => 1,
            Pattern::Rounds(senders) | Pattern::Outstanding(senders) => senders,
        })
    }
}

/// What one stretch of load has given.
pub(crate) struct Outcome {
    pub(crate) delivered: f64,
    pub(crate) seconds: f64,
    /// The part of the time in which the generator had something to do.
    pub(crate) busy: f64,
    /// From the moment that a line was planned for until each has it, in microseconds;
    /// of paced lines only.
    pub(crate) latency: Histogram<u64>,
}

/// The clients of one server, and their book-keeping.
pub(crate) struct Load {
    crowd: Crowd,
    subject: Subject,
    talk: Talk,
    rooms: Rooms,
    ledger: Ledger,
    /// Those who speak, and how many lines each has sent to its room.
    senders: BTreeMap<usize, u64>,
    deaf: BTreeSet<usize>,
    /// How many hear what is said, by room.
    hearers: Vec<usize>,
    /// How many lines for it alone each should have received.
    private: Vec<u64>,
    private_sent: u64,
    /// How many lines all clients together should have received.
    expected: u64,
    /// When each paced line was to be said.
    planned: Vec<Instant>,
    latency: Histogram<u64>,
}

impl Load {
    pub(crate) fn new(
        crowd: Crowd,
        rooms: Rooms,
        subject: Subject,
        talk: Talk,
    ) -> io::Result<Load> {
        let senders = talk.senders(rooms);
        let clients = rooms.clients();
        // Where nobody hears himself, a neighbour tells that a line has come.
        let apart = if subject.echoes() { 0 } else { rooms.count() };
        let listeners: BTreeMap<usize, usize> =
            senders.iter().map(|sender| (*sender, (sender + apart) % clients)).collect();
        let is_deaf = |id: &usize| {
            let is_needed = listeners.contains_key(id) || listeners.values().any(|at| at == id);
            talk.deaf_every.is_some_and(|every| id % every == every - 1) && !is_needed
        };
        let deaf: BTreeSet<usize> = (0..clients).filter(is_deaf).collect();
        let hear = |room| {
            let deaf = deaf.iter().filter(|deaf| rooms.of(**deaf) == room).count();
            rooms.members(room) - deaf - usize::from(!subject.echoes())
        };
        let mut load = Load {
            ledger: Ledger::new(rooms, &listeners),
            hearers: (0..rooms.count()).map(hear).collect(),
            deaf,
            senders: senders.into_iter().map(|id| (id, 0)).collect(),
            private: vec![0; clients],
            private_sent: 0,
            expected: 0,
            planned: Vec::new(),
            latency: histogram(),
            crowd,
            subject,
            talk,
            rooms,
        };
        load.deaf.iter().try_for_each(|id| load.crowd.deafen(*id))?;
        Ok(load)
    }

    /// Speaks for so long, then waits until everything said has arrived.
    pub(crate) fn run(&mut self, duration: Duration) -> io::Result<Outcome> {
        let start = Instant::now();
        let (lines, idle) = (self.ledger.lines(), self.crowd.idle_seconds());
        let end = start + duration;
        self.latency = histogram();
        match self.talk.pattern {
            Pattern::Waves(lines) => self.run_waves(lines, end)?,
            Pattern::Rounds(_) => self.run_waves(OUTSTANDING, end)?,
            Pattern::Outstanding(_) => self.run_outstanding(end)?,
            Pattern::Paced(per_second) => self.run_paced(per_second, end)?,
        }
        let seconds = start.elapsed().as_secs_f64();
        let idle = self.crowd.idle_seconds() - idle;
        self.wait_for_the_ends()?;
        Ok(Outcome {
            delivered: stats::float(self.ledger.lines() - lines),
            seconds,
            busy: 1.0 - idle / seconds,
            latency: self.latency.clone(),
        })
    }

    /// Has everybody who speaks say one line. Returns how long it took until all had all.
    pub(crate) fn say_once(&mut self) -> io::Result<Duration> {
        let start = Instant::now();
        self.all_say(1)?;
        self.wait_for_the_rest()?;
        let took = start.elapsed();
        self.wait_for_the_ends()?;
        Ok(took)
    }

    /// Gives the clients back.
    pub(crate) fn into_crowd(self) -> Crowd {
        self.crowd
    }

    /// How many do not read.
    pub(crate) fn deaf(&self) -> usize {
        self.deaf.len()
    }

    /// Has those who did not read do so, and reads until nothing has come for a while.
    pub(crate) fn wake_the_deaf(&mut self, quiet: Duration) -> io::Result<()> {
        self.deaf.iter().try_for_each(|id| self.crowd.wake(*id))?;
        let mut last_came = Instant::now();
        while last_came.elapsed() < quiet {
            self.crowd.receive(|_, _| last_came = Instant::now())?;
        }
        Ok(())
    }

    /// How many lines have not arrived where they should, or have arrived too often,
    /// or in a room where nobody said them. What the deaf miss is theirs.
    pub(crate) fn lost(&self) -> u64 {
        let mut sent = vec![0; self.rooms.count()];
        for (sender, lines) in &self.senders {
            sent[self.rooms.of(*sender)] += lines;
        }
        let lost = |id| {
            let own = self.senders.get(&id).copied().filter(|_| !self.subject.echoes());
            let lines = sent[self.rooms.of(id)] + self.private[id] - own.unwrap_or(0);
            let length = self.subject.is_bare().then(|| self.talk.length_for(id));
            self.ledger.lost(id, lines, length)
        };
        (0..self.rooms.clients()).filter(|id| !self.deaf.contains(id)).map(lost).sum()
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

    fn run_paced(&mut self, per_second: u32, end: Instant) -> io::Result<()> {
        let apart = Duration::from_secs(1) / per_second;
        let mut next = Instant::now();
        while next < end {
            if Instant::now() >= next {
                self.planned.push(next);
                self.all_say(1)?;
                next += apart;
            }
            self.receive()?;
        }
        self.wait_for_the_rest()
    }

    fn wait_for_the_rest(&mut self) -> io::Result<()> {
        self.receive_until(Load::all_have_arrived)
    }

    /// A line counts when it begins. Its end may come later.
    fn wait_for_the_ends(&mut self) -> io::Result<()> {
        self.receive_until(|load| load.lost() == 0)
    }

    fn receive_until(&mut self, is_there: fn(&Load) -> bool) -> io::Result<()> {
        let mut last_came = Instant::now();
        while !is_there(self) && last_came.elapsed() < PATIENCE {
            if self.receive()? {
                last_came = Instant::now();
            }
        }
        Ok(())
    }

    fn all_have_arrived(&self) -> bool {
        self.ledger.lines() >= self.expected
    }

    /// Whether anything has come.
    fn receive(&mut self) -> io::Result<bool> {
        let (ledger, planned, latency) = (&mut self.ledger, &self.planned, &mut self.latency);
        self.crowd.receive(|id, bytes| {
            for line in ledger.enter(id, bytes) {
                // Without a pace nothing is planned.
                let at = usize::try_from(line).ok().and_then(|line| planned.get(line));
                if let Some(at) = at {
                    latency.saturating_record(micros(at.elapsed()));
                }
            }
        })
    }

    fn all_say(&mut self, count: usize) -> io::Result<()> {
        let senders: Vec<usize> = self.senders.keys().copied().collect();
        senders.into_iter().try_for_each(|id| self.say(id, count))
    }

    /// Sends a sender's next lines, all in one packet.
    fn say(&mut self, id: usize, count: usize) -> io::Result<()> {
        let length = self.talk.length;
        let mut packet = String::with_capacity(2 * count * length);
        for _ in 0..count {
            let Some(sent) = self.senders.get_mut(&id) else { return Ok(()) };
            self.subject.say(&line(id, *sent, length), &mut packet);
            *sent += 1;
            if self.talk.with_private && *sent % 2 == 0 {
                self.say_privately(&mut packet);
            }
        }
        self.expected += (count * self.hearers[self.rooms.of(id)]) as u64;
        self.crowd.send(id, packet.as_bytes())
    }

    /// Adds a line for one client, each time for another.
    fn say_privately(&mut self, packet: &mut String) {
        const APART: u64 = 7;
        let clients = self.rooms.clients() as u64;
        let to = usize::try_from(self.private_sent * APART % clients).expect("it is a client");
        packet.push_str(&private_line(to, self.private_sent, self.talk.length));
        self.private_sent += 1;
        self.private[to] += 1;
        self.expected += 1;
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// From a microsecond to a minute, to three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("the bounds are in order")
}
