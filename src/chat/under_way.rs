//! Operations under way: published, and not yet back; and who waits for them.

use std::collections::{HashMap, VecDeque};

use super::operation::Operation;
use super::user_id::UserId;
use crate::net::conn::ConnId;
use crate::pack::impl_pack;

/// Operations of one connection that may be under way before it is read from again.
const EACH_MAX: usize = 64;

/// Operations under way. There are never any where operations take effect at once.
#[derive(Default)]
pub(super) struct UnderWay {
    /// What the owner of the chat has not taken yet.
    outgoing: VecDeque<Operation>,
    /// Connections with operations that are not back.
    waiting: HashMap<ConnId, Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// How many of its operations are not back.
    count: usize,
    /// The line that is next once they are; empty if there is none yet.
    line: Vec<u8>,
}

impl UnderWay {
    /// Adds an operation. Returns whether its connection has so many that it has to wait.
    pub(super) fn add(&mut self, operation: Operation) -> bool {
        let via = operation.via;
        self.outgoing.push_back(operation);
        let Some(via) = via else { return false };
        let waiting = self.waiting.entry(via).or_default();
        waiting.count += 1;
        waiting.count >= EACH_MAX
    }

    /// Puts an operation back in front of all others: it was taken, and was lost.
    pub(super) fn add_again(&mut self, operation: Operation) {
        self.outgoing.push_front(operation);
    }

    /// Drops what users other than these have done.
    pub(super) fn retain(&mut self, is_kept: impl Fn(UserId) -> bool) {
        self.outgoing.retain(|operation| is_kept(operation.by));
    }

    pub(super) fn next(&mut self) -> Option<Operation> {
        self.outgoing.pop_front()
    }

    /// Whether operations of a connection are not back.
    pub(super) fn has(&self, id: ConnId) -> bool {
        self.waiting.contains_key(&id)
    }

    /// Keeps the line of a connection that has operations under way, until they are back.
    pub(super) fn hold(&mut self, id: ConnId, line: &[u8]) {
        if let Some(waiting) = self.waiting.get_mut(&id) {
            waiting.line = line.to_vec();
        }
    }

    /// An operation is back. If it was its connection's last, that one goes on, with the line that
    /// was kept; that is empty if none was.
    pub(super) fn finish(&mut self, id: ConnId) -> Option<Vec<u8>> {
        let waiting = self.waiting.get_mut(&id)?;
        waiting.count -= 1;
        if waiting.count > 0 {
            return None;
        }
        self.waiting.remove(&id).map(|waiting| waiting.line)
    }

    /// A connection is closed. What it has done still takes effect.
    pub(super) fn forget(&mut self, id: ConnId) {
        self.waiting.remove(&id);
    }
}

impl_pack! {
    struct UnderWay { outgoing, waiting }
}

impl_pack! {
    struct Waiting { count, line }
}
