//! The oracle of commands: what a clean line asks for.

use super::text::is_blank;

pub(super) enum Command {
    Say(String),
    Name(String),
    Private(String, String),
    Reply(String),
    Join(String),
    Leave,
    Who(Option<String>),
    Rooms,
    History(usize),
    Ignore(String),
    Unignore(String),
    Notices(bool),
    /// Wants a token.
    Token,
    /// Has one, and perhaps the number of the last line that it saw.
    Resume(String, Option<u64>),
    Exit,
    /// Not typed to its end: whatever it is, it is answered with a line.
    Broken,
}

pub(super) fn parse(line: &str) -> Command {
    let Some(line) = line.strip_prefix('/') else { return Command::Say(line.to_owned()) };
    let (word, rest) = cut(line);
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    let text = rest.to_owned();
    match (word.to_ascii_lowercase().as_str(), &words[..]) {
        ("nick", [name])
            if name.len() > 2 && name.ends_with(|last: char| last.is_alphanumeric()) =>
        {
            Command::Name((*name).to_owned())
        }
        ("msg", [name, _, ..]) => Command::Private((*name).to_owned(), cut(rest).1.to_owned()),
        ("reply" | "r", _) if !is_blank(rest) => Command::Reply(text),
        ("join", [room]) => Command::Join((*room).to_owned()),
        ("leave", _) => Command::Leave,
        ("who", []) => Command::Who(None),
        ("who", [room]) => Command::Who(Some((*room).to_owned())),
        ("rooms", _) => Command::Rooms,
        ("history", []) => Command::History(20),
        ("history", [count]) => Command::History(count.parse().expect("it is a number")),
        ("ignore", [name]) => Command::Ignore((*name).to_owned()),
        ("unignore", [name]) => Command::Unignore((*name).to_owned()),
        ("notices", ["on"]) => Command::Notices(true),
        ("notices", ["off"]) => Command::Notices(false),
        ("resume", []) => Command::Token,
        ("resume", [token]) => Command::Resume((*token).to_owned(), None),
        ("resume", [token, seq]) => Command::Resume((*token).to_owned(), seq.parse().ok()),
        ("exit", _) => Command::Exit,
        _ => Command::Broken,
    }
}

fn cut(line: &str) -> (&str, &str) {
    line.split_once(' ').unwrap_or((line, ""))
}
