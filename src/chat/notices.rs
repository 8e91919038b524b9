//! Who came, who went, who has a new name: told once, and together when it is much.
//!
//! A newcomer is told of with the first line that others can see. The native dialect hears
//! of the first at once, and of what else happens within the same second at its end, or
//! before the next line that is said in the room, one line a kind. Programs hear of each by
//! itself, and so do the dialects that tell of connections, as soon as one opens.

use std::time::Instant;

use super::dialect::{Dialect, Event, Kind, Person};
use super::name::{Name, Shown};
use super::notice_batches::{Batch, Notice};
use super::room::{Group, Room, RoomNo};
use super::users::{Arrival, User, Users};
use super::{Chat, SECOND, millis, send, send_to_all};
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;
use crate::net::shared_log::LogId;

/// What a room has not been told yet, while it gathers.
pub(super) struct Pending {
    batch: Option<Batch>,
    /// When its second is over.
    ends: Instant,
}

impl Chat {
    /// Somebody has connected: those whose dialect tells of that are told.
    pub(super) fn tell_connection(&mut self, id: ConnId, out: &mut Outbox) {
        if self.tell_each(Audience::Connections, Kind::Join, id, None, out)
            && let Some(user) = self.users.get_mut(id)
        {
            user.arrival = Arrival::Connected;
        }
    }

    /// Somebody says what others can see: from here on they are known to be here.
    pub(super) fn announce(&mut self, id: ConnId, out: &mut Outbox) {
        if self.users.get(id).is_some_and(|user| !user.is_announced()) {
            self.regroup(id, |user| user.arrival = Arrival::Announced);
            self.tell_join(id, out);
        }
    }

    /// Somebody has come from another room.
    pub(super) fn tell_move(&mut self, id: ConnId, out: &mut Outbox) {
        self.tell_each(Audience::Connections, Kind::Join, id, None, out);
        self.tell_join(id, out);
    }

    fn tell_join(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let (room, name) = (user.room, Name::from(user.shown()));
        self.tell_each(Audience::Programs, Kind::Join, id, None, out);
        self.gather(room, id, Notice::Joined(name), out);
    }

    /// Somebody leaves the room that they are in.
    pub(super) fn tell_departure(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let (room, arrival, name) = (user.room, user.arrival, Name::from(user.shown()));
        let person = Person { name: name.shown(), ..self.users.person(user) };
        self.tell_departure_of(room, id, (person, arrival), out);
    }

