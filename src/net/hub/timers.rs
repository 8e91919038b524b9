//! The timers of connections (rate limit, write stall, PROXY header, idle timeout), and those of the
//! service.

use std::mem;
use std::time::Instant;

use super::Hub;
use crate::net::conn::{CloseReason, ConnId, State};
use crate::net::service::{Limit, Service};
use crate::net::timeouts::Now;
use crate::net::transport::Transport;
use crate::pack::impl_pack;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A line that waits for its rate may pass.
    Pass,
    /// A slow consumer may have stalled.
    Stall,
    /// A PROXY header, a handshake or an HTTP head may be late.
    Preface,
    /// The idle timeout.
    Idle,
}

/// When a connection last sent something, or was asked whether it is there.
#[derive(Clone, Copy)]
pub(super) struct LastActivity {
    pub(super) at: Instant,
    /// It has been asked whether it is there.
    is_asked: bool,
}

/// A connection whose socket is or was full, and when it last took something while it was.
#[derive(Clone, Copy)]
pub(super) struct SlowConsumer {
    at: Instant,
    /// If false, it has caught up; the kernel may still have much to send.
    is_behind: bool,
}

impl<T: Transport, S: Service> Hub<T, S> {
    /// Calls the service's `on_tick` while something is due, until flushing has to come first.
    pub(super) fn tick(&mut self, now: Now) {
        for _ in 0..self.limits.tick_budget {
            let is_due = self.service.next_tick().is_some_and(|at| at <= now.monotonic);
            if !mem::take(&mut self.woken) && !is_due {
                return;
            }
            self.service.on_tick(&mut self.outbox);
            if self.outbox.must_flush_first() {
                return;
            }
        }
    }

    /// Fires the service's own timers, until flushing has to come first.
    pub(super) fn fire_service_timers(&mut self) {
        for _ in 0..self.limits.tick_budget {
            if self.outbox.must_flush_first() {
                return;
            }
            let Some(key) = self.outbox.expired_timer() else { return };
            self.service.on_timer(key, &mut self.outbox);
        }
    }

    /// Fires the timers that are due.
    pub(super) fn fire_timers(&mut self, now: Now) {
        while let Some((id, timer)) = self.timers.expired(now.monotonic) {
            match (timer, self.outbox.state(id)) {
                (Timer::Stall, State::Open | State::Draining) => {
                    self.check_stall(id, now.monotonic);
                }
                (Timer::Preface, State::Open) => self.check_preface(id, now.monotonic),
                (Timer::Pass, state) if state.is_heard() => self.list_ready(id),
                (Timer::Idle, State::Open) => self.check_idle(id, now.monotonic),
                _ => {}
            }
        }
    }

    /// A connection's socket is full. `took`: it has just taken something. If it has not for
    /// `stall_time`, it is disconnected.
    pub(super) fn note_blocked(&mut self, id: ConnId, took: bool) {
        let at = self.outbox.now().monotonic;
        let due = at + self.limits.stall_time;
        match self.slow_consumers.get_mut(&id) {
            None => {
                self.slow_consumers.insert(id, SlowConsumer { at, is_behind: true });
                self.timers.set((id, Timer::Stall), due);
                self.conns[id.slot()].stream.disable_user_timeout(true);
            }
            Some(slow) if took || !slow.is_behind => *slow = SlowConsumer { at, is_behind: true },
            Some(slow) if slow.at + self.limits.stall_time <= at => {
                self.outbox.kill(id, CloseReason::Stalled);
            }
            Some(_) => {}
        }
    }

    /// A connection has taken all that waited for it.
    pub(super) fn note_caught_up(&mut self, id: ConnId) {
        if let Some(slow) = self.slow_consumers.get_mut(&id).filter(|slow| slow.is_behind) {
            *slow = SlowConsumer { at: self.outbox.now().monotonic, is_behind: false };
        }
    }

