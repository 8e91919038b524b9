//! The chat: its state and its dispatcher. It cannot fail or block, and sees no socket: lines
//! come in through [`Service`], and its output goes into the [`Outbox`].
//!
//! To add a command: a row in `commands/table.rs`, a variant in `commands/command.rs`, an arm in
//! `Chat::act`, its sentences in `reply/`. How an event is worded is in `dialect/`. Operators'
//! commands are in `operators/`, those with passwords in `accounts/`; what could block is a
//! `Request`.

mod accounts;
mod ban;
mod ban_list;
mod commands;
mod dialect;
mod guests;
mod history;
mod membership;
mod messages;
mod mute;
mod name;
mod notice_batches;
mod notices;
mod operators;
mod password;
mod preferences;
mod queries;
mod renderer;
mod reply;
mod request;
mod resume;
mod resumed;
mod room;
mod sessions;
mod settings;
mod text;
mod time;
mod user;
mod user_id;
mod users;
mod waiting;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::time::{Duration, Instant};

use crate::net::conn::{CloseReason, ConnId};
use crate::net::line::Ending;
use crate::net::outbox::Outbox;
use crate::net::service::{Limit, Peer, Refusal, Service};
use crate::net::sniff::Protocol;
use crate::net::timeouts::{Now, Timeouts};
use accounts::{Accounts, Attempt, Budget};
use ban::Meant;
pub use ban::{Ban, NoTarget, Target};
pub use ban_list::Bans;
use commands::{Command, Commands, Mistake};
pub use dialect::{Dialect, UnknownDialect};
use dialect::{Format, Kind};
use mute::Mutes;
use notice_batches::NoticeBatches;
pub use password::Password;
use renderer::Renderer;
use reply::Reply;
pub use request::{Account, Answer, Naming, Persisted, Request};
use resumed::Resumed;
use room::{RoomNo, Rooms};
use sessions::Sessions;
pub use settings::{Motd, Settings};
use user::{Stage, User};
use users::Users;
use waiting::Waiting;

/// Ctrl-D, which raw terminals send as a byte instead of closing the input.
const END_OF_FILE_KEY: u8 = 0x04;

/// Join, leave and rename notices within this time are batched.
const SECOND: Duration = Duration::from_secs(1);

/// The label of listeners for operators. Their connections speak the native dialect and have
/// commands that no other connection has.
pub const OPERATORS: &str = "op";

/// The chat service.
pub struct Chat {
    settings: Settings,
    users: Users,
    rooms: Rooms,
    batches: NoticeBatches,
    sessions: Sessions,
    resumed: Resumed,
    /// Newcomers of the native dialect, who are greeted when they stay silent.
    newcomers: Timeouts<ConnId>,
    /// Rooms with a running second in which notices are batched.
    batch_timeouts: Timeouts<RoomNo>,
    /// Detached sessions, which end when nobody resumes them.
    resume_timeouts: Timeouts<u64>,
    bans: Bans,
    meant: Meant,
    mutes: Mutes,
    accounts: Accounts,
    /// Wrong or unchecked passwords. Below: changed passwords and newly protected names.
    attempts: Budget,
    /// Passwords being checked: at most one for each connection, whose further lines wait.
    tried: HashMap<ConnId, Attempt>,
    changes: Budget,
    made: Budget,
    /// Requests for the worker.
    waiting: Waiting,
    is_reload_wanted: bool,
    is_shutdown_wanted: bool,
    /// The operator's reason for the shutdown, if there is one.
    farewell: String,
    lines_in: u64,
    /// Resident bytes before the first connection.
    resident_at_start: u64,
    is_shutting_down: bool,
    renderer: Renderer,
}

