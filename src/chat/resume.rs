//! Names that are held for who was cut off, by a token that was asked for before.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write;
use std::net::SocketAddr;

use log::info;

use super::dialect::{Dialect, Person};
use super::name::Name;
use super::operators::Mute;
use super::reply::Reply;
use super::room::RoomNo;
use super::users::{AddressKey, Arrival, Extras, User};
use super::{Chat, Settings};
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

/// Random bytes of a token: eight name the seat, the rest must be known as well.
const TOKEN: usize = 24;

/// Lines that are shown to who comes back without saying what it has seen.
const LINES: u64 = 10;

/// All seats, by the part of the token that is no secret.
#[derive(Default)]
pub(super) struct Sessions {
    by_key: HashMap<u64, ResumeToken>,
    /// Names that are held, in lower case.
    held_names: BTreeMap<String, u64>,
    /// Those who are held, by the connection that they had.
    held_conns: HashMap<ConnId, u64>,
    /// Those of each address, the first that was cut off in front.
    held_from: HashMap<AddressKey, VecDeque<u64>>,
}

struct ResumeToken {
    secret: [u8; TOKEN - 8],
    /// Whose it is, or was when it was cut off.
    conn: ConnId,
    from: AddressKey,
    held: Option<Box<DetachedSession>>,
}

/// What is kept of one who was cut off.
pub(super) struct DetachedSession {
    name: Name,
    /// Where it was from, as far as that is kept.
    addr: Option<SocketAddr>,
    room: Box<str>,
    arrival: Arrival,
    dialect: Dialect,
    echo: bool,
    notices: bool,
    more: Extras,
}

impl Sessions {
    /// Who bears this name although it is not connected.
    pub(super) fn holder_of(&self, name: &str) -> Option<&str> {
        let key = self.held_names.get(&name.to_ascii_lowercase())?;
        self.by_key.get(key)?.held.as_ref()?.name.as_own()
    }

    /// The names of those who are not connected, in lower case and in order.
    pub(super) fn held_names(&self) -> impl Iterator<Item = &str> {
        self.held_names.keys().map(String::as_str)
    }

    fn extras_of(&mut self, conn: ConnId) -> Option<&mut Extras> {
        let key = self.held_conns.get(&conn)?;
        Some(&mut self.by_key.get_mut(key)?.held.as_mut()?.more)
    }

    fn hold(&mut self, key: u64, held: DetachedSession) {
        let Some(seat) = self.by_key.get_mut(&key) else { return };
        if let Some(name) = held.name.as_own() {
            self.held_names.insert(name.to_ascii_lowercase(), key);
        }
        seat.held = Some(Box::new(held));
        self.held_conns.insert(seat.conn, key);
        self.held_from.entry(seat.from).or_default().push_back(key);
    }

    /// The first that was cut off of those from an address, and how many there are.
    fn first_from(&self, from: AddressKey) -> Option<(u64, usize)> {
        let held = self.held_from.get(&from)?;
        Some((*held.front()?, held.len()))
    }

    /// Takes a seat away, with what was held there.
    fn remove(&mut self, key: u64) -> Option<ResumeToken> {
        let seat = self.by_key.remove(&key)?;
        if let Some(held) = &seat.held {
            self.held_conns.remove(&seat.conn);
            if let Entry::Occupied(mut held) = self.held_from.entry(seat.from) {
                held.get_mut().retain(|other| *other != key);
                if held.get().is_empty() {
                    held.remove();
                }
            }
            if let Some(name) = held.name.as_own() {
                self.held_names.remove(&name.to_ascii_lowercase());
            }
        }
        Some(seat)
    }

    /// The seat that a token is for. The comparison takes as long for any wrong one.
    fn find(&self, token: &str) -> Option<u64> {
        let (key, secret) = from_hex(token)?;
        let seat = self.by_key.get(&key)?;
        let difference =
            seat.secret.iter().zip(secret).fold(0, |found, (one, other)| found | (one ^ other));
        (std::hint::black_box(difference) == 0).then_some(key)
    }
}

