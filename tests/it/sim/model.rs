//! The oracle of the chat: plain, and without a thought for speed. Given what the
//! service was told, in order, it says what every client is sent.

use std::collections::BTreeMap;
use std::mem;

use chinwag::Ending;

use super::command::{Command, parse};
use super::journal::{Entry, Fact, Line};
use super::text::{clean, is_foreign, is_tls, name_fault, time_of_day};

/// What a client is to be sent, and because of which entry of the journal.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) entry: usize,
    pub(super) bytes: Vec<u8>,
    pub(super) sort: Sort,
    /// It was left out, because the client did not read.
    pub(super) skipped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// To everybody in the room; a client that does not read may miss it.
    Room,
    /// To this client alone.
    Own,
    /// The same, but the names in it come in any order.
    Names,
}

/// All that became of one client.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    pub(super) sent: Vec<Sent>,
    /// The entry after which it was sent nothing more, where that can be told.
    pub(super) silent_from: Option<usize>,
}

/// What the model is told instead of knowing it.
pub(super) struct Given {
    pub(super) line_max: usize,
    /// The lines of each help. What they say is for those who read them to judge.
    pub(super) help: BTreeMap<String, Vec<String>>,
}

/// Runs the chat's rules over a journal.
pub(super) fn replay(entries: &[Entry], given: &Given) -> Vec<Life> {
    let clients = entries.iter().filter(|entry| entry.fact == Fact::Opened).map(|entry| entry.who);
    let mut model = Model {
        lives: vec![Life::default(); clients.max().map_or(0, |most| most + 1)],
        members: BTreeMap::new(),
        entry: 0,
        given,
    };
    for (index, entry) in entries.iter().enumerate() {
        model.entry = index;
        model.hear(entry, entries.get(index + 1));
    }
    assert!(model.members.is_empty(), "everybody who came has left");
    model.lives
}

struct Model<'a> {
    lives: Vec<Life>,
    /// Everybody is in the one room that there is.
    members: BTreeMap<usize, Member>,
    entry: usize,
    given: &'a Given,
}

#[derive(Default)]
struct Member {
    name: Option<String>,
    guest: usize,
    ending: &'static str,
    no_echo: bool,
    writer: Option<usize>,
    has_spoken: bool,
    phase: Phase,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// Its input has ended, and what it sent last is a line.
    LastLine,
    /// Its close has begun: nothing more goes in or out.
    Closing,
}

impl Member {
    fn shown(&self) -> String {
        match (&self.name, self.guest) {
            (Some(name), _) => name.clone(),
            (None, 1) => "guest".to_owned(),
            (None, number) => format!("guest-{number}"),
        }
    }
}

