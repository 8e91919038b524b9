//! Notices when much that was held has been let go of: the moment to give memory back.
//! An allocator keeps what is freed, and a spike would be paid for until the end.

use std::time::{Duration, Instant};

/// So many bytes less than at the last high water are much.
const MUCH: usize = 512 << 10;

/// Whoever begins to let go is not done yet.
const PATIENCE: Duration = Duration::from_secs(1);

/// Giving back takes milliseconds, so it is not done more often than this.
const PAUSE: Duration = Duration::from_secs(10);

/// The high water, and what is to be done about what has gone since.
#[derive(Default)]
pub(super) struct Ebb {
    /// The most that was held since memory was last given back.
    high: usize,
    due: Option<Instant>,
    last: Option<Instant>,
}

impl Ebb {
    /// So many bytes are held now. Returns whether it is time to give memory back.
    pub(super) fn note(&mut self, held: usize, now: Instant) -> bool {
        self.high = self.high.max(held);
        if self.due.is_some_and(|due| due <= now) {
            *self = Ebb { high: held, due: None, last: Some(now) };
            return true;
        }
        if self.due.is_none() && self.high - held >= MUCH {
            let rested = self.last.map(|last| last + PAUSE);
            self.due = rested.max(Some(now + PATIENCE));
        }
        false
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
        let (start, mut ebb) = (Instant::now(), Ebb::default());
        for held in [0, 2 * MUCH, MUCH + 1] {
            assert!(!ebb.note(held, start));
            assert_eq!(ebb.next(), None, "{held} held is no ebb");
        }
        assert!(!ebb.note(MUCH, start));
        assert_eq!(ebb.next(), Some(start + PATIENCE));
        assert!(!ebb.note(0, start + PATIENCE / 2));
        assert!(ebb.note(0, start + PATIENCE));
        assert_eq!(ebb.next(), None);
        assert!(!ebb.note(0, start + PAUSE));
    }

    #[test]
    fn it_is_not_given_back_all_the_time() {
        let (start, mut ebb) = (Instant::now(), Ebb::default());
        let mut times = 0;
        for millis in 0..60_000 {
            let held = if millis % 2 == 0 { 2 * MUCH } else { 0 };
            times += usize::from(ebb.note(held, start + Duration::from_millis(millis)));
        }
        assert_eq!(times, 6);
    }
}
