//! The oracle of what is said: to a room, to one another, and again to who asks for it.

use super::format::{Dialect, Told, recalled};
use super::rooms::unsaid;
use super::{Member, Model, Sort};

impl Model<'_> {
    /// It is said, even if who said it was cut off meanwhile.
    pub(super) fn said(&mut self, who: usize, text: &str) {
        let Some((from, room)) = self.anybody(who) else { return };
        let Some(number) = self.room_called(&room) else { return };
        let hears_itself = self.members.get(&who).is_some_and(|it| it.echo);
        self.announce(who);
        self.flush(number);
        let record = unsaid(who, from.name.clone(), text, self.now.millis);
        let record = self.rooms.say(number, record, &self.given.rules);
        let name = self.rooms.get(number).name.clone();
        for to in self.people(number) {
            let reader = &self.members[&to];
            if to == who && !hears_itself {
                self.saw("no echo");
            } else if reader.ignores.contains(&who) {
                self.saw("an ignored line");
            } else {
                let told = Told::Line { record: &record, room: &name, from: &from };
                self.send(to, &told, Sort::Room);
            }
        }
        if number != super::LOBBY {
            self.saw("said outside of the lobby");
        }
    }

    pub(super) fn whispered(&mut self, who: usize, to: usize, name: Option<&str>, text: &str) {
        let Some((from, _)) = self.anybody(who) else { return };
        let Some(target) = self.members.get(&to) else {
            self.saw("written to one who has left meanwhile");
            return match name {
                Some(name) => self.no_one(who, name),
                None => self.reply(who, "no_one_wrote", "No one has written to you."),
            };
        };
        let reader = target.person();
        let is_ignored = target.ignores.contains(&who);
        if self.stuck.contains(&to) {
            let text = format!("{} is not reading; not delivered.", reader.name);
            return self.reply(who, "not_reading", &text);
        }
        if is_ignored {
            self.saw("an ignored private line");
        } else {
            if to != who {
                self.announce(who);
            }
            self.tell(to, &Told::Private { from: &from, to: &reader, text });
            self.member(to).writer = Some(who);
        }
        if to != who {
            self.tell(who, &Told::Copy { from: &from, to: &reader, text });
        }
    }

    pub(super) fn history(&mut self, who: usize, count: usize) {
        let room = self.rooms.get(self.members[&who].room);
        let count = u64::try_from(count).expect("a usize is no longer than 64 bits");
        let from = room.next_seq().saturating_sub(count);
        self.recall(who, from);
    }

    /// The lines of the room from this one on, without those of the ignored.
    pub(super) fn recall(&mut self, who: usize, seq: u64) {
        let member = &self.members[&who];
        let (dialect, ignores) = (member.dialect, member.ignores.clone());
        let room = self.rooms.get(member.room);
        let (name, records) = (room.name.clone(), room.since(seq));
        for record in records {
            if ignores.contains(&record.speaker) {
                self.saw("an ignored line of the history");
            } else {
                self.saw(if dialect == Dialect::Json { "history: json" } else { "history" });
                self.send_text(who, &recalled(dialect, &name, &record), Sort::Own);
            }
        }
    }

    pub(super) fn who(&mut self, who: usize, room: Option<&str>) {
        let own = self.members[&who].room;
        let Some(number) = room.map_or(Some(own), |name| self.rooms.find(name)) else {
            self.saw("no such room");
            let name = room.unwrap_or_default();
            return self.reply(who, "no_such_room", &format!("No room is called {name}."));
        };
        let counted = self.counted(number, who);
        let names: Vec<String> = counted.iter().map(|one| self.members[one].shown()).collect();
        let list = match names.len() {
            0 => String::new(),
            _ => format!(": {}", names.join(", ")),
        };
        let silent = match self.people(number).len() - names.len() {
            0 => String::new(),
            silent => format!(" (and {silent} silent)"),
        };
        if !silent.is_empty() {
            self.saw("the silent are counted");
        }
        let name = &self.rooms.get(number).name;
        let text = format!("{} in {name}{list}{silent}", names.len());
        self.reply(who, "who", &text);
    }

    /// Who has said what others can see, and whoever asks: those with names, in order, then guests.
    fn counted(&self, room: usize, asker: usize) -> Vec<usize> {
        let mut people = self.people(room);
        people
            .retain(|who| *who == asker || self.members[who].arrival == super::Arrival::Announced);
        people.sort_by_key(|who| {
            let Member { name, guest, .. } = &self.members[who];
            (*guest, name.as_ref().map(|name| name.to_ascii_lowercase()))
        });
        people
    }

    pub(super) fn list_rooms(&mut self, who: usize) {
        let mut rooms: Vec<(usize, String)> = Vec::new();
        for number in self.rooms.numbers() {
            let name = self.rooms.get(number).name.clone();
            rooms.push((usize::MAX - self.counted(number, who).len(), name));
        }
        rooms.sort();
        for (left, name) in rooms {
            self.reply(who, "room", &format!("{name} {}", usize::MAX - left));
        }
    }

    /// The last so many lines of the room did not reach this client, and here it is told.
    pub(super) fn skip(&mut self, who: usize, lines: u64) {
        let room = |sent: &&mut super::Sent| sent.sort == Sort::Room;
        let mut left = lines;
        for sent in self.lives[who].sent.iter_mut().rev().filter(room) {
            if left == 0 {
                break;
            }
            assert!(!sent.skipped, "#{who} is told of a skipped line for the second time");
            sent.skipped = true;
            left -= 1;
        }
        assert_eq!(left, 0, "#{who} is told of {left} skipped lines that there were not");
        self.listener(who);
        let plural = if lines == 1 { "" } else { "s" };
        let text = format!("-- {lines} line{plural} skipped: your connection is slow --");
        self.reply(who, "skipped", &text);
    }
}
