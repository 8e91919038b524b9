//! The chat: its state, and the dispatcher. It cannot fail or block, and sees no socket:
//! lines come in through [`Service`], and all that it says goes into the [`Outbox`].
//!
//! To add a command: a variant and a table entry in `command.rs`, an arm in
//! `Chat::act`, its sentences in `reply.rs`. How a line looks is `dialect.rs`.

mod command;
mod dialect;
mod name;
mod reply;
mod room;
mod text;
mod users;

use std::fmt::Write;
use std::mem;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::conn::{CloseReason, ConnId};
use crate::line::Ending;
use crate::outbox::Outbox;
use crate::service::{Limit, Peer, Refusal, Service};
use command::{Command, HELP, Mistake};
pub use dialect::{Dialect, UnknownDialect};
use dialect::{Event, Wording};
use name::{Shown, Unfit};
use reply::Reply;
use room::Room;
use users::{User, Users};

/// `/who` lists this many names; the rest is counted.
const WHO_MAX: usize = 100;

/// How a TLS client says hello.
const TLS: &[u8] = &[0x16, 0x03];

/// The chat service.
pub struct Chat {
    users: Users,
    lobby: Room,
    zone: TimeZone,
    /// Where lines are rendered, one after the other.
    line: String,
}

impl Service for Chat {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, _: &mut Outbox) {
        // The labels that listeners have were checked when they were made.
        let dialect = peer.label.parse().unwrap_or_default();
        let wording = Wording { dialect, ending: Ending::Lf };
        self.users.add(id, wording);
        self.enter(id, wording);
    }

    fn on_ending(&mut self, id: ConnId, ending: Ending, _: &mut Outbox) {
        if let Some(user) = self.users.get(id) {
            let wording = Wording { ending, ..user.wording };
            self.leave(id);
            self.enter(id, wording);
        }
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        let Some(user) = self.users.get_mut(id) else { return };
        let bare = text::trim(line);
        if bare.is_empty() || bare == b"\x04" {
            return;
        }
        if !mem::replace(&mut user.has_spoken, true) && is_foreign(line) {
            if !line.starts_with(TLS) {
                self.reply(id, Reply::NotAWebServer, out);
            }
            return out.close(id);
        }
        match Command::parse(&text::sanitise(bare)) {
            Ok(command) => self.act(id, command, out),
            Err(Mistake::Unknown(name)) => self.reply(id, Reply::UnknownCommand(name), out),
            Err(Mistake::Usage(usage)) => self.reply(id, Reply::Usage(usage), out),
        }
    }

    fn on_partial(&mut self, id: ConnId, partial: &[u8], out: &mut Outbox) {
        if partial.starts_with(TLS) {
            out.close(id);
        }
    }

    fn on_limit(&mut self, id: ConnId, limit: Limit, out: &mut Outbox) {
        match limit {
            Limit::LineTooLong { max } => {
                if let Some(user) = self.users.get_mut(id) {
                    user.has_spoken = true;
                }
                self.reply(id, Reply::LineTooLong(max), out);
            }
            Limit::Skipped(lines) => self.reply(id, Reply::Skipped(lines), out),
        }
    }

    fn on_close(&mut self, id: ConnId, _: CloseReason, _: &mut Outbox) {
        self.leave(id);
        self.users.remove(id);
    }

    fn refusal(&self, why: Refusal) -> &[u8] {
        match why {
            Refusal::Full => reply::FULL,
        }
    }

    fn on_shutdown(&mut self, out: &mut Outbox) {
        tell(&self.lobby, &mut self.line, &Event::Reply(Reply::ShuttingDown), None, out);
    }
}

impl Chat {
    /// An empty chat; `/time` is told in `zone`.
    #[must_use]
    pub fn new(zone: TimeZone) -> Chat {
        Chat { users: Users::new(), lobby: Room::new(0, "lobby"), zone, line: String::new() }
    }