    /// Somebody leaves, or left a while ago and has not come back. Only those who were told of
    /// the arrival are told.
    pub(super) fn tell_departure_of(
        &mut self,
        room: RoomNo,
        id: ConnId,
        (who, arrival): (Person<'_>, Arrival),
        out: &mut Outbox,
    ) {
        let place = self.rooms.get(room);
        let mut event = Event { room: Some(place.name()), ..Event::new(Kind::Leave, millis(out)) };
        event.from = Some(who);
        let (users, line) = (&self.users, &mut self.line);
        if arrival != Arrival::Untold {
            tell_takers(users, place, line, &event, (id, Audience::Connections), out);
        }
        if arrival == Arrival::Announced {
            tell_takers(users, place, line, &event, (id, Audience::Programs), out);
            self.gather(room, id, Notice::Left(Name::from(who.name)), out);
        }
    }

    /// Somebody has a new name; what others saw before is `old`.
    pub(super) fn tell_rename(&mut self, id: ConnId, old: Shown<'_>, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let (room, is_announced) = (user.room, user.is_announced());
        let names = [old, user.shown()].map(Name::from);
        self.tell_each(Audience::Connections, Kind::Rename, id, Some(old), out);
        if is_announced {
            self.tell_each(Audience::Programs, Kind::Rename, id, Some(old), out);
            self.gather(room, id, Notice::Renamed(Box::new(names)), out);
        } else {
            self.announce(id, out);
        }
    }

    /// Tells the renamer itself what the others are told.
    pub(super) fn tell_own_name(&mut self, id: ConnId, old: Shown<'_>, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let person = self.users.person(user);
        let event = Event {
            room: Some(self.rooms.get(user.room).name()),
            from: Some(Person { name: old, ..person }),
            to: Some(person),
            ..Event::new(Kind::Rename, millis(out))
        };
        send(user, &mut self.line, &event, out);
    }

    /// Tells everybody else in the room who is told of each by itself. Returns whether there
    /// was anybody.
    fn tell_each(
        &mut self,
        to: Audience,
        kind: Kind,
        id: ConnId,
        old: Option<Shown<'_>>,
        out: &mut Outbox,
    ) -> bool {
        let Some(user) = self.users.get(id) else { return false };
        let room = self.rooms.get(user.room);
        let person = self.users.person(user);
        let mut event = Event { room: Some(room.name()), ..Event::new(kind, millis(out)) };
        event.from = Some(Person { name: old.unwrap_or(person.name), ..person });
        event.to = old.map(|_| person);
        tell_takers(&self.users, room, &mut self.line, &event, (id, to), out)
    }

    /// Tells the native, now or at the end of the second.
    fn gather(&mut self, room_no: RoomNo, subject: ConnId, news: Notice, out: &mut Outbox) {
        let room = self.rooms.get_mut(room_no);
        let readers = native(room).flat_map(|(_, list)| list);
        let readers = readers.filter_map(|id| self.users.get(*id)).filter(|user| user.notices);
        let (mut is_for_somebody, mut hidden_from) = (false, Vec::new());
        for reader in readers {
            if reader.id == subject || reader.ignores(subject) {
                hidden_from.push(reader.id);
            } else {
                is_for_somebody = true;
            }
        }
        if room.is_crowd() || !is_for_somebody {
            return;
        }
        let now = out.now().monotonic;
        let is_first = room.pending.is_none();
        let pending = room.pending.get_or_insert(Pending { batch: None, ends: now + SECOND });
        let batch = *pending.batch.get_or_insert_with(|| self.gathered.begin());
        self.gathered.push(batch, news, hidden_from);
        if is_first {
            self.seconds.start(room_no, now);
        }
        if is_first || self.gathered.is_full(batch) {
            self.flush_notices(room_no, out);
        }
    }

    /// Tells what has been gathered: before anything else is said in the room.
    pub(super) fn flush_notices(&mut self, room: RoomNo, out: &mut Outbox) {
        let pending = self.rooms.get_mut(room).pending.as_mut();
        let Some(batch) = pending.and_then(|pending| pending.batch.take()) else { return };
        let (room, users, gathered) = (self.rooms.get(room), &self.users, &self.gathered);
        let takes = |id: &ConnId| users.get(*id).is_some_and(|user| user.notices);
        // Those first, so that what is for everybody stands together with what is said next.
        let special =
            native(room).flat_map(|(_, list)| list).filter(|id| gathered.is_special(**id));
        for user in special.filter_map(|id| users.get(*id)) {
            for line in gathered.lines_for(batch, Some(user.id)) {
                send_as_the_rooms(user, &mut self.line, &notice(&line, out), out);
            }
        }
        for line in gathered.lines_for(batch, None) {
            let event = notice(&line, out);
            for (group, list) in native(room) {
                let to = list.iter().copied().filter(takes).filter(|id| !gathered.is_special(*id));
                send_to_all(room, group, &mut self.line, &event, to, out);
            }
        }
        for id in room.all() {
            self.gathered.forget_reader(id);
        }
        self.gathered.forget(batch);
    }

    /// Nobody is left in a room who could be told. Its second goes on, should it stay.
    pub(super) fn drop_notices(&mut self, room: RoomNo) {
        let pending = self.rooms.get_mut(room).pending.as_mut();
        if let Some(batch) = pending.and_then(|pending| pending.batch.take()) {
            self.gathered.forget(batch);
        }
    }

    /// The second that a room gathered for is over.
    pub(super) fn end_second(&mut self, room: RoomNo, out: &mut Outbox) {
        // It may have been that of a room that is gone, whose number another has by now.
        let now = out.now().monotonic;
        let pending = self.rooms.try_get_mut(room).and_then(|room| room.pending.as_ref());
        if pending.is_some_and(|pending| pending.ends <= now) {
            self.flush_notices(room, out);
            self.rooms.get_mut(room).pending = None;
        }
    }

    /// From now on a user takes notices, or takes none. What happened before the change
    /// is for who took them then.
    pub(super) fn set_notices(&mut self, id: ConnId, on: bool, out: &mut Outbox) {
        let Some(user) = self.users.get(id).filter(|user| user.notices != on) else { return };
        let room = user.room;
        if !on {
            self.settle_notices(id, out);
        }
        if let Some(user) = self.users.get_mut(id) {
            user.notices = on;
        }
        self.begin_notices(id, room);
    }

    /// Whoever has come into a room or takes notices from now on is not told what has
    /// happened there so far.
    pub(super) fn begin_notices(&mut self, id: ConnId, room: RoomNo) {
        if let Some(batch) = self.batch(room)
            && self.users.get(id).is_some_and(takes_gathered)
        {
            self.gathered.begin_for(batch, id);
        }
    }

    /// Tells one user what is pending for it: it will not be among the takers later.
    pub(super) fn settle_notices(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.get(id).filter(|user| takes_gathered(user)) else { return };
        let Some(batch) = self.batch(user.room) else { return };
        for line in self.gathered.lines_for(batch, Some(id)) {
            send_as_the_rooms(user, &mut self.line, &notice(&line, out), out);
        }
        self.gathered.forget_reader(id);
    }

    fn batch(&self, room: RoomNo) -> Option<Batch> {
        self.rooms.get(room).pending.as_ref()?.batch
    }
}

/// Those who are told of each by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// Of every connection, from when it opens.
    Connections,
    /// Of those who have shown themselves.
    Programs,
}

