//! Detached sessions: what users who were cut off resume with the token they asked for before.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write;
use std::net::SocketAddr;

use log::info;

use super::dialect::{Dialect, Person};
use super::name::Name;
use super::operators::Mute;
use super::reply;
use super::room::RoomNo;
use super::users::{AddressKey, Arrival, Extras, User};
use super::{Chat, Settings};
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

/// Random bytes of a token. The first eight are the lookup key; the rest are the secret.
const TOKEN: usize = 24;

/// Lines shown after `/resume TOKEN` without a line number.
const LINES: u64 = 10;

/// All resume tokens by their lookup key, and the sessions detached under them.
#[derive(Default)]
pub(super) struct Sessions {
    by_key: HashMap<u64, ResumeToken>,
    /// Keys of detached sessions, by name in lower case.
    detached_names: BTreeMap<String, u64>,
    /// Keys of detached sessions, by the connection they had.
    detached_by_conn: HashMap<ConnId, u64>,
    /// Keys of detached sessions, by address; the longest detached in front.
    detached_by_address: HashMap<AddressKey, VecDeque<u64>>,
}

struct ResumeToken {
    secret: [u8; TOKEN - 8],
    /// The connection the token was issued to.
    conn: ConnId,
    from: AddressKey,
    detached: Option<Box<DetachedSession>>,
}

/// What a user gets back when they resume.
pub(super) struct DetachedSession {
    name: Name,
    /// `None` where addresses are not kept.
    addr: Option<SocketAddr>,
    room: Box<str>,
    arrival: Arrival,
    dialect: Dialect,
    echo: bool,
    notices: bool,
    extras: Extras,
}

impl Sessions {
    /// The spelling under which a detached session has this name.
    pub(super) fn detached_owner(&self, name: &str) -> Option<&str> {
        let key = self.detached_names.get(&name.to_ascii_lowercase())?;
        self.by_key.get(key)?.detached.as_ref()?.name.as_own()
    }

    /// The names of detached sessions, in lower case and in order.
    pub(super) fn detached_names(&self) -> impl Iterator<Item = &str> {
        self.detached_names.keys().map(String::as_str)
    }

    fn extras_of(&mut self, conn: ConnId) -> Option<&mut Extras> {
        let key = self.detached_by_conn.get(&conn)?;
        Some(&mut self.by_key.get_mut(key)?.detached.as_mut()?.extras)
    }

    fn insert_detached(&mut self, key: u64, detached: DetachedSession) {
        let Some(token) = self.by_key.get_mut(&key) else { return };
        if let Some(name) = detached.name.as_own() {
            self.detached_names.insert(name.to_ascii_lowercase(), key);
        }
        token.detached = Some(Box::new(detached));
        self.detached_by_conn.insert(token.conn, key);
        self.detached_by_address.entry(token.from).or_default().push_back(key);
    }

    /// The longest detached session of an address, and how many it has.
    fn first_from(&self, from: AddressKey) -> Option<(u64, usize)> {
        let detached = self.detached_by_address.get(&from)?;
        Some((*detached.front()?, detached.len()))
    }

    /// Removes a token, and the session detached under it.
    fn remove(&mut self, key: u64) -> Option<ResumeToken> {
        let token = self.by_key.remove(&key)?;
        if let Some(detached) = &token.detached {
            self.detached_by_conn.remove(&token.conn);
            if let Entry::Occupied(mut detached) = self.detached_by_address.entry(token.from) {
                detached.get_mut().retain(|other| *other != key);
                if detached.get().is_empty() {
                    detached.remove();
                }
            }
            if let Some(name) = detached.name.as_own() {
                self.detached_names.remove(&name.to_ascii_lowercase());
            }
        }
        Some(token)
    }

    /// The key of a token. Comparing takes the same time wherever a wrong token differs.
    fn find(&self, token: &str) -> Option<u64> {
        let (key, secret) = from_hex(token)?;
        let token = self.by_key.get(&key)?;
        let difference =
            token.secret.iter().zip(secret).fold(0, |found, (one, other)| found | (one ^ other));
        (std::hint::black_box(difference) == 0).then_some(key)
    }
}

impl Chat {
    /// Issues a token to a user. It replaces the one they had.
    pub(super) fn issue_token(&mut self, id: ConnId, out: &mut Outbox) {
        let (Some(random), false) = (self.settings.random, self.settings.resume_for.is_zero())
        else {
            return self.reply(id, reply::no_resume(), out);
        };
        self.revoke_token(id);
        let mut bytes = [0; TOKEN];
        random(&mut bytes);
        let (key, secret) = split(&bytes);
        let token = bytes.iter().fold(String::new(), |mut token, byte| {
            write!(token, "{byte:02x}").expect("a String takes everything");
            token
        });
        if let Some(user) = self.users.get_mut(id) {
            user.extras_mut().token_key = Some(key);
            self.sessions
                .by_key
                .insert(key, ResumeToken { secret, conn: id, from: user.from, detached: None });
        }
        let held_for = self.settings.resume_for;
        self.reply(id, reply::resume_token(held_for, &token), out);
    }

