//! What the chat wants of somebody who may block, and what it is answered. It knows no
//! thread and no file: whoever runs it takes the requests, has them done where blocking
//! hurts nobody, and brings back the answers.

use std::mem;

use jiff::Timestamp;
use log::warn;

use super::Chat;
use super::accounts::{AccountReply, network};
use super::ban::{Ban, Target};
use super::ban_list::Bans;
use super::operators::OperatorReply;
use super::password::Password;
use super::reply::Reply;
use super::waiting::Source;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

/// Something to be done elsewhere. While it is, the lines of whoever asked for it wait.
#[derive(Debug)]
pub enum Request {
    /// Have this ban kept, and those forgotten that are over. Answer: [`Answer::Banned`].
    Ban {
        /// The ban.
        ban: Ban,
        /// When it was asked for.
        now: Timestamp,
    },
    /// Have the bans that are meant forgotten. Answer: [`Answer::Unbanned`].
    Unban(Target),
    /// Protect a name that is not protected yet, and have those accounts forgotten that are
    /// over. Answer: [`Answer::Registered`].
    Register {
        /// The name, and what else is to be kept with it.
        account: Account,
        /// What it is to be protected with.
        password: Password,
        /// When it was asked for.
        now: Timestamp,
    },
    /// Say whether this is the password of this name, which need not be protected: that
    /// is to take as long. Answer: [`Answer::LoggedIn`] or [`Answer::Wrong`].
    LogIn {
        /// The name, as it was typed.
        name: String,
        /// The password to be checked.
        password: Password,
        /// The command that it came by, to be given back.
        by: Naming,
    },
    /// Protect a name with another password. Answer: [`Answer::PasswordSet`].
    Passwd {
        /// The name.
        name: String,
        /// The new one.
        password: Password,
    },
    /// Protect a name no longer, if the password is right. Answer:
    /// [`Answer::Unregistered`] or [`Answer::Wrong`].
    Unregister {
        /// The name.
        name: String,
        /// The password to be checked.
        password: Password,
    },
    /// Read again what is kept. Answer: [`Answer::Reloaded`].
    Reload,
}

/// What has come of a request.
#[derive(Debug)]
pub enum Answer {
    /// This ban is kept.
    Banned(Ban),
    /// These bans are kept no longer.
    Unbanned(Target),
    /// This name is protected.
    Registered(Account),
    /// This name was protected already.
    Exists(String),
    /// It is the password of this name.
    LoggedIn(String, Naming),
    /// There is no such name, or it is another password.
    Wrong,
    /// The new password is the password.
    PasswordSet,
    /// This name is protected no longer.
    Unregistered(String),
    /// This is what is kept; `None` where nothing ever is.
    Reloaded(Option<Persisted>),
    /// Nothing has changed, for this reason.
    NotSaved(String),
    /// It could not be read, for this reason.
    NotReloaded(String),
}

/// The command that somebody takes a name with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// `/nick NAME PASSWORD`
    Nick,
    /// `REGISTER NAME PASSWORD`
    Register,
}

/// A protected name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// As its owner spells it.
    pub name: String,
    /// Whether who is logged in to it is an operator.
    pub op: bool,
    /// When it goes, unless somebody logs in to it before; `None` is never.
    pub unused_until: Option<Timestamp>,
}

impl Account {
    /// Whether it has gone, since nobody has used it.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.unused_until.is_some_and(|until| until <= now)
    }
}

/// All that is kept beyond a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Persisted {
    /// Who may not come in.
    pub bans: Bans,
    /// Names with passwords.
    pub accounts: Vec<Account>,
}

/// For whoever carries the requests.
impl Chat {
    /// What is to be done next, and for whom; `None` is nobody of the chat's. It is to be
    /// answered, once, with [`Chat::answer`], and best before the next is taken: what operators
    /// ask for meanwhile goes before what others have asked for.
    pub fn next_request(&mut self) -> Option<(Option<ConnId>, Request)> {
        if mem::take(&mut self.is_reload_wanted) {
            return Some((None, Request::Reload));
        }
        self.waiting.pop().map(|(id, request)| (Some(id), request))
    }

