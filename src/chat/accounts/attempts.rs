//! How often passwords were tried, and from where. A name is never locked for everybody.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::conn::ConnId;

/// So long an attempt counts.
const MINUTE: Duration = Duration::from_mins(1);

/// Attempts in that time for one name, and for any, from one address.
const FOR_A_NAME: usize = 3;
const IN_ALL: usize = 20;

/// With so many addresses, it is worth looking for those that are quiet by now.
const FEW: usize = 64;

/// Attempts that failed, or have no verdict yet.
#[derive(Default)]
pub(in crate::chat) struct Attempts {
    /// By address, an IPv6 one by its /64; `None` is all who have none.
    by_addr: HashMap<Option<IpAddr>, VecDeque<(Instant, Box<str>)>>,
    crowded: usize,
    /// Those that have no verdict yet: at most one a connection, whose lines wait for it.
    open: HashMap<ConnId, Attempt>,
}

/// Who tried which name.
pub(super) struct Attempt {
    pub(super) name: Box<str>,
    pub(super) addr: Option<SocketAddr>,
}

impl Attempts {
    /// Counts an attempt, unless there were too many.
    pub(super) fn count(&mut self, addr: Option<IpAddr>, name: &str, now: Instant) -> bool {
        if self.by_addr.len() >= self.crowded.max(FEW) {
            self.by_addr.retain(|_, tried| tried.back().is_some_and(|(at, _)| *at + MINUTE > now));
            self.crowded = 2 * self.by_addr.len();
        }
        let tried = self.by_addr.entry(addr).or_default();
        while tried.front().is_some_and(|(at, _)| *at + MINUTE <= now) {
            tried.pop_front();
        }
        let same = tried.iter().filter(|(_, other)| other.eq_ignore_ascii_case(name)).count();
        if same >= FOR_A_NAME || tried.len() >= IN_ALL {
            return false;
        }
        tried.push_back((now, name.into()));
        true
    }

    /// A verdict is to come.
    pub(super) fn begin(&mut self, id: ConnId, attempt: Attempt) {
        self.open.insert(id, attempt);
    }

    /// It has come.
    pub(super) fn end(&mut self, id: ConnId) -> Option<Attempt> {
        self.open.remove(&id)
    }

    /// The last attempt did not fail after all.
    pub(super) fn forgive(&mut self, addr: Option<IpAddr>, name: &str) {
        let Some(tried) = self.by_addr.get_mut(&addr) else { return };
        if let Some(at) = tried.iter().rposition(|(_, other)| other.eq_ignore_ascii_case(name)) {
            tried.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn three_for_a_name_and_twenty_in_all_and_then_a_minutes_rest() {
        let now = Instant::now();
        let (here, there) = (Some(addr("192.0.2.1")), Some(addr("192.0.2.2")));
        let mut attempts = Attempts::default();
        for name in ["ann", "ANN", "ann"] {
            assert!(attempts.count(here, name, now));
        }
        assert!(!attempts.count(here, "Ann", now));
        assert!(attempts.count(there, "ann", now));
        assert!(!attempts.count(here, "ann", now + Duration::from_secs(59)));
        attempts.forgive(here, "ANN");
        assert!(attempts.count(here, "ann", now + Duration::from_secs(1)));
        for number in 0..17 {
            assert!(attempts.count(here, &format!("user-{number}"), now + Duration::from_secs(2)));
        }
        assert!(!attempts.count(here, "bob", now + Duration::from_secs(3)));
        assert!(attempts.count(here, "bob", now + MINUTE));
    }

    #[test]
    fn who_is_quiet_again_is_forgotten() {
        let mut now = Instant::now();
        let mut attempts = Attempts::default();
        for number in 0_u32..10_000 {
            now += Duration::from_secs(1);
            assert!(attempts.count(Some(IpAddr::from(number.to_be_bytes())), "ann", now));
        }
        assert!(attempts.by_addr.len() <= 4 * FEW, "{}", attempts.by_addr.len());
    }
}
