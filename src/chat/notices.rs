//! Who came, who went, who has a new name: told once, and together when it is much.
//!
//! The native dialect hears of the first at once, and of what else happens within the
//! same second at its end, or before the next line that is said in the room, one line
//! a kind. The other dialects that hear of such things at all hear of each at once.

use std::time::Instant;

use super::dialect::{Dialect, Event, Kind, Person};
use super::name::Shown;
use super::room::{Room, RoomNo};
use super::users::{Arrival, User, Users};
use super::{Chat, SECOND, millis, send, send_to_all};
use crate::conn::ConnId;
use crate::outbox::Outbox;

/// With more names than this, the first two are told and the rest is counted.
const NAMES: usize = 3;

/// What a room has not been told yet, while it gathers. Many rooms may gather at once,
/// so it is small: one list of what happened, and one text with all the names.
#[derive(Default)]
pub(super) struct Pending {
    entries: Vec<Entry>,
    names: String,
    /// When its second is over.
    ends: Option<Instant>,
}

struct Entry {
    id: ConnId,
    /// What happened to it; nothing, if it takes notices only from here on.
    kind: Option<Kind>,
    /// Where its name ends among the names, and that of the next one begins. At a
    /// rename there are both in it, as they are told.
    name_end: u32,
}

impl Pending {
    fn push(&mut self, id: ConnId, kind: Option<Kind>, name: &str) {
        self.names.push_str(name);
        let name_end = u32::try_from(self.names.len()).expect("a second's names are few");
        self.entries.push(Entry { id, kind, name_end });
    }

    /// From now on this user takes notices; what has happened so far is not for it.
    fn begin_for(&mut self, id: ConnId) {
        if !self.entries.is_empty() {
            self.push(id, None, "");
        }
    }

    /// What there is to tell one user, in the order of the kinds.
    fn lines_for(&self, id: ConnId) -> Vec<String> {
        let began = |entry: &Entry| entry.id == id && entry.kind.is_none();
        let since = self.entries.iter().rposition(began).map_or(0, |at| at + 1);
        let mut kinds: Vec<(Kind, Vec<&str>)> = Vec::new();
        for (at, entry) in self.entries.iter().enumerate().skip(since) {
            let Some(kind) = entry.kind.filter(|_| entry.id != id) else { continue };
            match kinds.iter_mut().find(|(of, _)| *of == kind) {
                Some((_, names)) => names.push(self.name(at)),
                None => kinds.push((kind, vec![self.name(at)])),
            }
        }
        kinds.into_iter().map(|(kind, names)| together(kind, &names)).collect()
    }

    fn name(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.entries[before].name_end);
        &self.names[start as usize..self.entries[at].name_end as usize]
    }

    /// Whether all get the same lines but for these.
    fn is_special(&self, id: ConnId) -> bool {
        self.entries.iter().any(|entry| entry.id == id)
    }
}

/// `alice, bob and 7 others joined the chat.`
fn together(kind: Kind, names: &[&str]) -> String {
    let mut line = match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] if names.len() <= NAMES => format!("{} and {last}", all.join(", ")),
        [first, second, rest @ ..] => format!("{first}, {second} and {} others", rest.len()),
    };
    line.push_str(match kind {
        Kind::Join => " joined the chat.",
        Kind::Leave => " left the chat.",
        _ if names.len() > NAMES => " have new names",
        _ => "",
    });
    line
}

impl Chat {
    /// Somebody has come into its room: those who are told at once are told.
    pub(super) fn tell_arrival(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let room = user.room;
        let told = self.tell_at_once(room, Kind::Join, id, None, out);
        if let Some(user) = self.users.get_mut(id).filter(|_| told) {
            user.arrival = Arrival::AtOnce;
        }
    }