    /// Asks for a reload that nobody is told of. Asking again before it has begun is asking
    /// once.
    pub fn want_reload(&mut self) {
        self.is_reload_wanted = true;
    }

    /// Whether an operator has said that the server is to shut down; once.
    pub fn takes_shutdown(&mut self) -> bool {
        mem::take(&mut self.is_shutdown_wanted)
    }

    /// Brings back what has come of a request. Whoever asked may have gone: what was done
    /// holds all the same. `None`: nobody of the chat's had asked.
    pub fn answer(&mut self, id: Option<ConnId>, answer: Answer, out: &mut Outbox) {
        if let Some(id) = id {
            self.settle_attempt(id, &answer);
        }
        self.act_upon(id, answer, out);
        if let Some(id) = id {
            self.meant.take(id);
            out.resume_reading(id);
        }
    }

    fn act_upon(&mut self, asker: Option<ConnId>, answer: Answer, out: &mut Outbox) {
        let by = asker.map_or_else(|| "a signal".to_owned(), |id| self.operator_name(id));
        match answer {
            Answer::Banned(ban) => self.put_in_force(asker, ban, out),
            Answer::Unbanned(target) => {
                warn!(by, target:%; "unbanned");
                self.bans.lift(&target);
                self.tell_asker(asker, OperatorReply::Unbanned(&target.to_string()), out);
            }
            Answer::Reloaded(kept) => {
                warn!(by; "reloaded");
                self.tell_asker(asker, OperatorReply::Reloaded, out);
                if let Some(kept) = kept {
                    self.reload(kept, out);
                }
            }
            Answer::NotSaved(why) => {
                warn!(by, error = why; "not_saved");
                self.tell_asker(asker, OperatorReply::NotSaved(&why), out);
            }
            Answer::NotReloaded(why) => {
                warn!(by, error = why; "not_reloaded");
                self.tell_asker(asker, OperatorReply::NotReloaded(&why), out);
            }
            answer => {
                if let Some(id) = asker {
                    self.act_upon_account(id, answer, out);
                }
            }
        }
    }

    /// The same of those that only users ask for.
    fn act_upon_account(&mut self, id: ConnId, answer: Answer, out: &mut Outbox) {
        match answer {
            Answer::Registered(account) => self.registered(id, account, out),
            Answer::LoggedIn(name, by) => self.logged_in(id, &name, by, out),
            Answer::Unregistered(name) => self.unregistered(id, &name, out),
            Answer::Exists(name) => {
                self.made.forgive(self.users.addr(id).map(network), &name);
                self.reply(id, Reply::AccountReply(AccountReply::Already(&name)), out);
            }
            Answer::PasswordSet => self.password_set(id, out),
            _ => self.reply(id, Reply::AccountReply(AccountReply::Wrong), out),
        }
    }

    pub(super) fn tell_asker(
        &mut self,
        id: Option<ConnId>,
        act: OperatorReply<'_>,
        out: &mut Outbox,
    ) {
        if let Some(id) = id {
            self.reply(id, Reply::OperatorReply(act), out);
        }
    }

    /// Asks for something to be done elsewhere, unless too much of that kind was asked for from
    /// there. What else this user sends waits for it.
    pub(super) fn request(&mut self, id: ConnId, request: Request, out: &mut Outbox) {
        let is_operator = self.users.get(id).is_some_and(|user| self.is_operator(user));
        let addr = self.users.addr(id).map(network);
        let source = if is_operator { Source::Operators } else { Source::Address(addr) };
        if self.waiting.is_full(source) {
            return self.reply(id, Reply::OperatorReply(OperatorReply::Busy), out);
        }
        if !self.is_affordable(id, &request, out.now().monotonic) {
            let is_new = matches!(request, Request::Register { .. });
            let word = if is_new { AccountReply::TooManyMade } else { AccountReply::TooMany };
            return self.reply(id, Reply::AccountReply(word), out);
        }
        out.pause_reading(id);
        self.waiting.push(source, id, request);
    }
}
