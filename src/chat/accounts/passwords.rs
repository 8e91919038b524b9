//! Commands with passwords, and what their answers do.

use std::time::Instant;

use log::{info, warn};

use super::protected::{Attempt, network};
use crate::chat::commands::{AccountCommand, Command, looks_secret, split_word};
use crate::chat::dialect::Dialect;
use crate::chat::operation::Effect;
use crate::chat::password::{Password, Secret};
use crate::chat::reply;
use crate::chat::request::{Account, Answer, Naming, Request};
use crate::chat::sessions::has_token;
use crate::chat::state::Chat;
use crate::chat::text::starts_unseen;
use crate::chat::time::{end, timestamp};
use crate::chat::user::User;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

impl Chat {
    /// Carries out a command about the user's own name.
    pub(in crate::chat) fn account_command(
        &mut self,
        id: ConnId,
        command: AccountCommand<'_>,
        out: &mut Outbox,
    ) {
        match command {
            AccountCommand::Unclear => self.reply(id, reply::unclear(), out),
            AccountCommand::Protect(password) => self.protect(id, password, out),
            AccountCommand::Passwd(password) => self.change_password(id, password, out),
            AccountCommand::Unprotect(password) => self.unprotect(id, password, out),
        }
    }

    /// Whether a line may contain a secret, and must not be said. `bytes` is the line as it came,
    /// `line` as it would be said.
    pub(in crate::chat) fn may_be_secret(
        &self,
        command: &Command<'_>,
        bytes: &[u8],
        line: &str,
    ) -> bool {
        match command {
            // `/say` says anything; two slashes may be a slip.
            Command::Say(_) if line.starts_with('/') && !line.starts_with("//") => false,
            Command::Say(_) => {
                has_token(line)
                    || (self.settings.accounts && (starts_unseen(bytes) || looks_secret(line)))
            }
            _ => false,
        }
    }

    /// Whether `register WORD` may be `/register` without its slash, and the word a password. In
    /// capitals, and from guests in the clients' dialects, it is how they take a name.
    pub(in crate::chat) fn may_be_slip(&self, id: ConnId, line: &str) -> bool {
        let is_unlikely_name =
            |user: &User| user.is_named() || user.format.dialect == Dialect::Native;
        let is_keyword = line.starts_with("REGISTER");
        self.settings.accounts && !is_keyword && self.users.get(id).is_some_and(is_unlikely_name)
    }

    /// Whether a user is an operator: through the listener, or through the account they are
    /// logged in to.
    pub(in crate::chat) fn is_operator(&self, user: &User) -> bool {
        self.users.extras(user).is_some_and(|extras| extras.is_operator)
            || (self.users.has_account(user) && self.account_of(user).is_some_and(|own| own.op))
    }

    /// The account of a user's name, whether they are logged in to it or not.
    fn account_of(&self, user: &User) -> Option<&Account> {
        if user.is_named() { self.accounts.get(&user.shown().to_string()) } else { None }
    }

