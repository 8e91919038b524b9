//! The thread that writes: it enters, appends entries, and renews the lease. What is appended while
//! a call is under way is the next batch. A batch whose answer is missing is sent again. Appending
//! is idempotent: the log knows by their numbers which entries it has.

use std::sync::Arc;
use std::time::Instant;

use log::{info, warn};

use super::connection::Failure;
use super::dialer::Dialer;
use super::options::Options;
use super::script::{self, Answer, Caller, Log, Place};
use super::shared::{Message, Phase, Shared, Side, Work};
use crate::cluster::{Entry, NodeId};
use crate::net::mailbox::Post;

/// Entries after which the log is trimmed; a beat trims it as well.
const TRIM_AFTER: usize = 2000;

pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) post: Post<Vec<Message>>,
    pub(super) dialer: Dialer,
    pub(super) options: Options,
    pub(super) node: NodeId,
    pub(super) log: Option<Log>,
    /// What is under way, or is to be sent again.
    pub(super) batch: Vec<Entry>,
    pub(super) beat: Instant,
    /// Whether the log has been compared with what is known of it, since it was connected to.
    pub(super) is_checked: bool,
    /// The newest id that Redis has answered with.
    pub(super) newest: u64,
    pub(super) untrimmed: usize,
}

/// How a turn has ended.
enum Turn {
    Done,
    /// Redis has to be asked again at once.
    Again,
    Left,
}

impl Writer {
    pub(super) fn run(mut self) {
        loop {
            let work = self.shared.wait_for_work(!self.batch.is_empty(), self.beat);
            if work.phase == Phase::Stopping {
                return self.put_back();
            }
            let started = Instant::now();
            match self.turn(&work) {
                Ok(Turn::Done) => self.shared.succeeded(Side::Writer),
                Ok(Turn::Again) => {}
                Ok(Turn::Left) => return self.shared.left(),
                Err(failure) => {
                    if !self.failed(&failure, started) {
                        return self.put_back();
                    }
                }
            }
        }
    }

    fn turn(&mut self, work: &Work) -> Result<Turn, Failure> {
        let by = self.shared.deadline(Side::Writer);
        self.connect(by)?;
        if work.must_enter {
            self.enter(&work.place, by)?;
        }
        if self.batch.is_empty() {
            self.shared.take_batch(&mut self.batch);
        }
        let count = self.batch.len();
        let started = Instant::now();
        let said = self.options.said_max;
        let answer = self
            .call(work, |log, caller, batch| log.append(caller, work.is_beat, said, batch, by))?;
        match answer {
            Answer::Done(numbers) => {
                self.batch.clear();
                self.is_checked = true;
                let [newest, era, id] = numbers[..] else { return Err(script::strange()) };
                self.newest = newest;
                self.count(count, started);
                let said = Place { era, id, header: String::new() };
                self.trim(count, work.is_beat, &said, by)?;
                self.beat = if work.is_beat { started + self.options.lease / 4 } else { self.beat };
                self.leave(work, by)
            }
            answer => Ok(self.must_enter(&answer)),
        }
    }

    /// Everybody else is told that this node is gone, once nothing is queued any more.
    fn leave(&mut self, work: &Work, by: Instant) -> Result<Turn, Failure> {
        if work.phase == Phase::Running || !self.shared.lock().queue.is_empty() {
            return Ok(Turn::Done);
        }
        self.call(work, |log, caller, _| log.leave(caller, by))?;
        Ok(Turn::Left)
    }

    fn connect(&mut self, by: Instant) -> Result<(), Failure> {
        if self.log.is_none() {
            let watch = |breaker| self.shared.connected(Side::Writer, breaker);
            let log = Log::open(&mut self.dialer, &self.options.cluster, by, watch)?;
            (self.log, self.is_checked) = (Some(log), false);
        }
        Ok(())
    }

    fn enter(&mut self, place: &Place, by: Instant) -> Result<(), Failure> {
        // If it is asked for from here on, it has to enter once more.
        self.shared.lock().must_enter = false;
        let entered = self.try_enter(place, by);
        if entered.is_err() {
            self.shared.lock().must_enter = true;
        }
        entered
    }