    fn act(&mut self, id: ConnId, command: Command<'_>, out: &mut Outbox) {
        match command {
            Command::Say(text) => self.say(id, text, |from, text| Event::Said { from, text }, out),
            Command::Me(text) => self.say(id, text, |from, text| Event::Did { from, text }, out),
            Command::Register(name) => self.rename(id, name, |name| Reply::Registered(name), out),
            Command::Nick(name) => self.rename(id, name, |name| Reply::Renamed(name), out),
            Command::Send(name, text) => self.send_to(id, name, text, false, out),
            Command::Msg(name, text) => self.send_to(id, name, text, true, out),
            Command::Reply(text) => self.answer(id, text, out),
            Command::Who(room) => self.who(id, room, out),
            Command::Time => {
                let time = self.time(out);
                self.reply(id, Reply::Text(&time), out);
            }
            Command::Up(text) => self.reply(id, Reply::Text(&text.to_uppercase()), out),
            Command::Down(text) => self.reply(id, Reply::Text(&text.to_lowercase()), out),
            Command::Echo(on) => {
                if let Some(user) = self.users.get_mut(id) {
                    user.echo = on;
                }
                self.reply(id, Reply::Echo(on), out);
            }
            Command::Help => {
                for line in HELP {
                    self.reply(id, Reply::Help(line), out);
                }
            }
            Command::HelpOn(entry) => self.reply(id, Reply::HelpOn(entry), out),
            Command::Exit => {
                self.reply(id, Reply::Bye, out);
                out.close(id);
            }
            Command::Goodbye => {
                self.reply(id, Reply::Goodbye, out);
                out.close(id);
            }
        }
    }

    /// Speech, or what somebody does: to everybody in the room, the speaker included
    /// unless it does not want its echo.
    fn say(&mut self, id: ConnId, text: &str, event: Speech, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        let except = if user.echo { None } else { Some(id) };
        tell(&self.lobby, &mut self.line, &event(user.shown(), text), except, out);
    }

    fn rename(&mut self, id: ConnId, name: &str, done: Naming, out: &mut Outbox) {
        match name::check(name) {
            Err(Unfit::Shape) => return self.reply(id, Reply::NameUnfit, out),
            Err(Unfit::Reserved) => return self.reply(id, Reply::NameReserved(name), out),
            Ok(()) => {}
        }
        if let Some(owner) = self.users.find(name)
            && owner.id != id
        {
            let taken = owner.shown().to_string();
            return self.reply(id, Reply::NameTaken(&taken), out);
        }
        self.users.rename(id, name);
        self.reply(id, done(name), out);
    }

    /// A private line by name. Whether the sender sees it too is what sets `/msg` apart.
    fn send_to(&mut self, id: ConnId, name: &str, text: &str, copy: bool, out: &mut Outbox) {
        match self.users.find(name).map(|user| user.id) {
            Some(to) => self.whisper(id, to, text, copy, out),
            None => self.reply(id, Reply::NoOneCalled(name), out),
        }
    }

    fn answer(&mut self, id: ConnId, text: &str, out: &mut Outbox) {
        let writer = self.users.get(id).and_then(|user| user.writer);
        // Who wrote and has left since is nobody; the name may be another's by now.
        match writer.filter(|writer| self.users.get(*writer).is_some()) {
            Some(writer) => self.whisper(id, writer, text, true, out),
            None => self.reply(id, Reply::NoOneWrote, out),
        }
    }

    fn whisper(&mut self, id: ConnId, to: ConnId, text: &str, copy: bool, out: &mut Outbox) {
        let (Some(sender), Some(target)) = (self.users.get(id), self.users.get(to)) else { return };
        if out.is_stuck(to) {
            let name = target.shown().to_string();
            return self.reply(id, Reply::NotReading(&name), out);
        }
        let event = Event::Private { from: sender.shown(), to: target.shown(), text };
        send(target, &mut self.line, &event, out);
        if copy && to != id {
            send(sender, &mut self.line, &event, out);
        }
        if let Some(target) = self.users.get_mut(to) {
            target.writer = Some(id);
        }
    }