impl Service for Chat {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        // Unknown labels were refused when the listeners were made.
        let dialect = peer.label.parse().unwrap_or_default();
        let ending = peer.ending.unwrap_or(Ending::Lf);
        self.users.add(id, peer.origin, Format { dialect, ending });
        if let Some(user) = self.users.get_mut(id) {
            user.stage = Stage::Silent { ending_seen: peer.ending.is_some() };
        }
        self.users.note_activity(id, out.now().monotonic);
        let is_operator = self.settings.operators && peer.label == OPERATORS;
        if (is_operator || peer.is_encrypted)
            && let Some(extras) = self.users.extras_of(id)
        {
            (extras.is_operator, extras.is_encrypted) = (is_operator, peer.is_encrypted);
        }
        self.enter_room(id, RoomNo::LOBBY, out);
        if dialect == Dialect::Json {
            self.say_hello(id, out);
        }
        self.notify_connection(id, out);
        if dialect == Dialect::Native && self.settings.greet_after.is_some() {
            self.newcomers.start(id, out.now().monotonic);
        }
    }

    fn on_ending(&mut self, id: ConnId, ending: Ending, _: &mut Outbox) {
        self.regroup(id, |user| {
            user.format.ending = ending;
            if let Stage::Silent { ending_seen } = &mut user.stage {
                *ending_seen = true;
            }
        });
    }

    fn on_are_you_there(&mut self, id: ConnId, out: &mut Outbox) {
        self.reply(id, reply::here(), out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        let Some(user) = self.users.get_mut(id) else { return };
        let bare = text::trim(line);
        let text = text::sanitise(bare);
        let seen = text::trim_unseen(&text);
        let is_key = line.iter().all(|byte| matches!(*byte, b' ' | b'\t' | END_OF_FILE_KEY));
        if is_key || text::is_blank(seen) {
            return;
        }
        self.lines_in += 1;
        user.stage = Stage::Speaking;
        self.users.note_activity(id, out.now().monotonic);
        self.forget_newcomers();
        let command = self.commands(id).parse(seen, |name| self.is_known(name));
        match command {
            Ok(command) if self.may_be_secret(id, &command, bare, seen) => {
                self.reply(id, reply::not_said(), out);
            }
            Ok(command) => self.act(id, command, out),
            Err(mistake) => self.refuse_line(id, mistake, out),
        }
        if let (Cow::Owned(text), true) = (text, self.settings.accounts) {
            password::wipe(&mut text.into_bytes());
        }
    }

    fn on_limit(&mut self, id: ConnId, limit: Limit, out: &mut Outbox) {
        match limit {
            Limit::LineTooLong { max } => {
                let Some(user) = self.users.get_mut(id) else { return };
                user.stage = Stage::Speaking;
                self.forget_newcomers();
                self.reply(id, reply::line_too_long(max), out);
            }
            Limit::Throttled => self.reply(id, reply::throttled(), out),
            Limit::Idle => self.reply(id, reply::still_there(), out),
            Limit::Shed(lines) => self.reply(id, reply::skipped(lines), out),
        }
    }

    fn on_close(&mut self, id: ConnId, _: CloseReason, out: &mut Outbox) {
        let Some(user) = self.users.get(id) else { return };
        if !self.is_shutting_down && user.stage != Stage::Leaving && self.keep_session(id, out) {
            return;
        }
        if !self.is_shutting_down {
            self.notify_leave(id, out);
        }
        self.remove(id);
        self.forget_newcomers();
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        let now = out.now().monotonic;
        while let Some(id) = self.newcomers.expired(now) {
            // A greeting may contain a whole history, so each tick sends only one.
            if self.greet(id, out) {
                return;
            }
        }
        while let Some(room) = self.batch_timeouts.expired(now) {
            self.end_batch(room, out);
        }
        while let Some(key) = self.resume_timeouts.expired(now) {
            self.end_session(key, out);
        }
    }

    fn on_trim_memory(&mut self) {
        if let Some(give_back) = self.settings.give_back {
            give_back();
        }
    }

    fn next_tick(&self) -> Option<Instant> {
        [self.newcomers.next(), self.batch_timeouts.next(), self.resume_timeouts.next()]
            .into_iter()
            .flatten()
            .min()
    }

    fn log_name(&self, id: ConnId) -> Option<String> {
        self.users.get(id).map(|user| user.shown().to_string())
    }

    fn is_banned(&self, peer: &Peer<'_>, now: Now) -> bool {
        let is_operators = self.settings.operators && peer.label == OPERATORS;
        let at = time::timestamp(now);
        !is_operators && peer.origin.ip().is_some_and(|addr| self.bans.has_addr(addr, at))
    }

    fn turns_away_protocols(&self, _: &Peer<'_>) -> bool {
        true
    }

    fn refusal(&self, why: Refusal) -> &[u8] {
        match why {
            Refusal::Full => reply::FULL,
            Refusal::Address => reply::ADDRESS_FULL,
            Refusal::Banned(origin) => {
                let notice = |addr| self.bans.notice(addr, |ban| self.ban_notice(ban)).as_bytes();
                origin.ip().map_or(b"", notice)
            }
            Refusal::Foreign(Protocol::Http) => reply::NO_WEB_SERVER,
            // Those protocols have no place for a line of text.
            Refusal::Foreign(_) => b"",
        }
    }

    fn on_shutdown(&mut self, out: &mut Outbox) {
        self.is_shutting_down = true;
        for room in self.rooms.iter() {
            let reply = reply::shutting_down(&self.farewell);
            self.renderer.notify_room(room, reply, |_| true, out);
        }
    }
}