    /// Makes a user's token worthless: they leave on purpose, or got another.
    pub(super) fn revoke_token(&mut self, id: ConnId) {
        if let Some(key) = self.users.get_mut(id).and_then(User::take_token_key) {
            self.sessions.remove(key);
        }
    }

    /// Detaches the session of a user who was cut off, if they have a token. The others in the
    /// room get no notice unless the user fails to come back in time. Returns whether there was a
    /// token.
    pub(super) fn keep_session(&mut self, id: ConnId, out: &mut Outbox) -> bool {
        let Some(key) = self.users.get_mut(id).and_then(User::take_token_key) else { return false };
        self.evict_for(id, out);
        let Some(detached) = self.detach(id) else { return false };
        self.sessions.insert_detached(key, detached);
        self.resume_timeouts.start(key, out.now().monotonic);
        true
    }

    /// Makes space for one more detached session. If the address has one already, its own longest
    /// detached session ends, so that one address cannot evict the others'.
    fn evict_for(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(from) = self.users.get(id).map(|user| user.from) else { return };
        let Settings { detached_max, detached_per_addr, .. } = self.settings;
        if let Some((first, count)) = self.sessions.first_from(from)
            && (count >= detached_per_addr || self.sessions.detached_by_conn.len() >= detached_max)
        {
            self.end_session(first, out);
        }
        while self.sessions.detached_by_conn.len() >= detached_max
            && let Some(first) = self.resume_timeouts.pop()
        {
            self.end_session(first, out);
        }
        self.resume_timeouts.prune(|key| !self.sessions.by_key.contains_key(&key));
    }

    /// Ends a detached session: its time is over, or another session needs its place.
    pub(super) fn end_session(&mut self, key: u64, out: &mut Outbox) {
        let Some(ResumeToken { conn, detached: Some(detached), .. }) = self.sessions.remove(key)
        else {
            return;
        };
        self.forget_ignoring(conn, &detached.extras);
        self.keep_mute(detached.name.as_own(), detached.extras.mute);
        if let Some(room) = self.rooms.find(&detached.room) {
            let (name, addr) = (detached.name.shown(), detached.addr);
            let person = Person { name, addr, number: conn.serial() };
            self.notify_leave_of(room, conn, (person, detached.arrival), out);
        }
        self.users.free_number(&detached.name);
    }

    /// Ends the detached session with this name, if there is one.
    pub(super) fn end_session_of(&mut self, name: &str, out: &mut Outbox) {
        if let Some(key) = self.sessions.detached_names.get(&name.to_ascii_lowercase()).copied() {
            self.end_session(key, out);
        }
    }

    /// Resumes the session of `token` on this connection. If that session is still attached to
    /// another connection, that one is closed.
    pub(super) fn resume(
        &mut self,
        id: ConnId,
        token: &str,
        seq: Option<u64>,
        epoch: Option<i64>,
        out: &mut Outbox,
    ) {
        let others =
            |key: &u64| self.sessions.by_key.get(key).is_some_and(|token| token.conn != id);
        let Some(key) = self.sessions.find(token).filter(others) else {
            return self.reply(id, reply::token_unknown(), out);
        };
        let Some(ResumeToken { conn, detached, .. }) = self.sessions.remove(key) else { return };
        let detached = if let Some(detached) = detached {
            Some(*detached)
        } else {
            self.reply(conn, reply::replaced(), out);
            out.close_for_good(conn, reply::replaced().text);
            self.detach(conn)
        };
        self.resume_timeouts.prune(|key| !self.sessions.by_key.contains_key(&key));
        if let Some(detached) = detached {
            self.attach(id, conn, detached, out);
            self.show_missed(id, seq, epoch, out);
        }
    }

    /// Disconnects a user whose name was just claimed with its password.
    pub(super) fn replace(&mut self, id: ConnId, out: &mut Outbox) {
        self.reply(id, reply::replaced(), out);
        self.notify_leave(id, out);
        self.revoke_token(id);
        out.close_for_good(id, reply::replaced().text);
        if let Some(detached) = self.detach(id) {
            self.forget_ignoring(id, &detached.extras);
            self.keep_mute(detached.name.as_own(), detached.extras.mute);
            self.users.free_number(&detached.name);
        }
    }

    /// Removes a user from the chat without a leave notice.
    fn detach(&mut self, id: ConnId) -> Option<DetachedSession> {
        let room = self.rooms.get(self.users.get(id)?.room).name().into();
        self.exit_room(id);
        let addr = self.users.addr(id);
        let mut user = self.users.detach(id)?;
        // The caller has removed the token already.
        user.take_token_key();
        Some(DetachedSession {
            room,
            arrival: user.arrival,
            dialect: user.format.dialect,
            echo: user.echo,
            notices: user.notices,
            extras: std::mem::take(user.extras_mut()),
            name: user.name,
            addr,
        })
    }

