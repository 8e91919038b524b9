//! The oracle of endings: for every connection that was let in, why it ended and when.
//! Nobody is closed without a reason that can be seen, and nobody with one stays.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chinwag::{CloseReason, Limits};

use super::journal::{Entry, Fact, Journal};
use super::world::World;

/// Somebody who was let in and whose stream has not been given back.
#[expect(clippy::struct_excessive_bools, reason = "each says something else of it")]
#[derive(Default)]
struct Present {
    /// When all had been sent to it; its input has ended; a call has failed.
    said_all: Option<Duration>,
    has_ended: bool,
    has_failed: bool,
    /// After its last line, if it has said one, it was not closing.
    is_open: bool,
    /// Its socket is full; since when it has taken nothing.
    is_blocked: bool,
    has_taken: bool,
    since: Option<Duration>,
    /// When it was last found full.
    full_at: Duration,
    /// Since when it has been behind, whatever it took.
    full_from: Option<Duration>,
    closed: Option<(Duration, CloseReason)>,
    /// When it last sent something.
    heard: Duration,
}

struct Endings<'a> {
    limits: &'a Limits,
    journal: &'a Journal,
    present: BTreeMap<usize, Present>,
    /// Those who are shaking hands.
    early: BTreeMap<usize, Present>,
    is_shutting_down: bool,
    /// Those who were sent everything while the hub settles. It may have chosen somebody to go
    /// before that, whose stream is dropped later.
    settled: Option<BTreeSet<usize>>,
    /// Whose connections were cut off, at once or while they closed.
    cut: BTreeMap<usize, bool>,
}

/// Goes through the journal. Says of each client whether what it was sent may be cut.
pub(super) fn check(world: &World, entries: &[Entry]) -> BTreeMap<usize, bool> {
    let mut endings = Endings {
        limits: &world.limits,
        journal: &world.journal,
        present: BTreeMap::new(),
        early: BTreeMap::new(),
        is_shutting_down: false,
        settled: None,
        cut: BTreeMap::new(),
    };
    for (index, entry) in entries.iter().enumerate() {
        let next = entries.get(index + 1).map(|next| &next.fact);
        endings.follow(entry, matches!(next, Some(Fact::Arrived(_))));
    }
    assert!(endings.present.is_empty(), "every stream is given back");
    endings.cut
}