impl Chat {
    /// An empty chat.
    #[must_use]
    pub fn new(settings: Settings) -> Chat {
        Chat {
            users: Users::new(settings.keeps_addresses(), settings.operators),
            rooms: Rooms::new(),
            batches: NoticeBatches::default(),
            sessions: Sessions::default(),
            resumed: Resumed::default(),
            newcomers: Timeouts::new(settings.greet_after.unwrap_or_default()),
            batch_timeouts: Timeouts::new(SECOND),
            resume_timeouts: Timeouts::new(settings.resume_for),
            bans: Bans::default(),
            meant: Meant::default(),
            mutes: Mutes::default(),
            accounts: Accounts::default(),
            attempts: Budget::of_a_minute(),
            tried: HashMap::new(),
            changes: Budget::of_a_minute(),
            made: Budget::of_a_day(settings.accounts_per_addr),
            waiting: Waiting::new(settings.waiting_max),
            is_reload_wanted: false,
            is_shutdown_wanted: false,
            farewell: String::new(),
            lines_in: 0,
            resident_at_start: settings.resident.and_then(|resident| resident()).unwrap_or(0),
            is_shutting_down: false,
            renderer: Renderer::default(),
            settings,
        }
    }

    fn act(&mut self, id: ConnId, command: Command<'_>, out: &mut Outbox) {
        match command {
            Command::Say(text) => self.say(id, Kind::Say, text, out),
            Command::Me(text) => self.say(id, Kind::Me, text, out),
            Command::Topic(Some(text)) => self.set_topic(id, text, out),
            Command::Topic(None) => self.show_topic(id, out),
            Command::ClearTopic => self.set_topic(id, "", out),
            Command::Send(name, text) => self.send_to(id, name, text, false, out),
            Command::Msg(name, text) => self.send_to(id, name, text, true, out),
            Command::Reply(text) => self.write_back(id, text, out),
            Command::History(count) => self.show_history(id, count, out),
            Command::Name(by, name, None) => self.rename(id, name, by, out),
            Command::Name(by, name, Some(password)) => self.log_in(id, name, password, by, out),
            Command::Away(text) => self.set_away(id, text, out),
            Command::Ignore(name) => self.ignore(id, name, out),
            Command::Unignore(name) => self.unignore(id, name, out),
            Command::Notices(on) => self.choose_notices(id, on, out),
            Command::Echo(on) => self.choose_echo(id, on, out),
            Command::Dialect(name) => self.choose_dialect(id, name, out),
            Command::Join(room) => self.join(id, room, out),
            Command::Leave => self.go_to(id, RoomNo::LOBBY, out),
            Command::Who(room) => self.who(id, room, out),
            Command::Rooms => self.list_rooms(id, out),
            Command::ResumeToken => self.issue_token(id, out),
            Command::Resume(token, seq, epoch) => self.resume(id, token, seq, epoch, out),
            Command::Time => self.show_time(id, out),
            Command::Up(text) => self.reply(id, reply::text(&text.to_uppercase()), out),
            Command::Down(text) => self.reply(id, reply::text(&text.to_lowercase()), out),
            Command::Stats => self.stats(id, out),
            Command::Help(name) => self.help(id, name, out),
            Command::Exit => self.say_goodbye(id, reply::bye(), out),
            Command::Goodbye => self.say_goodbye(id, reply::goodbye(), out),
            Command::Account(command) => self.account_command(id, command, out),
            Command::Operator(command) => self.operator_command(id, command, out),
        }
    }

