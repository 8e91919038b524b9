//! Who a connection of earlier is now: what it said and wrote is that of whoever came back.

use std::collections::{HashMap, VecDeque};

use crate::net::conn::ConnId;

/// Connections that are remembered; of one from before that nobody knows whose it was.
const MAX: usize = 1 << 14;

/// Those who came back, in constant time, however often they did and whatever they had said.
#[derive(Default)]
pub(super) struct Resumed {
    /// By each connection of somebody, the first that they had.
    first: HashMap<ConnId, ConnId>,
    /// By that, the last one, and how many are remembered.
    last: HashMap<ConnId, (ConnId, usize)>,
    /// All of them, the oldest in front.
    order: VecDeque<ConnId>,
}

impl Resumed {
    /// Who had one connection has another now.
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

    /// The connection of who had this one.
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
    fn who_comes_back_again_and_again_is_the_same_and_not_remembered_for_ever() {
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
