//! Presence: join, leave and rename notices, sent in batches where many happen at once.
//!
//! A join notice is sent when the newcomer first sends a line that others can see. Users of the
//! native dialect get the first notice at once. Further ones within the same second are batched:
//! they are sent at its end, or before the next line said in the room, one line a kind. The json
//! dialect gets each notice by itself, and so do the dialects that announce connections, from
//! when the connection opens.

use super::dialect::{Dialect, Event, Kind, Person};
use super::name::{Name, Shown};
use super::notice_batches::{BATCH_TIME, Batch, Notice};
use super::renderer::Renderer;
use super::room::{Group, Pending, Room, RoomNo};
use super::state::Chat;
use super::time::millis;
use super::user::{Arrival, User};
use super::user_id::UserId;
use super::users::Users;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;
use crate::pack::impl_pack;

impl Chat {
    /// A connection was opened. Only dialects that announce connections get a notice.
    pub(super) fn notify_connection(&mut self, id: UserId, out: &mut Outbox) {
        if self.users.conn(id).is_some()
            && self.notify_each(Audience::Connections, Kind::Join, id, None, out)
            && let Some(user) = self.users.by_id_mut(id)
        {
            user.arrival = Arrival::Connected;
        }
    }

    /// A user sends a line that others can see. Before the first one they get a join notice.
    pub(super) fn announce(&mut self, id: UserId, out: &mut Outbox) {
        let Some(user) = self.users.by_id_mut(id).filter(|user| !user.is_announced()) else {
            return;
        };
        match user.conn() {
            Some(conn) => self.regroup(conn, |user| user.arrival = Arrival::Announced),
            None => user.arrival = Arrival::Announced,
        }
        self.notify_join(id, out);
    }

    /// A user has moved here from another room.
    pub(super) fn notify_move(&mut self, id: UserId, out: &mut Outbox) {
        self.notify_each(Audience::Connections, Kind::Join, id, None, out);
        self.notify_join(id, out);
    }

    fn notify_join(&mut self, id: UserId, out: &mut Outbox) {
        let (Some(user), Some(room)) = (self.users.by_id(id), self.room_of(id)) else { return };
        let name = Name::from(user.shown());
        self.notify_each(Audience::Programs, Kind::Join, id, None, out);
        self.batch_notice(room, id, Notice::Joined(name), out);
    }

    /// A user leaves their room, or has not come back to it in time. Only those who got the join
    /// notice get a leave notice.
    pub(super) fn notify_leave(&mut self, id: UserId, out: &mut Outbox) {
        let (Some(user), Some(room_no)) = (self.users.by_id(id), self.room_of(id)) else { return };
        let (arrival, name) = (user.arrival, Name::from(user.shown()));
        let room = self.rooms.get(room_no);
        let mut event = Event { room: Some(room.name()), ..Event::new(Kind::Leave, millis(out)) };
        event.from = Some(self.users.person(user));
        let (users, renderer) = (&self.users, &mut self.renderer);
        if arrival != Arrival::Unannounced {
            notify_audience(users, room, renderer, &event, (id, Audience::Connections), out);
        }
        if arrival == Arrival::Announced {
            notify_audience(users, room, renderer, &event, (id, Audience::Programs), out);
            self.batch_notice(room_no, id, Notice::Left(name), out);
        }
    }

    /// A user has a new name; others saw `old` before.
    pub(super) fn notify_rename(&mut self, id: UserId, old: Shown<'_>, out: &mut Outbox) {
        let (Some(user), Some(room)) = (self.users.by_id(id), self.room_of(id)) else { return };
        let is_announced = user.is_announced();
        let names = [old, user.shown()].map(Name::from);
        self.notify_each(Audience::Connections, Kind::Rename, id, Some(old), out);
        if is_announced {
            self.notify_each(Audience::Programs, Kind::Rename, id, Some(old), out);
            self.batch_notice(room, id, Notice::Renamed(Box::new(names)), out);
        } else {
            self.announce(id, out);
        }
    }

