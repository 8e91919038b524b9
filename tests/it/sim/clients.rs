//! The clients, and everything that they do, wisely or not.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::first::BEGINNINGS;
use super::lines::{ENDINGS, write_return};
use super::preface::{Meaning, Preface};
use super::record::Recorder;
use super::rng::Rng;
use super::stream::{Reset, Wire};
use super::world::World;

pub(super) struct Client {
    pub(super) wire: Rc<RefCell<Wire>>,
    /// Where the hub has it, or had it.
    pub(super) slot: usize,
    /// It comes by way of a proxy, which says this first.
    pub(super) preface: Option<Preface>,
    /// What it says to shake hands, where that is wanted.
    pub(super) hello: Option<&'static [u8]>,
    ending: &'static [u8],
    /// Typed, and not sent yet.
    unsent: VecDeque<u8>,
    is_reading: bool,
    /// A few bytes at a time.
    is_slow: bool,
    /// Even when the server has said its last.
    never_leaves: bool,
    /// While it waits to be read from: who was, turn by turn.
    overtaken_by: Option<Vec<usize>>,
}

impl Client {
    pub(super) fn new(
        wire: Rc<RefCell<Wire>>,
        slot: usize,
        preface: Option<Preface>,
        hello: Option<&'static [u8]>,
        rng: &mut Rng,
    ) -> Client {
        let ending = *rng.pick(&ENDINGS);
        // The first bytes decide what the server takes a client for. With a blank line it
        // shows its ending before it has said anything.
        let is_nonsense =
            preface.as_ref().is_some_and(|it| matches!(it.meaning, Meaning::Nonsense(_)));
        let first: &[u8] = match rng.below(14) {
            // A header would be one here.
            0..3 if is_nonsense => b"hello\n",
            0..3 => rng.pick::<&[u8]>(&BEGINNINGS),
            3..6 => ending,
            // Somebody who means to come back.
            6..8 => b"/join games\n/resume\n",
            8..10 => b"/join tea\n/resume\n/nick ann\n",
            _ => b"",
        };
        let said_by_proxy = preface.iter().flat_map(|preface| &preface.bytes);
        let before = said_by_proxy.chain(hello.unwrap_or_default());
        let mut unsent: VecDeque<u8> = before.chain(first).copied().collect();
        if first.is_empty() && rng.one_in(2) {
            unsent.extend(write_return(rng).bytes().chain(*b"\n"));
        }
        let never_leaves = rng.one_in(8);
        let mut client = Client {
            wire,
            slot,
            preface,
            hello,
            ending,
            unsent,
            is_reading: true,
            is_slow: rng.one_in(8),
            never_leaves,
            overtaken_by: None,
        };
        if rng.one_in(2) {
            client.send_rest();
        }
        client
    }

    /// How often it was read from, and how much it was sent.
    pub(super) fn progress(&self) -> (u64, usize) {
        let wire = self.wire.borrow();
        (wire.reads, wire.accepted().len())
    }

    pub(super) fn is_known_to(&self, service: &Recorder) -> bool {
        service.ever_knew(self.wire.borrow().who)
    }

    fn may_send(&self) -> bool {
        self.wire.borrow().may_send()
    }

    pub(super) fn send_rest(&mut self) {
        self.send_some(self.unsent.len());
    }

    fn send_some(&mut self, count: usize) {
        if self.may_send() && count > 0 {
            self.wire.borrow_mut().send(self.unsent.drain(..count));
        }
    }

    /// It is ready to be read from, and the hub has been told so.
    pub(super) fn begin_to_wait(&mut self) {
        self.overtaken_by.get_or_insert_default();
    }

    /// A turn in which these were read from. Those who do not read themselves may wait
    /// for as long as they do not.
    pub(super) fn wait(&mut self, read: &[usize], is_exempt: bool) {
        let wire = self.wire.borrow();
        let Some(others) = &mut self.overtaken_by else { return };
        if wire.is_closed || is_exempt || read.contains(&wire.who) {
            drop(wire);
            self.overtaken_by = None;
            return;
        }
        others.extend(read);
        for other in read {
            let times = others.iter().filter(|one| *one == other).count();
            assert!(times <= 2, "#{} waits while #{other} is read from", wire.who);
        }
    }

    /// The server has said its last, and waits in vain for the same from it.
    pub(super) fn is_waited_for(&self) -> bool {
        self.never_leaves && self.wire.borrow().is_shut
    }

    /// It behaves from here on, and has as much room as it needs.
    pub(super) fn come_to_rest(&mut self) {
        (self.is_reading, self.is_slow) = (true, false);
        self.wire.borrow_mut().smooth();
    }

    /// What somebody does who behaves: reads everything, says the rest, and leaves when
    /// the server has said its last.
    pub(super) fn wind_up(&mut self) {
        self.send_rest();
        let mut wire = self.wire.borrow_mut();
        wire.read(usize::MAX);
        if wire.has_read_all() && !self.never_leaves {
            wire.end();
        }
    }
}