    fn try_enter(&mut self, place: &Place, by: Instant) -> Result<(), Failure> {
        let (epoch, era) = {
            let state = self.shared.lock();
            (state.epoch, state.era)
        };
        let known = Place { era: era.max(place.era), ..Place::default() };
        let place = if place.era == known.era { place } else { &known };
        let newest = if era == known.era { self.newest } else { 0 };
        let lease = self.options.lease;
        let caller = Caller { node: self.node, epoch, lease, place, newest };
        let log = self.log.as_mut().expect("it is connected");
        let Answer::Done(numbers) = log.enter(&caller, &self.options.node, by)? else {
            return Err(Failure::Refused("it does not let the node enter".to_owned()));
        };
        let [era, before, epoch] = numbers[..] else {
            return Err(script::strange());
        };
        // What was appended before belongs to an epoch that is over.
        self.batch.clear();
        self.newest = before.saturating_add(1);
        self.beat = Instant::now();
        let mut state = self.shared.lock();
        (state.era, state.epoch) = (era, epoch);
        info!(era, epoch; "cluster_entered");
        Ok(())
    }

    fn call<T>(
        &mut self,
        work: &Work,
        call: impl FnOnce(&mut Log, &Caller<'_>, &[Entry]) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let (epoch, era) = {
            let state = self.shared.lock();
            (state.epoch, state.era)
        };
        // The reader may still be in an earlier era.
        let known = Place { era, ..Place::default() };
        // While a connection lasts, the Redis behind it loses nothing without saying so.
        let compares = work.place.era == era && !self.is_checked;
        let place = if compares { &work.place } else { &known };
        let (node, lease, newest) = (self.node, self.options.lease, self.newest);
        let caller = Caller { node, epoch, lease, place, newest };
        call(self.log.as_mut().expect("it is connected"), &caller, &self.batch)
    }

    fn must_enter(&mut self, answer: &Answer) -> Turn {
        let reason = if *answer == Answer::Fenced { "fenced" } else { "new_era" };
        warn!(reason; "cluster_left");
        self.shared.lock().must_enter = true;
        Turn::Again
    }

    fn trim(
        &mut self,
        count: usize,
        is_beat: bool,
        said: &Place,
        by: Instant,
    ) -> Result<(), Failure> {
        self.untrimmed += count;
        if self.untrimmed >= if is_beat { 1 } else { TRIM_AFTER } {
            self.untrimmed = 0;
            let era = self.shared.lock().era;
            // Events of an earlier era stay until this one has enough of its own.
            let id = self.newest.saturating_sub(self.options.log_max as u64);
            let place = Place { era, id, header: String::new() };
            let log = self.log.as_mut().expect("it is connected");
            log.trim(&place, said, by)?;
        }
        Ok(())
    }

    fn count(&self, entries: usize, started: Instant) {
        let mut state = self.shared.lock();
        state.counts.batches += 1;
        state.counts.entries += entries as u64;
        state.counts.round_trip = Some(started.elapsed());
    }

    /// Notes that a call has failed, and waits a little. False if all ends.
    fn failed(&mut self, failure: &Failure, started: Instant) -> bool {
        if !failure.is_passing() {
            self.log = None;
        }
        failed(&self.shared, &self.post, Side::Writer, failure, started) && self.shared.pause()
    }

    /// Gives back entries that may not be in the log, for whoever goes on.
    fn put_back(self) {
        let mut state = self.shared.lock();
        let epoch = state.epoch;
        for entry in self.batch.into_iter().rev() {
            state.queue.push_front((epoch, entry));
        }
    }
}

/// Notes that a call has failed; tells the server's thread once the patience is over. False if it
/// is gone.
pub(super) fn failed(
    shared: &Shared,
    post: &Post<Vec<Message>>,
    side: Side,
    failure: &Failure,
    since: Instant,
) -> bool {
    if shared.is_stopping() {
        return false;
    }
    let failed = shared.failed(side, since);
    if failed.is_first {
        warn!(side:%, reason:% = failure; "redis_failed");
    }
    if !failed.is_cut_off {
        return true;
    }
    warn!(reason:% = failure; "cluster_cut_off");
    post.deliver(vec![Message::cut_off()])
}
