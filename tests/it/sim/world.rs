//! The world around a hub: time, edges, and the loop that the real server runs around its
//! poll. Everything in it, and everything that goes wrong in it, comes from one seed.

use std::cell::RefCell;
use std::net::{Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use chinwag::{Chat, Hub, Limits, Now, Peer, Refusal};

use super::clients::Client;
use super::journal::Journal;
use super::lines::Lines;
use super::record::Recorder;
use super::rng::Rng;
use super::rules::{Rules, forget_tokens};
use super::stream::{SimStream, Wire};

/// Friday 20th of November 2026 03:17:28 PM, for no particular reason.
const WALL: Duration = Duration::from_secs(1_795_187_848);

/// What everybody is told who is turned away.
pub(super) const FULL: &[u8] = b"Server is full.\n";

pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) hub: Hub<SimStream, Recorder>,
    pub(super) journal: Journal,
    pub(super) clients: Vec<Client>,
    pub(super) limits: Limits,
    pub(super) rules: Rules,
    /// The listeners' labels, as often as they are connected to.
    labels: Vec<&'static str>,
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
}

/// Limits so small that a handful of clients runs into all of them.
fn tiny_limits(rng: &mut Rng) -> Limits {
    let queue_soft = *rng.pick(&[0, 30, 100, 300]);
    let queue_park = queue_soft + *rng.pick(&[0, 1, 100, 600, 50_000]);
    Limits {
        line_max: *rng.pick(&[24, 72, 200, 200]),
        queue_soft,
        queue_park,
        queue_max: queue_park + *rng.pick(&[0, 100, 300, 3000]),
        log_max: *rng.pick(&[1, 100, 1000, 100_000]),
        chunk: *rng.pick(&[1, 2, 7, 64, 1024]),
        read_budget: rng.between(1, 4),
        write_budget: rng.between(1, 5),
        accept_budget: 1,
        drain_time: Duration::from_millis(*rng.pick(&[10, 300, 5000])),
        refused_max: rng.below(3),
        rate: None,
        stall_time: Duration::from_secs(*rng.pick(&[10, 60])),
        ..Limits::default()
    }
}

/// Where clients connect: half of the runs know one dialect, the others all of them.
fn labels(rng: &mut Rng) -> Vec<&'static str> {
    let all = ["native", "recipe", "tutorial", "fork", "json"];
    if rng.one_in(2) { vec![*rng.pick::<&str>(&all)] } else { all.to_vec() }
}

impl World {
    pub(super) fn new(seed: u64, traced: bool) -> World {
        let mut rng = Rng::new(seed);
        let limits = tiny_limits(&mut rng);
        limits.check().expect("they are in order");
        forget_tokens();
        let rules = Rules::tiny(&mut rng);
        let chat = Chat::new(rules.settings());
        let labels = labels(&mut rng);
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
            labels,
            is_mild: rng.one_in(2),
            start,
            elapsed: Duration::ZERO,
            wall: WALL,
            is_woken: false,
            idle_turns: 0,
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

    /// Clients whose stream the hub has.
    pub(super) fn live(&self) -> impl Iterator<Item = &Client> {
        self.clients.iter().filter(|client| !client.wire.borrow().is_closed())
    }
}

/// Coming.
impl World {
    /// Somebody connects, and is let in or turned away.
    pub(super) fn connect(&mut self) {
        self.hub.pass(self.now());
        let who = self.clients.len();
        let wire = Wire::new(who, self.journal.clone(), self.rng.fork());
        let wire = Rc::new(RefCell::new(wire));
        let stream = SimStream::new(&wire);
        let slot = self.hub.next_slot();
        let is_in_use = self.live().any(|client| client.slot == slot);
        assert!(!is_in_use, "slot {slot} is given out while it is in use");
        if self.clients.iter().any(|client| client.slot == slot) {
            self.journal.hit("slot used again");
        }
        let refused = self.hub.open_count() >= self.clients_max;
        let client = Client::new(wire, slot, refused, &mut self.rng);
        self.clients.push(client);
        if refused {
            return self.refuse(stream);
        }
        self.journal.hit("connect");
        let port = u16::try_from(who).expect("there are not that many");
        let addr = match who % 3 {
            0 => SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
            _ => SocketAddr::from(([127, 0, 0, 1], port)),
        };
        let peer = Peer { addr, label: self.rng.pick::<&str>(&self.labels) };
        let id = self.hub.open(stream, &peer);
        assert_eq!(id.slot(), slot, "a connection gets the slot that it was told");
    }

    fn refuse(&mut self, stream: SimStream) {
        let refused = self.live().filter(|client| client.is_refused).count() - 1;
        let at_once = refused >= self.limits.refused_max;
        self.journal.hit(if at_once { "refused at once" } else { "refused" });
        let who = stream.who();
        let is_smooth = self.rng.one_in(2);
        if is_smooth {
            self.clients[who].wire.borrow_mut().smooth();
        }
        self.hub.refuse(stream, Refusal::Full);
        self.drop_closed();
        let wire = self.clients[who].wire.borrow();
        assert_eq!(wire.is_closed(), at_once, "only so many refused connections are kept");
        // What it has already sent must not turn the close into a reset.
        let is_told = !wire.is_destroyed() && wire.accepted() == FULL;
        let is_short = wire.delivered().len() < self.limits.chunk;
        assert!(!at_once || !is_smooth || !is_short || is_told, "#{who} was not told why");
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
        self.settle(false);
        if self.rng.one_in(3) {
            self.shut_down();
        }
        for client in self.clients.iter().filter(|client| !client.is_waited_for()) {
            client.wire.borrow_mut().end();
        }
        self.settle(false);
        let is_here = |client: &&Client| !client.wire.borrow().is_closed();
        for client in self.clients.iter().filter(is_here) {
            let who = client.wire.borrow().who();
            assert!(client.is_waited_for(), "#{who} has left, and is still here");
            self.journal.hit("never leaves");
        }
        assert_eq!(self.hub.open_count(), 0, "nobody is counted whose close has begun");
        self.settle(true);
        assert!(self.hub.is_empty(), "nobody is waited for in vain for ever");
        assert_eq!(self.hub.timeout(self.now()), None, "nothing is left to wait for");
    }

    /// Goes on until nothing more happens by itself; if asked to, until no time is to
    /// come either.
    fn settle(&mut self, with_time: bool) {
        for _ in 0..100_000 {
            for client in &mut self.clients {
                client.wind_up();
            }
            let due = self.due_edges();
            match self.hub.timeout(self.now()) {
                Some(Duration::ZERO) => {}
                _ if !due.is_empty() => {}
                Some(left) if with_time => self.pass(left),
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