    /// Sends the user who was renamed the notice that the others get.
    pub(super) fn notify_renamed_user(&mut self, id: ConnId, old: Shown<'_>, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let person = self.users.person(user);
        let event = Event {
            room: Some(self.rooms.get(user.room).name()),
            from: Some(Person { name: old, ..person }),
            to: Some(person),
            ..Event::new(Kind::Rename, millis(out))
        };
        self.renderer.send(user, &event, out);
    }

    /// Sends a notice to all others in the room who get each by itself. Returns whether there
    /// were any.
    fn notify_each(
        &mut self,
        to: Audience,
        kind: Kind,
        id: UserId,
        old: Option<Shown<'_>>,
        out: &mut Outbox,
    ) -> bool {
        let (Some(user), Some(room)) = (self.users.by_id(id), self.room_of(id)) else {
            return false;
        };
        let room = self.rooms.get(room);
        let person = self.users.person(user);
        let mut event = Event { room: Some(room.name()), ..Event::new(kind, millis(out)) };
        event.from = Some(Person { name: old.unwrap_or(person.name), ..person });
        event.to = old.map(|_| person);
        notify_audience(&self.users, room, &mut self.renderer, &event, (id, to), out)
    }

    /// Sends the native dialect a notice: the first of a second now, further ones batched.
    fn batch_notice(&mut self, room_no: RoomNo, subject: UserId, notice: Notice, out: &mut Outbox) {
        let room = self.rooms.get_mut(room_no);
        // First, or each move in a crowd would cost a look at everybody in it.
        if room.is_crowd() {
            return;
        }
        let readers = native(room).flat_map(|(_, list)| list);
        let readers = readers.filter_map(|id| Some((*id, self.users.get(*id)?)));
        let (mut has_readers, mut hidden_from) = (false, Vec::new());
        for (id, reader) in readers.filter(|(_, reader)| reader.notices) {
            if reader.is(subject) || self.users.ignores(reader, subject) {
                hidden_from.push(id);
            } else {
                has_readers = true;
            }
        }
        if !has_readers {
            return;
        }
        let now = out.now().monotonic;
        let is_first = room.pending.is_none();
        let pending = room.pending.get_or_insert(Pending { batch: None, ends: now + BATCH_TIME });
        let batch = *pending.batch.get_or_insert_with(|| self.batches.begin());
        self.batches.push(batch, notice, hidden_from);
        if is_first {
            self.batch_timeouts.start(room_no, now);
        }
        if is_first || self.batches.is_full(batch) {
            self.flush_notices(room_no, out);
        }
    }

    /// Sends the pending batch. Called before anything else is said in the room, so that the
    /// order is right.
    pub(super) fn flush_notices(&mut self, room: RoomNo, out: &mut Outbox) {
        let pending = self.rooms.get_mut(room).pending.as_mut();
        let Some(batch) = pending.and_then(|pending| pending.batch.take()) else { return };
        let (room, users, batches) = (self.rooms.get(room), &self.users, &self.batches);
        let takes = |id: &ConnId| users.get(*id).is_some_and(|user| user.notices);
        // Readers with exceptions come first. So the batch is contiguous with the next line in
        // the room's shared log.
        let special = native(room).flat_map(|(_, list)| list).filter(|id| batches.is_special(**id));
        for (id, user) in special.filter_map(|id| Some((*id, users.get(*id)?))) {
            for line in batches.lines_for(batch, Some(id)) {
                self.renderer.send_aside(user, &notice(&line, out), out);
            }
        }
        for line in batches.lines_for(batch, None) {
            let event = notice(&line, out);
            for (group, list) in native(room) {
                let to = list.iter().copied().filter(takes).filter(|id| !batches.is_special(*id));
                self.renderer.send_group(room, group, &event, to, out);
            }
        }
        for id in room.all() {
            self.batches.forget_reader(id);
        }
        self.batches.forget(batch);
    }

