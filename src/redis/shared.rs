//! What the two threads and the server's thread share: the queue, how far has been read, and for
//! how long Redis has been out of reach.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use log::warn;

use super::connection::Breaker;
use super::script::{self, BATCH_BYTES, BATCH_ENTRIES, Place};
use crate::cluster::{Entry, Report};

/// One of the two threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Writer,
    Reader,
}

/// As the log has it.
impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Side::Writer => "writer",
            Side::Reader => "reader",
        })
    }
}

/// A report on its way to the server's thread.
pub(super) struct Message {
    pub(super) report: Report,
    /// How far the log has been read with it; for a past line, its own place.
    pub(super) place: Place,
    /// If the node itself has entered with it: its epoch. Else 0.
    pub(super) epoch: u64,
}

impl Message {
    pub(super) fn cut_off() -> Message {
        Message { report: Report::CutOff, place: Place::default(), epoch: 0 }
    }
}

#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// There is something to do, or the threads are to end.
    changed: Condvar,
    patience: Duration,
}

/// What there is to do for the writer.
pub(super) struct Work {
    pub(super) phase: Phase,
    pub(super) must_enter: bool,
    pub(super) is_beat: bool,
    pub(super) place: Place,
}

/// What the threads have counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) batches: u64,
    pub(super) entries: u64,
    pub(super) events: u64,
    pub(super) lost: u64,
    pub(super) cut_offs: u64,
    pub(super) round_trip: Option<Duration>,
}

/// Whether the link runs, or how far it has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    #[default]
    Running,
    /// What is queued is sent, then the node leaves; it has until then.
    Leaving(Instant),
    Left,
    /// Both threads end at once.
    Stopping,
}

#[derive(Default)]
pub(super) struct State {
    /// Entries, each with the epoch that it belongs to.
    pub(super) queue: VecDeque<(u64, Entry)>,
    /// How far the reader has read.
    pub(super) place: Place,
    /// The newest epoch that the node has entered with, and the era that it was in.
    pub(super) epoch: u64,
    pub(super) era: u64,
    /// The node has to enter, whatever Redis says.
    pub(super) must_enter: bool,
    /// The server's thread has been told that Redis is out of reach, and the node has not entered
    /// since, as far as the reader has read.
    pub(super) is_cut_off: bool,
    pub(super) counts: Counts,
    pub(super) beats_now: bool,
    pub(super) phase: Phase,
    /// Since when a thread's calls have failed.
    pub(super) failing: [Option<Instant>; 2],
    pub(super) breakers: [Option<Breaker>; 2],
}