impl World {
    /// What happens by itself: those who read do so, what is typed is sent bit by bit, and
    /// who has read the end leaves sooner or later.
    pub(super) fn live_on(&mut self) {
        for client in &mut self.clients {
            if client.is_reading {
                let most = if client.is_slow { self.rng.below(4) } else { usize::MAX };
                client.wire.borrow_mut().read(most);
            }
            if !client.unsent.is_empty() && self.rng.one_in(2) {
                self.journal.count_event();
                client.send_some(self.rng.between(1, client.unsent.len()));
            }
            let has_read_all = client.wire.borrow().has_read_all();
            if has_read_all && !client.never_leaves && self.rng.one_in(3) {
                client.wire.borrow_mut().end();
            }
        }
    }

    /// One thing that somebody does, or the server's owner.
    pub(super) fn act(&mut self) {
        self.journal.count_event();
        match self.rng.below(100) {
            0..12 if !self.is_shutting_down => return self.connect(),
            12..18 => {
                return self.wake();
            }
            18 if self.rng.one_in(4) && !self.is_shutting_down => return self.shut_down(),
            19 if self.rng.one_in(3) => return self.reset_many(),
            20 if self.rng.one_in(3) => return self.all_talk(),
            _ => {}
        }
        let Some(who) = self.anybody() else { return };
        match self.rng.below(100) {
            0..12 => self.toggle_reading(who),
            12..20 => {
                self.journal.hit("sip");
                let most = self.rng.between(1, 200);
                self.clients[who].wire.borrow_mut().read(most);
            }
            _ if !self.clients[who].may_send() => {}
            20..60 => self.say(who),
            60..80 => {
                self.journal.hit("send in pieces");
                self.type_line(who);
            }
            80..88 => self.pipeline(who),
            _ if self.is_mild && !self.rng.one_in(8) => self.say(who),
            88 => {
                let endless = self.lines.write_endless(&mut self.rng);
                self.clients[who].unsent.extend(endless);
            }
            89..92 => self.half_close(who),
            92..95 => self.reset(who),
            _ => {
                let calls = self.rng.below(12);
                self.clients[who].wire.borrow_mut().light_fuse(calls);
            }
        }
    }

    /// Somebody who is here; now and then one who has not noticed that it is not.
    fn anybody(&mut self) -> Option<usize> {
        let all = self.rng.one_in(30);
        let is_here = |who: &usize| all || !self.clients[*who].wire.borrow().is_closed;
        let here: Vec<usize> = (0..self.clients.len()).filter(is_here).collect();
        (!here.is_empty()).then(|| *self.rng.pick(&here))
    }

    fn type_line(&mut self, who: usize) {
        let line = self.lines.write(&mut self.rng, self.clients[who].ending);
        self.clients[who].unsent.extend(line);
    }

    fn say(&mut self, who: usize) {
        self.journal.hit("send a line");
        self.type_line(who);
        self.clients[who].send_rest();
    }

    fn pipeline(&mut self, who: usize) {
        self.journal.hit("pipeline many lines");
        let is_blank = self.rng.one_in(8);
        for _ in 0..self.rng.between(2, 20) {
            if is_blank {
                let client = &mut self.clients[who];
                client.unsent.extend(client.ending);
            } else {
                self.type_line(who);
            }
        }
        self.clients[who].send_rest();
    }

    fn all_talk(&mut self) {
        self.journal.hit("all talk at once");
        for who in 0..self.clients.len() {
            let is_here = !self.clients[who].wire.borrow().is_closed;
            if is_here && self.clients[who].may_send() {
                self.pipeline(who);
            }
        }
    }

    fn toggle_reading(&mut self, who: usize) {
        let client = &mut self.clients[who];
        client.is_reading = !client.is_reading;
        self.journal.hit(if client.is_reading { "read again" } else { "stop reading" });
    }

    /// It sends no more, perhaps after the start of a line.
    fn half_close(&mut self, who: usize) {
        let client = &mut self.clients[who];
        if self.rng.one_in(2) {
            client.send_rest();
        }
        if self.rng.one_in(2) {
            let part = *self.rng.pick(&[&b"last words"[..], b"/who", b"/exit\r", b"/msg ann psst"]);
            client.unsent.extend(part);
            client.send_rest();
        }
        if self.rng.one_in(4) {
            self.journal.hit("says that it has said all");
            client.unsent.extend(b"\xff\xec");
            return client.send_rest();
        }
        let inside = !client.unsent.is_empty();
        self.journal.hit(if inside { "half-close inside a line" } else { "half-close" });
        client.wire.borrow_mut().end();
    }

    fn reset(&mut self, who: usize) {
        self.journal.hit("reset");
        if self.rng.one_in(2) {
            self.journal.hit("last words before a reset");
            self.type_line(who);
            self.clients[who].send_rest();
        }
        let reset = *self.rng.pick(&[Reset::DropsData, Reset::KeepsData]);
        self.clients[who].wire.borrow_mut().reset(reset);
    }

    /// A cable is pulled, or a network goes away.
    fn reset_many(&mut self) {
        self.journal.hit("reset of many");
        for who in 0..self.clients.len() {
            if self.clients[who].may_send() && self.rng.one_in(3) {
                self.clients[who].wire.borrow_mut().reset(Reset::DropsData);
            }
        }
    }
}
