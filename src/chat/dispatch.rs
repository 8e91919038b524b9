//! The dispatcher: which command does what.

use super::commands::{Command, Commands, Mistake};
use super::dialect::Kind;
use super::reply::{self, Reply};
use super::room::LOBBY;
use super::state::Chat;
use super::user::Stage;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;

impl Chat {
    pub(super) fn act(&mut self, id: ConnId, command: Command<'_>, out: &mut Outbox) {
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
            Command::Leave => self.join(id, LOBBY, out),
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
    pub(super) fn refuse_line(&mut self, id: ConnId, mistake: Mistake<'_>, out: &mut Outbox) {
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
    pub(super) fn commands(&self, id: ConnId) -> Commands {
        let operators = self.users.get(id).is_some_and(|user| self.is_operator(user));
        Commands { accounts: self.settings.accounts, operators }
    }

    /// Whether a user with this name is connected, or has it kept until they resume.
    pub(super) fn is_known(&self, name: &str) -> bool {
        self.users.find_any(name).is_some()
    }

    /// Disconnects a user for good: no session is kept.
    pub(super) fn disconnect(&mut self, id: ConnId, out: &mut Outbox) {
        if let Some(user) = self.users.get_mut(id) {
            user.stage = Stage::Leaving;
        }
        out.close(id);
    }

    /// Closes a connection for good, and tells the client why it should not come back, where
    /// its framing has a place for that.
    pub(super) fn expel(&mut self, id: ConnId, why: &str, out: &mut Outbox) {
        if let Some(user) = self.users.get_mut(id) {
            user.stage = Stage::Leaving;
        }
        out.close_for_good(id, why);
    }
}