impl Shared {
    pub(super) fn new(state: State, patience: Duration) -> Shared {
        Shared { state: Mutex::new(state), changed: Condvar::new(), patience }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn append(&self, epoch: u64, entry: Entry) {
        let mut state = self.lock();
        state.queue.push_back((epoch, entry));
        let is_first = state.queue.len() == 1;
        drop(state);
        if is_first {
            self.changed.notify_all();
        }
    }

    /// Waits until there is something to write, a beat is due, or all ends.
    pub(super) fn wait_for_work(&self, has_batch: bool, beat: Instant) -> Work {
        let mut state = self.lock();
        loop {
            let left = beat.saturating_duration_since(Instant::now());
            let is_beat = left.is_zero() || std::mem::take(&mut state.beats_now);
            let must_enter = state.must_enter || state.place.era > state.era;
            let is_any = has_batch || is_beat || must_enter || !state.queue.is_empty();
            if is_any || state.phase != Phase::Running {
                return Work {
                    phase: state.phase,
                    must_enter,
                    is_beat,
                    place: state.place.clone(),
                };
            }
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes as many entries as fit into one call. Those of an epoch that is over come to nothing.
    pub(super) fn take_batch(&self, batch: &mut Vec<Entry>) {
        let mut state = self.lock();
        let mut bytes = 0;
        while let Some((epoch, entry)) = state.queue.front() {
            if *epoch == state.epoch {
                bytes += script::size(entry);
                if batch.len() == BATCH_ENTRIES || (bytes > BATCH_BYTES && !batch.is_empty()) {
                    return;
                }
            }
            let (epoch, entry) = state.queue.pop_front().expect("there is a first");
            if epoch == state.epoch {
                batch.push(entry);
            }
        }
    }

    /// A thread's call has succeeded.
    pub(super) fn succeeded(&self, side: Side) {
        if self.lock().failing[side as usize].take().is_some() {
            // At the level of the `redis_failed` that it ends.
            warn!(side:%; "redis_back");
        }
    }

    /// A thread's call that began then has failed.
    pub(super) fn failed(&self, side: Side, since: Instant) -> Failed {
        let mut state = self.lock();
        let is_first = state.failing[side as usize].is_none();
        // A first call ends within half of the patience. If it took longer, this process was
        // stopped meanwhile, and Redis is not to blame for that.
        let since = Instant::now().checked_sub(self.patience / 2).map_or(since, |it| it.max(since));
        let since = *state.failing[side as usize].get_or_insert(since);
        let is_over = !state.is_cut_off && since.elapsed() >= self.patience;
        if is_over {
            (state.is_cut_off, state.must_enter) = (true, true);
            state.counts.cut_offs += 1;
            state.queue.clear();
        }
        // An idle writer does not notice by itself.
        if is_over || (is_first && side == Side::Reader) {
            state.beats_now = true;
            self.changed.notify_all();
        }
        Failed { is_first, is_cut_off: is_over }
    }

    /// The deadline of a call that begins now.
    pub(super) fn deadline(&self, side: Side) -> Instant {
        let (now, state) = (Instant::now(), self.lock());
        // Half of the patience: then there is time to try it again by another connection.
        let by = now + self.patience / 2;
        let by = match state.failing[side as usize] {
            Some(since) if !state.is_cut_off => {
                by.min(since + self.patience).max(now + Duration::from_millis(20))
            }
            _ => by,
        };
        if let Phase::Leaving(until) = state.phase { by.min(until) } else { by }
    }

    /// Waits before a call is tried again: not in step with other nodes, and longer once the node
    /// is cut off. False if all ends.
    pub(super) fn pause(&self) -> bool {
        let state = self.lock();
        let (least, most) = if state.is_cut_off { (100, 500) } else { (50, 150) };
        // Without random bytes it is the middle.
        let chance = getrandom::u32().unwrap_or(1 << 31);
        let millis = least + ((u64::from(chance) * (most - least)) >> 32);
        let until = Instant::now() + Duration::from_millis(millis);
        let mut state = state;
        while state.phase != Phase::Stopping {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    /// A thread has a new connection. Broken at once if all ends.
    pub(super) fn connected(&self, side: Side, breaker: Breaker) {
        let mut state = self.lock();
        if state.phase == Phase::Stopping {
            breaker.shut();
        }
        state.breakers[side as usize] = Some(breaker);
    }

    /// The node has to enter in this era, unless it has.
    pub(super) fn enter_in(&self, era: u64) {
        let mut state = self.lock();
        state.must_enter |= state.era < era;
        drop(state);
        self.changed.notify_all();
    }

    /// The writer has something to do.
    pub(super) fn notify(&self) {
        self.changed.notify_all();
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.lock().phase == Phase::Stopping
    }

    /// Ends both threads, whatever they wait for.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.phase = Phase::Stopping;
        state.breakers.iter().flatten().for_each(Breaker::shut);
        self.changed.notify_all();
    }

    /// Has the writer write what is queued, and leave; waits for that until then. True if it has.
    pub(super) fn leave(&self, by: Instant) -> bool {
        let mut state = self.lock();
        state.phase = Phase::Leaving(by);
        self.changed.notify_all();
        while state.phase != Phase::Left {
            let left = by.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    pub(super) fn left(&self) {
        self.lock().phase = Phase::Left;
        self.changed.notify_all();
    }

    /// For how long the calls of either thread have failed.
    pub(super) fn failing_for(&self) -> Option<Duration> {
        self.lock().failing.iter().flatten().min().map(Instant::elapsed)
    }
}

/// What follows from a call that has failed.
pub(super) struct Failed {
    /// The call before succeeded.
    pub(super) is_first: bool,
    /// The patience is over, and nobody has been told yet.
    pub(super) is_cut_off: bool,
}
