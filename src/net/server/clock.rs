//! The clock of the loop: the time in which clients could have done something.

use std::time::{Duration, Instant, SystemTime};

use crate::net::timeouts::Now;

/// The only place where clocks are read: before each poll, and after it.
pub(super) struct Clock {
    last_read: Instant,
    /// Time that nobody could have used.
    lost: Duration,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock { last_read: Instant::now(), lost: Duration::ZERO }
    }

    /// Reads it after work, all of whose time counts: deadlines pass however long it took.
    pub(super) fn read(&mut self) -> Now {
        self.read_after(None)
    }

    /// Reads it after a poll, in which so much time may have been slept through; `None`: any.
    pub(super) fn read_after(&mut self, timeout: Option<Duration>) -> Now {
        Now { monotonic: self.count(Instant::now(), timeout), wall: SystemTime::now() }
    }

    /// The time now, without what was lost. Where far more has passed than may have, the
    /// machine or the process was asleep, and so nobody could have kept a deadline. None of
    /// that time counts then: with the timeout counted, the nearest deadline would be past
    /// at once, before its client could do anything.
    fn count(&mut self, now: Instant, timeout: Option<Duration>) -> Instant {
        let took = now.saturating_duration_since(self.last_read);
        let was_asleep = |timeout| took.saturating_sub(timeout) > Duration::from_secs(1);
        if timeout.is_some_and(was_asleep) {
            self.lost += took;
        }
        self.last_read = now;
        now.checked_sub(self.lost).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_time_is_up_because_the_machine_was_asleep() {
        let seconds = Duration::from_secs;
        let mut clock = Clock::new();
        let start = clock.last_read;
        let mut counted = |at, timeout: Option<u64>| {
            clock.count(start + seconds(at), timeout.map(seconds)) - start
        };
        assert_eq!(counted(3, Some(2)), seconds(3), "a second late is only late");
        assert_eq!(counted(3605, Some(2)), seconds(3), "an hour has not passed in a poll");
        assert_eq!(counted(3606, Some(0)), seconds(4));
        assert_eq!(counted(7206, Some(0)), seconds(4), "nor in one that does not wait");
        assert_eq!(counted(10_000, None), seconds(2798), "nobody had a deadline");
        assert_eq!(counted(10_012, Some(11)), seconds(2810));
    }

    #[test]
    fn the_time_of_long_turns_counts_however_many_they_are() {
        let mut clock = Clock::new();
        let before = clock.read().monotonic;
        for _ in 0..10 {
            // As if the turn had begun so long ago.
            clock.last_read = clock.last_read.checked_sub(Duration::from_secs(2)).unwrap();
            clock.read();
        }
        assert_eq!(clock.lost, Duration::ZERO);
        assert!(clock.read().monotonic >= before);
    }
}