    /// The rest of the arrival: who it is has shown, or is not going to for a while.
    pub(super) fn announce(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.get_mut(id) else { return };
        if user.arrival != Arrival::Announced {
            user.arrival = Arrival::Announced;
            let (room, name) = (user.room, user.shown().to_string());
            self.gather(room, Kind::Join, id, &name, out);
        }
    }

    /// Somebody leaves the room that it is in.
    pub(super) fn tell_departure(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.get(id).filter(|user| user.arrival != Arrival::Untold) else {
            return;
        };
        let (room, name) = (user.room, user.shown().to_string());
        self.tell_at_once(room, Kind::Leave, id, None, out);
        self.gather(room, Kind::Leave, id, &name, out);
    }

    /// Somebody left a while ago and has not come back.
    pub(super) fn tell_late_departure(
        &mut self,
        room: RoomNo,
        id: ConnId,
        name: &str,
        out: &mut Outbox,
    ) {
        let person = Person { name: Shown::Named(name), addr: None, number: id.serial() };
        let place = self.rooms.get(room);
        let mut event = Event { room: Some(&place.name), ..Event::new(Kind::Leave, millis(out)) };
        event.from = Some(person);
        tell_takers(&self.users, place, &mut self.line, &event, id, out);
        self.gather(room, Kind::Leave, id, name, out);
    }

    /// Somebody has a new name; what others saw before is `old`.
    pub(super) fn tell_rename(&mut self, id: ConnId, old: Shown<'_>, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let (room, is_announced) = (user.room, user.arrival == Arrival::Announced);
        let what = format!("{old} is now {}", user.shown());
        self.tell_at_once(room, Kind::Rename, id, Some(old), out);
        if is_announced {
            self.gather(room, Kind::Rename, id, &what, out);
        } else {
            self.announce(id, out);
        }
    }

    /// Tells the renamer itself what the others are told.
    pub(super) fn tell_own_name(&mut self, id: ConnId, old: Shown<'_>, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let person = self.users.person(user);
        let event = Event {
            room: Some(&self.rooms.get(user.room).name),
            from: Some(Person { name: old, ..person }),
            to: Some(person),
            ..Event::new(Kind::Rename, millis(out))
        };
        send(user, &mut self.line, &event, out);
    }

    /// Tells everybody else in the room whose dialect wants to know now. Returns
    /// whether there was anybody.
    fn tell_at_once(
        &mut self,
        room: RoomNo,
        kind: Kind,
        id: ConnId,
        old: Option<Shown<'_>>,
        out: &mut Outbox,
    ) -> bool {
        let room = self.rooms.get(room);
        let Some(user) = self.users.get(id) else { return false };
        let person = self.users.person(user);
        let mut event = Event { room: Some(&room.name), ..Event::new(kind, millis(out)) };
        event.from = Some(Person { name: old.unwrap_or(person.name), ..person });
        event.to = old.map(|_| person);
        tell_takers(&self.users, room, &mut self.line, &event, id, out)
    }

    /// Tells the native, now or at the end of the second.
    fn gather(
        &mut self,
        room_no: RoomNo,
        kind: Kind,
        subject: ConnId,
        what: &str,
        out: &mut Outbox,
    ) {
        let users = &self.users;
        let takes = |id: ConnId| id != subject && users.get(id).is_some_and(takes_gathered);
        let room = self.rooms.get_mut(room_no);
        if room.is_crowd() || !room.all().any(takes) {
            return;
        }
        let is_first = room.pending.is_none();
        let pending = room.pending.get_or_insert_default();
        pending.push(subject, Some(kind), what);
        if is_first {
            pending.ends = Some(out.now().monotonic + SECOND);
            self.seconds.start(room_no, out.now().monotonic);
            self.flush_notices(room_no, out);
        }
    }