impl Chat {
    /// Gives somebody a token to come back with. An older one is worth nothing now.
    pub(super) fn give_seat(&mut self, id: ConnId, out: &mut Outbox) {
        let (Some(random), false) = (self.settings.random, self.settings.resume_for.is_zero())
        else {
            return self.reply(id, Reply::NoSeats, out);
        };
        self.take_seat(id);
        let mut bytes = [0; TOKEN];
        random(&mut bytes);
        let (key, secret) = split(&bytes);
        let token = bytes.iter().fold(String::new(), |mut token, byte| {
            write!(token, "{byte:02x}").expect("a String takes everything");
            token
        });
        if let Some(user) = self.users.get_mut(id) {
            user.extras_mut().seat = Some(key);
            self.seats
                .by_key
                .insert(key, ResumeToken { secret, conn: id, from: user.from, held: None });
        }
        let held_for = self.settings.resume_for;
        self.reply(id, Reply::ResumeToken { held_for, token: &token }, out);
    }

    /// Whoever leaves of its own will has no seat any more.
    pub(super) fn take_seat(&mut self, id: ConnId) {
        if let Some(key) = self.users.get_mut(id).and_then(User::take_seat) {
            self.seats.remove(key);
        }
    }

    /// Holds the name and all else of one who was cut off, if it has asked for that.
    /// It is removed from the users and its room, without a word.
    pub(super) fn hold(&mut self, id: ConnId, out: &mut Outbox) -> bool {
        let Some(key) = self.users.get_mut(id).and_then(User::take_seat) else { return false };
        self.make_room(id, out);
        let Some(held) = self.detach(id) else { return false };
        self.seats.hold(key, held);
        self.holds.start(key, out.now().monotonic);
        true
    }

    /// One more is to be held: the first of their own address gives way, and anybody else only
    /// where nobody of it is held.
    fn make_room(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(from) = self.users.get(id).map(|user| user.from) else { return };
        let Settings { held_max, held_per_addr, .. } = self.settings;
        if let Some((first, count)) = self.seats.first_from(from)
            && (count >= held_per_addr || self.seats.held_conns.len() >= held_max)
        {
            self.end_hold(first, out);
        }
        while self.seats.held_conns.len() >= held_max
            && let Some(first) = self.holds.pop()
        {
            self.end_hold(first, out);
        }
        self.holds.prune(|key| !self.seats.by_key.contains_key(&key));
    }

    /// Nobody came back in time.
    pub(super) fn end_hold(&mut self, key: u64, out: &mut Outbox) {
        let Some(ResumeToken { conn, held: Some(held), .. }) = self.seats.remove(key) else {
            return;
        };
        self.forget_ignoring(conn, &held.more);
        self.leave_mute(held.name.as_own(), held.more.mute);
        if let Some(room) = self.rooms.find(&held.room) {
            let (name, addr) = (held.name.shown(), held.addr);
            let person = Person { name, addr, number: conn.serial() };
            self.tell_departure_of(room, conn, (person, held.arrival), out);
        }
        self.users.free_number(&held.name);
    }

    /// Nobody may come back under this name.
    pub(super) fn end_hold_of(&mut self, name: &str, out: &mut Outbox) {
        if let Some(key) = self.seats.held_names.get(&name.to_ascii_lowercase()).copied() {
            self.end_hold(key, out);
        }
    }

    /// Somebody is back: on this connection, with a token.
    pub(super) fn resume(&mut self, id: ConnId, token: &str, seq: Option<u64>, out: &mut Outbox) {
        let others = |key: &u64| self.seats.by_key.get(key).is_some_and(|seat| seat.conn != id);
        let Some(key) = self.seats.find(token).filter(others) else {
            return self.reply(id, Reply::TokenUnknown, out);
        };
        let Some(ResumeToken { conn, held, .. }) = self.seats.remove(key) else { return };
        let held = if let Some(held) = held {
            Some(*held)
        } else {
            self.reply(conn, Reply::Replaced, out);
            out.close(conn);
            self.detach(conn)
        };
        self.holds.prune(|key| !self.seats.by_key.contains_key(&key));
        if let Some(held) = held {
            self.attach(id, conn, held, out);
            self.show_missed(id, seq, out);
        }
    }

    /// Its name is shown to be another's, who takes it now.
    pub(super) fn replace(&mut self, id: ConnId, out: &mut Outbox) {
        self.reply(id, Reply::Replaced, out);
        self.tell_departure(id, out);
        self.take_seat(id);
        out.close(id);
        if let Some(held) = self.detach(id) {
            self.forget_ignoring(id, &held.more);
            self.leave_mute(held.name.as_own(), held.more.mute);
            self.users.free_number(&held.name);
        }
    }