    fn who(&mut self, id: ConnId, room: Option<&str>, out: &mut Outbox) {
        if let Some(name) = room.filter(|name| !name.eq_ignore_ascii_case(self.lobby.name)) {
            return self.reply(id, Reply::NoRoomCalled(name), out);
        }
        let count = self.lobby.len();
        let mut list = format!("{count} in {}", self.lobby.name);
        let mut separator = ": ";
        for user in self.lobby.all().take(WHO_MAX).filter_map(|id| self.users.get(id)) {
            write!(list, "{separator}{}", user.shown()).expect("a String takes everything");
            separator = ", ";
        }
        if count > WHO_MAX {
            write!(list, " and {} more", count - WHO_MAX).expect("a String takes everything");
        }
        self.reply(id, Reply::Text(&list), out);
    }

    /// `Friday 20th of November 2026 03:17:28 PM`
    fn time(&self, out: &Outbox) -> String {
        let now = Timestamp::try_from(out.now().wall).unwrap_or_default();
        let now = now.to_zoned(self.zone.clone());
        let suffix = match now.day() {
            1 | 21 | 31 => "st",
            2 | 22 => "nd",
            3 | 23 => "rd",
            _ => "th",
        };
        format!(
            "{} {}{suffix} {}",
            now.strftime("%A"),
            now.day(),
            now.strftime("of %B %Y %I:%M:%S %p")
        )
    }

    /// Says something to one user.
    fn reply(&mut self, id: ConnId, reply: Reply<'_>, out: &mut Outbox) {
        if let Some(user) = self.users.get(id) {
            send(user, &mut self.line, &Event::Reply(reply), out);
        }
    }

    fn enter(&mut self, id: ConnId, wording: Wording) {
        if let Some(user) = self.users.get_mut(id) {
            user.wording = wording;
            user.place = self.lobby.add(id, wording);
        }
    }

    fn leave(&mut self, id: ConnId) {
        let Some(&User { place, wording, .. }) = self.users.get(id) else { return };
        if let Some(moved) = self.lobby.remove(place, wording)
            && let Some(user) = self.users.get_mut(moved)
        {
            user.place = place;
        }
    }
}

type Speech = for<'a> fn(Shown<'a>, &'a str) -> Event<'a>;
type Naming = for<'a> fn(&'a str) -> Reply<'a>;

/// Tells everybody in a room, rendering once for each wording that is in use there.
fn tell(
    room: &Room,
    line: &mut String,
    event: &Event<'_>,
    except: Option<ConnId>,
    out: &mut Outbox,
) {
    for wording in Wording::all() {
        let members = room.members(wording);
        if members.is_empty() {
            continue;
        }
        line.clear();
        wording.render(event, line);
        let to = members.iter().copied().filter(|id| Some(*id) != except);
        out.send_all(room.lane(wording), to, line.as_bytes());
    }
}

fn send(user: &User, line: &mut String, event: &Event<'_>, out: &mut Outbox) {
    line.clear();
    user.wording.render(event, line);
    out.send(user.id, line.as_bytes());
}

/// Whether a first line belongs to another protocol.
fn is_foreign(line: &[u8]) -> bool {
    line.starts_with(TLS) || is_http(line)
}

/// A first line that is a web browser's request is an accident, or somebody's trick to
/// have one speak for it; it is not to be said to the room.
fn is_http(line: &[u8]) -> bool {
    const METHODS: [&[u8]; 9] = [
        b"GET ",
        b"HEAD ",
        b"POST ",
        b"PUT ",
        b"DELETE ",
        b"CONNECT ",
        b"OPTIONS ",
        b"TRACE ",
        b"PATCH ",
    ];
    let ends = line.ends_with(b" HTTP/1.0") || line.ends_with(b" HTTP/1.1");
    ends && METHODS.iter().any(|method| line.starts_with(method))
}
