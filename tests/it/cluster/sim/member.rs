//! A node's service: its chat, with what that appends, and what it is told.

use std::cell::{Cell, RefCell};
use std::mem;
use std::time::{Duration, Instant};

use chinwag::chat::{Answer, Bus, Request, Settings};
use chinwag::cluster::{Entry, NodeId, Report};
use chinwag::{Chat, CloseReason, ConnId, Outbox, Peer, Service};

use super::world::With;
use crate::cluster::chats::token;

/// How long a name is kept for whoever was cut off.
const RESUME_FOR: u64 = 8000;

/// Rooms that there may be, where there may be few: the lobby, and one more.
pub(super) const ROOMS_MAX: usize = 2;

pub(super) struct Member {
    chat: Chat,
    report: Cell<Option<Report>>,
    entries: RefCell<Vec<Entry>>,
    /// The next request, if its worker is free and there is one; and what it has come to.
    request: RefCell<Option<(Option<ConnId>, Request)>>,
    answer: RefCell<Option<(Option<ConnId>, Answer)>>,
    is_free: bool,
    is_ending: Cell<bool>,
}

impl Member {
    pub(super) fn new(id: NodeId, with: With) -> Member {
        let settings = Settings {
            bus: Bus::Log(id),
            operators: true,
            greet_after: None,
            random: Some(token),
            digest: Some(|token| std::array::from_fn(|at| token[at % token.len()])),
            resume_for: Duration::from_millis(RESUME_FOR),
            rooms_max: if with.few_rooms { ROOMS_MAX } else { usize::MAX },
            ..Settings::default()
        };
        Member {
            chat: Chat::new(settings),
            report: Cell::default(),
            entries: RefCell::default(),
            request: RefCell::default(),
            answer: RefCell::default(),
            is_free: with.bans,
            is_ending: Cell::default(),
        }
    }

    /// The next time it is woken it is told this.
    pub(super) fn tell(&self, report: Report) {
        let before = self.report.replace(Some(report));
        assert!(before.is_none(), "it is told one thing after the other");
    }

    /// The next time it is woken it has this answer.
    pub(super) fn answer(&self, asker: Option<ConnId>, answer: Answer) {
        self.answer.replace(Some((asker, answer)));
    }

    /// Whether an operator has ended it; true once.
    pub(super) fn takes_shutdown(&self) -> bool {
        self.is_ending.take()
    }

    /// What its worker is to do.
    pub(super) fn take_request(&self) -> Option<(Option<ConnId>, Request)> {
        self.request.take()
    }

    /// What it has appended.
    pub(super) fn take_entries(&self) -> Vec<Entry> {
        mem::take(&mut self.entries.borrow_mut())
    }

    /// Whether clients may connect.
    pub(super) fn is_in_cluster(&self) -> bool {
        self.chat.is_in_cluster()
    }

    fn append(&mut self, out: &Outbox) {
        self.is_ending.set(self.is_ending.get() | self.chat.takes_shutdown());
        while let Some(entry) = self.chat.next_entry(out.now()) {
            self.entries.get_mut().push(entry);
        }
        if self.is_free
            && let Some(request) = self.chat.next_request()
        {
            self.is_free = false;
            self.request.replace(Some(request));
        }
    }
}

impl Service for Member {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        self.chat.on_open(id, peer, out);
        self.append(out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        self.chat.on_line(id, line, out);
        self.append(out);
    }

    fn on_end_of_input(&mut self, id: ConnId, out: &mut Outbox) {
        self.chat.on_end_of_input(id, out);
        self.append(out);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        self.chat.on_close(id, why, out);
        self.append(out);
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        if let Some(report) = self.report.take() {
            self.chat.report(report, out);
        }
        if let Some((asker, answer)) = self.answer.take() {
            self.is_free = true;
            self.chat.answer(asker, answer, out);
        }
        self.chat.on_tick(out);
        self.append(out);
    }

    fn next_tick(&self) -> Option<Instant> {
        self.chat.next_tick()
    }

    fn on_shutdown(&mut self, out: &mut Outbox) {
        self.chat.on_shutdown(out);
        self.append(out);
    }
}