    /// All help, or that on one command, with or without its slash.
    fn help(&mut self, id: ConnId, name: Option<&str>, out: &mut Outbox) {
        let commands = self.commands(id);
        match name.map(|name| commands.find(name.trim_start_matches('/'))) {
            None => commands.help().for_each(|line| self.reply(id, reply::help(line), out)),
            Some(Ok(row)) => self.reply(id, reply::help_on(row.usage, row.help), out),
            Some(Err(mistake)) => self.refuse_line(id, mistake, out),
        }
    }

    fn say_goodbye(&mut self, id: ConnId, reply: Reply<&str>, out: &mut Outbox) {
        self.reply(id, reply, out);
        self.disconnect(id, out);
    }

    /// Replies to a line that looks like a command and is none.
    fn refuse_line(&mut self, id: ConnId, mistake: Mistake<'_>, out: &mut Outbox) {
        match mistake {
            Mistake::Unknown(name) => {
                let near = self.commands(id).near(name);
                self.reply(id, reply::unknown_command(name, near), out);
            }
            Mistake::Usage(usage) => self.reply(id, reply::usage(usage), out),
            Mistake::NoAccounts => self.reply(id, reply::no_accounts(), out),
        }
    }

    /// The commands that a user has.
    fn commands(&self, id: ConnId) -> Commands {
        let operators = self.users.get(id).is_some_and(|user| self.is_operator(user));
        Commands { accounts: self.settings.accounts, operators }
    }

    /// Whether a user with this name is connected, or has it kept until they resume.
    fn is_known(&self, name: &str) -> bool {
        self.users.find_any(name).is_some_and(|user| user.is_named() || user.conn().is_some())
    }

    /// Drops newcomers who have sent a line or left from the list.
    fn forget_newcomers(&mut self) {
        let is_silent = |user: &User| user.stage.is_silent();
        self.newcomers.prune(|id| !self.users.get(id).is_some_and(is_silent));
    }

    /// Disconnects a user for good: no session is kept.
    fn disconnect(&mut self, id: ConnId, out: &mut Outbox) {
        if let Some(user) = self.users.get_mut(id) {
            user.stage = Stage::Leaving;
        }
        out.close(id);
    }

    /// Closes a connection for good, and tells the client why it should not come back, where
    /// its framing has a place for that.
    fn expel(&mut self, id: ConnId, why: &str, out: &mut Outbox) {
        if let Some(user) = self.users.get_mut(id) {
            user.stage = Stage::Leaving;
        }
        out.close_for_good(id, why);
    }

    /// Sends a reply to one user.
    fn reply<T: Display>(&mut self, id: ConnId, reply: Reply<T>, out: &mut Outbox) {
        if let Some(user) = self.users.get(id) {
            self.renderer.reply(user, reply, out);
        }
    }
}
