//! The chat as the loop sees it: what it does when a connection opens, sends a line, or closes.

use std::borrow::Cow;
use std::time::Instant;

use super::commands::Command;
use super::dialect::{Dialect, Format};
use super::operation::Effect;
use super::password;
use super::reply;
use super::request::Naming;
use super::room::RoomNo;
use super::settings::OPERATORS;
use super::state::Chat;
use super::text;
use super::time::timestamp;
use super::user::{Stage, User};
use crate::net::conn::{CloseReason, ConnId};
use crate::net::line::Ending;
use crate::net::metrics::Exposition;
use crate::net::outbox::Outbox;
use crate::net::service::{Limit, Peer, Refusal, Service};
use crate::net::sniff::Protocol;
use crate::net::timeouts::Now;

/// Ctrl-D, which raw terminals send as a byte instead of closing the input.
const END_OF_FILE_KEY: u8 = 0x04;

impl Service for Chat {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        // Unknown labels were refused when the listeners were made.
        let dialect = peer.label.parse().unwrap_or_default();
        let ending = peer.ending.unwrap_or(Ending::Lf);
        self.users.add(id, peer.origin, Format { dialect, ending });
        if let Some(user) = self.users.get_mut(id) {
            user.stage = Stage::Silent { ending_seen: peer.ending.is_some() };
        }
        self.users.note_activity(id, out.now().monotonic);
        let is_operator = self.settings.operators && peer.label == OPERATORS;
        if is_operator && let Some(extras) = self.users.extras_of(id) {
            extras.is_operator = true;
        }
        self.users.note_encryption(id, peer.is_encrypted);
        self.enter_room(id, RoomNo::LOBBY, out);
        if dialect == Dialect::Json {
            self.say_hello(id, out);
        }
        self.publish(id, Effect::Connect, out);
        if dialect == Dialect::Native && self.settings.greet_after.is_some() {
            self.newcomers.start(id, out.now().monotonic);
        }
    }

    fn on_ending(&mut self, id: ConnId, ending: Ending, _: &mut Outbox) {
        self.regroup(id, |user| {
            user.format.ending = ending;
            if let Stage::Silent { ending_seen } = &mut user.stage {
                *ending_seen = true;
            }
        });
    }

    fn on_are_you_there(&mut self, id: ConnId, out: &mut Outbox) {
        self.reply(id, reply::here(), out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        let Some(user) = self.users.get_mut(id) else { return };
        let bare = text::trim(line);
        let text = text::sanitise(bare);
        let seen = text::trim_unseen(&text);
        let is_key = line.iter().all(|byte| matches!(*byte, b' ' | b'\t' | END_OF_FILE_KEY));
        if is_key || text::is_blank(seen) {
            return;
        }
        user.stage = Stage::Speaking;
        self.users.note_activity(id, out.now().monotonic);
        self.forget_newcomers();
        let command = self.commands(id).parse(seen, |name| self.is_known(name));
        let is_secret = command.as_ref().is_ok_and(|it| self.may_be_secret(it, bare, seen));
        let is_speech = !is_secret && command.as_ref().is_ok_and(Command::is_speech);
        let waits = !is_speech && self.under_way.has(id);
        self.lines_in += u64::from(!waits);
        match command {
            _ if waits => {
                self.under_way.hold(id, line);
                out.pause_reading(id);
            }
            Ok(_) if is_secret => self.reply(id, reply::not_said(), out),
            Ok(Command::Name(Naming::Register, _, None)) if self.may_be_slip(id, seen) => {
                self.reply(id, reply::unclear(), out);
            }
            Ok(command) => self.act(id, command, out),
            Err(mistake) => self.refuse_line(id, mistake, out),
        }
        if let (Cow::Owned(text), true) = (text, self.settings.accounts) {
            password::wipe(&mut text.into_bytes());
        }
    }

    fn on_limit(&mut self, id: ConnId, limit: Limit, out: &mut Outbox) {
        match limit {
            Limit::LineTooLong { max } => {
                let Some(user) = self.users.get_mut(id) else { return };
                user.stage = Stage::Speaking;
                self.forget_newcomers();
                self.reply(id, reply::line_too_long(max), out);
            }
            Limit::Throttled => self.reply(id, reply::throttled(), out),
            Limit::Idle => self.reply(id, reply::still_there(), out),
            Limit::Shed(lines) => self.reply(id, reply::skipped(lines), out),
        }
    }

    fn on_end_of_input(&mut self, id: ConnId, out: &mut Outbox) {
        if self.under_way.has(id) {
            // Its operations have to come back first: their answers are still owed.
            out.pause_reading(id);
        }
    }

    fn on_close(&mut self, id: ConnId, _: CloseReason, out: &mut Outbox) {
        self.under_way.forget(id);
        let Some(user) = self.users.get(id) else { return };
        if !self.is_shutting_down && user.stage != Stage::Leaving && self.keep_session(id, out) {
            return;
        }
        if self.is_shutting_down {
            self.remove(id);
        } else {
            self.leave(id, out);
        }
        self.forget_newcomers();
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        let now = out.now().monotonic;
        while let Some(id) = self.newcomers.expired(now) {
            // A greeting may contain a whole history, so each tick sends only one.
            if self.greet(id, out) {
                return;
            }
        }
        while let Some(room) = self.batch_timeouts.expired(now) {
            self.end_batch(room, out);
        }
        while let Some(key) = self.resume_timeouts.expired(now) {
            self.end_session(key, out);
        }
        self.forget_silent_nodes(now, out);
    }

    fn on_trim_memory(&mut self) {
        if let Some(give_back) = self.settings.give_back {
            give_back();
        }
    }

    fn next_tick(&self) -> Option<Instant> {
        let rosters = self.rosters_due();
        [self.newcomers.next(), self.batch_timeouts.next(), self.resume_timeouts.next(), rosters]
            .into_iter()
            .flatten()
            .min()
    }

    fn log_name(&self, id: ConnId) -> Option<String> {
        self.users.get(id).map(|user| user.shown().to_string())
    }

    fn is_banned(&self, peer: &Peer<'_>, now: Now) -> bool {
        let is_operators = self.settings.operators && peer.label == OPERATORS;
        let at = timestamp(now);
        !is_operators && peer.origin.ip().is_some_and(|addr| self.bans.has_addr(addr, at))
    }

    fn turns_away_protocols(&self, _: &Peer<'_>) -> bool {
        true
    }

    fn refusal(&self, why: Refusal) -> &[u8] {
        match why {
            Refusal::Full => reply::FULL,
            Refusal::Address => reply::ADDRESS_FULL,
            Refusal::Banned(origin) => {
                let notice = |addr| self.bans.notice(addr, |ban| self.ban_notice(ban)).as_bytes();
                origin.ip().map_or(b"", notice)
            }
            Refusal::Foreign(Protocol::Http) => reply::NO_WEB_SERVER,
            // Those protocols have no place for a line of text.
            Refusal::Foreign(_) => b"",
        }
    }

    fn on_scrape(&self, metrics: &mut Exposition) {
        self.write_metrics(metrics);
    }

    fn on_shutdown(&mut self, out: &mut Outbox) {
        self.is_shutting_down = true;
        for room in self.rooms.iter() {
            let reply = reply::shutting_down(&self.farewell);
            self.renderer.notify_room(room, reply, |_| true, out);
        }
    }
}

impl Chat {
    /// Drops newcomers who have sent a line or left from the list.
    fn forget_newcomers(&mut self) {
        let is_silent = |user: &User| user.stage.is_silent();
        self.newcomers.prune(|id| !self.users.get(id).is_some_and(is_silent));
    }
}
