//! The table of all commands: a row has what `/help` says of one, whose it is, and how its
//! arguments are parsed.

use super::arguments::{
    at_most_a_word, count, name_and_password, name_and_text, on_or_off, one_word, password,
    target_and_rest, text, time_and_text,
};
use super::command::{AccountCommand, Command, OperatorCommand};
use crate::chat::request::Naming;

/// Who has a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::chat) enum Audience {
    Everybody,
    /// Everybody, where there are accounts.
    Accounts,
    Operators,
}
use Audience::{Accounts, Everybody, Operators};

/// A command.
#[derive(Debug)]
pub(in crate::chat) struct Row {
    pub(in crate::chat) name: &'static str,
    pub(super) audience: Audience,
    /// `REGISTER` and `SEND` have no slash.
    pub(in crate::chat) usage: &'static str,
    pub(in crate::chat) help: &'static str,
    /// Parses what follows the one space after the name. `None`: the usage is the reply.
    pub(super) parse: for<'a> fn(&'a str) -> Option<Command<'a>>,
}

impl Row {
    /// Whether it is typed after a slash.
    pub(super) fn has_slash(&self) -> bool {
        self.usage.starts_with('/')
    }
}

const fn row(
    name: &'static str,
    audience: Audience,
    usage: &'static str,
    help: &'static str,
    parse: for<'a> fn(&'a str) -> Option<Command<'a>>,
) -> Row {
    Row { name, audience, usage, help, parse }
}

/// All commands. Where two are as near to a mistyped one, the first is the hint.
pub(in crate::chat) static TABLE: [Row; 43] = [
    row(
        "register",
        Everybody,
        "REGISTER NAME",
        "take a name; where there are accounts, /protect PASSWORD has it protected",
        |rest| named(Naming::Register, rest),
    ),
    row("send", Everybody, "SEND @NAME TEXT", "say something to NAME alone", |rest| {
        name_and_text(rest).map(|(name, text)| Command::Send(name, text))
    }),
    row(
        "nick",
        Everybody,
        "/nick NAME",
        "take a name; a protected one: /nick NAME PASSWORD",
        |rest| named(Naming::Nick, rest),
    ),
    row(
        "msg",
        Everybody,
        "/msg NAME TEXT",
        "say something to NAME alone, and see it yourself",
        |rest| name_and_text(rest).map(|(name, text)| Command::Msg(name, text)),
    ),
    row("reply", Everybody, "/reply TEXT", "answer whoever last wrote to you alone", |rest| {
        text(rest).map(Command::Reply)
    }),
    row("r", Everybody, "/reply TEXT", "answer whoever last wrote to you alone", |rest| {
        text(rest).map(Command::Reply)
    }),
    row("me", Everybody, "/me TEXT", "tell the room what you do", |rest| {
        text(rest).map(Command::Me)
    }),
    row("say", Everybody, "/say TEXT", "say anything, even what looks like a command", |rest| {
        text(rest).map(Command::Say)
    }),
    row("join", Everybody, "/join ROOM", "go to a room; there need not be one yet", |rest| {
        one_word(rest).map(Command::Join)
    }),
    row("leave", Everybody, "/leave", "go back to the lobby", |_| Some(Command::Leave)),
    row("who", Everybody, "/who [ROOM]", "list who is in the room, or in another", |rest| {
        at_most_a_word(rest).map(|room| Command::Who(text(room)))
    }),
    row("rooms", Everybody, "/rooms", "list the rooms, and how many are in each", |_| {
        Some(Command::Rooms)
    }),
    row(
        "topic",
        Everybody,
        "/topic [TEXT|-]",
        "the room's topic, or a new one; - clears it",
        |rest| match one_word(rest) {
            Some("-") => Some(Command::ClearTopic),
            _ => Some(Command::Topic(text(rest))),
        },
    ),
    row(
        "history",
        Everybody,
        "/history [N]",
        "the last N lines that were said in the room",
        |rest| count(rest).map(Command::History),
    ),
    row(
        "away",
        Everybody,
        "/away [TEXT]",
        "tell those who write to you that you are away, or not any more",
        |rest| Some(Command::Away(text(rest))),
    ),
    row(
        "ignore",
        Everybody,
        "/ignore NAME",
        "do not see what NAME says; NAME is not told",
        |rest| one_word(rest).map(Command::Ignore),
    ),
    row("unignore", Everybody, "/unignore NAME", "see it again", |rest| {
        one_word(rest).map(Command::Unignore)
    }),
    row(
        "notices",
        Everybody,
        "/notices on|off",
        "whether you are told who comes and goes",
        |rest| on_or_off(rest).map(Command::Notices),
    ),
    row("echo", Everybody, "/echo on|off", "whether what you say comes back to you", |rest| {
        on_or_off(rest).map(Command::Echo)
    }),
    row(
        "dialect",
        Everybody,
        "/dialect NAME",
        "how things are said to you: native, recipe, json",
        |rest| one_word(rest).map(Command::Dialect),
    ),
    row(
        "resume",
        Everybody,
        "/resume [TOKEN [SEQ [EPOCH]]]",
        "have your name held if you are cut off, or come back",
        resume,
    ),
    row("time", Everybody, "/time", "the server's date and time", |_| Some(Command::Time)),
    row("up", Everybody, "/up TEXT", "TEXT in upper case", |rest| text(rest).map(Command::Up)),
    row("down", Everybody, "/down TEXT", "TEXT in lower case", |rest| {
        text(rest).map(Command::Down)
    }),
    row("stats", Everybody, "/stats", "how the server is doing", |_| Some(Command::Stats)),
    row("help", Everybody, "/help [COMMAND]", "this help, or that on a command", |rest| {
        Some(Command::Help(one_word(rest)))
    }),
    row("exit", Everybody, "/exit", "leave", |_| Some(Command::Exit)),
    row("quit", Everybody, "/quit", "leave", |_| Some(Command::Exit)),
    row("protect", Accounts, "/protect PASSWORD", "have your name protected", |rest| {
        account(password(rest).map(AccountCommand::Protect))
    }),
    row("passwd", Accounts, "/passwd NEW", "another password for your name", |rest| {
        account(password(rest).map(AccountCommand::Passwd))
    }),
    row("unprotect", Accounts, "/unprotect PASSWORD", "have it protected no longer", |rest| {
        account(password(rest).map(AccountCommand::Unprotect))
    }),
    row("kick", Operators, "/kick NAME [WHY]", "have NAME leave", |rest| {
        operator(target_and_rest(rest).map(|(name, why)| OperatorCommand::Kick(name, why)))
    }),
    row(
        "ban",
        Operators,
        "/ban NAME|ADDR|CIDR [FOR] [WHY]",
        "keep somebody out, for 10m, 2h, 7d, at most 3660d, or for good",
        |rest| operator(ban(rest)),
    ),
    row("unban", Operators, "/unban NAME|ADDR|CIDR", "let somebody in again", |rest| {
        operator(one_word(rest).map(OperatorCommand::Unban))
    }),
    row("bans", Operators, "/bans", "who is banned, until when, by whom and why", |_| {
        operator(Some(OperatorCommand::Bans))
    }),
    row("mute", Operators, "/mute NAME [FOR]", "what NAME says reaches nobody", |rest| {
        operator(mute(rest))
    }),
    row("unmute", Operators, "/unmute NAME", "it reaches others again", |rest| {
        operator(one_word(rest).map(OperatorCommand::Unmute))
    }),
    row("announce", Operators, "/announce TEXT", "tell every room", |rest| {
        operator(text(rest.trim()).map(OperatorCommand::Announce))
    }),
    row(
        "reload",
        Operators,
        "/reload",
        "read bans, accounts, the message of the day and the certificate again",
        |_| operator(Some(OperatorCommand::Reload)),
    ),
    row("shutdown", Operators, "/shutdown [WHY]", "end the server, politely", |rest| {
        operator(Some(OperatorCommand::Shutdown(rest.trim())))
    }),
    row("shutdownall", Operators, "/shutdownall [WHY]", "end all servers of the cluster", |rest| {
        operator(Some(OperatorCommand::ShutdownAll(rest.trim())))
    }),
    row(
        "upgrade",
        Operators,
        "/upgrade",
        "let the program that is installed now take over",
        |_| operator(Some(OperatorCommand::Upgrade)),
    ),
    row("whois", Operators, "/whois NAME", "where NAME is from, and how it is doing", |rest| {
        operator(one_word(rest).map(OperatorCommand::Whois))
    }),
];

