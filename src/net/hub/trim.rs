//! Decides when to trim memory, that is, to give freed memory back to the system: after a spike,
//! and after much activity. An allocator keeps what is freed, so a spike would be paid for until
//! the process ends. And tables that grow, and texts that are rendered, leave holes behind: with
//! 15 000 clients half as much again as all that is in use.

use std::time::{Duration, Instant};

use super::Hub;
use super::timers::Timer;
use crate::net::conn::State;
use crate::net::service::Service;
use crate::net::transport::Transport;

/// A spike is over when this many bytes less are held than at its peak, and an eighth of the
/// peak less: trimming takes the longer, the more memory there is.
const SHRUNK: usize = 512 << 10;

/// So many new connections and reads are much activity.
const BUSY: u32 = 1000;

/// Memory is trimmed this long after it is found worth it, since activity comes in bursts, and
/// not more often: it takes up to some milliseconds.
const DELAY: Duration = Duration::from_secs(1);

/// The peak since the last trim, the activity, and when the next trim is due.
#[derive(Default)]
pub(super) struct MemoryTrim {
    /// The most bytes that were held since the last trim.
    high: usize,
    /// Connections and reads since a trim was last planned. Those before that trim count for the
    /// next one: their memory may still be held when it comes.
    activity: u32,
    due: Option<Instant>,
}

impl MemoryTrim {
    /// A connection has been opened or read from.
    pub(super) fn note_activity(&mut self) {
        self.activity = self.activity.saturating_add(1);
    }

    /// So many bytes are held now. Returns whether memory is to be trimmed now.
    pub(super) fn note(&mut self, held: usize, now: Instant) -> bool {
        self.high = self.high.max(held);
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            (self.high, self.due) = (held, None);
        }
        let has_shrunk = self.high - held >= SHRUNK.max(self.high / 8);
        if self.due.is_none() && (has_shrunk || self.activity >= BUSY) {
            (self.activity, self.due) = (0, Some(now + DELAY));
        }
        is_due
    }

    /// When the next trim is due, if one is.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due
    }
}

impl<T: Transport, S: Service> Hub<T, S> {
    /// Gives back what a crowd has left behind, and then has the service do so.
    pub(super) fn trim_memory(&mut self) {
        self.outbox.drop_spare();
        self.inputs.shrink_to_fit();
        self.prefaces.shrink_to_fit();
        self.slow_consumers.shrink_to_fit();
        self.last_activity.shrink_to_fit();
        self.behind_proxy.shrink_to_fit();
        let Hub { outbox, prefaces, .. } = self;
        self.timers.trim(|(id, timer)| match timer {
            Timer::Preface => !prefaces.contains_key(&id),
            _ => outbox.state(id) == State::Vacant,
        });
        self.service.on_trim_memory();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_once_after_a_spike() {
        let (start, mut trim) = (Instant::now(), MemoryTrim::default());
        for held in [0, 2 * SHRUNK, SHRUNK + 1] {
            assert!(!trim.note(held, start));
            assert_eq!(trim.next(), None, "{held} held is no trim");
        }
        assert!(!trim.note(SHRUNK, start));
        assert_eq!(trim.next(), Some(start + DELAY));
        assert!(!trim.note(0, start + DELAY / 2));
        assert!(trim.note(0, start + DELAY));
        assert_eq!(trim.next(), None);
        assert!(!trim.note(0, start + 2 * DELAY));
    }

    #[test]
    fn it_is_not_given_back_all_the_time() {
        let (start, mut trim) = (Instant::now(), MemoryTrim::default());
        let mut times = 0;
        for millis in 0..10_000 {
            let held = if millis % 2 == 0 { 2 * SHRUNK } else { 0 };
            times += usize::from(trim.note(held, start + Duration::from_millis(millis)));
        }
        assert_eq!(times, 9);
    }

    #[test]
    fn of_very_much_a_little_is_not_worth_it() {
        let (start, mut trim) = (Instant::now(), MemoryTrim::default());
        for held in [80 * SHRUNK, 71 * SHRUNK] {
            assert!(!trim.note(held, start));
            assert_eq!(trim.next(), None);
        }
        assert!(!trim.note(70 * SHRUNK, start));
        assert!(trim.next().is_some());
    }

    #[test]
    fn memory_is_given_back_after_much_has_been_done() {
        let (start, mut trim) = (Instant::now(), MemoryTrim::default());
        for _ in 1..BUSY {
            trim.note_activity();
            assert!(!trim.note(0, start));
        }
        assert_eq!(trim.next(), None);
        trim.note_activity();
        assert!(!trim.note(0, start));
        assert_eq!(trim.next(), Some(start + DELAY));
        for _ in 0..BUSY {
            trim.note_activity();
            assert!(!trim.note(0, start));
        }
        assert!(trim.note(0, start + DELAY));
        assert_eq!(trim.next(), Some(start + 2 * DELAY), "for what was done meanwhile");
        assert!(trim.note(0, start + 2 * DELAY));
        assert_eq!(trim.next(), None, "what has been done is done with");
    }
}
