//! The chat, and a worker for it that is slow, has only so much room, and fails.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

use chinwag::chat::{Account, Answer, Ban, Kept, Password, Request};
use chinwag::{Chat, CloseReason, ConnId, Ending, Limit, Now, Outbox, Peer, Refusal, Service};

use super::SECRET;
use crate::sim::journal::Journal;
use crate::sim::rng::Rng;

/// Requests that wait; one more is `Busy`.
const ROOM: usize = 3;

/// The chat, and its worker.
pub(super) struct Desk {
    pub(super) chat: Chat,
    pub(super) rng: Rng,
    pub(super) journal: Journal,
    pub(super) waiting: VecDeque<(ConnId, Request)>,
    pub(super) passwords: BTreeMap<String, Vec<u8>>,
    pub(super) bans: Vec<Ban>,
    pub(super) seen: BTreeSet<&'static str>,
}

impl Desk {
    fn saw(&mut self, kind: &'static str) {
        self.seen.insert(kind);
    }

    fn carry(&mut self, out: &mut Outbox) {
        for (id, request) in self.chat.take_requests() {
            assert!(!format!("{request:?}").contains(SECRET), "{request:?}");
            if self.waiting.len() < ROOM {
                self.waiting.push_back((id, request));
            } else {
                self.saw("busy");
                self.chat.answer(Some(id), Answer::Busy(request), out);
            }
        }
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
            Request::Register { name, .. } if own(&name).is_some() => Answer::Exists(name),
            Request::Register { name, password } => {
                self.passwords.insert(name.to_lowercase(), password.as_bytes().to_vec());
                Answer::Registered(name)
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
                let account = |name: &String| Account { name: name.clone(), op: false };
                let accounts = self.passwords.keys().map(account).collect();
                Answer::Reloaded(Some(Kept { bans: self.bans.clone(), accounts }))
            }
            _ => Answer::Wrong,
        }
    }
}

impl Service for Desk {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        self.chat.on_open(id, peer, out);
    }

    fn on_ending(&mut self, id: ConnId, ending: Ending, out: &mut Outbox) {
        self.chat.on_ending(id, ending, out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        let is_waiting = self.waiting.iter().any(|(asker, _)| *asker == id);
        assert!(!is_waiting, "a line of {id:?}, who waits for a verdict");
        self.chat.on_line(id, line, out);
        self.carry(out);
    }

    fn on_limit(&mut self, id: ConnId, limit: Limit, out: &mut Outbox) {
        self.chat.on_limit(id, limit, out);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        self.chat.on_close(id, why, out);
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        let ready = if self.journal.is_calm() { ROOM } else { self.rng.below(ROOM) };
        for _ in 0..ready.min(self.waiting.len()) {
            let (id, request) = self.waiting.pop_front().expect("so many wait");
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
