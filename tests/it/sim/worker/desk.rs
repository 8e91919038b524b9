//! The chat, and a worker for it that is slow and fails, and minds whose turn it is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Instant;

use chinwag::chat::{Account, Answer, Ban, Password, Persisted, Request};
use chinwag::{Chat, CloseReason, ConnId, Ending, Limit, Now, Outbox, Peer, Refusal, Service};

use super::SECRET;
use crate::sim::journal::Journal;
use crate::sim::rng::Rng;

/// Who waits, as the worker should find them.
#[derive(Default)]
pub(super) struct Turns {
    /// Where each connection is from; `None` are operators.
    from: BTreeMap<ConnId, Option<IpAddr>>,
    /// By address, in order, and since when it is its turn. That of operators is always.
    waiting: BTreeMap<Option<IpAddr>, (u64, Vec<ConnId>)>,
    clock: u64,
}

impl Turns {
    fn ask(&mut self, id: ConnId) {
        self.clock += 1;
        self.waiting.entry(self.from[&id]).or_insert((self.clock, Vec::new())).1.push(id);
    }

    /// Operators first, then the address that has waited longest since it last had its turn.
    fn next(&mut self) -> Option<ConnId> {
        let first = |(from, since): (&Option<IpAddr>, u64)| (from.is_some(), since);
        let waiting = self.waiting.iter_mut();
        let (from, (since, ids)) =
            waiting.min_by_key(|(from, (since, _))| first((from, *since)))?;
        self.clock += 1;
        *since = self.clock;
        let (from, id) = (*from, ids.remove(0));
        if ids.is_empty() {
            self.waiting.remove(&from);
        }
        Some(id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// The chat, and its worker.
pub(super) struct Desk {
    pub(super) chat: Chat,
    pub(super) rng: Rng,
    pub(super) journal: Journal,
    pub(super) turns: Turns,
    pub(super) passwords: BTreeMap<String, Vec<u8>>,
    pub(super) bans: Vec<Ban>,
    pub(super) seen: BTreeSet<&'static str>,
}

impl Desk {
    fn saw(&mut self, kind: &'static str) {
        self.seen.insert(kind);
    }

    fn perform(&mut self, request: Request) -> Answer {
        if !self.journal.is_calm() && self.rng.one_in(8) {
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
        let from = peer.origin.ip().filter(|_| peer.label != "op");
        self.turns.from.insert(id, from);
        self.chat.on_open(id, peer, out);
    }

    fn on_ending(&mut self, id: ConnId, ending: Ending, out: &mut Outbox) {
        self.chat.on_ending(id, ending, out);
    }

    fn on_are_you_there(&mut self, id: ConnId, out: &mut Outbox) {
        self.chat.on_are_you_there(id, out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        assert!(!out.is_reading_paused(id), "a line of {id:?}, who waits for a verdict");
        self.chat.on_line(id, line, out);
        if out.is_reading_paused(id) {
            self.turns.ask(id);
        }
    }

    fn on_limit(&mut self, id: ConnId, limit: Limit, out: &mut Outbox) {
        self.chat.on_limit(id, limit, out);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        self.chat.on_close(id, why, out);
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        let ready = if self.journal.is_calm() { usize::MAX } else { self.rng.below(3) };
        for _ in 0..ready {
            let next = self.chat.next_request();
            let id = next.as_ref().and_then(|(id, _)| *id);
            assert_eq!(id, self.turns.next(), "somebody else had their turn");
            let (Some(id), Some((_, request))) = (id, next) else { break };
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
