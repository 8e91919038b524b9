//! The chat, and a worker for it that is slow and fails.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Instant;

use chinwag::chat::{Account, Answer, Ban, Password, Persisted, Request, Settings};
use chinwag::{Chat, CloseReason, ConnId, Now, Outbox, Peer, Refusal, Service};

use super::SECRET;
use crate::sim::rng::Rng;

/// The chat, and its worker.
pub(super) struct Desk {
    chat: Chat,
    rng: Rng,
    is_calm: Rc<Cell<bool>>,
    passwords: BTreeMap<String, Vec<u8>>,
    bans: Vec<Ban>,
    pub(super) seen: BTreeSet<&'static str>,
}

impl Desk {
    pub(super) fn new(settings: Settings, rng: Rng, is_calm: Rc<Cell<bool>>) -> Desk {
        let (passwords, bans, seen) = (BTreeMap::new(), Vec::new(), BTreeSet::new());
        Desk { chat: Chat::new(settings), rng, is_calm, passwords, bans, seen }
    }

    /// That of a name in lower case, if it has one.
    pub(super) fn password(&self, name: &str) -> Option<String> {
        self.passwords.get(name).map(|own| String::from_utf8(own.clone()).expect("it was typed"))
    }

    pub(super) fn has_banned(&self, name: &str) -> bool {
        self.bans.iter().any(|ban| ban.target.to_string().to_lowercase().starts_with(name))
    }

    fn saw(&mut self, kind: &'static str) {
        self.seen.insert(kind);
    }

    fn perform(&mut self, request: Request) -> Answer {
        if !self.is_calm.get() && self.rng.one_in(8) {
            self.saw("worker fails");
            return match request {
                Request::Reload => Answer::NotReloaded("it is garbled".to_owned()),
                _ => Answer::NotSaved("the worker crashed".to_owned()),
            };
        }
        let own = |name: &str| self.passwords.get(&name.to_lowercase());
        let is_right = |name: &str, password: &Password| {
            own(name).is_some_and(|own| own == password.as_bytes())
        };
        match request {
            Request::Register { account, .. } if own(&account.name).is_some() => {
                Answer::Exists(account.name)
            }
            Request::Register { account, password, .. } => {
                self.passwords.insert(account.name.to_lowercase(), password.as_bytes().to_vec());
                Answer::Registered(account)
            }
            Request::LogIn { name, password, by } if is_right(&name, &password) => {
                Answer::LoggedIn(name, by)
            }
            Request::Passwd { name, password } if own(&name).is_some() => {
                self.passwords.insert(name.to_lowercase(), password.as_bytes().to_vec());
                Answer::PasswordSet
            }
            Request::Unregister { name, password } if is_right(&name, &password) => {
                self.passwords.remove(&name.to_lowercase());
                Answer::Unregistered(name)
            }
            Request::Ban { ban, .. } => {
                self.bans.retain(|old| !old.target.is_same(&ban.target));
                self.bans.push(ban.clone());
                Answer::Banned(ban)
            }
            Request::Unban(target) => {
                self.bans.retain(|ban| !ban.target.is_meant_by(&target));
                Answer::Unbanned(target)
            }
            Request::Reload => {
                let account =
                    |name: &String| Account { name: name.clone(), op: false, unused_until: None };
                let accounts = self.passwords.keys().map(account).collect();
                Answer::Reloaded(Some(Persisted {
                    bans: self.bans.iter().cloned().collect(),
                    accounts,
                    ..Persisted::default()
                }))
            }
            _ => Answer::Wrong,
        }
    }
}

impl Service for Desk {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        self.chat.on_open(id, peer, out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        assert!(!out.is_reading_paused(id), "a line of {id:?}, who waits for a verdict");
        self.chat.on_line(id, line, out);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        self.chat.on_close(id, why, out);
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        let ready = if self.is_calm.get() { usize::MAX } else { self.rng.below(3) };
        for _ in 0..ready {
            let Some((Some(id), request)) = self.chat.next_request() else { break };
            assert!(!format!("{request:?}").contains(SECRET), "{request:?}");
            if !out.is_open(id) {
                self.saw("verdict for one who has gone");
            }
            let answer = self.perform(request);
            assert!(!format!("{answer:?}").contains(SECRET), "{answer:?}");
            self.chat.answer(Some(id), answer, out);
        }
        self.chat.on_tick(out);
    }

    fn next_tick(&self) -> Option<Instant> {
        self.chat.next_tick()
    }

    fn is_banned(&self, peer: &Peer<'_>, now: Now) -> bool {
        self.chat.is_banned(peer, now)
    }

    fn refusal(&self, why: Refusal) -> &[u8] {
        self.chat.refusal(why)
    }
}
