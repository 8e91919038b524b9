//! The oracle of commands: what a clean line asks for, in the order of the protocol's page.

use super::slip::meant;
use super::text::is_blank;

/// The commands on which clients ask for help.
pub(super) const HELPED: [&str; 2] = ["nick", "me"];

pub(super) enum Command {
    Say(String),
    Me(String),
    /// A name, and what whoever gets it is told in front of it.
    Name(String, &'static str),
    Private {
        to: String,
        text: String,
        copy: bool,
    },
    Reply(String),
    Join(String),
    Leave,
    Who(Option<String>),
    Rooms,
    Topic(Option<String>),
    History(usize),
    Away(Option<String>),
    Ignore(String),
    Unignore(String),
    Notices(bool),
    Dialect(String),
    /// Wants a token.
    Token,
    /// Has one, and perhaps the number of the last line that it saw, and that number's epoch.
    Resume(String, Option<u64>, Option<i64>),
    Stats,
    Time,
    Echo(bool),
    Help(String),
    /// Something that has its answer already: its code, and its text.
    Answer(&'static str, String),
    Exit(&'static str),
}

pub(super) fn parse(line: &str, is_here: impl Fn(&str) -> bool) -> Command {
    if line.starts_with("//") {
        return Command::Say(line[1..].to_owned());
    }
    if let Some(line) = line.strip_prefix('/') {
        return slash(line);
    }
    let (word, rest) = cut(line);
    match word.to_ascii_lowercase().as_str() {
        "register" => match only_word(rest) {
            Some(name) => Command::Name(name, "Registered as"),
            None => usage("REGISTER NAME"),
        },
        "send" if rest.trim_start_matches(' ').starts_with('@') || is_here(named(rest)) => {
            private(rest, false).unwrap_or_else(|| usage("SEND @NAME TEXT"))
        }
        "quit" | "exit" if rest.is_empty() => Command::Exit("Goodbye!"),
        _ if has_token(line) => {
            let text = "Not said, for there may be a password in it; /say says anything.";
            Command::Answer("not_said", text.to_owned())
        }
        _ => Command::Say(line.to_owned()),
    }
}

/// A word of 48 hexadecimal digits, or `resume` and one of eight or more.
fn has_token(line: &str) -> bool {
    let words = line.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    let digits =
        |word: &str| if word.contains(|c: char| !c.is_ascii_hexdigit()) { 0 } else { word.len() };
    let is_return = words.len() > 1 && words[0].eq_ignore_ascii_case("resume");
    words.iter().any(|word| digits(word) == 48) || (is_return && digits(words[1]) >= 8)
}

fn slash(line: &str) -> Command {
    let (word, rest) = cut(line);
    let word = word.to_lowercase();
    let text = Some(rest.to_owned()).filter(|rest| !is_blank(rest));
    let needs = |make: fn(String) -> Command, what| text.clone().map_or_else(|| usage(what), make);
    let name =
        |make: fn(String) -> Command, what| only_word(rest).map_or_else(|| usage(what), make);
    match word.as_str() {
        "nick" => name(|name| Command::Name(name, "You are now"), "/nick NAME"),
        "msg" => private(rest, true).unwrap_or_else(|| usage("/msg NAME TEXT")),
        "reply" | "r" => needs(Command::Reply, "/reply TEXT"),
        "me" => needs(Command::Me, "/me TEXT"),
        "say" => needs(Command::Say, "/say TEXT"),
        "up" => needs(|text| Command::Answer("text", text.to_uppercase()), "/up TEXT"),
        "down" => needs(|text| Command::Answer("text", text.to_lowercase()), "/down TEXT"),
        "join" => name(Command::Join, "/join ROOM"),
        "leave" => Command::Leave,
        "rooms" => Command::Rooms,
        "topic" if rest.trim_matches(' ') == "-" => Command::Topic(Some(String::new())),
        "topic" => Command::Topic(text),
        "away" => Command::Away(text),
        "ignore" => name(Command::Ignore, "/ignore NAME"),
        "unignore" => name(Command::Unignore, "/unignore NAME"),
        "dialect" => name(Command::Dialect, "/dialect NAME"),
        "protect" | "passwd" | "unprotect" => no_accounts(),
        "register" | "unregister" => unclear(),
        "stats" => Command::Stats,
        "time" => Command::Time,
        "exit" | "quit" => Command::Exit("Bye."),
        _ => with_options(&word, rest),
    }
}

/// Commands that take this or that, or nothing.
fn with_options(word: &str, rest: &str) -> Command {
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    let switch = match words[..] {
        [word] if word.eq_ignore_ascii_case("on") => Some(true),
        [word] if word.eq_ignore_ascii_case("off") => Some(false),
        _ => None,
    };
    match (word, &words[..]) {
        ("who", []) => Command::Who(None),
        ("who", [room]) => Command::Who(Some((*room).to_owned())),
        ("who", _) => usage("/who [ROOM]"),
        ("history", []) => Command::History(20),
        ("history", [count]) => match count.parse() {
            Ok(count) if count > 0 => Command::History(count),
            _ => usage("/history [N]"),
        },
        ("history", _) => usage("/history [N]"),
        ("resume", []) => Command::Token,
        ("resume", [token]) => Command::Resume((*token).to_owned(), None, None),
        ("resume", [token, seq]) if seq.parse::<u64>().is_ok() => {
            Command::Resume((*token).to_owned(), seq.parse().ok(), None)
        }
        ("resume", [token, seq, epoch])
            if seq.parse::<u64>().is_ok() && epoch.parse::<i64>().is_ok() =>
        {
            Command::Resume((*token).to_owned(), seq.parse().ok(), epoch.parse().ok())
        }
        ("resume", _) => usage("/resume [TOKEN [SEQ [EPOCH]]]"),
        ("notices", _) => switch.map_or_else(|| usage("/notices on|off"), Command::Notices),
        ("echo", _) => switch.map_or_else(|| usage("/echo on|off"), Command::Echo),
        ("help", [topic]) => {
            let topic = topic.trim_start_matches('/').to_lowercase();
            let is_known = HELPED.contains(&&topic[..]);
            if is_known { Command::Help(format!("help {topic}")) } else { unknown(&topic) }
        }
        ("help", _) => Command::Help("help".to_owned()),
        _ => unknown(word),
    }
}

fn no_accounts() -> Command {
    Command::Answer("no_accounts", "This server keeps no accounts.".to_owned())
}

fn unclear() -> Command {
    let text = "Nothing done: /nick NAME takes a name, /protect PASSWORD has it protected.";
    Command::Answer("unclear", text.to_owned())
}

fn unknown(word: &str) -> Command {
    let meant = meant(word).map_or(String::new(), |meant| format!(" (did you mean /{meant}?)"));
    Command::Answer("unknown_command", format!("Unknown command: {word}{meant}"))
}

fn usage(what: &str) -> Command {
    Command::Answer("usage", format!("Usage: {what}"))
}

/// `NAME TEXT`, with one space between them that belongs to neither.
fn private(rest: &str, copy: bool) -> Option<Command> {
    let (_, text) = cut(rest.trim_start_matches(' '));
    let is_whole = !named(rest).is_empty() && !is_blank(text);
    is_whole.then(|| Command::Private { to: named(rest).to_owned(), text: text.to_owned(), copy })
}

/// Whom a private line is for, with an at sign before the name or without.
fn named(rest: &str) -> &str {
    let (word, _) = cut(rest.trim_start_matches(' '));
    word.strip_prefix('@').unwrap_or(word).trim_end_matches([':', ','])
}

fn cut(line: &str) -> (&str, &str) {
    line.split_once(' ').unwrap_or((line, ""))
}

fn only_word(rest: &str) -> Option<String> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let word = words.next()?;
    words.next().is_none().then(|| word.to_owned())
}
