//! The service that the hub talks to: the chat, and somebody who writes down what it is
//! told. Now and then it makes a client wait, or wants to be woken, as a service may.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chinwag::{Chat, CloseReason, ConnId, Ending, Limit, LogId, Outbox, Peer, Refusal, Service};

use super::journal::{Acted, EVERYBODY, Fact, Journal, Line};
use super::rng::Rng;

pub(super) struct Recorder {
    pub(super) chat: Chat,
    pub(super) journal: Journal,
    rng: Rng,
    start: Instant,
    /// Those who are here, by the serial of their connection.
    clients: BTreeMap<u32, Known>,
    /// Those who have left; their slots may be others' by now.
    gone: Vec<(usize, ConnId)>,
    timer: Option<Instant>,
    ticks: u64,
}

struct Known {
    id: ConnId,
    who: usize,
    paused: bool,
    throttled: bool,
    /// It has been noted that it is not open any more.
    silenced: bool,
}

impl Recorder {
    pub(super) fn new(chat: Chat, journal: Journal, rng: Rng, start: Instant) -> Recorder {
        let clients = BTreeMap::new();
        Recorder { chat, journal, rng, start, clients, gone: Vec::new(), timer: None, ticks: 0 }
    }

    /// How often it was woken.
    pub(super) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// When it wants to be woken.
    pub(super) fn timer(&self) -> Option<Instant> {
        self.timer
    }

    /// Those whom the service makes wait, who have spoken too fast, or for whom more may
    /// have waited, before they `took` so much, than lets them be listened to.
    pub(super) fn have_to_wait(
        &self,
        out: &Outbox,
        queue_park: usize,
        took: impl Fn(usize) -> usize,
    ) -> Vec<usize> {
        let has_to = |known: &&Known| {
            let waited = out.queued(known.id) + took(known.who);
            known.paused || known.throttled || waited > queue_park
        };
        self.clients.values().filter(has_to).map(|known| known.who).collect()
    }

    pub(super) fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// Whether it knows or knew somebody.
    pub(super) fn ever_knew(&self, who: usize) -> bool {
        self.knows(who) || self.gone.iter().any(|(gone, _)| *gone == who)
    }

    /// What waits for all whom it ever knew.
    pub(super) fn queued(&self, out: &Outbox) -> usize {
        let here = self.clients.values().map(|known| known.id);
        here.chain(self.gone.iter().map(|(_, id)| *id)).map(|id| out.queued(id)).sum()
    }

    pub(super) fn knows(&self, who: usize) -> bool {
        self.clients.values().any(|known| known.who == who)
    }

    /// Those whom the loop closes itself it does not tell of at once.
    fn look_around(&mut self, id: Option<ConnId>, out: &Outbox) {
        for known in self.clients.values_mut() {
            if !known.silenced && Some(known.id) != id && !out.is_open(known.id) {
                known.silenced = true;
                self.journal.note(known.who, Fact::Silenced);
            }
        }
    }

    fn note(&mut self, id: ConnId, fact: Fact, out: &Outbox) {
        self.journal.set_now(self.start, out.now());
        if !matches!(fact, Fact::Acted(_) | Fact::Paused) {
            self.look_around(Some(id), out);
        }
        let known = self.clients.get(&id.serial());
        let known = known.unwrap_or_else(|| panic!("told {fact:?} of {id:?}, who is not here"));
        self.journal.note(known.who, fact);
    }

    pub(super) fn stuck(&self, out: &Outbox) -> Vec<usize> {
        self.clients
            .values()
            .filter(|known| out.is_stuck(known.id))
            .map(|known| known.who)
            .collect()
    }

    /// What a service may do besides answering.
    fn meddle(&mut self, id: ConnId, out: &mut Outbox) {
        if self.journal.is_calm() {
            return;
        }
        if self.rng.one_in(25) {
            self.journal.hit("pause reading");
            out.pause_reading(id);
            self.clients.get_mut(&id.serial()).expect("it has just spoken").paused = true;
            self.note(id, Fact::Paused, out);
        }
        if self.timer.is_none() && self.rng.one_in(50) {
            let millis = self.rng.between(0, 500) as u64;
            self.timer = Some(out.now().monotonic + Duration::from_millis(millis));
        }
        if self.rng.one_in(10) {
            self.talk_to_the_gone(out);
        }
    }