    /// Attaches a detached session to a connection.
    fn attach(&mut self, id: ConnId, was: ConnId, mut detached: DetachedSession, out: &mut Outbox) {
        self.flush_notices_for(id, out);
        // The identity that this connection had until now leaves.
        self.notify_leave(id, out);
        self.revoke_token(id);
        self.exit_room(id);
        self.users.assign_name(id, &detached.name);
        // Resuming must not be a way around a mute, or around users who ignore this one.
        if let Some(extras) = self.users.get_mut(id).map(|user| std::mem::take(user.extras_mut())) {
            self.forget_ignoring(id, &extras);
            detached.extras.is_operator = extras.is_operator;
            detached.extras.mute = Mute::longer(extras.mute, detached.extras.mute);
            detached.extras.ignored_by.extend(extras.ignored_by);
        }
        detached.extras.ignores.retain(|ignored| *ignored != id);
        detached.extras.ignored_by.retain(|ignorer| *ignorer != id && *ignorer != was);
        // `/reply` must not go to the user's own old or new connection.
        let is_own = |writer: &ConnId| [was, id].contains(&self.resumed.now(*writer));
        detached.extras.writer = detached.extras.writer.filter(|writer| !is_own(writer));
        self.keep_ignoring(id, was, &detached.extras);
        self.resumed.pass_on(was, id);
        if let Some(user) = self.users.get_mut(id) {
            user.format.dialect = detached.dialect;
            user.echo = detached.echo;
            user.notices = detached.notices;
            user.arrival = detached.arrival;
            *user.extras_mut() = detached.extras;
        }
        // Only now: the room they just left may be the same one, and is dropped with its last
        // member.
        let room = self.room_for(id, &detached.room, out).unwrap_or(RoomNo::LOBBY);
        self.enter_room(id, room, out);
        self.review_account(id);
        let name = self.users.get(id).map(|user| user.shown().to_string()).unwrap_or_default();
        info!(conn = id.serial(), name = &*name, was_conn = was.serial(); "resumed");
        self.reply(id, reply::renamed(&name), out);
    }

    /// Shows the room's lines after number `seq`, as far as history has them. A number of another
    /// epoch says nothing about them: then the last lines are shown.
    fn show_missed(&mut self, id: ConnId, seq: Option<u64>, epoch: Option<i64>, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let history = self.rooms.get(user.room).history();
        let (first, next) = (history.first_seq(), history.last_seq() + 1);
        let is_this = epoch.is_none_or(|epoch| epoch == history.epoch());
        let from = match seq.filter(|_| is_this) {
            Some(seq) => seq.saturating_add(1),
            None => next.saturating_sub(LINES).max(first),
        };
        if from < first {
            self.reply(id, reply::lines_gone(first - from), out);
        }
        self.recall(id, from, out);
    }

    /// The extras of a user, connected or detached.
    pub(super) fn extras_of(&mut self, id: ConnId) -> Option<&mut Extras> {
        match self.users.get_mut(id) {
            Some(user) => Some(user.extras_mut()),
            None => self.sessions.extras_of(id),
        }
    }

    /// Replaces the old connection by the new one in all ignore lists.
    fn keep_ignoring(&mut self, id: ConnId, was: ConnId, extras: &Extras) {
        for ignored in &extras.ignores {
            if let Some(extras) = self.extras_of(*ignored) {
                let ignored_by = &mut extras.ignored_by;
                ignored_by.remove(&was);
                ignored_by.insert(id);
            }
        }
        for ignorer in &extras.ignored_by {
            let extras = self.extras_of(*ignorer).filter(|extras| extras.ignores.contains(&was));
            if let Some(extras) = extras {
                extras.ignores.retain(|ignored| *ignored != was && *ignored != id);
                extras.ignores.push(id);
            }
        }
    }
}

fn split(bytes: &[u8; TOKEN]) -> (u64, [u8; TOKEN - 8]) {
    let (key, secret) = bytes.split_first_chunk::<8>().expect("a token is longer");
    (u64::from_be_bytes(*key), secret.try_into().expect("the rest is as long as it is"))
}

/// Whether a line may contain a token, or a mistyped `/resume` with a piece of one.
pub(super) fn has_token(line: &str) -> bool {
    let mut runs = line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| !run.is_empty());
    let is_hex = |run: &str| run.bytes().all(|byte| byte.is_ascii_hexdigit());
    runs.clone().any(|run| run.len() == 2 * TOKEN && is_hex(run))
        || (runs.next().is_some_and(|first| first.eq_ignore_ascii_case("resume"))
            && runs.next().is_some_and(|run| run.len() >= 8 && is_hex(run)))
}

fn from_hex(token: &str) -> Option<(u64, [u8; TOKEN - 8])> {
    let mut bytes = [0; TOKEN];
    if token.len() != 2 * TOKEN || !token.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(token.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(split(&bytes))
}
