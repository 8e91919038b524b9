//! A bus between the chat and itself: what others must know comes back turns later, in the order
//! in which it was given out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chinwag::chat::Operation;
use chinwag::{Chat, Now, Packer, Unpacker};

use super::rng::Rng;

pub(super) struct Bus {
    rng: Rng,
    /// Each with the time when it is back. None is back before the one in front of it.
    operations: VecDeque<(Instant, Operation)>,
}

impl Bus {
    pub(super) fn new(rng: Rng) -> Bus {
        Bus { rng, operations: VecDeque::new() }
    }

    /// Takes all that the chat gives out.
    pub(super) fn take(&mut self, chat: &mut Chat, is_calm: bool, now: Instant) {
        while let Some(operation) = chat.next_operation() {
            let delay = if is_calm { 0 } else { *self.rng.pick(&[0, 0, 1, 20, 150, 2000]) };
            let last = self.operations.back().map(|(at, _)| *at);
            let at = last.unwrap_or(now).max(now + Duration::from_millis(delay));
            self.operations.push_back((at, operation));
        }
    }

    /// When the first is back.
    pub(super) fn next(&self) -> Option<Instant> {
        self.operations.front().map(|(at, _)| *at)
    }

    /// The first, if it is back.
    pub(super) fn due(&mut self, now: Instant) -> Option<Operation> {
        self.next().filter(|at| *at <= now)?;
        self.operations.pop_front().map(|(_, operation)| operation)
    }

    /// A new process goes on with what is under way.
    pub(super) fn hand_over(&mut self, now: Now) {
        let mut packer = Packer::new(now);
        for (_, operation) in &self.operations {
            packer.put(operation);
        }
        let bytes = packer.finish();
        let mut unpacker = Unpacker::new(&bytes, now).expect("it is packed here");
        for (_, operation) in &mut self.operations {
            *operation = unpacker.get().expect("it is packed here");
        }
        unpacker.finish().expect("all of it is unpacked");
    }
}
