//! The queue of requests for the worker: operators' first, then one of each address in turn. So
//! each address delays the others by one password hash at a time.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::request::Request;
use crate::net::conn::ConnId;

/// Addresses with requests in the queue at a time.
const ADDRESSES_MAX: usize = 1024;

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Operators,
    /// An IPv6 address by its /64; `None` is all peers without an address.
    Address(Option<IpAddr>),
}

/// Requests that the worker has not taken yet.
pub(super) struct RequestQueue {
    /// The next in front. No source is without a request.
    sources: VecDeque<(Source, VecDeque<(ConnId, Request)>)>,
    /// The most requests of the operators, and of each address.
    max: usize,
}

impl RequestQueue {
    pub(super) fn new(max: usize) -> RequestQueue {
        RequestQueue { sources: VecDeque::new(), max }
    }

    /// Takes no more requests.
    pub(super) fn close(&mut self) {
        self.max = 0;
    }

    /// Takes so many again.
    pub(super) fn open(&mut self, max: usize) {
        self.max = max;
    }

    pub(super) fn is_full(&self, source: Source) -> bool {
        match self.sources.iter().find(|(other, _)| *other == source) {
            Some((_, requests)) => requests.len() >= self.max,
            None => {
                self.max == 0
                    || (source != Source::Operators && self.sources.len() >= ADDRESSES_MAX)
            }
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sources.iter().map(|(_, requests)| requests.len()).sum()
    }

    pub(super) fn push(&mut self, source: Source, id: ConnId, request: Request) {
        match self.sources.iter_mut().find(|(other, _)| *other == source) {
            Some((_, requests)) => requests.push_back((id, request)),
            None => self.enqueue(source, VecDeque::from([(id, request)])),
        }
    }

    pub(super) fn pop(&mut self) -> Option<(ConnId, Request)> {
        let (source, mut requests) = self.sources.pop_front()?;
        let next = requests.pop_front();
        if !requests.is_empty() {
            self.enqueue(source, requests);
        }
        next
    }

    /// Drops the request of a user for another password. Returns whether there was one.
    pub(super) fn drop_passwd(&mut self, id: ConnId) -> bool {
        let before = self.len();
        let is_it = |request: &Request| matches!(request, Request::Passwd { .. });
        for (_, requests) in &mut self.sources {
            requests.retain(|(from, request)| *from != id || !is_it(request));
        }
        self.sources.retain(|(_, requests)| !requests.is_empty());
        self.len() < before
    }

    /// Operators go first, all others to the back of the queue.
    fn enqueue(&mut self, source: Source, requests: VecDeque<(ConnId, Request)>) {
        match source {
            Source::Operators => self.sources.push_front((source, requests)),
            Source::Address(_) => self.sources.push_back((source, requests)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::password::Password;

    #[test]
    fn operators_go_first_and_then_one_of_each_address_in_turn() {
        let mut queue = RequestQueue::new(2);
        let id = |serial| ConnId { slot: 0, serial };
        let from = |host| Source::Address(Some([192, 0, 2, host].into()));
        for (serial, source) in
            [(1, from(1)), (2, from(1)), (3, from(2)), (4, Source::Operators), (5, from(3))]
        {
            assert!(!queue.is_full(source));
            queue.push(source, id(serial), Request::Reload);
        }
        assert!(queue.is_full(from(1)) && !queue.is_full(from(2)));
        let next = |queue: &mut RequestQueue| queue.pop().map(|(id, _)| id.serial);
        assert_eq!((next(&mut queue), next(&mut queue)), (Some(4), Some(1)));
        queue.push(from(3), id(6), Request::Reload);
        queue.push(Source::Operators, id(7), Request::Reload);
        let rest: Vec<_> = std::iter::from_fn(|| next(&mut queue)).collect();
        assert_eq!(rest, [7, 3, 5, 2, 6]);
    }

    #[test]
    fn only_a_users_own_request_for_a_password_is_dropped() {
        let mut queue = RequestQueue::new(2);
        let id = |serial| ConnId { slot: 0, serial };
        let passwd = || Request::Passwd {
            name: "ann".to_owned(),
            password: Password::new("hunter22").unwrap(),
        };
        queue.push(Source::Address(None), id(1), passwd());
        queue.push(Source::Operators, id(2), Request::Reload);
        queue.push(Source::Operators, id(3), passwd());
        assert!(!queue.drop_passwd(id(2)) && queue.drop_passwd(id(1)));
        assert!(!queue.drop_passwd(id(1)) && queue.sources.len() == 1);
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).map(|(id, _)| id.serial).collect();
        assert_eq!(rest, [2, 3]);
    }

    #[test]
    fn the_number_of_waiting_addresses_is_limited_and_operators_are_exempt() {
        let mut queue = RequestQueue::new(1);
        let from = |number: u32| Source::Address(Some(IpAddr::from(number.to_be_bytes())));
        for number in 0..1024 {
            assert!(!queue.is_full(from(number)));
            queue.push(from(number), ConnId { slot: 0, serial: number }, Request::Reload);
        }
        assert!(queue.is_full(from(1024)) && !queue.is_full(Source::Operators));
        queue.pop();
        assert!(!queue.is_full(from(1024)));
    }
}
