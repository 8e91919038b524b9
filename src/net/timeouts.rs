//! Time as an argument, and deadlines: of one length in a FIFO ([`Timeouts`]), of any in
//! a heap ([`Timers`]). Knows no clock.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant, SystemTime};

use crate::pack::{Damaged, Pack, Packer, Unpacker};
use crate::work;

/// The time of a turn, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For deadlines.
    pub monotonic: Instant,
    /// For people.
    pub wall: SystemTime,
}

/// Deadlines that are all the same time away. Cancelling one does nothing here: an obsolete
/// deadline is dropped when it has come to the front, or when there are many of them
/// ([`Timeouts::prune`]). So the loop does not wake for it, and they do not pile up.
#[derive(Debug)]
pub(crate) struct Timeouts<K> {
    after: Duration,
    /// When the first was started. The others count from there, in half the room of an `Instant`.
    epoch: Option<Instant>,
    queue: VecDeque<(Nanoseconds, K)>,
    /// With so many, it is worth looking for obsolete ones behind the front.
    crowded: usize,
}

type Nanoseconds = u64;

/// Fewer than this are never worth a search.
const FEW: usize = 64;

impl<K: Copy> Timeouts<K> {
    pub(crate) fn new(after: Duration) -> Timeouts<K> {
        Timeouts { after, epoch: None, queue: VecDeque::new(), crowded: FEW }
    }

    /// Starts a timeout.
    pub(crate) fn start(&mut self, key: K, now: Instant) {
        let epoch = *self.epoch.get_or_insert(now);
        self.queue.push_back((nanoseconds(now + self.after, epoch), key));
    }

    /// Takes the first, without waiting until it is due.
    pub(crate) fn pop(&mut self) -> Option<K> {
        self.queue.pop_front().map(|(_, key)| key)
    }

    /// Takes the first of those that are wanted, without waiting until it is due.
    pub(crate) fn take_first(&mut self, is_wanted: impl Fn(K) -> bool) -> Option<K> {
        let mut keys = self.queue.iter().inspect(|_| work::walk(1));
        let at = keys.position(|(_, key)| is_wanted(*key))?;
        self.queue.remove(at).map(|(_, key)| key)
    }

    /// Drops obsolete ones at the front; and all others each time that there are twice as many as
    /// were left the last time.
    pub(crate) fn prune(&mut self, is_done: impl Fn(K) -> bool) {
        while self.queue.pop_front_if(|(_, key)| is_done(*key)).is_some() {}
        if self.queue.len() >= self.crowded {
            work::walk(self.queue.len());
            self.queue.retain(|(_, key)| !is_done(*key));
            self.crowded = FEW.max(2 * self.queue.len());
        }
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
    }

    /// When the first is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.all().next().map(|(at, _)| at)
    }

    /// Takes a timeout that is due.
    pub(crate) fn expired(&mut self, now: Instant) -> Option<K> {
        self.next().filter(|at| *at <= now)?;
        work::walk(1);
        self.pop()
    }

    /// Each with when it is due.
    fn all(&self) -> impl Iterator<Item = (Instant, K)> {
        let queue = self.epoch.map(|epoch| self.queue.iter().map(move |it| (epoch, it)));
        let all = queue.into_iter().flatten();
        all.map(|(epoch, (at, key))| (epoch + Duration::from_nanos(*at), *key))
    }
}

/// How long after the epoch that is; none if it is before.
fn nanoseconds(at: Instant, epoch: Instant) -> Nanoseconds {
    let since = at.saturating_duration_since(epoch).as_nanos();
    Nanoseconds::try_from(since).unwrap_or(Nanoseconds::MAX)
}

/// Timers of any length, the nearest first. Whether a timer still matters is checked when it fires;
/// it may have to be set anew then.
#[derive(Debug)]
pub(crate) struct Timers<K: Ord> {
    heap: BinaryHeap<Reverse<(Instant, K)>>,
    /// With so many, it is worth looking for obsolete ones among them.
    crowded: usize,
}

impl<K: Copy + Ord> Timers<K> {
    pub(crate) fn new() -> Timers<K> {
        Timers { heap: BinaryHeap::new(), crowded: FEW }
    }

    pub(crate) fn set(&mut self, key: K, at: Instant) {
        self.heap.push(Reverse((at, key)));
    }

    /// Drops obsolete ones, each time that there are twice as many as were left the last time.
    pub(crate) fn prune(&mut self, is_done: impl Fn(K) -> bool) {
        if self.heap.len() >= self.crowded {
            self.trim(is_done);
        }
    }

    /// Drops obsolete ones, and gives back what all have needed that are gone.
    pub(crate) fn trim(&mut self, is_done: impl Fn(K) -> bool) {
        work::walk(self.heap.len());
        self.heap.retain(|Reverse((_, key))| !is_done(*key));
        self.crowded = FEW.max(2 * self.heap.len());
        self.heap.shrink_to(self.crowded);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    pub(crate) fn expired(&mut self, now: Instant) -> Option<K> {
        self.next().filter(|at| *at <= now)?;
        work::walk(1);
        self.heap.pop().map(|Reverse((_, key))| key)
    }
}

/// What an upgrade hands over.
impl<K: Copy + Pack> Timeouts<K> {
    pub(crate) fn pack(&self, to: &mut Packer) {
        let Timeouts { after: _, epoch: _, queue: _, crowded: _ } = self;
        to.put(&self.all().collect::<Vec<_>>());
    }

