//! The oracle of the chat: plain, and without a thought for speed. Given what the
//! service was told, in order, it says what every client is sent.
//!
//! It knows what depends on what others do meanwhile: the order of lines, names, rooms, presence,
//! who comes back. What a command answers, dialects, and limits of the chat's own the transcripts
//! say; a chat behind a bus, and what programs read, the simulation of a cluster.
//!
//! Here is what becomes of a client, and what each line asks for; `model/` has the rest:
//! `messages.rs` what is said, `closing.rs` how one ends, `presence.rs` who comes and goes,
//! `sessions.rs` who comes back, `rooms.rs` what is kept of a room.

mod closing;
mod messages;
mod presence;
mod rooms;
mod sessions;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chinwag::{CloseReason, Ending, Protocol, Refusal};

use super::command::{Command, parse};
use super::journal::{Entry, Fact, Line, Moment};
use super::rules::Rules;
use super::text::{clean, is_blank};
use rooms::{LOBBY, Rooms};
use sessions::Session;

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
    /// The same, but only how its text ends is known.
    Line,
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
    pub(super) rules: Rules,
}

/// When the loop closes somebody by itself, or telnet says that they have ended, the others may
/// hear of other things first.
const UNTOLD: [Fact; 3] = [
    Fact::Closed(CloseReason::Idle),
    Fact::Closed(CloseReason::EndOfInput),
    Fact::Closed(CloseReason::Refused),
];

/// Runs the chat's rules over a journal. What it has seen on the way comes second.
pub(super) fn replay(entries: &[Entry], given: &Given) -> (Vec<Life>, BTreeSet<&'static str>) {
    let is_opened = |entry: &&Entry| matches!(entry.fact, Fact::Opened(_));
    let clients = entries.iter().filter(is_opened).map(|entry| entry.who);
    let mut model = Model {
        lives: vec![Life::default(); clients.max().map_or(0, |most| most + 1)],
        members: BTreeMap::new(),
        rooms: Rooms::new(),
        sessions: Vec::new(),
        tokens: 0,
        is_over: false,
        turned_away: None,
        stuck: Vec::new(),
        entry: 0,
        now: Moment::default(),
        given,
        seen: BTreeSet::new(),
    };
    let untold = entries.iter().filter(|it| UNTOLD.contains(&it.fact));
    let untold: BTreeMap<usize, &Fact> = untold.map(|it| (it.who, &it.fact)).collect();
    for (index, entry) in entries.iter().enumerate() {
        model.entry = index;
        model.now = entry.now;
        if entry.fact != Fact::Silenced {
            let next = entries[index + 1..].iter().find(|next| next.fact != Fact::Silenced);
            model.hear(entry, next);
        } else if let Some(fact) = untold.get(&entry.who) {
            let is_refused = **fact == Fact::Closed(CloseReason::Refused);
            model.close_by_itself(entry.who, is_refused);
        }
    }
    assert!(model.members.is_empty(), "everybody who came has left");
    assert!(model.sessions.iter().all(Session::is_attached), "nobody is detached for good");
    (model.lives, model.seen)
}

struct Model<'a> {
    lives: Vec<Life>,
    members: BTreeMap<usize, Member>,
    rooms: Rooms,
    /// Those that are detached in the order in which they were cut off.
    sessions: Vec<Session>,
    /// How many were given out so far.
    tokens: u64,
    is_over: bool,
    /// Whether the last who spoke another protocol spoke HTTP.
    turned_away: Option<Protocol>,
    /// Those who do not read.
    stuck: Vec<usize>,
    entry: usize,
    now: Moment,
    given: &'a Given,
    seen: BTreeSet<&'static str>,
}

