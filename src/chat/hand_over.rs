//! The chat's part of an upgrade: what is packed for the new process. Settings, the message of the
//! day and accounts are not packed, but read anew (a node of a cluster has its accounts packed, as
//! what they are read from may be out of reach); all requests to the worker have been answered.

use super::reply;
use super::settings::{Bus, Settings};
use super::state::Chat;
use super::user::User;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;
use crate::net::service::{HandOver, Upgraded};
use crate::pack::{Damaged, Packer, Unpacker};

impl HandOver for Chat {
    fn pack(&self, to: &mut Packer) {
        let Chat {
            settings: _,
            users,
            rooms,
            batches,
            sessions,
            resumed,
            newcomers,
            batch_timeouts,
            resume_timeouts,
            bans,
            meant: _,
            mutes,
            accounts,
            attempts,
            tried: _,
            changes,
            made,
            under_way,
            node,
            request_queue: _,
            is_reload_wanted: _,
            is_shutdown_wanted: _,
            upgrades,
            farewell: _,
            lines_in,
            resident_at_start,
            is_shutting_down: _,
            renderer: _,
        } = self;
        users.pack(to);
        to.put(rooms).put(batches).put(sessions).put(resumed).put(bans).put(mutes).put(upgrades);
        to.put(under_way).put(node);
        newcomers.pack(to);
        batch_timeouts.pack(to);
        resume_timeouts.pack(to);
        for budget in [attempts, changes, made] {
            budget.pack(to);
        }
        to.put(lines_in).put(resident_at_start);
        // The next program reads them from Redis, which may be out of reach.
        if node.is_some() {
            to.put(accounts);
        }
    }

    fn quiesce(&mut self) -> bool {
        self.request_queue.close();
        true
    }

    /// Those with a name get a token, if tokens are given.
    fn on_left_behind(&mut self, id: ConnId, out: &mut Outbox) {
        self.reply(id, reply::left_behind(), out);
        let is_named = self.users.get(id).is_some_and(User::is_named);
        if is_named && self.settings.random.is_some() && !self.settings.resume_for.is_zero() {
            self.issue_token(id, out);
            if let Some(own) = self.users.id(id).filter(|_| self.under_way.has(id)) {
                // By the time that it is in force nothing can be sent any more.
                self.show_token(own, out);
            }
        }
    }

    fn takes_upgrade(&mut self) -> bool {
        self.upgrades.takes_request()
    }

    fn on_upgraded(&mut self, upgraded: &Upgraded, out: &mut Outbox) {
        self.upgrades.note(upgraded);
        if let Some(id) = self.upgrades.take_asker() {
            self.reply(id, reply::upgraded(upgraded), out);
        }
    }

    fn on_not_upgraded(&mut self, why: &str, out: &mut Outbox) {
        self.request_queue.open(self.settings.waiting_max);
        if let Some(id) = self.upgrades.take_asker() {
            self.reply(id, reply::not_upgraded(why), out);
        }
    }
}

impl Chat {
    /// Whether an operator has asked for an upgrade that has not begun yet.
    #[must_use]
    pub fn wants_upgrade(&self) -> bool {
        self.upgrades.is_wanted()
    }

    /// The chat that another process has packed, with the settings of this one.
    ///
    /// # Errors
    ///
    /// If what comes next is no chat.
    pub fn unpack(settings: Settings, from: &mut Unpacker<'_>) -> Result<Chat, Damaged> {
        let mut chat = Chat::new(settings);
        chat.users.restore(from)?;
        chat.rooms = from.get()?;
        chat.batches = from.get()?;
        chat.sessions = from.get()?;
        chat.resumed = from.get()?;
        chat.bans = from.get()?;
        chat.mutes = from.get()?;
        chat.upgrades = from.get()?;
        chat.under_way = from.get()?;
        chat.node = from.get()?;
        if let Some(node) = &chat.node {
            chat.settings.bus = Bus::Log(node.id());
        }
        chat.newcomers.restore(from)?;
        chat.batch_timeouts.restore(from)?;
        chat.resume_timeouts.restore(from)?;
        for budget in [&mut chat.attempts, &mut chat.changes, &mut chat.made] {
            budget.restore(from)?;
        }
        chat.lines_in = from.get()?;
        chat.resident_at_start = from.get()?;
        if chat.node.is_some() {
            chat.accounts = from.get()?;
        }
        Ok(chat)
    }
}
