//! What the real server does around its poll, and what must hold after every turn: edges,
//! events that mean nothing, sleep, and nobody who is forgotten or passed over.

use std::time::Duration;

use chinwag::testing::work_done;

use super::clients::Client;
use super::journal::{EVERYBODY, Fact, Rest};
use super::stream::SimStream;
use super::world::World;

impl World {
    /// Sleeps if there is nothing to do, marks what is ready, makes a turn.
    pub(super) fn poll(&mut self) {
        let due = self.due_edges();
        let is_asked_for = self.hub.timeout(self.now()) == Some(Duration::ZERO);
        if due.is_empty() && !is_asked_for && !self.sleep() {
            if !self.rng.one_in(20) {
                return;
            }
            self.journal.hit("turn for nothing");
        }
        let is_due = !due.is_empty();
        for (who, readable) in due {
            self.fire(who, readable);
        }
        let is_marked = self.mark_at_random();
        self.turn(is_due || is_marked);
    }

    /// The edges that fire now. Some come late: a poll returns only so many at a time.
    pub(super) fn due_edges(&mut self) -> Vec<(usize, bool)> {
        let mut due = Vec::new();
        for (who, client) in self.clients.iter().enumerate() {
            let wire = client.wire.borrow();
            if !wire.is_closed {
                due.extend(wire.readable_due().then_some((who, true)));
                due.extend(wire.writable_due().then_some((who, false)));
            }
        }
        if due.len() > 1 && !self.journal.is_calm() && self.rng.one_in(3) {
            self.journal.hit("edge comes late");
            let first = self.rng.below(due.len());
            due.rotate_left(first);
            due.truncate(self.rng.between(1, due.len() - 1));
        }
        due
    }

    pub(super) fn fire(&mut self, who: usize, readable: bool) {
        let slot = self.clients[who].slot;
        self.journal.count_event();
        if readable {
            self.clients[who].wire.borrow_mut().read_armed = false;
            self.clients[who].begin_to_wait();
            self.hub.mark_readable(slot);
        } else {
            self.clients[who].wire.borrow_mut().write_armed = false;
            self.mark_writable(slot);
        }
    }

    fn mark_writable(&mut self, slot: usize) {
        let here = self.live().find(|client| client.slot == slot);
        if let Some(who) = here.map(|client| client.wire.borrow().who) {
            self.journal.note(who, Fact::MarkedWritable);
        }
        self.hub.mark_writable(slot);
    }

    /// Events that mean nothing: of slots where nothing happened, that are free, that never
    /// were, or that are another's by now. Says whether there was one.
    fn mark_at_random(&mut self) -> bool {
        if self.journal.is_calm() || !self.rng.one_in(4) {
            return false;
        }
        self.journal.count_event();
        let slot = self.rng.below(self.clients_max + 4);
        let is_here = self.live().any(|client| client.slot == slot);
        if self.rng.one_in(2) {
            self.journal.hit(if is_here { "spurious readable" } else { "stale readable" });
            self.hub.mark_readable(slot);
        } else {
            self.journal.hit(if is_here { "spurious writable" } else { "stale writable" });
            self.mark_writable(slot);
        }
        true
    }

    /// The service is to be woken in the next turn.
    pub(super) fn wake(&mut self) {
        self.journal.hit("wake");
        self.is_woken = true;
        self.hub.wake();
    }

    /// Nothing is due. Some time passes; whether that was until the hub's timeout.
    fn sleep(&mut self) -> bool {
        self.check_sleep();
        let nap = Duration::from_millis(self.rng.below(100) as u64);
        let left = match self.hub.timeout(self.now()) {
            Some(left) if left <= nap || self.rng.one_in(4) => left,
            _ => {
                self.pass(nap);
                return false;
            }
        };
        self.pass(left);
        assert_eq!(self.hub.timeout(self.now()), Some(Duration::ZERO), "time is up");
        true
    }

    pub(super) fn pass(&mut self, time: Duration) {
        // Who wakes up later does not spin, even if there was nothing to wake up for.
        self.idle_turns = 0;
        self.elapsed += time;
        self.wall += time;
        if !self.journal.is_calm() && self.rng.one_in(60) {
            self.journal.hit("clock jumps");
            self.elapsed += Duration::from_hours(1);
        }
        if !self.journal.is_calm() && self.rng.one_in(60) {
            self.journal.hit("wall clock goes back");
            self.wall -= Duration::from_secs(4321);
        }
        self.journal.set_time(self.elapsed);
    }