    /// Tells what has been gathered: before anything else is said in the room.
    pub(super) fn flush_notices(&mut self, room: RoomNo, out: &mut Outbox) {
        let room = self.rooms.get_mut(room);
        let Some(pending) = room.pending.as_mut().filter(|pending| !pending.entries.is_empty())
        else {
            return;
        };
        let ends = pending.ends;
        let pending = std::mem::replace(&mut **pending, Pending { ends, ..Pending::default() });
        let room = &*room;
        // Nobody that these lines are for is among those who are told by themselves.
        let nobody = ConnId { slot: u32::MAX, serial: 0 };
        let common = pending.lines_for(nobody);
        let native = room.lists().filter(|(wording, _)| wording.dialect == Dialect::Native);
        for (wording, list) in native {
            let takes = |id: &ConnId| self.users.get(*id).is_some_and(takes_gathered);
            let members = || list.iter().copied().filter(takes);
            for line in &common {
                let event = notice(line, out);
                let to = members().filter(|id| !pending.is_special(*id));
                send_to_all(room, wording, &mut self.line, &event, to, out);
            }
            for id in members().filter(|id| pending.is_special(*id)) {
                let Some(user) = self.users.get(id) else { continue };
                for line in pending.lines_for(id) {
                    send(user, &mut self.line, &notice(&line, out), out);
                }
            }
        }
    }

    /// The second that a room gathered for is over.
    pub(super) fn end_second(&mut self, room: RoomNo, out: &mut Outbox) {
        // It may have been that of a room that is gone, whose number another has by now.
        let now = out.now().monotonic;
        let pending = self.rooms.try_get_mut(room).and_then(|room| room.pending.as_ref());
        if pending.is_some_and(|pending| pending.ends.is_none_or(|ends| ends <= now)) {
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
        if let Some(pending) = &mut self.rooms.get_mut(room).pending
            && self.users.get(id).is_some_and(takes_gathered)
        {
            pending.begin_for(id);
        }
    }

    /// Tells one user what is pending for it: it will not be among the takers later.
    pub(super) fn settle_notices(&mut self, id: ConnId, out: &mut Outbox) {
        let Some(user) = self.users.get(id).filter(|user| takes_gathered(user)) else { return };
        let Some(pending) = &mut self.rooms.get_mut(user.room).pending else { return };
        for line in pending.lines_for(id) {
            send(user, &mut self.line, &notice(&line, out), out);
        }
        pending.begin_for(id);
    }
}

/// Tells everybody but the subject whose dialect wants to know now.
fn tell_takers(
    users: &Users,
    room: &Room,
    line: &mut String,
    event: &Event<'_>,
    subject: ConnId,
    out: &mut Outbox,
) -> bool {
    let mut told = false;
    if room.is_crowd() {
        return told;
    }
    for user in room.all().filter(|id| *id != subject).filter_map(|id| users.get(id)) {
        let dialect = user.wording.dialect;
        if dialect.tells_at_once(event.kind) && (user.notices || !dialect.has_notices()) {
            send(user, line, event, out);
            told = true;
        }
    }
    told
}

fn takes_gathered(user: &User) -> bool {
    user.notices && user.wording.dialect == Dialect::Native
}

fn notice<'a>(text: &'a str, out: &Outbox) -> Event<'a> {
    Event { text: Some(text), ..Event::new(Kind::Notice, millis(out)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_counted() {
        let names = ["ann", "bob", "cat", "dan", "eve"];
        let cases = [
            (1, "ann joined the chat."),
            (2, "ann and bob joined the chat."),
            (3, "ann, bob and cat joined the chat."),
            (4, "ann, bob and 2 others joined the chat."),
            (5, "ann, bob and 3 others joined the chat."),
        ];
        for (count, line) in cases {
            assert_eq!(together(Kind::Join, &names[..count]), line);
        }
        assert_eq!(together(Kind::Leave, &names[..1]), "ann left the chat.");
        let renames = ["a is now b"; 5];
        assert_eq!(together(Kind::Rename, &renames[..2]), "a is now b and a is now b");
        let line = "a is now b, a is now b and 3 others have new names";
        assert_eq!(together(Kind::Rename, &renames), line);
    }
}
