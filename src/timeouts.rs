//! Time as an argument, and deadlines that are all equally far off: first in, first
//! out. Knows no clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant, SystemTime};

use crate::conn::ConnId;

/// The time of a turn, on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For deadlines.
    pub monotonic: Instant,
    /// For people.
    pub wall: SystemTime,
}

/// Who has how long. Nothing is ever taken out before its time: whoever asks looks
/// whether the connection still has anything to fear, and its old id names nobody.
#[derive(Debug)]
pub(crate) struct Timeouts {
    after: Duration,
    queue: VecDeque<(Instant, ConnId)>,
}

impl Timeouts {
    pub(crate) fn new(after: Duration) -> Timeouts {
        Timeouts { after, queue: VecDeque::new() }
    }

    /// Starts the time of a connection.
    pub(crate) fn start(&mut self, id: ConnId, now: Instant) {
        self.queue.push_back((now + self.after, id));
    }

    /// When the first one's time is up.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.front().map(|(at, _)| *at)
    }

    /// One whose time is up.
    pub(crate) fn expired(&mut self, now: Instant) -> Option<ConnId> {
        let (_, id) = self.queue.pop_front_if(|(at, _)| *at <= now)?;
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_up_in_the_order_in_which_they_started() {
        let start = Instant::now();
        let id = |slot| ConnId { slot, serial: 1 };
        let second = Duration::from_secs(1);
        let mut timeouts = Timeouts::new(5 * second);
        timeouts.start(id(1), start);
        timeouts.start(id(2), start + second);
        assert_eq!(timeouts.next(), Some(start + 5 * second));
        assert_eq!(timeouts.expired(start + 4 * second), None);
        assert_eq!(timeouts.expired(start + 5 * second), Some(id(1)));
        assert_eq!(timeouts.expired(start + 5 * second), None);
        assert_eq!(timeouts.expired(start + 9 * second), Some(id(2)));
        assert_eq!(timeouts.next(), None);
    }
}
