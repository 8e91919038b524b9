//! A node's way to the log and back: entries and reports take their time, in order; the way may
//! break, and the node be paused. What a real link does with threads and sockets, this does on the
//! simulation's clock: it enters, beats, sends what has no answer again, and notices when its node
//! is fenced, has been out of reach for too long, has missed events, or the log is another one.

mod tests;

use std::collections::VecDeque;

use chinwag::cluster::{Entry, Event, NodeId, Outcome, Report};

use super::log::Log;
use crate::sim::rng::Rng;

/// Times of a link, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// How long the log may be out of reach.
    pub(super) patience: u64,
    pub(super) beat: u64,
    /// How long an entry or a report may be under way.
    pub(super) delay: u64,
}

pub(super) struct Link {
    node: NodeId,
    name: String,
    rng: Rng,
    times: Times,
    /// Entries on their way to the log, and when each is there.
    up: VecDeque<(u64, Entry)>,
    /// Reports on their way to the node; and with its own [`Outcome::Entered`] the epoch.
    down: VecDeque<(u64, Report, u64)>,
    phase: Phase,
    /// The era that it reads, and the last event that it has read.
    cursor: (u64, u64),
    /// The epoch of its node by the log, 0 if it has none, and by what the node has taken. Between the two whatever
    /// the node appends is of the older one.
    epoch: u64,
    taken: u64,
    outage: Option<Outage>,
    /// Its node was told that the log is out of reach, and has not entered since.
    is_cut_off: bool,
    /// When it renews its lease.
    beat: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It reads what was said so far, at this time.
    Starting(u64),
    /// It enters, at this time.
    Entering(u64),
    In,
}

/// The log is out of reach, or the node is paused.
struct Outage {
    since: u64,
    /// Entries that were sent before. Of them so many still get through: their answers do not.
    sent: usize,
    through: usize,
    /// They did, and are sent again.
    repeated: Vec<Entry>,
    is_pause: bool,
}

impl Link {
    pub(super) fn new(node: NodeId, name: &str, times: Times, mut rng: Rng, now: u64) -> Link {
        Link {
            node,
            name: name.to_owned(),
            phase: Phase::Starting(delay(&mut rng, times, now)),
            rng,
            times,
            up: VecDeque::new(),
            down: VecDeque::new(),
            cursor: (0, 0),
            epoch: 0,
            taken: 0,
            outage: None,
            is_cut_off: false,
            beat: 0,
        }
    }

    /// The node appends an entry.
    pub(super) fn append(&mut self, entry: Entry, now: u64) {
        if self.epoch != self.taken {
            return;
        }
        let last = self.up.back().map_or(0, |(due, _)| *due);
        let due = delay(&mut self.rng, self.times, now).max(last);
        self.up.push_back((due, entry));
    }

    /// What the node is told next, if it is there by now.
    pub(super) fn take(&mut self, now: u64) -> Option<Report> {
        let is_due = |(due, _, _): &&(u64, Report, u64)| *due <= now;
        self.down.front().filter(is_due)?;
        let (_, report, epoch) = self.down.pop_front()?;
        self.taken = self.taken.max(epoch);
        Some(report)
    }

    /// Whether nothing is under way, and nothing is wrong.
    pub(super) fn is_quiet(&self, log: &Log) -> bool {
        self.up.is_empty()
            && self.down.is_empty()
            && self.phase == Phase::In
            && self.cursor == (log.era().0, log.last())
    }

    /// From now on entries and reports take no time.
    pub(super) fn calm(&mut self) {
        self.times.delay = 0;
    }

    /// When something happens next by itself.
    pub(super) fn next(&self) -> u64 {
        let up = self.up.front().map(|(due, _)| *due);
        let down = self.down.front().map(|(due, _, _)| *due);
        let own = match self.phase {
            Phase::Starting(due) | Phase::Entering(due) => due,
            Phase::In => self.beat,
        };
        let times = match &self.outage {
            None => [up, down, Some(own)],
            Some(outage) => [
                up.filter(|_| outage.through > 0),
                down.filter(|_| !outage.is_pause),
                self.patience_ends(),
            ],
        };
        times.into_iter().flatten().min().unwrap_or(u64::MAX)
    }

    /// When the node is to be told that the log is out of reach.
    fn patience_ends(&self) -> Option<u64> {
        let outage = self.outage.as_ref()?;
        let is_waiting = !outage.is_pause && !self.is_cut_off && self.taken > 0;
        is_waiting.then_some(outage.since + self.times.patience)
    }

    /// Fault: the log is out of reach.
    pub(super) fn cut(&mut self, now: u64) {
        self.break_off(now, false);
    }

    /// Fault: the node does nothing, and does not know it.
    pub(super) fn pause(&mut self, now: u64) {
        self.break_off(now, true);
    }

    /// After [`Link::cut`]: what the node appends gets to the log all the same.
    pub(super) fn let_through(&mut self) {
        if let Some(outage) = &mut self.outage {
            (outage.sent, outage.through) = (1000, 1000);
            outage.repeated.clear();
        }
    }

    fn break_off(&mut self, now: u64, is_pause: bool) {
        let sent = self.up.len();
        let through = self.rng.between(0, sent);
        self.outage = Some(Outage { since: now, sent, through, repeated: Vec::new(), is_pause });
    }

    pub(super) fn is_paused(&self) -> bool {
        self.outage.as_ref().is_some_and(|outage| outage.is_pause)
    }

    pub(super) fn is_out_of_reach(&self) -> bool {
        self.outage.is_some()
    }

