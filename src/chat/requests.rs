//! Requests on their way to the worker and back: queued, answered, acted upon.

use std::fmt::Display;
use std::mem;

use log::{info, warn};

use super::accounts::network;
use super::operation::Effect;
use super::reply::{self, Reply};
use super::request::{Answer, Request};
use super::request_queue::Source;
use super::state::Chat;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

/// For the owner of the chat, who carries out its requests.
impl Chat {
    /// The next request, and the user it is for; `None` is a reload that no user asked for. It
    /// must be answered once, with [`Chat::answer`]. Answer it before taking the next: operators'
    /// requests go first.
    pub fn next_request(&mut self) -> Option<(Option<ConnId>, Request)> {
        if mem::take(&mut self.is_reload_wanted) {
            Some((None, Request::Reload))
        } else if let Some(refresh) = self.next_refresh() {
            Some((None, refresh))
        } else {
            self.request_queue.pop().map(|(id, request)| (Some(id), request))
        }
    }

    /// Requests a reload that no user gets a reply to. Further calls before it has begun do
    /// nothing.
    pub fn want_reload(&mut self) {
        self.is_reload_wanted = true;
    }

    /// Whether an operator has asked for a shutdown; true once.
    pub fn takes_shutdown(&mut self) -> bool {
        mem::take(&mut self.is_shutdown_wanted)
    }

    /// Passes on the answer to a request. What was done stays in force if the user has left
    /// meanwhile. `None`: no user asked.
    pub fn answer(&mut self, id: Option<ConnId>, answer: Answer, out: &mut Outbox) {
        if let Some(id) = id {
            self.finish_attempt(id, &answer);
        }
        self.act_upon(id, answer, out);
        if let Some(id) = id {
            self.meant.take(id);
            // Acting upon it may have published an operation.
            if !self.under_way.has(id) {
                out.resume_reading(id);
            }
        }
    }

    fn act_upon(&mut self, asker: Option<ConnId>, answer: Answer, out: &mut Outbox) {
        let by = asker.map_or_else(|| "a signal".to_owned(), |id| self.operator_name(id));
        match answer {
            Answer::Banned(ban) => self.put_in_force(asker, ban, out),
            Answer::Unbanned(target) => {
                warn!(by, target:%; "unbanned");
                self.bans.lift(&target);
                self.tell_all(asker, Effect::Unban(target.clone()));
                self.reply_to_requester(asker, reply::unbanned(&target), out);
            }
            Answer::Reloaded(persisted) => {
                warn!(by; "reloaded");
                self.reply_to_requester(asker, reply::reloaded(), out);
                if let Some(persisted) = persisted {
                    self.tell_all(asker, Effect::Reload);
                    self.reload(persisted, out);
                }
            }
            Answer::Refreshed(persisted) => {
                info!("refreshed");
                self.refreshed();
                if let Some(persisted) = persisted {
                    self.reload(persisted, out);
                }
            }
            Answer::NotRefreshed(error) => warn!(error; "not_refreshed"),
            Answer::NotChecked(why) => {
                warn!(by, error = why; "not_checked");
                self.reply_to_requester(asker, reply::not_checked(&why), out);
            }
            Answer::NotSaved(why) => {
                warn!(by, error = why; "not_saved");
                self.reply_to_requester(asker, reply::not_saved(&why), out);
            }
            Answer::NotReloaded(why) => {
                warn!(by, error = why; "not_reloaded");
                self.reply_to_requester(asker, reply::not_reloaded(&why), out);
            }
            answer => {
                if let Some(id) = asker {
                    self.act_upon_account(id, answer, out);
                }
            }
        }
    }

    /// Handles the answers about accounts.
    fn act_upon_account(&mut self, id: ConnId, answer: Answer, out: &mut Outbox) {
        if matches!(answer, Answer::Registered(_) | Answer::Unregistered(_) | Answer::PasswordSet) {
            self.tell_all(Some(id), Effect::Reload);
        }
        match answer {
            Answer::Registered(account) => self.registered(id, account, out),
            Answer::LoggedIn(name, by) => self.logged_in(id, &name, by, out),
            Answer::Unregistered(name) => self.unregistered(id, &name, out),
            Answer::Exists(name) => {
                self.made.forgive(self.users.addr(id).map(network), &name);
                self.reply(id, reply::already_protected(&name), out);
            }
            Answer::PasswordSet => self.password_set(id, out),
            _ => self.reply(id, reply::wrong_password(), out),
        }
    }

    pub(super) fn reply_to_requester<T: Display>(
        &mut self,
        id: Option<ConnId>,
        reply: Reply<T>,
        out: &mut Outbox,
    ) {
        if let Some(id) = id {
            self.reply(id, reply, out);
        }
    }

    /// Queues a request for the worker, and pauses reading from this user until it is answered.
    /// Refuses if their address has too many waiting or has used up its budget.
    pub(super) fn request(&mut self, id: ConnId, request: Request, out: &mut Outbox) {
        match &request {
            Request::Reload => {}
            Request::LogIn { name, .. } if self.is_cut_off() => {
                return self.reply(id, reply::name_out_of_reach(name), out);
            }
            _ if self.is_cut_off() => {
                return self.reply(id, reply::state_out_of_reach(), out);
            }
            _ => {}
        }
        let is_operator = self.users.get(id).is_some_and(|user| self.is_operator(user));
        let addr = self.users.addr(id).map(network);
        let source = if is_operator { Source::Operators } else { Source::Address(addr) };
        if self.request_queue.is_full(source) {
            return self.reply(id, reply::busy(), out);
        }
        if !self.is_affordable(id, &request, out.now().monotonic) {
            let is_new = matches!(request, Request::Register { .. });
            let reply =
                if is_new { reply::too_many_accounts() } else { reply::too_many_attempts() };
            return self.reply(id, reply, out);
        }
        out.pause_reading(id);
        self.request_queue.push(source, id, request);
    }
}
