//! The oracle of what is said: to a room, to one another, and again to who asks for it; and of
//! whom somebody does not want to hear.

use super::rooms::Record;
use super::{Member, Model, Sort};

impl Model<'_> {
    pub(super) fn say(&mut self, who: usize, text: &str) {
        self.announce(who);
        let Member { room, .. } = &self.members[&who];
        let (room, name) = (room.clone(), self.members[&who].shown());
        self.flush(&room);
        let line = format!("[{name}] {text}");
        for to in self.people(&room) {
            if self.members[&to].ignores.contains(&who) {
                self.saw("an ignored line");
            } else {
                self.send(to, &line, Sort::Room);
            }
        }
        if room != super::LOBBY {
            self.saw("said outside of the lobby");
        }
        let record = Record { seq: 0, millis: self.now.millis, speaker: who, line };
        let length = name.len() + text.len();
        self.rooms.get_mut(&room).keep(record, length, &self.given.rules);
    }

    pub(super) fn whisper(&mut self, who: usize, to: usize, text: &str) {
        let target = &self.members[&to];
        let (name, is_ignored) = (target.shown(), target.ignores.contains(&who));
        if self.stuck.contains(&to) {
            return self.reply(who, &format!("{name} is not reading; not delivered."));
        }
        let line = format!("[{} → {name}] {text}", self.members[&who].shown());
        if is_ignored {
            self.saw("an ignored private line");
        } else {
            if to != who {
                self.announce(who);
            }
            self.reply(to, &line);
            self.member(to).writer = Some(who);
        }
        if to != who {
            self.reply(who, &line);
        }
    }

    pub(super) fn history(&mut self, who: usize, count: usize) {
        let room = self.rooms.get(&self.members[&who].room);
        let count = u64::try_from(count).expect("a usize is no longer than 64 bits");
        let from = room.next_seq().saturating_sub(count);
        self.recall(who, from);
    }

    /// The lines of the room from this one on, without those of the ignored.
    pub(super) fn recall(&mut self, who: usize, seq: u64) {
        let member = &self.members[&who];
        let ignores = member.ignores.clone();
        for record in self.rooms.get(&member.room).since(seq) {
            if ignores.contains(&record.speaker) {
                self.saw("an ignored line of the history");
            } else {
                self.saw("history");
                let minutes = record.millis / 60_000;
                let (hour, minute) = (minutes / 60 % 24, minutes % 60);
                self.reply(who, &format!("{hour:02}:{minute:02} {}", record.line));
            }
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
        self.reply(who, &format!("-- {lines} line{plural} skipped: your connection is slow --"));
    }

    pub(super) fn ignore(&mut self, who: usize, name: &str) {
        let Some(target) = self.find(name) else { return self.no_one(who, name) };
        if target == who {
            return self.reply(who, "You cannot ignore yourself.");
        }
        let shown = self.members[&target].shown();
        let ignores = &mut self.member(who).ignores;
        if !ignores.contains(&target) {
            ignores.push(target);
        }
        self.reply(who, &format!("Ignoring {shown}."));
    }

    pub(super) fn unignore(&mut self, who: usize, name: &str) {
        let Some(target) = self.find(name) else { return self.no_one(who, name) };
        let shown = self.members[&target].shown();
        if self.members[&who].ignores.contains(&target) {
            self.saw("ignores no longer");
        }
        self.member(who).ignores.retain(|one| *one != target);
        self.reply(who, &format!("No longer ignoring {shown}."));
    }
}
