//! Rate limits by address: passwords tried or changed, names protected. There is no limit on a
//! name by itself, as anybody could lock its owner out.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::pack::{Damaged, Packer, Unpacker};

/// With this many addresses, those without recent activity are dropped.
const FEW: usize = 64;

/// Beyond so many active addresses all counts are dropped: a peer with that many addresses gains
/// nothing by it.
const MANY: usize = 1 << 16;

/// What each address may do, and what it has done.
pub(in crate::chat) struct Budget {
    /// How long an action counts.
    time: Duration,
    /// The most actions in that time for one name, and for all.
    for_a_name: usize,
    in_all: usize,
    /// By address, an IPv6 one by its /64; `None` is all peers without an address.
    by_addr: HashMap<Option<IpAddr>, VecDeque<(Instant, Box<str>)>>,
    crowded: usize,
}

impl Budget {
    /// The budget for passwords.
    pub(in crate::chat) fn of_a_minute() -> Budget {
        Budget::new(Duration::from_mins(1), 3, 20)
    }

    /// The budget for new accounts.
    pub(in crate::chat) fn of_a_day(in_all: usize) -> Budget {
        Budget::new(Duration::from_hours(24), in_all, in_all)
    }

    fn new(time: Duration, for_a_name: usize, in_all: usize) -> Budget {
        Budget { time, for_a_name, in_all, by_addr: HashMap::new(), crowded: FEW }
    }

    /// Counts an action, if the budget allows it. Returns whether it does.
    pub(in crate::chat) fn count(
        &mut self,
        addr: Option<IpAddr>,
        name: &str,
        now: Instant,
    ) -> bool {
        let time = self.time;
        if self.by_addr.len() >= self.crowded {
            self.by_addr.retain(|_, tried| tried.back().is_some_and(|(at, _)| *at + time > now));
            if self.by_addr.len() >= MANY {
                self.by_addr.clear();
            }
            self.crowded = FEW.max(2 * self.by_addr.len());
        }
        let tried = self.by_addr.entry(addr).or_default();
        while tried.front().is_some_and(|(at, _)| *at + time <= now) {
            tried.pop_front();
        }
        let same = tried.iter().filter(|(_, other)| other.eq_ignore_ascii_case(name)).count();
        if same >= self.for_a_name || tried.len() >= self.in_all {
            return false;
        }
        tried.push_back((now, name.into()));
        true
    }

    /// Takes back the last action for a name.
    pub(in crate::chat) fn forgive(&mut self, addr: Option<IpAddr>, name: &str) {
        let Some(tried) = self.by_addr.get_mut(&addr) else { return };
        if let Some(at) = tried.iter().rposition(|(_, other)| other.eq_ignore_ascii_case(name)) {
            tried.remove(at);
        }
    }
}

/// What an upgrade hands over.
impl Budget {
    pub(in crate::chat) fn pack(&self, to: &mut Packer) {
        let Budget { time: _, for_a_name: _, in_all: _, by_addr, crowded: _ } = self;
        to.put(by_addr);
    }

    pub(in crate::chat) fn restore(&mut self, from: &mut Unpacker<'_>) -> Result<(), Damaged> {
        self.by_addr = from.get()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn three_attempts_a_name_and_twenty_in_all_are_allowed_in_a_minute() {
        let now = Instant::now();
        let (here, there) = (Some(addr("192.0.2.1")), Some(addr("192.0.2.2")));
        let mut attempts = Budget::of_a_minute();
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
        assert!(attempts.count(here, "bob", now + Duration::from_mins(1)));
    }

    #[test]
    fn addresses_without_recent_activity_are_dropped() {
        let mut now = Instant::now();
        let mut attempts = Budget::of_a_minute();
        for number in 0_u32..10_000 {
            now += Duration::from_secs(1);
            assert!(attempts.count(Some(IpAddr::from(number.to_be_bytes())), "ann", now));
        }
        assert!(attempts.by_addr.len() <= 4 * FEW, "{}", attempts.by_addr.len());
    }
}
