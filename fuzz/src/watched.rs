//! The chat, with somebody beside it who sees what the loop tells it.

use std::collections::BTreeMap;
use std::time::Instant;

use chinwag::{Chat, CloseReason, ConnId, Ending, Limit, Outbox, Peer, Refusal, Service, Traffic};

/// A chat that is told only what a service may be told.
pub struct Watched {
    chat: Chat,
    /// How often it was called.
    calls: u64,
    line_max: usize,
    /// Who is open, and how it ends its lines.
    open: BTreeMap<ConnId, Option<Ending>>,
    /// How everybody ended lines who ever did.
    endings: BTreeMap<u32, Ending>,
    traffic: Option<Traffic>,
    ticks: u64,
}

impl Watched {
    /// This chat, watched.
    #[must_use]
    pub fn new(chat: Chat, line_max: usize) -> Watched {
        Watched {
            chat,
            calls: 0,
            line_max,
            open: BTreeMap::new(),
            endings: BTreeMap::new(),
            traffic: None,
            ticks: 0,
        }
    }

    /// How many are open.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.open.len()
    }

    /// How the connection of this number ended its lines, if it ever did.
    #[must_use]
    pub fn ending(&self, serial: u32) -> Option<Ending> {
        self.endings.get(&serial).copied()
    }

    /// How often it was called.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// How often it was told that its time has come.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    fn called(&mut self, out: &Outbox) {
        self.calls += 1;
        // What was counted once stays counted.
        let traffic = out.traffic();
        if let Some(before) = self.traffic.replace(traffic) {
            assert!(traffic.lines_sent >= before.lines_sent, "a line was sent less");
            assert!(traffic.lines_shed >= before.lines_shed, "a line was skipped less");
        }
    }

    fn called_for(&mut self, id: ConnId, out: &Outbox) {
        self.called(out);
        assert!(self.open.contains_key(&id), "{id:?} is not there");
        assert!(out.is_open(id), "{id:?} has begun to close");
    }
}

impl Service for Watched {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        assert!(self.open.insert(id, None).is_none(), "{id:?} is opened twice");
        self.called_for(id, out);
        self.chat.on_open(id, peer, out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        self.called_for(id, out);
        assert!(line.len() <= self.line_max, "too long");
        assert!(!line.contains(&b'\n') && !line.contains(&0), "more than a line");
        self.chat.on_line(id, line, out);
    }

    fn on_ending(&mut self, id: ConnId, ending: Ending, out: &mut Outbox) {
        self.called_for(id, out);
        // Telnet speaks for CR LF, until there is an ending of a line.
        let known = self.open.insert(id, Some(ending)).flatten();
        assert!(known.is_none_or(|known| known == Ending::CrLf), "{id:?} has its ending already");
        self.endings.insert(id.serial(), ending);
        self.chat.on_ending(id, ending, out);
    }

    fn on_are_you_there(&mut self, id: ConnId, out: &mut Outbox) {
        self.called_for(id, out);
        self.chat.on_are_you_there(id, out);
    }

    fn on_limit(&mut self, id: ConnId, limit: Limit, out: &mut Outbox) {
        self.called_for(id, out);
        self.chat.on_limit(id, limit, out);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        self.called(out);
        assert!(self.open.remove(&id).is_some(), "{id:?} is closed twice");
        assert!(!out.is_open(id), "{id:?} is still open");
        self.chat.on_close(id, why, out);
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        self.called(out);
        self.ticks += 1;
        self.chat.on_tick(out);
    }

    fn next_tick(&self) -> Option<Instant> {
        self.chat.next_tick()
    }

    fn turns_away_protocols(&self, peer: &Peer<'_>) -> bool {
        self.chat.turns_away_protocols(peer)
    }

    fn refusal(&self, why: Refusal) -> &[u8] {
        self.chat.refusal(why)
    }

    fn on_shutdown(&mut self, out: &mut Outbox) {
        self.called(out);
        self.chat.on_shutdown(out);
    }
}