#[expect(clippy::struct_excessive_bools, reason = "what one has chosen says nothing of the rest")]
#[derive(Default)]
struct Member {
    who: usize,
    name: Option<String>,
    guest: usize,
    /// The entry with which it was let in, and the time.
    came: usize,
    opened: Duration,
    ending: &'static str,
    has_shown_ending: bool,
    /// As the room is spelled.
    room: String,
    notices: bool,
    writer: Option<usize>,
    ignores: Vec<usize>,
    /// It has said what others can see.
    is_announced: bool,
    /// Its first line, or the time in which it was to come, is over.
    was_awaited: bool,
    has_spoken: bool,
    /// It goes of its own will.
    said_goodbye: bool,
    phase: Phase,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// Its input has ended, and what it sent last is a line.
    LastLine,
    /// It cannot be written to any more, and what it has said before is still heard.
    Gone,
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
            Fact::Opened(_) => self.open(who),
            Fact::Ending(ending) => {
                let member = self.listener(who);
                (member.ending, member.has_shown_ending) = (Ending::as_str(*ending), true);
            }
            Fact::Asked => {
                self.listener(who);
                self.reply(who, "[chinwag: yes]");
            }
            // It is closed right after that.
            Fact::Refusing(Refusal::Foreign(protocol)) => {
                self.turned_away = Some(*protocol);
            }
            Fact::Line(line) => {
                let is_acted = next.is_some_and(|next| matches!(next.fact, Fact::Acted(_)));
                assert!(is_acted, "#{who} says and does not");
                self.stuck.clone_from(&line.stuck);
                self.line(who, line);
            }
            Fact::Acted(_) if self.members[&who].phase == Phase::LastLine => {
                self.end_with_line(who, next);
            }
            Fact::TooLong => {
                self.listener(who).has_spoken = true;
                let max = self.given.line_max;
                self.reply(who, &format!("Line too long (limit {max} bytes); dropped."));
            }
            Fact::Throttled => {
                self.listener(who);
                self.reply(who, "Slow down: your lines are being delayed.");
            }
            Fact::Idle => {
                self.listener(who);
                self.reply(who, "Are you still there?");
            }
            Fact::Skipped(lines) => self.skip(who, *lines),
            Fact::EndRead => self.end_read(who, next),
            Fact::Failed => self.lose(who),
            Fact::Tick => self.tick(),
            Fact::Sleep(_) => self.check_deadlines(entry.at),
            Fact::Shutdown => self.shut_down(),
            Fact::Closed(why) => {
                self.close_by_itself(who, *why == CloseReason::Refused);
                self.leave(who);
            }
            _ => {}
        }
    }

    /// Notes that something has happened which is to happen at least once.
    fn saw(&mut self, what: &'static str) {
        self.seen.insert(what);
    }

    fn open(&mut self, who: usize) {
        let taken: Vec<usize> = self.everybody().map(|member| member.guest).collect();
        let mut numbers = 1..=taken.len() + 1;
        let guest = numbers.find(|number| !taken.contains(number)).expect("one more than taken");
        let member = Member {
            who,
            guest,
            came: self.entry,
            opened: self.now.since,
            ending: "\n",
            room: LOBBY.to_owned(),
            ..Member::default()
        };
        let before = self.members.insert(who, member);
        assert!(before.is_none(), "#{who} came twice");
    }

    /// Somebody who may be listened to.
    fn listener(&mut self, who: usize) -> &mut Member {
        let member = self.members.get_mut(&who).expect("only those who are here are heard");
        assert!(member.phase != Phase::Closing, "#{who} was heard after its close had begun");
        member
    }

    fn member(&mut self, who: usize) -> &mut Member {
        self.members.get_mut(&who).expect("it is here")
    }

    fn is_open(&self, who: usize) -> bool {
        self.members.get(&who).is_some_and(|member| member.phase != Phase::Closing)
    }

    fn line(&mut self, who: usize, line: &Line) {
        let text = clean(&line.bytes);
        self.listener(who);
        let is_key = line.bytes.iter().all(|byte| [b' ', b'\t', 4].contains(byte));
        if is_key || is_blank(&text) {
            return;
        }
        self.listener(who).has_spoken = true;
        self.act(who, parse(&text));
    }

    fn act(&mut self, who: usize, command: Command) {
        match command {
            Command::Say(text) => self.say(who, &text),
            Command::Name(name) => self.rename(who, &name),
            Command::Private(name, text) => match self.find(&name) {
                Some(to) => self.whisper(who, to, &text),
                None => self.no_one(who, &name),
            },
            Command::Reply(text) => {
                match self.members[&who].writer.filter(|writer| self.members.contains_key(writer)) {
                    Some(to) => self.whisper(who, to, &text),
                    None => self.reply(who, "No one has written to you."),
                }
            }
            Command::Join(room) => self.join(who, &room),
            Command::Leave => self.join(who, LOBBY),
            Command::Who(room) => self.who(who, room.as_deref()),
            Command::Rooms => self.list_rooms(who),
            Command::History(count) => self.history(who, count),
            Command::Ignore(name) => self.ignore(who, &name),
            Command::Unignore(name) => self.unignore(who, &name),
            Command::Notices(on) => {
                self.take_notices(who, on);
                self.reply(who, if on { "Notices on." } else { "Notices off." });
            }
            Command::Token => self.give_token(who),
            Command::Resume(token, seq) => self.resume(who, &token, seq),
            Command::Exit => {
                self.reply(who, "Bye.");
                self.let_go(who);
            }
            Command::Broken => self.send(who, "", Sort::Line),
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        let is_it = |member: &Member| member.shown().eq_ignore_ascii_case(name);
        self.members.iter().find(|(_, member)| is_it(member)).map(|(who, _)| *who)
    }

    fn no_one(&mut self, who: usize, name: &str) {
        self.reply(who, &format!("No one is called {name}."));
    }

    /// Everybody in a room.
    fn people(&self, room: &str) -> Vec<usize> {
        let is_there = |(_, member): &(&usize, &Member)| member.room == room;
        self.members.iter().filter(is_there).map(|(who, _)| *who).collect()
    }

    /// Those who are here and those who are detached.
    fn everybody(&mut self) -> impl Iterator<Item = &mut Member> {
        let detached = self.sessions.iter_mut().filter_map(Session::member_mut);
        self.members.values_mut().chain(detached)
    }

    fn reply(&mut self, who: usize, text: &str) {
        self.send(who, text, Sort::Own);
    }

    fn send(&mut self, who: usize, text: &str, sort: Sort) {
        let member = &self.members[&who];
        if !matches!(member.phase, Phase::Closing | Phase::Gone) {
            let bytes = format!("{text}{}", member.ending).into_bytes();
            self.lives[who].sent.push(Sent { entry: self.entry, bytes, sort, skipped: false });
        }
    }
}