    fn protect(&mut self, id: ConnId, password: Secret<'_>, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        if !user.is_named() {
            return self.reply(id, reply::name_first(), out);
        }
        let name = user.shown().to_string();
        let now = timestamp(out.now());
        if self.account_of(user).is_some_and(|own| !own.is_over(now)) {
            return self.reply(id, reply::already_protected(&name), out);
        }
        let max = self.settings.accounts_max;
        if self.accounts.are_full(max, now) {
            return self.reply(id, reply::accounts_full(max), out);
        }
        if let Some(password) = self.new_password(id, &name, password, out) {
            let unused_until = end(now, self.settings.accounts_unused_for);
            let account = Account { name, op: false, unused_until };
            self.request(id, Request::Register { account, password, now }, out);
        }
    }

    fn change_password(&mut self, id: ConnId, password: Secret<'_>, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        if !user.is_named() {
            return self.reply(id, reply::name_first(), out);
        }
        let name = user.shown().to_string();
        if self.account_of(user).is_none() {
            return self.reply(id, reply::not_protected(&name), out);
        }
        if !self.users.has_account(user) {
            return self.reply(id, reply::not_logged_in(&name), out);
        }
        if let Some(password) = self.new_password(id, &name, password, out) {
            self.request(id, Request::Passwd { name, password }, out);
        }
    }

    /// A new password, if it is valid. Some users type the name before it from habit: the two
    /// together would be the password, and they could not log in.
    fn new_password(
        &mut self,
        id: ConnId,
        name: &str,
        password: Secret<'_>,
        out: &mut Outbox,
    ) -> Option<Password> {
        let (first, _) = split_word(password.0.trim_start());
        if first.eq_ignore_ascii_case(name) {
            self.reply(id, reply::password_is_name(name), out);
            return None;
        }
        let password = Password::new(password.0);
        if password.is_none() {
            self.reply(id, reply::password_unfit(), out);
        }
        password
    }

    fn unprotect(&mut self, id: ConnId, password: Secret<'_>, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        if !user.is_named() {
            return self.reply(id, reply::name_first(), out);
        }
        let name = user.shown().to_string();
        if self.account_of(user).is_none() {
            return self.reply(id, reply::not_protected(&name), out);
        }
        match Password::new(password.0) {
            Some(password) => self.request(id, Request::Unregister { name, password }, out),
            None => self.reply(id, reply::password_unfit(), out),
        }
    }

    /// A user asks for a name with its password.
    pub(in crate::chat) fn log_in(
        &mut self,
        id: ConnId,
        name: &str,
        password: Secret<'_>,
        by: Naming,
        out: &mut Outbox,
    ) {
        if !self.settings.accounts {
            let usage = match by {
                Naming::Nick => "/nick NAME",
                Naming::Register => "REGISTER NAME",
            };
            return self.reply(id, reply::usage(usage), out);
        }
        if self.refuse_if_unfit(id, name, out) {
            return;
        }
        let name = name.to_owned();
        match Password::new(password.0) {
            Some(password) => self.request(id, Request::LogIn { name, password, by }, out),
            None => self.reply(id, reply::password_unfit(), out),
        }
    }

    /// Whether the budget of a user's address allows a request.
    pub(in crate::chat) fn is_affordable(
        &mut self,
        id: ConnId,
        request: &Request,
        now: Instant,
    ) -> bool {
        let addr = self.users.addr(id);
        let from = addr.map(network);
        match request {
            Request::LogIn { name, .. } | Request::Unregister { name, .. } => {
                let may = self.attempts.count(from, name, now);
                if may {
                    self.tried.insert(id, Attempt { name: name.as_str().into(), addr });
                }
                may
            }
            Request::Passwd { name, .. } => self.changes.count(from, name, now),
            Request::Register { account, .. } => self.made.count(from, &account.name, now),
            Request::Ban { .. } | Request::Unban(_) | Request::Reload | Request::Refresh { .. } => {
                true
            }
        }
    }

    /// Counts or forgives an attempt, if `answer` belongs to one. The user may have left.
    pub(in crate::chat) fn finish_attempt(&mut self, id: ConnId, answer: &Answer) {
        let Some(Attempt { name, addr }) = self.tried.remove(&id) else { return };
        if matches!(answer, Answer::Wrong) {
            let (addr, port) = (addr.map(|addr| addr.ip()), addr.map(|addr| addr.port()));
            return warn!(conn = id.serial(), addr, port, name = &*name; "failed_password");
        }
        // The password was right, or was not checked.
        self.attempts.forgive(addr.map(network), &name);
    }

    /// A user's name is protected now.
    pub(in crate::chat) fn registered(&mut self, id: ConnId, account: Account, out: &mut Outbox) {
        let name = &account.name.clone();
        info!(conn = id.serial(), name; "protected");
        self.accounts.add(account);
        let is_remote = self.users.addr(id).is_some_and(|addr| !addr.ip().is_loopback());
        if let Some(extras) = self.users.extras_of(id) {
            extras.has_account = true;
        }
        self.reply(id, reply::protected(name), out);
        if is_remote && !self.users.is_encrypted(id) {
            self.reply(id, reply::not_encrypted(), out);
        }
    }

    /// The password was changed: the old resume token is revoked, as others may know it.
    pub(in crate::chat) fn password_set(&mut self, id: ConnId, out: &mut Outbox) {
        self.revoke_token_everywhere(id, out);
        self.reply(id, reply::password_changed(), out);
    }

    /// A name is no longer protected, whether or not a user has it.
    pub(in crate::chat) fn unregistered(&mut self, id: ConnId, name: &str, out: &mut Outbox) {
        info!(conn = id.serial(), name; "unprotected");
        self.accounts.remove(name);
        if let Some(owner) = self.users.find(name).map(|(owner, _)| owner)
            && let Some(extras) = self.users.extras_of(owner)
        {
            extras.has_account = false;
        }
        self.reply(id, reply::unprotected(name), out);
    }

    /// The password was right: the user gets the name, and another user who has it is replaced.
    pub(in crate::chat) fn logged_in(
        &mut self,
        id: ConnId,
        name: &str,
        by: Naming,
        out: &mut Outbox,
    ) {
        if self.users.get(id).is_none() {
            return;
        }
        if self.refuse_if_muted(id, out) {
            return;
        }
        if self.bans.has_name(name, timestamp(out.now())) {
            return self.reply(id, reply::name_banned(name), out);
        }
        let (name, conn) = (name.into(), id.serial());
        self.publish(id, Effect::Name { name, by, logged_in: true, conn }, out);
    }

    /// Somebody else has set new passwords for these names, perhaps because of the users who have
    /// them now: those are logged out, and their resume tokens are revoked. Each server does so for
    /// its own users.
    pub(in crate::chat) fn forget_log_ins(&mut self, names: &[String], out: &mut Outbox) {
        for name in names {
            self.end_session_of(name, out);
            let Some((id, user)) = self.users.find(name) else { continue };
            if user.is_elsewhere() {
                continue;
            }
            // They asked for another password when they were still logged in.
            if self.request_queue.drop_passwd(id) {
                self.answer(Some(id), Answer::Wrong, out);
            }
            self.revoke_token_everywhere(id, out);
            if let Some(extras) = self.users.extras_of(id) {
                extras.has_account = false;
            }
        }
    }

    /// Logs out users whose account was removed.
    pub(in crate::chat) fn review_accounts(&mut self) {
        let all = self.users.all().filter(|(_, user)| self.users.has_account(user));
        let all: Vec<ConnId> = all.map(|(id, _)| id).collect();
        for id in all {
            self.review_account(id);
        }
    }

    pub(in crate::chat) fn review_account(&mut self, id: ConnId) {
        let is_gone = |user: &User| self.users.has_account(user) && self.account_of(user).is_none();
        if self.users.get(id).is_some_and(is_gone)
            && let Some(extras) = self.users.extras_of(id)
        {
            extras.has_account = false;
        }
    }
}
