//! The oracle of presence: names, rooms, notices and greetings.

use std::collections::BTreeSet;
use std::mem;
use std::time::Duration;

use super::rooms::{Coming, Happened, LOBBY};
use super::sessions::Session;
use super::{Member, Model, Sort};

/// What happens within this time is told together.
const SECOND: Duration = Duration::from_secs(1);

/// So many lines of notices are not batched any further.
const LINES_MAX: usize = 16;

impl Model<'_> {
    /// Time has passed, and somebody may have waited for that.
    pub(super) fn tick(&mut self) {
        let now = self.now.since;
        // In the order in which they were let in, which is not always that of their coming.
        let is_due = |member: &&Member| self.is_awaited_until(member).is_some_and(|at| at <= now);
        let due = self.members.values().filter(is_due).min_by_key(|member| member.came);
        if let Some(who) = due.map(|member| member.who) {
            // The others have to wait until there is room for what it is sent.
            return self.greet(who);
        }
        for name in self.rooms.names() {
            if self.rooms.get(&name).second.is_some_and(|at| at <= now) {
                self.flush(&name);
                self.rooms.get_mut(&name).second = None;
            }
        }
        self.end_late_sessions(now);
    }

    /// The server sleeps, so there is nobody whose time is up.
    pub(super) fn check_deadlines(&self, now: Duration) {
        let newcomers = self.members.values().filter_map(|one| self.is_awaited_until(one));
        let names = self.rooms.names();
        let seconds = names.iter().filter_map(|name| self.rooms.get(name).second);
        let detached = self.sessions.iter().filter_map(Session::until);
        let next = newcomers.chain(seconds).chain(detached).min();
        assert!(next.is_none_or(|next| next > now), "at {now:?} somebody's time is up");
    }

    /// Until when the first line of a person is waited for, who is greeted then.
    fn is_awaited_until(&self, member: &Member) -> Option<Duration> {
        let is_awaited = !member.has_spoken && !member.was_awaited;
        self.given.rules.greet_after.filter(|_| is_awaited).map(|patience| member.opened + patience)
    }

    fn greet(&mut self, who: usize) {
        let member = self.member(who);
        member.was_awaited = true;
        if !member.has_shown_ending {
            member.ending = "\r\n";
        }
        let (name, room) = (member.shown(), member.room.clone());
        self.saw("greeted");
        self.reply(who, "Welcome.");
        self.who(who, None);
        self.history(who, 10);
        if !self.rooms.get(&room).is_quiet() {
            self.saw("greeted with what was said");
            self.reply(who, "-- kept in memory only --");
        }
        let help = "Type to talk; /nick NAME to be named; /help for more.";
        self.reply(who, &format!("You are {name}. {help}"));
        self.take_notices(who, true);
    }

    pub(super) fn who(&mut self, who: usize, room: Option<&str>) {
        let own = self.members[&who].room.clone();
        let Some(room) = room.map_or(Some(own), |name| self.rooms.find(name)) else {
            self.saw("no such room");
            let name = room.unwrap_or_default();
            return self.reply(who, &format!("No room is called {name}."));
        };
        let mut counted = self.counted(&room, who);
        // Those with names, in order, then guests.
        counted.sort_by_key(|who| {
            let Member { name, guest, .. } = &self.members[who];
            (*guest, name.as_ref().map(|name| name.to_ascii_lowercase()))
        });
        let names: Vec<String> = counted.iter().map(|one| self.members[one].shown()).collect();
        let list = match names.len() {
            0 => String::new(),
            _ => format!(": {}", names.join(", ")),
        };
        let silent = match self.people(&room).len() - names.len() {
            0 => String::new(),
            silent => format!(" (and {silent} silent)"),
        };
        if !silent.is_empty() {
            self.saw("the silent are counted");
        }
        self.reply(who, &format!("{} in {room}{list}{silent}", names.len()));
    }

    /// Who has said what others can see, and whoever asks.
    fn counted(&self, room: &str, asker: usize) -> Vec<usize> {
        let mut people = self.people(room);
        people.retain(|who| *who == asker || self.members[who].is_announced);
        people
    }

    pub(super) fn list_rooms(&mut self, who: usize) {
        let names = self.rooms.names().into_iter();
        let mut rooms: Vec<(usize, String)> =
            names.map(|name| (usize::MAX - self.counted(&name, who).len(), name)).collect();
        rooms.sort();
        for (left, name) in rooms {
            self.reply(who, &format!("{name} {}", usize::MAX - left));
        }
    }

    /// Its connection is over.
    pub(super) fn leave(&mut self, who: usize) {
        // Another connection may have taken everything over.
        let Some(member) = self.members.get(&who) else { return };
        if !self.is_over && !member.said_goodbye && self.detach(who) {
            return;
        }
        self.sessions.retain(|session| session.who != who);
        let member = self.take_out(who);
        if !self.is_over
            && let Some(room) = self.rooms.find(&member.room)
        {
            self.tell_departure(&member, &room);
        }
    }

    /// Takes somebody out of its room and the chat, without a word.
    pub(super) fn take_out(&mut self, who: usize) -> Member {
        let member = self.members.remove(&who).expect("it is here");
        self.drop_if_done_with(&member.room);
        member
    }

    pub(super) fn drop_if_done_with(&mut self, name: &str) {
        if !self.people(name).is_empty() {
            return;
        }
        // Nobody is left whom it was to be told.
        self.rooms.get_mut(name).happened.clear();
        if name != LOBBY && self.rooms.get(name).is_quiet() {
            self.rooms.drop(name);
        }
    }

    pub(super) fn rename(&mut self, who: usize, name: &str) {
        let owner = self.find(name);
        let others = owner.filter(|owner| *owner != who).map(|owner| self.members[&owner].shown());
        if let Some(taken) = others.or_else(|| self.detached_name(name)) {
            return self.reply(who, &format!("Name {taken} is taken."));
        }
        let member = self.member(who);
        let old = member.shown();
        member.name = Some(name.to_owned());
        member.guest = 0;
        let (room, is_announced) = (member.room.clone(), member.is_announced);
        self.reply(who, &format!("You are now {name}"));
        if owner.is_some() {
            return;
        }
        if is_announced {
            self.batch(&room, Coming::Rename, who, &[&old, name]);
        } else {
            self.announce(who);
        }
    }

    pub(super) fn join(&mut self, who: usize, name: &str) {
        let room = self.rooms.find_or_make(name);
        let old = self.members[&who].room.clone();
        if old != room {
            self.saw(if room == LOBBY { "goes back to the lobby" } else { "goes elsewhere" });
            self.tell_batched(who);
            let mut member = self.take_out(who);
            if let Some(old) = self.rooms.find(&old) {
                self.tell_departure(&member, &old);
            }
            member.room.clone_from(&room);
            member.is_announced = false;
            self.members.insert(who, member);
            self.announce(who);
        }
        self.who(who, None);
        if old != room {
            self.history(who, 10);
        }
    }

    /// Others are told of it, as it has said what they can see.
    pub(super) fn announce(&mut self, who: usize) {
        let member = self.member(who);
        if !mem::replace(&mut member.is_announced, true) {
            let (room, name) = (member.room.clone(), member.shown());
            self.batch(&room, Coming::Join, who, &[&name]);
        }
    }

    /// Somebody is not in this room any more, and need not be here.
    pub(super) fn tell_departure(&mut self, member: &Member, room: &str) {
        if member.is_announced {
            self.batch(room, Coming::Leave, member.who, &[&member.shown()]);
        } else {
            self.saw("left before it said anything");
        }
    }

    /// Tells those in a room who take notices, now or when the room's second is over.
    fn batch(&mut self, room: &str, kind: Coming, subject: usize, names: &[&str]) {
        let mut takers: BTreeSet<usize> = self.people(room).into_iter().collect();
        if takers.iter().any(|who| self.members[who].ignores.contains(&subject)) {
            self.saw("an ignored one comes, goes or is renamed");
        }
        takers.retain(|who| {
            let member = &self.members[who];
            *who != subject && member.notices && !member.ignores.contains(&subject)
        });
        if takers.is_empty() {
            return;
        }
        let what = names.join(" is now ");
        let names = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let place = self.rooms.get_mut(room);
        place.happened.push(Happened { kind, what, names, takers });
        let is_full = lines(&place.happened).len() >= LINES_MAX;
        if place.second.is_none() {
            place.second = Some(self.now.since + SECOND);
            self.flush(room);
        } else if is_full {
            self.flush(room);
        } else {
            self.saw("notices are batched");
        }
    }

    /// Tells what was batched in a room.
    pub(super) fn flush(&mut self, room: &str) {
        let happened = mem::take(&mut self.rooms.get_mut(room).happened);
        for who in self.people(room) {
            self.tell_together(who, &happened);
        }
    }

    /// Tells one what was batched for it so far, because it will not be there later.
    pub(super) fn tell_batched(&mut self, who: usize) {
        let room = self.members[&who].room.clone();
        let happened = self.rooms.get(&room).happened.clone();
        self.tell_together(who, &happened);
        for one in &mut self.rooms.get_mut(&room).happened {
            one.takers.remove(&who);
        }
    }

    fn tell_together(&mut self, who: usize, happened: &[Happened]) {
        let mut kinds = BTreeSet::new();
        for line in lines(happened) {
            let kind = line[0].kind;
            let own = line.iter().filter(|one| one.takers.contains(&who));
            let own: Vec<&str> = own.map(|one| &one.what[..]).collect();
            if own.is_empty() {
                continue;
            }
            if !kinds.insert(kind) {
                self.saw("a kind of notices in two lines");
            }
            self.saw(if own.len() > 1 { "notices told together" } else { "a notice by itself" });
            self.send(who, &together(kind, &own), Sort::Room);
        }
    }

    pub(super) fn take_notices(&mut self, who: usize, on: bool) {
        if !on && self.members[&who].notices {
            self.tell_batched(who);
        }
        self.member(who).notices = on;
    }
}

