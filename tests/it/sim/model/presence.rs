//! The oracle of presence: names, rooms, notices and greetings.

use std::collections::BTreeSet;
use std::mem;
use std::time::Duration;

use super::bus::Effect;
use super::format::{Dialect, Person, Told};
use super::rooms::{Coming, Happened, LOBBY};
use super::{Arrival, Member, Model, Sort};

/// What happens within this time is told together.
const SECOND: Duration = Duration::from_secs(1);

/// So many lines of notices are not batched any further.
const LINES_MAX: usize = 16;

impl Model<'_> {
    /// Time has passed, and somebody may have waited for that.
    pub(super) fn tick(&mut self) {
        let now = self.now.since;
        // In the order in which they were let in, which is not always that of their coming.
        let mut newcomers: Vec<usize> = self.members.keys().copied().collect();
        newcomers.sort_by_key(|who| self.members[who].came);
        for who in newcomers {
            if self.is_awaited_until(&self.members[&who]).is_some_and(|at| at <= now) {
                // The others have to wait until there is room for what it is sent.
                return self.greet(who);
            }
        }
        for number in self.rooms.numbers() {
            if self.rooms.get(number).second.is_some_and(|at| at <= now) {
                self.flush(number);
                self.rooms.get_mut(number).second = None;
            }
        }
        self.end_late_sessions(now);
    }

    /// The server sleeps, so there is nobody whose time is up.
    pub(super) fn check_deadlines(&self, now: Duration) {
        let newcomers = self.members.values().filter_map(|one| self.is_awaited_until(one));
        let numbers = self.rooms.numbers();
        let seconds = numbers.iter().filter_map(|number| self.rooms.get(*number).second);
        let detached =
            self.sessions.iter().filter_map(|session| Some(session.detached.as_ref()?.until));
        let next = newcomers.chain(seconds).chain(detached).min();
        assert!(next.is_none_or(|next| next > now), "at {now:?} somebody's time is up");
    }

    /// Until when the first line of a person is waited for, who is greeted then.
    fn is_awaited_until(&self, member: &Member) -> Option<Duration> {
        let is_silent = !member.has_spoken && !member.was_awaited;
        let is_awaited = is_silent && member.dialect == Dialect::Native;
        self.given.rules.greet_after.filter(|_| is_awaited).map(|patience| member.opened + patience)
    }

    fn greet(&mut self, who: usize) {
        self.member(who).was_awaited = true;
        let member = &self.members[&who];
        let (name, room) = (member.shown(), member.room);
        if !member.has_shown_ending {
            self.member(who).ending = "\r\n";
        }
        self.saw("greeted");
        self.reply(who, "greeting", "Welcome.");
        self.who(who, None);
        self.history(who, 10);
        if !self.rooms.get(room).is_quiet() {
            self.saw("greeted with what was said");
            self.reply(who, "greeting", "-- kept in memory only --");
        }
        let help = "Type to talk; /nick NAME to be named; /help for more.";
        self.reply(who, "greeting", &format!("You are {name}. {help}"));
        self.take_notices(who, true);
    }

    /// Its connection is over.
    pub(super) fn leave(&mut self, who: usize) {
        // Another connection may have taken everything over.
        let Some(member) = self.members.get(&who) else { return };
        if !self.is_over && !member.said_goodbye && self.detach(who) {
            return;
        }
        self.sessions.retain(|session| session.who != who);
        if self.is_over {
            self.take_out(who);
            return;
        }
        if self.given.rules.has_bus {
            let room = self.rooms.get(self.members[&who].room).name.clone();
            let member = self.take_out(who);
            self.leaving.push((member, room));
        }
        self.publish(who, Effect::Leave);
    }

    /// It has left for good.
    pub(super) fn left(&mut self, who: usize) {
        if self.members.contains_key(&who) {
            self.tell_departure(who);
            self.take_out(who);
        } else if let Some(place) = self.leaving.iter().position(|(member, _)| member.who == who) {
            let (member, room) = self.leaving.remove(place);
            if let Some(room) = self.rooms.find(&room) {
                self.tell_departure_of(who, room, (&member.person(), member.arrival));
            }
        }
    }

    /// Takes somebody out of its room and the chat, without a word.
    pub(super) fn take_out(&mut self, who: usize) -> Member {
        let member = self.members.remove(&who).expect("it is here");
        self.drop_if_done_with(member.room);
        member
    }

    pub(super) fn drop_if_done_with(&mut self, number: usize) {
        if !self.people(number).is_empty() {
            return;
        }
        // Nobody is left whom it was to be told.
        self.rooms.get_mut(number).happened.clear();
        if number != LOBBY && self.rooms.get(number).is_quiet() {
            self.rooms.drop(number);
        }
    }

    pub(super) fn named(&mut self, who: usize, name: &str) {
        let owner = self.find(name);
        let others = owner.filter(|owner| *owner != who).map(|owner| self.members[&owner].shown());
        if let Some(taken) = others.or_else(|| self.detached_name(name)) {
            return self.reply(who, "name_taken", &format!("Name {taken} is taken."));
        }
        let member = self.member(who);
        let old = member.person();
        member.name = Some(name.to_owned());
        member.guest = 0;
        let reads_it = member.dialect == Dialect::Tutorial && member.notices;
        let (new, room) = (member.person(), member.room);
        if reads_it && owner.is_none() {
            self.saw("reads of its own new name");
            let room = self.rooms.get(room).name.clone();
            self.tell(who, &Told::Rename { room: &room, old: &old, new: &new });
        } else {
            self.reply(who, "renamed", &format!("You are now {name}"));
        }
        if owner.is_none() {
            self.tell_rename(who, &old);
        }
    }

    pub(super) fn joined(&mut self, who: usize, name: &str) {
        if let Some(room) = self.room_called(name) {
            return self.go_to(who, room);
        }
        self.saw("rooms are full");
        let most = self.given.rules.rooms_max;
        let text = format!("There are {most} rooms already, as many as there may be.");
        self.reply(who, "rooms_full", &text);
    }

    /// The room of this name, made if need be, and if another can go for it.
    pub(super) fn room_called(&mut self, name: &str) -> Option<usize> {
        if let Some(number) = self.rooms.find(name) {
            return Some(number);
        }
        let numbers = self.rooms.numbers();
        if numbers.len() >= self.given.rules.rooms_max {
            let mut empty = numbers;
            empty.retain(|number| *number != LOBBY && self.people(*number).is_empty());
            let stalest = self.rooms.stalest(empty.into_iter())?;
            self.saw("a room gives way");
            self.rooms.drop(stalest);
        }
        Some(self.rooms.make(name))
    }

    pub(super) fn go_to(&mut self, who: usize, room: usize) {
        let old = self.members[&who].room;
        if old != room {
            self.saw(if room == LOBBY { "goes back to the lobby" } else { "goes elsewhere" });
            self.tell_batched(who);
            self.tell_departure(who);
            self.member(who).room = room;
            self.drop_if_done_with(old);
            self.member(who).arrival = Arrival::Untold;
            self.tell_connection(who);
            self.announce(who);
        }
        self.who(who, None);
        if old != room {
            self.history(who, 10);
        }
    }

    /// Those who are told of a newcomer as soon as there is one.
    pub(super) fn tell_connection(&mut self, who: usize) {
        if self.tell_join(who, &[Dialect::Tutorial, Dialect::Fork]) {
            self.saw("arrival told at once");
            self.member(who).arrival = Arrival::Connected;
        }
    }

    /// Those who are told of a newcomer when it has said what others can see.
    pub(super) fn announce(&mut self, who: usize) {
        let room = self.anybody(who).and_then(|(_, room)| self.rooms.find(&room));
        let Some(member) = self.everybody().find(|member| member.who == who) else { return };
        if member.arrival != Arrival::Announced {
            member.arrival = Arrival::Announced;
            let name = member.shown();
            if let Some(room) = room {
                self.tell_join(who, &[Dialect::Json]);
                self.batch(room, Coming::Join, who, &[&name]);
            }
        }
    }

    fn tell_join(&mut self, who: usize, dialects: &[Dialect]) -> bool {
        let (person, name) = self.anybody(who).expect("it is somebody");
        let room = self.rooms.find(&name).expect("it was looked for");
        self.tell_at_once(room, who, &Told::Join { room: &name, who: &person }, dialects)
    }

    pub(super) fn tell_departure(&mut self, who: usize) {
        let member = &self.members[&who];
        self.tell_departure_of(who, member.room, (&member.person(), member.arrival));
    }

    /// Of somebody who need not be here any more.
    pub(super) fn tell_departure_of(
        &mut self,
        who: usize,
        room: usize,
        (person, arrival): (&Person, Arrival),
    ) {
        let name = self.rooms.get(room).name.clone();
        let told = Told::Leave { room: &name, who: person };
        if arrival == Arrival::Untold {
            return self.saw("left before anybody was told");
        }
        self.tell_at_once(room, who, &told, &[Dialect::Tutorial]);
        if arrival == Arrival::Connected {
            return self.saw("left before it said anything");
        }
        self.tell_at_once(room, who, &told, &[Dialect::Json]);
        self.batch(room, Coming::Leave, who, &[&person.name]);
    }

    fn tell_rename(&mut self, who: usize, old: &Person) {
        let member = &self.members[&who];
        let (room, new) = (member.room, member.person());
        let is_announced = member.arrival == Arrival::Announced;
        let name = self.rooms.get(room).name.clone();
        let told = Told::Rename { room: &name, old, new: &new };
        self.tell_at_once(room, who, &told, &[Dialect::Tutorial]);
        if is_announced {
            self.tell_at_once(room, who, &told, &[Dialect::Json]);
            self.batch(room, Coming::Rename, who, &[&old.name, &new.name]);
        } else {
            self.announce(who);
        }
    }

    /// Tells those of the others who are told of each by itself. Says whether there is
    /// anybody.
    fn tell_at_once(
        &mut self,
        room: usize,
        subject: usize,
        told: &Told<'_>,
        dialects: &[Dialect],
    ) -> bool {
        let mut people = self.people(room);
        people.retain(|who| {
            let member = &self.members[who];
            let takes = member.notices || member.dialect == Dialect::Fork;
            let is_one = dialects.contains(&member.dialect) && takes;
            *who != subject && is_one && !member.ignores.contains(&subject)
        });
        for who in &people {
            self.send(*who, told, Sort::Room);
        }
        !people.is_empty()
    }

    /// For those who read native, now or when the room's second is over.
    fn batch(&mut self, room: usize, kind: Coming, subject: usize, names: &[&str]) {
        if self.people(room).iter().any(|who| self.members[who].ignores.contains(&subject)) {
            self.saw("an ignored one comes, goes or is renamed");
        }
        let mut takers: BTreeSet<usize> = self.people(room).into_iter().collect();
        takers.retain(|who| {
            let member = &self.members[who];
            let takes = member.notices && member.dialect == Dialect::Native;
            *who != subject && takes && !member.ignores.contains(&subject)
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
    pub(super) fn flush(&mut self, room: usize) {
        let happened = mem::take(&mut self.rooms.get_mut(room).happened);
        for who in self.people(room) {
            self.tell_together(who, &happened);
        }
    }

    /// Tells one what was batched for it so far, because it will not be there later.
    pub(super) fn tell_batched(&mut self, who: usize) {
        let room = self.members[&who].room;
        let happened = self.rooms.get(room).happened.clone();
        self.tell_together(who, &happened);
        for one in &mut self.rooms.get_mut(room).happened {
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
            self.send(who, &Told::NoticeBatches(&together(kind, &own)), Sort::Room);
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
