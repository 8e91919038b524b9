//! The world around a hub: time, edges, and the loop that the real server runs around its
//! poll. Everything in it, and everything that goes wrong in it, comes from one seed.

use std::time::{Duration, Instant, UNIX_EPOCH};

use chinwag::{Chat, Hub, Limits, Now};

use super::clients::Client;
use super::journal::Journal;
use super::limits::tiny_limits;
use super::lines::Lines;
use super::record::Recorder;
use super::rng::Rng;
use super::rules::{Rules, forget_tokens};
use super::stream::SimStream;

/// Friday 20th of November 2026 03:17:28 PM, for no particular reason.
const WALL: Duration = Duration::from_secs(1_795_187_848);

#[expect(clippy::struct_excessive_bools, reason = "each says something else of it")]
pub(super) struct World {
    pub(super) rng: Rng,
    /// Decides when a new process takes over, if any does.
    upgrades: Rng,
    pub(super) hub: Hub<SimStream, Recorder>,
    pub(super) journal: Journal,
    pub(super) clients: Vec<Client>,
    pub(super) limits: Limits,
    pub(super) rules: Rules,
    pub(super) has_proxies: bool,
    /// Some connections have a protocol of their own underneath.
    pub(super) has_layers: bool,
    /// Clients stay for longer, and do more.
    pub(super) is_mild: bool,
    pub(super) lines: Lines,
    pub(super) is_shutting_down: bool,
    pub(super) clients_max: usize,
    start: Instant,
    pub(super) elapsed: Duration,
    pub(super) wall: Duration,
    pub(super) is_woken: bool,
    /// Turns in a row that were asked for at once and got nothing done.
    pub(super) idle_turns: usize,
    /// Bytes that were read so far, and bytes that were looked at.
    pub(super) read: u64,
    pub(super) looked_at: u64,
}

impl World {
    pub(super) fn new(seed: u64, traced: bool) -> World {
        let mut rng = Rng::new(seed);
        let limits = tiny_limits(&mut rng);
        limits.check().expect("they are in order");
        forget_tokens();
        let rules = Rules::tiny(&mut rng);
        let chat = Chat::new(rules.settings());
        let journal = Journal::new(traced);
        let start = Instant::now();
        let now = Now { monotonic: start, wall: UNIX_EPOCH + WALL };
        let service = Recorder::new(chat, journal.clone(), rng.fork(), start);
        World {
            hub: Hub::new(service, &limits, now),
            journal,
            clients: Vec::new(),
            lines: Lines::new(limits.line_max, &mut rng),
            is_shutting_down: false,
            clients_max: rng.between(2, 12),
            limits,
            rules,
            has_proxies: rng.one_in(2),
            has_layers: rng.one_in(2),
            is_mild: rng.one_in(2),
            start,
            elapsed: Duration::ZERO,
            wall: WALL,
            is_woken: false,
            idle_turns: 0,
            read: 0,
            looked_at: 0,
            upgrades: rng.fork(),
            rng,
        }
    }

    /// A whole run.
    pub(super) fn run(&mut self) {
        for _ in 0..self.rng.between(50, 400) {
            for _ in 0..self.rng.below(5) {
                self.act();
            }
            self.live_on();
            self.poll();
        }
        self.finish();
    }

    pub(super) fn now(&self) -> Now {
        Now { monotonic: self.start + self.elapsed, wall: UNIX_EPOCH + self.wall }
    }

    /// Whether a new process takes over before the next turn.
    pub(super) fn is_upgraded(&mut self) -> bool {
        !self.is_shutting_down && self.upgrades.one_in(10)
    }

    /// Clients whose stream the hub has.
    pub(super) fn live(&self) -> impl Iterator<Item = &Client> {
        self.clients.iter().filter(|client| !client.wire.borrow().is_closed)
    }
}

/// Going.
impl World {
    /// Nothing fails any more, everybody reads, says the rest, and leaves.
    fn finish(&mut self) {
        self.journal.calm_down();
        for client in &mut self.clients {
            client.come_to_rest();
        }
        self.wake();
        // Who spoke too fast has to wait until all is said.
        let takes_time = self.limits.rate.is_some();
        self.run_until_idle(takes_time);
        if self.rng.one_in(3) {
            self.shut_down();
        }
        for client in self.clients.iter().filter(|client| !client.is_waited_for()) {
            client.wire.borrow_mut().end();
        }
        self.run_until_idle(takes_time);
        let is_here = |client: &&Client| !client.wire.borrow().is_closed;
        for client in self.clients.iter().filter(is_here) {
            let who = client.wire.borrow().who;
            assert!(client.is_waited_for(), "#{who} has left, and is still here");
            self.journal.hit("never leaves");
        }
        assert_eq!(self.hub.open_count(), 0, "nobody is counted whose close has begun");
        self.run_until_idle(true);
        assert!(self.hub.is_empty(), "nobody is waited for in vain for ever");
        assert_eq!(self.hub.timeout(self.now()), None, "nothing is left to wait for");
    }

    /// Goes on until nothing more happens by itself; if asked to, until no time is to
    /// come either.
    fn run_until_idle(&mut self, with_time: bool) {
        for _ in 0..100_000 {
            for client in &mut self.clients {
                client.wind_up();
            }
            let due = self.due_edges();
            match self.hub.timeout(self.now()) {
                Some(Duration::ZERO) => {}
                _ if !due.is_empty() => {}
                Some(left) if with_time => {
                    self.check_sleep();
                    self.pass(left);
                }
                _ => return self.check_sleep(),
            }
            let marked = !due.is_empty();
            for (who, readable) in due {
                self.fire(who, readable);
            }
            self.turn(marked);
        }
        panic!("it never comes to rest");
    }

    pub(super) fn shut_down(&mut self) {
        self.journal.hit("shutdown");
        self.is_shutting_down = true;
        self.hub.pass(self.now());
        self.hub.shutdown();
    }
}