    pub(super) fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }

    /// The way is open again, and the node goes on.
    pub(super) fn mend(&mut self, now: u64) {
        let Some(outage) = self.outage.take() else { return };
        let is_late = outage.is_pause && now >= outage.since + self.times.patience;
        if is_late && !self.is_cut_off && self.taken > 0 && self.rng.one_in(3) {
            self.cut_off(now);
        }
        if self.is_cut_off {
            // Some of what had no answer may still be on its way.
            let late = self.rng.between(0, outage.sent);
            self.up.truncate(late);
            return self.enter_anew(now);
        }
        for entry in outage.repeated.into_iter().rev() {
            self.up.push_front((now, entry));
        }
    }

    /// The node leaves for good, once it has said all.
    pub(super) fn leave(mut self, log: &mut Log, now: u64) {
        self.flush(self.up.len(), log, now);
        // Somebody else may have noticed already.
        let _ = log.leave(self.node, self.epoch, now);
    }

    /// Fault: the node is killed. Some of what it has said may get through.
    pub(super) fn kill(mut self, log: &mut Log, now: u64) {
        let through = self.rng.between(0, self.up.len());
        self.flush(through, log, now);
    }

    fn flush(&mut self, count: usize, log: &mut Log, now: u64) {
        for (_, entry) in self.up.drain(..count) {
            if self.cursor.0 == log.era().0
                && log.append(self.node, self.epoch, entry, now).is_err()
            {
                return;
            }
        }
    }

    /// The node is told that the log is out of reach.
    pub(super) fn cut_off(&mut self, now: u64) {
        self.is_cut_off = true;
        self.report(Report::CutOff, 0, now);
    }

    /// Whatever the node's side was to do by now is done.
    pub(super) fn pass(&mut self, log: &mut Log, now: u64) {
        self.send(log, now);
        if self.outage.is_some() {
            if self.patience_ends().is_some_and(|ends| ends <= now) {
                self.cut_off(now);
            }
            return;
        }
        match self.phase {
            Phase::Starting(due) if due <= now => {
                self.cursor = (log.era().0, log.last());
                for event in log.said() {
                    self.report(Report::Past(event.clone()), 0, now);
                }
                self.enter_anew(now);
            }
            Phase::Entering(due) if due <= now => self.enter(log, now),
            Phase::In if self.beat <= now => {
                self.beat = now + self.times.beat;
                if log.beat(self.node, self.epoch, now).is_err() {
                    self.enter_anew(now);
                }
            }
            _ => {}
        }
    }

    fn enter(&mut self, log: &mut Log, now: u64) {
        if self.cursor.0 != log.era().0 {
            // It reads the new one first.
            return;
        }
        self.up.clear();
        self.epoch = log.enter(self.node, &self.name, now);
        self.phase = Phase::In;
        self.is_cut_off = false;
        self.beat = now + self.times.beat;
    }

    /// What is to be at the log by now gets there.
    fn send(&mut self, log: &mut Log, now: u64) {
        let is_lost = self.cursor.0 != log.era().0;
        while self.up.front().is_some_and(|(due, _)| *due <= now) {
            if let Some(outage) = &mut self.outage {
                if outage.through == 0 {
                    return;
                }
                outage.sent -= 1;
                outage.through -= 1;
            }
            let Some((_, entry)) = self.up.pop_front() else { return };
            if is_lost {
                // The log that it was for is no more.
                continue;
            }
            if let Some(outage) = &mut self.outage {
                outage.repeated.push(entry.clone());
            }
            for _ in 0..=u32::from(self.rng.one_in(20)) {
                let sent = log.append(self.node, self.epoch, entry.clone(), now);
                if sent.is_err() && self.phase == Phase::In && self.outage.is_none() {
                    self.enter_anew(now);
                }
            }
        }
    }

    /// What the log has by now is on its way to the node.
    pub(super) fn read(&mut self, log: &Log, now: u64) {
        if matches!(self.phase, Phase::Starting(_)) || self.outage.is_some() {
            return;
        }
        let (era, begin) = log.era();
        if self.cursor.0 != era {
            if self.cursor.0 + 1 == era {
                // Of what was rolled back something may be left that it has not read.
                self.read_to(log, begin, now);
            }
            self.cursor = (era, begin);
            self.up.clear();
            self.epoch = 0;
            self.report(Report::NewEra, 0, now);
            self.enter_anew(now);
        }
        if self.read_to(log, log.last(), now) {
            self.enter_anew(now);
        }
    }

    /// Reads up to this event. Returns whether some are no longer kept.
    fn read_to(&mut self, log: &Log, last: u64, now: u64) -> bool {
        let lost = log.first().min(last + 1).saturating_sub(self.cursor.1 + 1);
        if lost > 0 {
            self.cursor.1 += lost;
            self.report(Report::Lost(lost), 0, now);
        }
        while self.cursor.1 < last
            && let Some((event, epoch)) = log.event(self.cursor.1 + 1)
        {
            self.cursor.1 += 1;
            let is_own = event.node == self.node && event.outcome == Outcome::Entered;
            self.report(Report::Event(Event::clone(event)), if is_own { *epoch } else { 0 }, now);
        }
        lost > 0
    }

    fn enter_anew(&mut self, now: u64) {
        self.phase = Phase::Entering(delay(&mut self.rng, self.times, now));
    }

    fn report(&mut self, report: Report, epoch: u64, now: u64) {
        let last = self.down.back().map_or(0, |(due, _, _)| *due);
        let due = delay(&mut self.rng, self.times, now).max(last);
        self.down.push_back((due, report, epoch));
    }
}

/// When something arrives that is sent now.
fn delay(rng: &mut Rng, times: Times, now: u64) -> u64 {
    let most = usize::try_from(times.delay).expect("delays are short");
    let delay = *rng.pick(&[0, 0, most.min(1), most / 100, most / 10, most]);
    now + u64::try_from(delay).expect("a usize is no longer than 64 bits")
}
