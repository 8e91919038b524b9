//! The oracle of closings: when a client is closed, and is sent nothing more.

use chinwag::{Protocol, Refusal};

use super::{Model, Phase, Sort};
use crate::sim::journal::{Entry, Fact};

impl Model<'_> {
    /// Its input has ended; what comes `next` tells whether a line without an ending is left.
    pub(super) fn end_read(&mut self, who: usize, next: Option<&Entry>) {
        if !self.is_open(who) {
            return;
        }
        // Nobody knows whether it would have gone on with what has no ending.
        if self.members[&who].phase == Phase::Gone {
            return self.close(who);
        }
        match next.filter(|next| next.who == who).map(|next| &next.fact) {
            Some(Fact::Line(_)) => self.listener(who).phase = Phase::LastLine,
            _ if is_foreign(next) => {}
            _ => self.close(who),
        }
    }

    /// It has said its last line. Who waits for an answer is closed once it has it, and the end
    /// comes again.
    pub(super) fn end_with_line(&mut self, who: usize, next: Option<&Entry>) {
        if next.is_some_and(|next| next.who == who && next.fact == Fact::Paused) {
            self.listener(who).phase = Phase::Open;
        } else {
            self.close(who);
        }
    }

    pub(super) fn close(&mut self, who: usize) {
        if self.is_open(who) {
            self.listener(who).phase = Phase::Closing;
            self.lives[who].silent_from.get_or_insert(self.entry);
        }
    }

    /// From here on it is sent nothing.
    pub(super) fn lose(&mut self, who: usize) {
        if self.is_open(who) {
            self.listener(who).phase = Phase::Gone;
            self.lives[who].silent_from.get_or_insert(self.entry);
        }
    }

    /// Whoever is refused has begun with another protocol.
    pub(super) fn close_by_itself(&mut self, who: usize, is_refused: bool) {
        if is_refused && self.is_open(who) && self.turned_away == Some(Protocol::Http) {
            self.reply(who, "This is a chat server, not a web server.");
        }
        self.close(who);
    }

    /// Closes a connection whose name is not to be kept.
    pub(super) fn let_go(&mut self, who: usize) {
        self.listener(who).said_goodbye = true;
        self.close(who);
    }

    pub(super) fn shut_down(&mut self) {
        self.is_over = true;
        for who in self.members.keys().copied().collect::<Vec<_>>() {
            self.send(who, "Server is shutting down.", Sort::Room);
            self.close(who);
        }
    }
}

/// Whoever speaks another protocol is turned away. That is noted of everybody.
fn is_foreign(next: Option<&Entry>) -> bool {
    next.is_some_and(|next| matches!(next.fact, Fact::Refusing(Refusal::Foreign(_))))
}