    /// A connection that may have stalled is written to once more, and disconnected if it takes
    /// nothing: a socket becomes writable only once much of its buffer is free, and a client that
    /// reads a little at a time may take minutes for that.
    fn check_stall(&mut self, id: ConnId, now: Instant) {
        let Some(slow) = self.slow_consumers.get(&id) else { return };
        let mut due = slow.at + self.limits.stall_time;
        if due <= now && !slow.is_behind {
            self.slow_consumers.remove(&id);
            return self.conns[id.slot()].stream.disable_user_timeout(false);
        }
        if due <= now {
            due = now + self.limits.stall_time;
            if self.outbox.is_blocked(id) {
                self.flush(id);
            }
        }
        if self.outbox.state(id) != State::Dead {
            self.timers.set((id, Timer::Stall), due);
        }
    }

    /// Starts a connection's idle timer anew: it was opened, or has just sent something.
    pub(super) fn restart_idle_timer(&mut self, id: ConnId) {
        let Some(idle_time) = self.own_limits(id).idle_time else { return };
        if self.note_heard(id) {
            let due = self.outbox.now().monotonic + idle_time;
            self.timers.set((id, Timer::Idle), due);
        }
    }

    /// Notes that a connection has just sent something. Returns whether it is the first time.
    pub(super) fn note_heard(&mut self, id: ConnId) -> bool {
        let at = self.outbox.now().monotonic;
        self.last_activity.insert(id, LastActivity { at, is_asked: false }).is_none()
    }

    fn check_idle(&mut self, id: ConnId, now: Instant) {
        let Some(idle_time) = self.own_limits(id).idle_time else { return };
        // A client is not idle while its lines wait for their rate or for the next turn, or while
        // it is not read from.
        self.list_resumed();
        let is_waiting = self.inputs.get(&id).is_some_and(|input| input.is_waiting());
        if is_waiting || self.conns[id.slot()].listed || !self.outbox.listens(id) {
            self.restart_idle_timer(id);
        }
        let Some(activity) = self.last_activity.get_mut(&id) else { return };
        let due = activity.at + idle_time;
        if due > now {
            self.timers.set((id, Timer::Idle), due);
        } else if activity.is_asked {
            self.outbox.drain(id, CloseReason::Idle);
        } else {
            // However late the question comes, the client has as long again to answer.
            activity.is_asked = true;
            self.timers.set((id, Timer::Idle), now + idle_time);
            self.service.on_limit(id, Limit::Idle, &mut self.outbox);
        }
    }

    /// Forgets what was kept of a connection that is gone.
    pub(super) fn forget(&mut self, id: ConnId) {
        drop(self.take_input(id));
        self.slow_consumers.remove(&id);
        self.last_activity.remove(&id);
        self.behind_proxy.remove(&id);
        self.rate.forget(id);
    }
}

impl_pack! {
    enum Timer { 0 => Pass, 1 => Stall, 2 => Preface, 3 => Idle }
    else "timer"
}

impl_pack! {
    struct LastActivity { at, is_asked }
}

impl_pack! {
    struct SlowConsumer { at, is_behind }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::net::hub::tests::PEER;
    use crate::net::limits::Limits;
    use crate::net::outbox::Outbox;
    use crate::testing::Stream;

    /// Counts how often somebody is asked whether they are there.
    struct Asker(usize);

    impl Service for Asker {
        fn on_line(&mut self, _: ConnId, _: &[u8], _: &mut Outbox) {}

        fn on_limit(&mut self, _: ConnId, limit: Limit, _: &mut Outbox) {
            assert_eq!(limit, Limit::Idle);
            self.0 += 1;
        }
    }

    #[test]
    fn a_silent_client_is_asked_once_and_has_as_long_again_to_answer() {
        let start = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        let limits = Limits { idle_time: Some(Duration::from_secs(1)), ..Limits::default() };
        let mut hub = Hub::new(Asker(0), &limits, start);
        hub.open(Stream::default(), &PEER);
        // It may be asked late.
        for (millis, asked, open) in [(999, 0, 1), (5000, 1, 1), (5999, 1, 1), (6000, 1, 0)] {
            let monotonic = start.monotonic + Duration::from_millis(millis);
            hub.turn(Now { monotonic, ..start });
            let left = hub.open_count();
            assert_eq!((hub.service().0, left), (asked, open), "after {millis} ms");
        }
    }
}
