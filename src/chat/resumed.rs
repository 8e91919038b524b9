//! Which connection a user has now, by any that they had before they resumed.

use std::collections::{HashMap, VecDeque};

use crate::net::conn::ConnId;

/// Connections that are remembered. Older ones are unknown.
const MAX: usize = 1 << 14;

/// Chains of resumed connections. A lookup takes constant time, however often a user has resumed.
#[derive(Default)]
pub(super) struct Resumed {
    /// The first connection of a user, by each of theirs.
    first: HashMap<ConnId, ConnId>,
    /// The last connection, by the first, and how many of the chain are remembered.
    last: HashMap<ConnId, (ConnId, usize)>,
    /// All remembered connections, the oldest in front.
    order: VecDeque<ConnId>,
}

impl Resumed {
    /// The user of connection `was` has `id` now.
    pub(super) fn pass_on(&mut self, was: ConnId, id: ConnId) {
        let first = self.first.get(&was).copied().unwrap_or(was);
        for conn in [was, id] {
            let is_new = self.first.insert(conn, first).is_none();
            let last = self.last.entry(first).or_insert((id, 0));
            last.0 = id;
            if is_new {
                last.1 += 1;
                self.order.push_back(conn);
            }
        }
        while self.order.len() > MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget(oldest);
        }
    }

    fn forget(&mut self, conn: ConnId) {
        let Some(first) = self.first.remove(&conn) else { return };
        if let Some((_, count)) = self.last.get_mut(&first) {
            *count -= 1;
            if *count == 0 {
                self.last.remove(&first);
            }
        }
    }

    /// The connection that the user of `conn` has now.
    pub(super) fn now(&self, conn: ConnId) -> ConnId {
        let last = self.first.get(&conn).and_then(|first| self.last.get(first));
        last.map_or(conn, |(last, _)| *last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(serial: usize) -> ConnId {
        ConnId { slot: 0, serial: u32::try_from(serial).unwrap() }
    }

    #[test]
    fn a_user_who_resumes_often_stays_the_same_and_old_connections_are_forgotten() {
        let mut resumed = Resumed::default();
        resumed.pass_on(id(MAX * 2), id(MAX * 2 + 1));
        for number in 0..100 {
            resumed.pass_on(id(number), id(number + 1));
        }
        for number in 0..=100 {
            assert_eq!(resumed.now(id(number)), id(100));
        }
        assert_eq!(resumed.now(id(MAX * 2)), id(MAX * 2 + 1));
        assert_eq!(resumed.now(id(MAX * 3)), id(MAX * 3));
        for number in 100..MAX + 100 {
            resumed.pass_on(id(number), id(number + 1));
        }
        assert_eq!((resumed.order.len(), resumed.first.len(), resumed.last.len()), (MAX, MAX, 1));
        assert_eq!(resumed.now(id(50)), id(50));
        assert_eq!(resumed.now(id(MAX * 2)), id(MAX * 2));
        assert_eq!(resumed.now(id(200)), id(MAX + 100));
    }
}