    /// None may be further away than one that starts now. So all stay in order, even if the
    /// configured length has changed.
    pub(crate) fn restore(&mut self, from: &mut Unpacker<'_>) -> Result<(), Damaged> {
        let (all, now) = (Vec::<(Instant, K)>::unpack(from)?, from.now().monotonic);
        let due = |at: Instant| nanoseconds(at.min(now + self.after), now);
        self.queue = all.into_iter().map(|(at, key)| (due(at), key)).collect();
        self.epoch = Some(now);
        Ok(())
    }
}

impl<K: Copy + Ord + Pack> Pack for Timers<K> {
    fn pack(&self, to: &mut Packer) {
        let Timers { heap, crowded: _ } = self;
        to.put(&heap.len());
        for Reverse(timer) in heap {
            to.put(timer);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Timers<K>, Damaged> {
        let all = Vec::unpack(from)?;
        let crowded = FEW.max(2 * all.len());
        Ok(Timers { heap: all.into_iter().map(Reverse).collect(), crowded })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_up_in_the_order_in_which_they_started() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut timeouts = Timeouts::new(5 * second);
        timeouts.start(1, start);
        timeouts.start(2, start + second);
        assert_eq!(timeouts.next(), Some(start + 5 * second));
        assert_eq!(timeouts.expired(start + 4 * second), None);
        assert_eq!(timeouts.expired(start + 5 * second), Some(1));
        assert_eq!(timeouts.expired(start + 5 * second), None);
        assert_eq!(timeouts.expired(start + 9 * second), Some(2));
        assert_eq!(timeouts.next(), None);
    }

    #[test]
    fn nobody_is_woken_for_who_is_done() {
        let start = Instant::now();
        let mut timeouts = Timeouts::new(Duration::from_secs(5));
        for key in 1..=4 {
            timeouts.start(key, start + Duration::from_secs(key));
        }
        timeouts.prune(|key| key == 1 || key == 3);
        assert_eq!(timeouts.next(), Some(start + Duration::from_secs(7)));
        timeouts.prune(|key| key <= 3);
        assert_eq!(timeouts.next(), Some(start + Duration::from_secs(9)));
    }

    #[test]
    fn another_process_goes_on_and_has_nobody_wait_for_longer_than_it_would() {
        let now = Now { monotonic: Instant::now(), wall: SystemTime::now() };
        let second = Duration::from_secs(1);
        let mut timeouts = Timeouts::new(5 * second);
        for (key, at) in [(1u64, 0), (2, 5), (3, 9)] {
            timeouts.start(key, now.monotonic + at * second);
        }
        let then = Now { monotonic: now.monotonic + 9 * second, ..now };
        let mut to = Packer::new(then);
        timeouts.pack(&mut to);
        let mut restored = Timeouts::<u64>::new(3 * second);
        let bytes = to.finish();
        restored.restore(&mut Unpacker::new(&bytes, then).unwrap()).unwrap();
        // The first was due long ago, and the last has three seconds only.
        let mut at = |seconds: u32| restored.expired(then.monotonic + seconds * second);
        assert_eq!([at(0), at(0), at(1), at(2), at(3)], [Some(1), None, Some(2), None, Some(3)]);
    }

    #[test]
    fn the_nearest_timer_goes_first() {
        let start = Instant::now();
        let mut timers = Timers::new();
        for (key, seconds) in [("late", 3), ("early", 1), ("between", 2)] {
            timers.set(key, start + Duration::from_secs(seconds));
        }
        assert_eq!(timers.next(), Some(start + Duration::from_secs(1)));
        assert_eq!(timers.expired(start), None);
        assert_eq!(timers.expired(start + Duration::from_secs(2)), Some("early"));
        assert_eq!(timers.expired(start + Duration::from_secs(2)), Some("between"));
        assert_eq!(timers.expired(start + Duration::from_secs(2)), None);
    }

    #[test]
    fn what_the_done_have_needed_is_given_back() {
        let start = Instant::now();
        let mut timers = Timers::new();
        (0..1000).for_each(|key| timers.set(key, start));
        timers.trim(|key| key > 0);
        assert_eq!((timers.expired(start), timers.expired(start)), (Some(0), None));
        assert!(timers.heap.capacity() <= FEW);
    }

    #[test]
    fn the_done_do_not_pile_up_behind_one_who_waits() {
        let mut timeouts = Timeouts::new(Duration::from_secs(5));
        for key in 0..100_000 {
            timeouts.start(key, Instant::now());
            timeouts.prune(|key| key > 0);
            assert!(timeouts.queue.len() <= FEW);
        }
        assert_eq!(timeouts.pop(), Some(0));
    }
}