    /// A server may only sleep if all that was sent to it has been read, but for those
    /// who have to wait, and be it for themselves: `pace.rs` says who they are.
    pub(super) fn check_sleep(&self) {
        let (service, outbox) = (self.hub.service(), self.hub.outbox());
        let is_unread = |client: &&Client| !client.wire.borrow().inbound.is_empty();
        let unread: Vec<usize> =
            self.live().filter(is_unread).map(|client| client.wire.borrow().who).collect();
        for who in &unread {
            assert!(service.knows(*who), "#{who} is forgotten");
        }
        // Nobody stands in line, so whatever waits is somebody's own. Those whom the service
        // never knew have at most one line waiting, that says why.
        let (each, all) = (service.queued(outbox), outbox.traffic().bytes_queued);
        let strangers = self.live().filter(|client| !client.is_known_to(service)).count();
        assert!(each <= all && all <= each + 40 * strangers, "{each} wait, {all} are counted");
        let stuck = service.stuck(outbox);
        self.journal.note(EVERYBODY, Fact::Sleep(Rest { stuck, unread }));
        let left = self.hub.timeout(self.now()).map(|left| self.now().monotonic + left);
        let is_early = self.hub.service().timer().is_none_or(|at| left.is_some_and(|it| it <= at));
        assert!(is_early, "the service wants to be woken before that");
    }

    /// A turn, and what must hold after every one. Marked, if an event is behind it.
    pub(super) fn turn(&mut self, marked: bool) {
        if self.is_upgraded() {
            self.hand_over();
        }
        let now = self.now();
        let was_due = self.hub.timeout(now) == Some(Duration::ZERO);
        let (work, ticks) = (self.journal.work(), self.hub.service().ticks());
        let before: Vec<(u64, usize)> = self.clients.iter().map(Client::progress).collect();
        let noted = self.journal.len();
        let (sent, done) = (self.lines_out(), work_done());
        self.hub.turn(now);
        self.check_work(done, noted, self.lines_out() - sent);
        let is_place_free = self.drop_closed() > 0;
        let wasted = was_due && !marked && self.journal.work() == work;
        self.idle_turns = if wasted { self.idle_turns + 1 } else { 0 };
        // A look at each of those who have just closed or been released finds nothing, and
        // ends by that.
        assert!(self.idle_turns <= 4, "the hub spins, and gets nothing done");
        let is_ticked = self.hub.service().ticks() > ticks;
        assert!(is_ticked || !self.is_woken, "the service was not woken");
        self.is_woken = false;
        let open = self.hub.service().client_count();
        let counted = self.hub.open_count();
        let is_right =
            if self.has_proxies || self.has_layers { counted >= open } else { counted == open };
        assert!(is_right, "the hub counts {counted}, and the service knows {open}");
        let timer = self.hub.service().timer();
        assert!(timer.is_none_or(|at| at > now.monotonic), "the service's time has come");
        let (queued, most) = (self.hub.outbox().traffic().bytes_queued, self.limits.queue_total);
        assert!(queued <= most, "{queued} bytes wait, and {most} may");
        self.check_fairness(&before, noted);
        // The next one may come before anything else happens, and gets the same slot.
        let comes = is_place_free && !self.is_shutting_down && !self.journal.is_calm();
        if comes && self.rng.one_in(2) {
            self.journal.hit("comes as another goes");
            self.connect();
        }
    }

    /// Drops the streams that the hub is done with, and says how many they were.
    pub(super) fn drop_closed(&mut self) -> usize {
        let closed: Vec<SimStream> = self.hub.take_closed().collect();
        let count = closed.len();
        for stream in closed {
            let who = stream.who();
            drop(stream);
            assert!(self.clients[who].wire.borrow().is_closed, "a dropped stream is closed");
        }
        count
    }

    /// While somebody waits to be listened to, nobody else is in more than two turns: is
    /// read from, or has something heard that was read before. (But for those who have to wait
    /// for another reason.)
    fn check_fairness(&mut self, before: &[(u64, usize)], noted: usize) {
        let spoke = self.journal.speakers_since(noted);
        let was_heard = |(who, client): (usize, &Client)| {
            (client.progress().0 > before[who].0 || spoke.contains(&who)).then_some(who)
        };
        let read: Vec<usize> = self.clients.iter().enumerate().filter_map(was_heard).collect();
        let park = self.limits.queue_park;
        let took = |who: usize| self.clients[who].progress().1 - before[who].1;
        let exempt = self.hub.service().have_to_wait(self.hub.outbox(), park, took);
        for (who, client) in self.clients.iter_mut().enumerate() {
            // Handshakes wait for each other.
            let is_shaking = client.hello.is_some() && !self.hub.service().ever_knew(who);
            client.wait(&read, is_shaking || exempt.contains(&who));
        }
    }
}
