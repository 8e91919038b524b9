//! What the chat wants of somebody who may block, and what it is answered. It knows no
//! thread and no file: whoever runs it takes the requests, has them done where blocking
//! hurts nobody, and brings back the answers.

use std::mem;

use jiff::Timestamp;
use log::warn;

use super::Chat;
use super::accounts::Word;
use super::ban::{Ban, Target};
use super::operators::Act;
use super::password::Password;
use super::reply::Reply;
use crate::conn::ConnId;
use crate::outbox::Outbox;

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
    /// Protect a name that is not protected yet. Answer: [`Answer::Registered`].
    Register {
        /// The name.
        name: String,
        /// What it is to be protected with.
        password: Password,
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
    /// Shut the server down. No answer.
    Shutdown,
}

/// What has come of a request.
#[derive(Debug)]
pub enum Answer {
    /// This ban is kept.
    Banned(Ban),
    /// These bans are kept no longer.
    Unbanned(Target),
    /// This name is protected.
    Registered(String),
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
    Reloaded(Option<Kept>),
    /// Nothing has changed, for this reason.
    NotSaved(String),
    /// It could not be read, for this reason.
    NotReloaded(String),
    /// Too many requests wait already; this is the one that came to nothing.
    Busy(Request),
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
}

/// All that is kept beyond a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Who may not come in.
    pub bans: Vec<Ban>,
    /// Names with passwords.
    pub accounts: Vec<Account>,
}

/// For whoever carries the requests.
impl Chat {
    /// What has to be done elsewhere, and for whom. Each is to be answered, once, with
    /// [`Chat::answer`]; [`Request::Shutdown`] alone is not.
    pub fn take_requests(&mut self) -> Vec<(ConnId, Request)> {
        mem::take(&mut self.requests)
    }

    /// Brings back what has come of a request. Whoever asked may have gone: what was done
    /// holds all the same. `None`: nobody of the chat's had asked.
    pub fn answer(&mut self, id: Option<ConnId>, answer: Answer, out: &mut Outbox) {
        if let Some(id) = id {
            self.settle_attempt(id, &answer);
        }
        self.act_upon(id, answer, out);
        if let Some(id) = id {
            out.release(id);
        }
    }

    fn act_upon(&mut self, asker: Option<ConnId>, answer: Answer, out: &mut Outbox) {
        let by = asker.map_or_else(|| "a signal".to_owned(), |id| self.operator_name(id));
        match answer {
            Answer::Banned(ban) => self.put_in_force(asker, ban, out),
            Answer::Unbanned(target) => {
                warn!(by, target:%; "unbanned");
                self.bans.lift(&target);
                self.tell_asker(asker, Act::Unbanned(&target.to_string()), out);
            }
            Answer::Reloaded(kept) => {
                warn!(by; "reloaded");
                self.tell_asker(asker, Act::Reloaded, out);
                if let Some(kept) = kept {
                    self.reload(kept, out);
                }
            }
            Answer::NotSaved(why) => {
                warn!(by, error = why; "not_saved");
                self.tell_asker(asker, Act::NotSaved(&why), out);
            }
            Answer::NotReloaded(why) => {
                warn!(by, error = why; "not_reloaded");
                self.tell_asker(asker, Act::NotReloaded(&why), out);
            }
            Answer::Busy(_) => self.tell_asker(asker, Act::Busy, out),
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
            Answer::Registered(name) => self.registered(id, &name, out),
            Answer::LoggedIn(name, by) => self.logged_in(id, &name, by, out),
            Answer::Unregistered(name) => self.unregistered(id, &name, out),
            Answer::Exists(name) => self.reply(id, Reply::Word(Word::Already(&name)), out),
            Answer::PasswordSet => self.reply(id, Reply::Word(Word::PasswordSet), out),
            _ => self.reply(id, Reply::Word(Word::Wrong), out),
        }
    }

    pub(super) fn tell_asker(&mut self, id: Option<ConnId>, act: Act<'_>, out: &mut Outbox) {
        if let Some(id) = id {
            self.reply(id, Reply::Act(act), out);
        }
    }

    /// Asks for something to be done elsewhere. What else this user sends waits for it.
    pub(super) fn request(&mut self, id: ConnId, request: Request, out: &mut Outbox) {
        out.hold(id);
        self.requests.push((id, request));
    }
}