impl Audience {
    fn has(self, dialect: Dialect, kind: Kind) -> bool {
        match self {
            Audience::Connections => dialect.tells_of_connections(kind),
            Audience::Programs => dialect == Dialect::Json,
        }
    }
}

/// Tells everybody of an audience but the subject. It is a line of the room: who is behind
/// misses it. Returns whether there was anybody.
fn tell_takers(
    users: &Users,
    room: &Room,
    line: &mut String,
    event: &Event<'_>,
    (subject, audience): (ConnId, Audience),
    out: &mut Outbox,
) -> bool {
    let mut told = false;
    if room.is_crowd() {
        return told;
    }
    for (group, list) in room.lists() {
        let dialect = group.format.dialect;
        let takes =
            |user: &User| (user.notices || !dialect.has_notices()) && !user.ignores(subject);
        let mut to = list
            .iter()
            .copied()
            .filter(|id| *id != subject && users.get(*id).is_some_and(takes))
            .peekable();
        if audience.has(dialect, event.kind) && to.peek().is_some() {
            send_to_all(room, group, line, event, to, out);
            told = true;
        }
    }
    told
}

/// Those who are told of what has gathered, if they take notices.
fn native(room: &Room) -> impl Iterator<Item = (Group, &[ConnId])> {
    room.lists().filter(|(group, _)| group.format.dialect == Dialect::Native)
}

/// Sends one user a line of the room that is not the same for the others.
fn send_as_the_rooms(user: &User, line: &mut String, event: &Event<'_>, out: &mut Outbox) {
    line.clear();
    user.format.render(event, line);
    // Not in the room's log, where it would stand between lines that are for everybody.
    out.send_all(LogId::of(user.id.slot()), [user.id], line.as_bytes());
}

fn takes_gathered(user: &User) -> bool {
    user.notices && user.format.dialect == Dialect::Native
}

fn notice<'a>(text: &'a str, out: &Outbox) -> Event<'a> {
    Event { text: Some(text), ..Event::new(Kind::Notice, millis(out)) }
}