impl Endings<'_> {
    /// What happened, and whether somebody comes next.
    fn follow(&mut self, entry: &Entry, is_visited: bool) {
        match &entry.fact {
            Fact::Opened(_) => {
                let early = self.early.remove(&entry.who).unwrap_or_default();
                self.present.insert(entry.who, Present { is_open: true, ..early });
            }
            Fact::Arrived(arrival) if arrival.is_layered => {
                self.early.insert(entry.who, Present::default());
            }
            Fact::Shutdown => self.is_shutting_down = true,
            Fact::Settling => self.settled = Some(BTreeSet::new()),
            Fact::Settled => self.settled = None,
            Fact::Sleep(_) => self.check_sleep(entry.at),
            Fact::Closed(why) => self.close(entry.who, entry.at, *why),
            Fact::Dropped => self.leave(entry.who, entry.at, is_visited),
            fact => {
                if let Some(settled) = &mut self.settled
                    && matches!(fact, Fact::ShutWrite | Fact::ShutFailed)
                {
                    settled.insert(entry.who);
                }
                let all = self.present.get_mut(&entry.who);
                if let Some(present) = all.or_else(|| self.early.get_mut(&entry.who)) {
                    if matches!(fact, Fact::Took(_)) && present.has_stalled(entry.at, self.limits) {
                        self.journal.hit("takes something when asked at last");
                    }
                    present.follow(fact, entry.at);
                }
            }
        }
    }

    fn close(&mut self, who: usize, at: Duration, why: CloseReason) {
        let is_shutting_down = self.is_shutting_down;
        let present = self.present.get_mut(&who).expect("who is closed was open");
        assert_eq!(present.closed, None, "#{who} is closed twice");
        let is_right = match why {
            CloseReason::Broken => present.has_failed,
            // Only a WebSocket can be; and all here can go along.
            CloseReason::Malformed | CloseReason::Upgrade => false,
            CloseReason::Shutdown => is_shutting_down,
            CloseReason::Stalled => {
                // Who could take something is written to before it is cut off.
                let is_in_the_way = may_be_full(self.limits) && present.is_blocked;
                present.has_stalled(present.full_at, self.limits) || is_in_the_way
            }
            // `pace.rs`, `ledger.rs` and the rest of `check.rs` know about these.
            CloseReason::Idle
            | CloseReason::TooSlow
            | CloseReason::Asked
            | CloseReason::EndOfInput
            | CloseReason::Refused
            | CloseReason::Endless => true,
        };
        assert!(is_right, "#{who} is closed as {why:?}, and is not");
        // Whoever cannot be written to may still say what has it closed, but not fail to read.
        let is_for_reading =
            matches!(why, CloseReason::Stalled | CloseReason::TooSlow | CloseReason::Idle);
        let was_broken = present.has_failed && is_for_reading;
        assert!(!was_broken, "#{who} broke first, and is closed as {why:?}");
        present.closed = Some((at, why));
    }

    fn leave(&mut self, who: usize, at: Duration, is_visited: bool) {
        let leaving = self.present.values().filter(|it| it.closed.is_some() || it.has_failed);
        let are_too_many = leaving.count() > self.limits.draining_max;
        let Some(present) = self.present.remove(&who) else { return };
        let (closed, why) = present.closed.expect("the service is told before");
        let is_done = present.said_all.is_some() && present.has_ended && !is_hard(why);
        if !is_done && !is_hard(why) {
            let time = self.limits.linger_time;
            let is_late = at >= closed + self.limits.drain_time || present.lingers(at, time);
            let is_given_up = is_late || present.has_stalled(present.full_at, self.limits);
            let is_in_the_way = may_be_full(self.limits) && present.said_all.is_none();
            let gives_way = (are_too_many && !self.is_shutting_down) || is_visited;
            let has_other = present.has_failed || is_given_up || is_in_the_way;
            assert!(has_other || gives_way, "#{who} had time left to read");
            if are_too_many && gives_way && !has_other {
                self.journal.hit("too many are closing");
                let is_worse = present.said_all.is_none() && self.has_better();
                assert!(!is_worse, "#{who} is not sent the rest");
            }
            self.journal.hit("cut off while closing");
        }
        self.cut.insert(who, !is_done);
    }

    /// Whether somebody who closes had been sent everything when another was chosen to go.
    fn has_better(&self) -> bool {
        let is_better = |it: &Present| it.closed.is_some() && it.said_all.is_some();
        let is_late = |who| self.settled.as_ref().is_some_and(|settled| settled.contains(who));
        self.present.iter().any(|(who, present)| is_better(present) && !is_late(who))
    }

    /// Whoever is to be gone by now is gone.
    fn check_sleep(&mut self, at: Duration) {
        for (who, present) in &mut self.present {
            if let Some((closed, why)) = present.closed {
                assert!(!is_hard(why), "#{who} is cut off, and still here");
                assert!(at < closed + self.limits.drain_time, "#{who} takes too long to close");
                // Who has said something is looked at again as long after the first time.
                let time = self.limits.linger_time * 2;
                assert!(!present.lingers(at, time), "#{who} says nothing, and stays");
            } else {
                // `pace.rs` knows for how long one is still heard who has gone.
                let is_over = present.has_ended || self.is_shutting_down;
                assert!(!is_over, "#{who} should be closing");
            }
            let is_blocked = present.is_blocked && !present.has_failed;
            let has_stalled = is_blocked && present.has_stalled(at, self.limits);
            assert!(!has_stalled, "#{who} has taken nothing for too long");
            present.full_from = present.full_from.filter(|_| present.is_blocked);
            if present.full_from.is_some_and(|from| at >= from + self.limits.stall_time) {
                self.journal.hit("takes a little now and then");
            }
        }
    }
}

impl Present {
    fn follow(&mut self, fact: &Fact, at: Duration) {
        match fact {
            Fact::ShutWrite | Fact::ShutFailed => self.said_all = Some(at),
            Fact::Read(_) => self.heard = at,
            Fact::EndRead => self.has_ended = true,
            Fact::Acted(acted) => self.is_open = acted.is_open,
            // After the release the end comes again.
            Fact::Paused if self.is_open => self.has_ended = false,
            Fact::Failed => self.has_failed = true,
            Fact::Took(_) => (self.is_blocked, self.has_taken) = (false, true),
            Fact::Full => {
                self.full_from.get_or_insert(at);
                if self.has_taken || self.since.is_none() {
                    self.since = Some(at);
                }
                (self.is_blocked, self.has_taken, self.full_at) = (true, false, at);
            }
            _ => {}
        }
    }

    /// Whether it has been silent for so long since it had everything.
    fn lingers(&self, at: Duration, time: Duration) -> bool {
        self.said_all.is_some_and(|said| at >= said.max(self.heard) + time)
    }

    /// Whether something had waited for long enough then.
    fn has_stalled(&self, at: Duration, limits: &Limits) -> bool {
        !self.has_taken && self.since.is_some_and(|since| at >= since + limits.stall_time)
    }
}

/// Whether it ends at once, whatever waits.
fn is_hard(why: CloseReason) -> bool {
    matches!(why, CloseReason::Broken | CloseReason::TooSlow | CloseReason::Stalled)
}

/// Whether all together can have had so much unread that somebody had to go.
fn may_be_full(limits: &Limits) -> bool {
    limits.queue_total < Limits::default().queue_total
}