    /// Drops the pending batch of an empty room. The second runs on in case the room stays.
    pub(super) fn drop_notices(&mut self, room: RoomNo) {
        let pending = self.rooms.get_mut(room).pending.as_mut();
        if let Some(batch) = pending.and_then(|pending| pending.batch.take()) {
            self.batches.forget(batch);
        }
    }

    /// A room's second is over.
    pub(super) fn end_batch(&mut self, room: RoomNo, out: &mut Outbox) {
        // The room may be gone, and its number may belong to a newer one.
        let now = out.now().monotonic;
        let pending = self.rooms.try_get_mut(room).and_then(|room| room.pending.as_ref());
        if pending.is_some_and(|pending| pending.ends <= now) {
            self.flush_notices(room, out);
            self.rooms.get_mut(room).pending = None;
        }
    }

    /// Turns notices on or off for a user. What is pending goes to those who took notices when it
    /// happened.
    pub(super) fn set_notices(&mut self, id: ConnId, on: bool, out: &mut Outbox) {
        let Some(user) = self.users.get(id).filter(|user| user.notices != on) else { return };
        let room = user.room;
        if !on {
            self.flush_notices_for(id, out);
        }
        if let Some(user) = self.users.get_mut(id) {
            user.notices = on;
        }
        self.begin_notices(id, room);
    }

    /// A user who enters a room, or turns notices on, must not see what is pending there.
    pub(super) fn begin_notices(&mut self, id: ConnId, room: RoomNo) {
        if let Some(batch) = self.batch(room)
            && self.users.get(id).is_some_and(takes_batches)
        {
            self.batches.begin_for(batch, id);
        }
    }

    /// Sends one user what is pending: they will not be there when the batch is flushed.
    pub(super) fn flush_notices_for(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.get(id).filter(|user| takes_batches(user)) else { return };
        let Some(batch) = self.batch(user.room) else { return };
        for line in self.batches.lines_for(batch, Some(id)) {
            self.renderer.send_aside(user, &notice(&line, out), out);
        }
        self.batches.forget_reader(id);
    }

    fn batch(&self, room: RoomNo) -> Option<Batch> {
        self.rooms.get(room).pending.as_ref()?.batch
    }
}

/// Who gets each notice by itself, not batched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    /// Dialects that announce each connection when it opens.
    Connections,
    /// The json dialect, which announces users once they have sent a line.
    Programs,
}

impl Audience {
    fn has(self, dialect: Dialect, kind: Kind) -> bool {
        match self {
            Audience::Connections => dialect.announces_connections(kind),
            Audience::Programs => dialect == Dialect::Json,
        }
    }
}

/// Sends a notice to an audience except the subject. It is a line of the room, so it is shed for
/// slow consumers. Returns whether there was anybody.
fn notify_audience(
    users: &Users,
    room: &Room,
    renderer: &mut Renderer,
    event: &Event<'_>,
    (subject, audience): (UserId, Audience),
    out: &mut Outbox,
) -> bool {
    let mut any = false;
    if room.is_crowd() {
        return any;
    }
    for (group, list) in room.lists() {
        let dialect = group.format.dialect;
        let takes = |user: &User| {
            let wants = user.notices || !dialect.has_notices();
            wants && !user.is(subject) && !users.ignores(user, subject)
        };
        let to = list.iter().copied().filter(|id| users.get(*id).is_some_and(takes));
        let mut to = to.peekable();
        if audience.has(dialect, event.kind) && to.peek().is_some() {
            renderer.send_group(room, group, event, to, out);
            any = true;
        }
    }
    any
}

/// The groups of the native dialect, which get batched notices.
fn native(room: &Room) -> impl Iterator<Item = (Group, &[ConnId])> {
    room.lists().filter(|(group, _)| group.format.dialect == Dialect::Native)
}

fn takes_batches(user: &User) -> bool {
    user.notices && user.format.dialect == Dialect::Native
}

fn notice<'a>(text: &'a str, out: &Outbox) -> Event<'a> {
    Event { text: Some(text), ..Event::new(Kind::Notice, millis(out)) }
}

impl_pack! {
    struct Pending { batch, ends }
}