    /// An old id names nobody, whatever it is used for.
    fn talk_to_the_gone(&mut self, out: &mut Outbox) {
        let Some((_, id)) = self.gone.last().copied() else { return };
        self.journal.hit("service uses an old id");
        let queued = out.queued(id);
        match self.rng.below(5) {
            0 => out.send(id, b"to a ghost\n"),
            1 => {
                out.send_all(LogId::of(0), self.gone.iter().map(|(_, id)| *id), b"to all ghosts\n");
            }
            2 => out.pause_reading(id),
            3 => out.resume_reading(id),
            _ => out.close(id),
        }
        assert_eq!((out.queued(id), out.is_stuck(id)), (queued, false), "it gets nothing more");
    }
}

impl Service for Recorder {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        let who = usize::from(peer.origin.port().expect("all have addresses"));
        let before = self.clients.insert(
            id.serial(),
            Known { id, who, paused: false, throttled: false, silenced: false },
        );
        assert!(before.is_none(), "{id:?} was opened twice");
        let addr = peer.origin.addr().expect("all have addresses");
        self.note(id, Fact::Opened(addr), out);
        self.chat.on_open(id, peer, out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        let paused = self.clients.get(&id.serial()).is_some_and(|known| known.paused);
        assert!(!paused, "a line of {id:?}, who is paused");
        let (bytes, stuck) = (line.to_vec(), self.stuck(out));
        self.note(id, Fact::Line(Line { bytes, queued: out.queued(id), stuck }), out);
        self.chat.on_line(id, line, out);
        let acted = Acted { is_open: out.is_open(id), queued: out.queued(id) };
        self.note(id, Fact::Acted(acted), out);
        self.meddle(id, out);
    }

    fn on_ending(&mut self, id: ConnId, ending: Ending, out: &mut Outbox) {
        self.note(id, Fact::Ending(ending), out);
        self.chat.on_ending(id, ending, out);
    }

    fn on_are_you_there(&mut self, id: ConnId, out: &mut Outbox) {
        self.note(id, Fact::Asked, out);
        self.chat.on_are_you_there(id, out);
    }

    fn on_limit(&mut self, id: ConnId, limit: Limit, out: &mut Outbox) {
        match limit {
            Limit::LineTooLong { .. } => self.note(id, Fact::TooLong, out),
            Limit::Shed(lines) => self.note(id, Fact::Skipped(lines), out),
            Limit::Throttled => {
                self.note(id, Fact::Throttled, out);
                self.clients.get_mut(&id.serial()).expect("it has just spoken").throttled = true;
            }
            Limit::Idle => self.note(id, Fact::Idle, out),
        }
        self.chat.on_limit(id, limit, out);
    }

    fn on_end_of_input(&mut self, id: ConnId, out: &mut Outbox) {
        self.chat.on_end_of_input(id, out);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        self.note(id, Fact::Closed(why), out);
        let known = self.clients.remove(&id.serial()).expect("it has just been looked for");
        self.gone.push((known.who, id));
        self.chat.on_close(id, why, out);
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        self.ticks += 1;
        self.journal.worked();
        if self.timer.is_some_and(|at| at <= out.now().monotonic) {
            self.journal.hit("timer of the service");
            self.timer = None;
        }
        for known in self.clients.values_mut().filter(|known| known.paused) {
            if self.journal.is_calm() || self.rng.one_in(2) {
                self.journal.hit("resume reading");
                known.paused = false;
                out.resume_reading(known.id);
                self.journal.note(known.who, Fact::Resumed);
            }
        }
        self.journal.set_now(self.start, out.now());
        self.look_around(None, out);
        self.journal.note(EVERYBODY, Fact::Tick);
        self.chat.on_tick(out);
    }

    fn next_tick(&self) -> Option<Instant> {
        [self.timer, self.chat.next_tick()].into_iter().flatten().min()
    }

    fn turns_away_protocols(&self, peer: &Peer<'_>) -> bool {
        self.chat.turns_away_protocols(peer)
    }

    fn refusal(&self, why: Refusal) -> &[u8] {
        self.journal.note(EVERYBODY, Fact::Refusing(why));
        self.chat.refusal(why)
    }

    fn on_shutdown(&mut self, out: &mut Outbox) {
        self.journal.set_now(self.start, out.now());
        self.journal.note(EVERYBODY, Fact::Shutdown);
        self.chat.on_shutdown(out);
    }
}
