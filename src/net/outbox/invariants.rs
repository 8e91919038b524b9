//! What holds between two turns, as assertions of debug builds.

use super::Outbox;
use super::queue::{Place, Queue};
use crate::net::conn::State;

impl Outbox {
    pub(crate) fn assert_sound(&self) {
        let sum = |is_meant: fn(&&Queue) -> bool| -> usize {
            self.queues.iter().filter(is_meant).map(Queue::own_len).sum()
        };
        assert_eq!(self.owned, sum(|_| true), "bytes of their own");
        assert_eq!(
            self.fresh,
            sum(|queue| queue.place == Place::Queued),
            "bytes of their own, in the flush queue"
        );
        let lists = self.this_round.iter().chain(&self.next_round);
        let is_queued = |queue: &&Queue| queue.place == Place::Queued;
        let listed = lists.filter(|id| {
            let queue = self.queues.get(id.slot()).filter(|queue| queue.serial == id.serial);
            queue.as_ref().is_some_and(is_queued)
        });
        let queued = self.queues.iter().filter(is_queued).count();
        assert_eq!(listed.count(), queued, "each is in the flush queue once");
        for queue in &self.queues {
            assert!(
                queue.span.is_empty() || is_queued(&queue),
                "only in the flush queue has it a span"
            );
            assert!(queue.place != Place::Idle || queue.own.is_none(), "idle, nothing waits");
            let is_gone = matches!(queue.state, State::Vacant | State::Dead);
            assert!(!is_gone || queue.len() == 0, "nothing waits for one that is gone");
        }
    }
}