impl Model<'_> {
    fn hear(&mut self, entry: &Entry, next: Option<&Entry>) {
        let who = entry.who;
        match &entry.fact {
            Fact::Opened => self.open(who),
            Fact::Ending(ending) => self.listener(who).ending = Ending::as_str(*ending),
            Fact::Partial(bytes) => {
                self.listener(who);
                if is_tls(bytes) {
                    self.close(who);
                }
            }
            Fact::Line(line) => {
                self.line(who, line);
                if self.members[&who].phase == Phase::LastLine {
                    self.close(who);
                }
            }
            Fact::TooLong => {
                self.listener(who).has_spoken = true;
                let max = self.given.line_max;
                self.reply(who, &format!("Line too long (limit {max} bytes); dropped."));
            }
            Fact::Skipped(lines) => self.skip(who, *lines),
            Fact::EndRead if self.is_open(who) => {
                let is_line = |entry: &Entry| matches!(entry.fact, Fact::Line(_));
                if next.is_some_and(|next| next.who == who && is_line(next)) {
                    self.listener(who).phase = Phase::LastLine;
                } else {
                    self.close(who);
                }
            }
            Fact::Failed => self.close(who),
            Fact::Shutdown => self.shut_down(),
            Fact::Closed(_) => {
                self.close(who);
                self.members.remove(&who).expect("it closes once, and was here");
            }
            _ => {}
        }
    }

    fn open(&mut self, who: usize) {
        let taken: Vec<usize> = self.members.values().map(|member| member.guest).collect();
        let mut numbers = 1..=taken.len() + 1;
        let guest = numbers.find(|number| !taken.contains(number)).expect("one more than taken");
        let before = self.members.insert(who, Member { guest, ending: "\n", ..Member::default() });
        assert!(before.is_none(), "#{who} came twice");
    }

    /// Somebody who may be listened to.
    fn listener(&mut self, who: usize) -> &mut Member {
        let member = self.members.get_mut(&who).expect("only those who are here are heard");
        assert!(member.phase != Phase::Closing, "#{who} was heard after its close had begun");
        member
    }

    fn is_open(&self, who: usize) -> bool {
        self.members.get(&who).is_some_and(|member| member.phase != Phase::Closing)
    }

    fn close(&mut self, who: usize) {
        if self.is_open(who) {
            self.listener(who).phase = Phase::Closing;
            self.lives[who].silent_from = Some(self.entry);
        }
    }

    fn shut_down(&mut self) {
        self.tell_all("Server is shutting down.", None);
        for who in self.members.keys().copied().collect::<Vec<_>>() {
            self.close(who);
        }
    }

    fn line(&mut self, who: usize, line: &Line) {
        let text = clean(&line.bytes);
        self.listener(who);
        if text.is_empty() || text == "\u{2404}" {
            return;
        }
        let is_first = !mem::replace(&mut self.listener(who).has_spoken, true);
        if is_first && is_foreign(&line.bytes) {
            if !is_tls(&line.bytes) {
                self.reply(who, "This is a chat server, not a web server.");
            }
            return self.close(who);
        }
        self.act(who, parse(&text), line);
    }

    fn act(&mut self, who: usize, command: Command, line: &Line) {
        let shown = self.members[&who].shown();
        let no_echo = Some(who).filter(|_| self.members[&who].no_echo);
        match command {
            Command::Say(text) => self.tell_all(&format!("[{shown}] {text}"), no_echo),
            Command::Me(text) => self.tell_all(&format!("* {shown} {text}"), no_echo),
            Command::Name(name, thanks) => self.rename(who, &name, thanks),
            Command::Private { to, text, copy } => match self.find(&to) {
                Some(target) => self.whisper(who, target, &text, copy, line),
                None => self.reply(who, &format!("No one is called {to}.")),
            },
            Command::Reply(text) => {
                match self.members[&who].writer.filter(|writer| self.members.contains_key(writer)) {
                    Some(writer) => self.whisper(who, writer, &text, true, line),
                    None => self.reply(who, "No one has written to you."),
                }
            }
            Command::Who => self.who(who),
            Command::Time => self.reply(who, &time_of_day(line.wall)),
            Command::Echo(on) => {
                self.listener(who).no_echo = !on;
                self.reply(who, if on { "Echo on." } else { "Echo off." });
            }
            Command::Help(topic) => {
                for text in self.given.help[&topic].clone() {
                    self.reply(who, &text);
                }
            }
            Command::Answer(text) => self.reply(who, &text),
            Command::Leave(text) => {
                self.reply(who, text);
                self.close(who);
            }
        }
    }

    fn rename(&mut self, who: usize, name: &str, thanks: &str) {
        if let Some(fault) = name_fault(name) {
            return self.reply(who, &fault);
        }
        if let Some(owner) = self.find(name).filter(|owner| *owner != who) {
            let taken = self.members[&owner].shown();
            return self.reply(who, &format!("Name {taken} is taken."));
        }
        let member = self.listener(who);
        member.name = Some(name.to_owned());
        member.guest = 0;
        self.reply(who, &format!("{thanks} {name}"));
    }

    fn find(&self, name: &str) -> Option<usize> {
        let is_it = |member: &Member| member.shown().eq_ignore_ascii_case(name);
        self.members.iter().find(|(_, member)| is_it(member)).map(|(who, _)| *who)
    }

    fn whisper(&mut self, who: usize, to: usize, text: &str, copy: bool, line: &Line) {
        let (from, target) = (self.members[&who].shown(), self.members[&to].shown());
        if line.stuck.contains(&to) {
            return self.reply(who, &format!("{target} is not reading; not delivered."));
        }
        let text = format!("[{from} → {target}] {text}");
        self.reply(to, &text);
        if copy && to != who {
            self.reply(who, &text);
        }
        self.members.get_mut(&to).expect("it was found").writer = Some(who);
    }

    fn who(&mut self, who: usize) {
        let names: Vec<String> = self.members.values().map(Member::shown).collect();
        let list = format!("{} in lobby: {}", names.len(), names.join(", "));
        self.send(who, &list, Sort::Names);
    }

    /// The last so many lines of the room did not reach this client, and here it is told.
    fn skip(&mut self, who: usize, lines: u64) {
        let room = |sent: &&mut Sent| sent.sort == Sort::Room;
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
        let notice = format!("-- {lines} line{plural} skipped: your connection is slow --");
        self.reply(who, &notice);
    }

    fn tell_all(&mut self, text: &str, except: Option<usize>) {
        for who in self.members.keys().copied().collect::<Vec<_>>() {
            if Some(who) != except {
                self.send(who, text, Sort::Room);
            }
        }
    }

    fn reply(&mut self, who: usize, text: &str) {
        self.send(who, text, Sort::Own);
    }

    fn send(&mut self, who: usize, text: &str, sort: Sort) {
        let member = &self.members[&who];
        if member.phase != Phase::Closing {
            let bytes = format!("{text}{}", member.ending).into_bytes();
            self.lives[who].sent.push(Sent { entry: self.entry, bytes, sort, skipped: false });
        }
    }
}