    /// Takes a user out of the chat, without a word.
    fn detach(&mut self, id: ConnId) -> Option<DetachedSession> {
        let room = self.rooms.get(self.users.get(id)?.room).name().into();
        self.exit_room(id);
        let addr = self.users.addr(id);
        let mut user = self.users.detach(id)?;
        // A seat that it still has has just been used.
        user.take_seat();
        Some(DetachedSession {
            room,
            arrival: user.arrival,
            dialect: user.format.dialect,
            echo: user.echo,
            notices: user.notices,
            more: std::mem::take(user.extras_mut()),
            name: user.name,
            addr,
        })
    }

    /// Puts on a connection what was held for another.
    fn attach(&mut self, id: ConnId, was: ConnId, mut held: DetachedSession, out: &mut Outbox) {
        self.settle_notices(id, out);
        // Whoever they were until now is gone.
        self.tell_departure(id, out);
        self.take_seat(id);
        self.exit_room(id);
        self.users.assign_name(id, &held.name);
        // Nobody sheds by this who ignores them, nor a mute.
        if let Some(more) = self.users.get_mut(id).map(|user| std::mem::take(user.extras_mut())) {
            self.forget_ignoring(id, &more);
            held.more.is_operator = more.is_operator;
            held.more.mute = Mute::longer(more.mute, held.more.mute);
            held.more.ignored_by.extend(more.ignored_by);
        }
        held.more.ignores.retain(|ignored| *ignored != id);
        held.more.ignored_by.retain(|ignorer| *ignorer != id && *ignorer != was);
        // Nor do they answer themselves, whichever of the two it was that wrote.
        let is_own = |writer: &ConnId| [was, id].contains(&self.resumed.now(*writer));
        held.more.writer = held.more.writer.filter(|writer| !is_own(writer));
        self.keep_ignoring(id, was, &held.more);
        self.resumed.pass_on(was, id);
        if let Some(user) = self.users.get_mut(id) {
            user.format.dialect = held.dialect;
            user.echo = held.echo;
            user.notices = held.notices;
            user.arrival = held.arrival;
            *user.extras_mut() = held.more;
        }
        // Only now: the room that they left may be the same, and be gone with its last user.
        let room = self.room_for(id, &held.room, out).unwrap_or(RoomNo::LOBBY);
        self.enter_room(id, room, out);
        self.review_account(id);
        let name = self.users.get(id).map(|user| user.shown().to_string()).unwrap_or_default();
        info!(conn = id.serial(), name = &*name, was_conn = was.serial(); "resumed");
        self.reply(id, Reply::Renamed(&name), out);
    }

    /// Shows what was said in the room after line `seq`, as far as it is kept.
    fn show_missed(&mut self, id: ConnId, seq: Option<u64>, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let history = self.rooms.get(user.room).history();
        let (first, next) = (history.first_seq(), history.last_seq() + 1);
        let from = match seq {
            Some(seq) => seq.saturating_add(1),
            None => next.saturating_sub(LINES).max(first),
        };
        if from < first {
            self.reply(id, Reply::LinesGone(first - from), out);
        }
        self.recall(id, from, out);
    }

    /// What somebody has who is here, or is held.
    pub(super) fn extras_of(&mut self, id: ConnId) -> Option<&mut Extras> {
        match self.users.get_mut(id) {
            Some(user) => Some(user.extras_mut()),
            None => self.seats.extras_of(id),
        }
    }

    /// Carries on, on a new connection, who ignores whom.
    fn keep_ignoring(&mut self, id: ConnId, was: ConnId, more: &Extras) {
        for ignored in &more.ignores {
            if let Some(more) = self.extras_of(*ignored) {
                let ignored_by = &mut more.ignored_by;
                ignored_by.remove(&was);
                ignored_by.insert(id);
            }
        }
        for ignorer in &more.ignored_by {
            let more = self.extras_of(*ignorer).filter(|more| more.ignores.contains(&was));
            if let Some(more) = more {
                more.ignores.retain(|ignored| *ignored != was && *ignored != id);
                more.ignores.push(id);
            }
        }
    }
}

fn split(bytes: &[u8; TOKEN]) -> (u64, [u8; TOKEN - 8]) {
    let (key, secret) = bytes.split_first_chunk::<8>().expect("a token is longer");
    (u64::from_be_bytes(*key), secret.try_into().expect("the rest is as long as it is"))
}

/// Whether somewhere in a line there is what looks like a token, or `/resume` without its
/// slash before a piece of one.
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
