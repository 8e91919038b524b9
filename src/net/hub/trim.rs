//! Notices when memory should be given back: when much that was held has been let go of,
//! and when much has been done. An allocator keeps what is freed, and a spike would be paid
//! for until the end; and every table that has grown leaves a hole behind, as does what
//! was put into words meanwhile: with 15 000 clients, half as much again as all that is in use.

use std::time::{Duration, Instant};

/// So many bytes less than at high water are much, if they are also an eighth of it: to
/// give back takes the longer, the more there is.
const MUCH: usize = 512 << 10;

/// So many connections and reads are much to have been done.
const BUSY: u32 = 1000;

/// Whoever begins is not done yet; and to give back takes up to some milliseconds, so it is
/// not done more often than this.
const PATIENCE: Duration = Duration::from_secs(1);

/// The high water, and what is to be done about what has gone since.
#[derive(Default)]
pub(super) struct MemoryTrim {
    /// The most that was held since memory was last given back.
    high: usize,
    /// What has been done since it was last seen that much had been. What is done until
    /// memory is given back counts for the next time: its traces may still be held then.
    activity: u32,
    due: Option<Instant>,
}

impl MemoryTrim {
    /// A connection has been taken in, or lines have been read from one.
    pub(super) fn note_activity(&mut self) {
        self.activity = self.activity.saturating_add(1);
    }

    /// So many bytes are held now. Returns whether it is time to give memory back.
    pub(super) fn note(&mut self, held: usize, now: Instant) -> bool {
        self.high = self.high.max(held);
        let is_due = self.due.is_some_and(|due| due <= now);
        if is_due {
            (self.high, self.due) = (held, None);
        }
        let has_shrunk = self.high - held >= MUCH.max(self.high / 8);
        if self.due.is_none() && (has_shrunk || self.activity >= BUSY) {
            (self.activity, self.due) = (0, Some(now + PATIENCE));
        }
        is_due
    }

    /// When that time comes next, as far as is known.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_given_back_once_after_a_spike() {
        let (start, mut trim) = (Instant::now(), MemoryTrim::default());
        for held in [0, 2 * MUCH, MUCH + 1] {
            assert!(!trim.note(held, start));
            assert_eq!(trim.next(), None, "{held} held is no trim");
        }
        assert!(!trim.note(MUCH, start));
        assert_eq!(trim.next(), Some(start + PATIENCE));
        assert!(!trim.note(0, start + PATIENCE / 2));
        assert!(trim.note(0, start + PATIENCE));
        assert_eq!(trim.next(), None);
        assert!(!trim.note(0, start + 2 * PATIENCE));
    }

    #[test]
    fn it_is_not_given_back_all_the_time() {
        let (start, mut trim) = (Instant::now(), MemoryTrim::default());
        let mut times = 0;
        for millis in 0..10_000 {
            let held = if millis % 2 == 0 { 2 * MUCH } else { 0 };
            times += usize::from(trim.note(held, start + Duration::from_millis(millis)));
        }
        assert_eq!(times, 9);
    }

    #[test]
    fn of_very_much_a_little_is_not_worth_it() {
        let (start, mut trim) = (Instant::now(), MemoryTrim::default());
        for held in [80 * MUCH, 71 * MUCH] {
            assert!(!trim.note(held, start));
            assert_eq!(trim.next(), None);
        }
        assert!(!trim.note(70 * MUCH, start));
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
        assert_eq!(trim.next(), Some(start + PATIENCE));
        for _ in 0..BUSY {
            trim.note_activity();
            assert!(!trim.note(0, start));
        }
        assert!(trim.note(0, start + PATIENCE));
        assert_eq!(trim.next(), Some(start + 2 * PATIENCE), "for what was done meanwhile");
        assert!(trim.note(0, start + 2 * PATIENCE));
        assert_eq!(trim.next(), None, "what has been done is done with");
    }
}