/// What happened, by the lines that tell of it: each kind in one, but never before what else
/// has happened to the same name.
fn lines(happened: &[Happened]) -> Vec<Vec<&Happened>> {
    let mut lines: Vec<Vec<&Happened>> = Vec::new();
    for one in happened {
        let like = lines.iter().rposition(|line| line[0].kind == one.kind);
        let is_about = |other: &Happened| other.names.iter().any(|name| one.names.contains(name));
        let is_free = |at: &usize| !lines[at + 1..].iter().flatten().any(|other| is_about(other));
        match like.filter(is_free) {
            Some(at) => lines[at].push(one),
            None => lines.push(vec![one]),
        }
    }
    lines
}

/// `alice, bob and 7 others joined the chat.`
fn together(kind: Coming, names: &[&str]) -> String {
    let list = match names {
        [one] => (*one).to_owned(),
        [one, two] => format!("{one} and {two}"),
        [one, two, three] => format!("{one}, {two} and {three}"),
        _ => format!("{}, {} and {} others", names[0], names[1], names.len() - 2),
    };
    match kind {
        Coming::Join => format!("{list} joined the chat."),
        Coming::Leave => format!("{list} left the chat."),
        Coming::Rename if names.len() > 3 => format!("{list} have new names"),
        Coming::Rename => list,
    }
}