/// The text of `/help`: one line a topic, at most twelve.
pub(in crate::chat) static HELP: [(Audience, &str); 12] = [
    (Everybody, "Type to talk. A command starts with a slash; //text says /text."),
    (Everybody, "Names: /nick NAME, or REGISTER NAME"),
    (Everybody, "Private: /msg NAME TEXT, or SEND @NAME TEXT; /reply TEXT"),
    (Everybody, "Talk: /me TEXT, /say TEXT, /history [N], /topic [TEXT]"),
    (Everybody, "Rooms: /join ROOM, /leave, /rooms, /who [ROOM]"),
    (
        Everybody,
        "Yourself: /away [TEXT], /ignore NAME, /unignore NAME, /notices on|off, /echo on|off",
    ),
    (Everybody, "Connection: /resume [TOKEN [SEQ [EPOCH]]], /dialect NAME, /stats"),
    (Everybody, "Tools: /time, /up TEXT, /down TEXT"),
    (Everybody, "Leave: /exit, or /quit, exit, quit"),
    (Everybody, "More on one: /help COMMAND"),
    (
        Accounts,
        "Accounts: /protect PASSWORD, /nick NAME PASSWORD, /passwd NEW, /unprotect PASSWORD",
    ),
    (
        Operators,
        "Operators: /kick, /ban, /unban, /bans, /mute, /unmute, /whois, /announce, /reload, /upgrade, /shutdown, /shutdownall",
    ),
];

fn named(by: Naming, rest: &str) -> Option<Command<'_>> {
    name_and_password(rest).map(|(name, password)| Command::Name(by, name, password))
}

fn resume(rest: &str) -> Option<Command<'_>> {
    let mut words = rest.split_whitespace();
    let Some(token) = words.next() else { return Some(Command::ResumeToken) };
    let seq = words.next().map(str::parse).transpose().ok()?;
    let epoch = words.next().map(str::parse).transpose().ok()?;
    words.next().is_none().then_some(Command::Resume(token, seq, epoch))
}

fn account(command: Option<AccountCommand<'_>>) -> Option<Command<'_>> {
    command.map(Command::Account)
}

fn operator(command: Option<OperatorCommand<'_>>) -> Option<Command<'_>> {
    command.map(Command::Operator)
}

fn ban(rest: &str) -> Option<OperatorCommand<'_>> {
    let (target, rest) = target_and_rest(rest)?;
    Some(match time_and_text(rest) {
        Ok((time, why)) => OperatorCommand::Ban(target, time, why),
        Err(word) => OperatorCommand::NoTime(word),
    })
}

fn mute(rest: &str) -> Option<OperatorCommand<'_>> {
    let (name, rest) = target_and_rest(rest)?;
    match time_and_text(rest) {
        Ok((time, "")) => Some(OperatorCommand::Mute(name, time)),
        Ok(_) => None,
        Err(word) => Some(OperatorCommand::NoTime(word)),
    }
}
