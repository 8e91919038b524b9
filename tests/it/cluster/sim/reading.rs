//! What a client reads, understood from the text alone.

use serde_json::Value;

/// What something was said in, whose text has a number: `<7>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) token: u64,
    pub(super) kind: Kind,
    /// Under which name.
    pub(super) from: String,
    /// To whom, in private.
    pub(super) to: String,
    /// Its room, number and epoch. Only programs are told.
    pub(super) room: Option<String>,
    pub(super) number: Option<(u64, i64)>,
    /// Whether it is shown as history. Programs are not told.
    pub(super) is_past: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// To a room.
    Said,
    Private,
    Announced,
}

/// A line that a client reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Line(Line),
    /// Who is in a room.
    Who {
        room: String,
        list: String,
    },
    /// The client has this name from now on.
    Named(String),
    /// With this token they may come back.
    Token(String),
    Ignoring,
    /// This name is banned from now on.
    Banned(String),
    /// The client is banned.
    Expelled,
    CutOff,
    /// So many lines have not reached the others.
    Back(u64),
    /// So many events are lost.
    Lost(u64),
    /// A line is not shown, since its name is another's by now.
    LeftOut,
    /// Somebody joins, leaves, or has another name.
    Presence,
    /// It was done.
    Done,
    /// It was refused.
    Refused(String),
}

/// Understands a line of the native or the json dialect.
pub(super) fn understand(line: &str) -> Reading {
    if line.starts_with('{') {
        return understand_json(line);
    }
    let (is_past, bare) = match line.split_once(' ') {
        Some((time, rest)) if time.len() == 5 && time.as_bytes()[2] == b':' => (true, rest),
        _ => (false, line),
    };
    let Some(token) = token(bare.as_bytes()) else { return sentence(line) };
    let said = |kind, from: &str, to: &str| {
        let (from, to) = (from.to_owned(), to.to_owned());
        Reading::Line(Line { token, kind, from, to, room: None, number: None, is_past })
    };
    if let Some((from, _)) = bare.split_once(" set the topic: ") {
        return said(Kind::Said, from, "");
    }
    if let Some(by) = bare.strip_prefix("Announcement by ") {
        return said(Kind::Announced, by.split_once(": ").map_or("", |(by, _)| by), "");
    }
    let who = match (bare.strip_prefix("* "), bare.strip_prefix('[')) {
        (Some(rest), _) => rest.split_once(' '),
        (_, Some(rest)) => rest.split_once("] "),
        _ => None,
    };
    match who.map(|(who, _)| (who, who.split_once(" → "))) {
        Some((_, Some((from, to)))) => said(Kind::Private, from, to),
        Some((from, None)) => said(Kind::Said, from, ""),
        None => sentence(line),
    }
}

fn understand_json(line: &str) -> Reading {
    let value: Value = serde_json::from_str(line).expect("it is json");
    let text = |field: &str| value[field].as_str().unwrap_or("").to_owned();
    let kind = match value["type"].as_str() {
        Some("say" | "me" | "topic") => Kind::Said,
        Some("private") => Kind::Private,
        Some("notice") if value["code"] == "announcement" => {
            return understand(value["text"].as_str().unwrap_or(""));
        }
        Some("join" | "leave" | "rename") => return Reading::Presence,
        Some("hello") => return Reading::Done,
        _ => return sentence(&text("text")),
    };
    let token = token(text("text").as_bytes()).expect("what is said has a number");
    let number = value["seq"].as_u64().zip(value["epoch"].as_i64());
    let (from, to) = (text("from"), text("to"));
    let room = value["room"].as_str().map(str::to_owned);
    Reading::Line(Line { token, kind, from, to, room, number, is_past: false })
}

/// What the server says.
fn sentence(text: &str) -> Reading {
    let number = |text: &str| text.split(' ').next().and_then(|word| word.parse().ok());
    for prefix in ["You are now ", "Registered as "] {
        if let Some(name) = text.strip_prefix(prefix) {
            return Reading::Named(name.to_owned());
        }
    }
    if text.starts_with("To come back within ") {
        return Reading::Token(text.rsplit(' ').next().unwrap_or_default().to_owned());
    }
    if let Some(rest) = text.strip_prefix("Banned ") {
        return Reading::Banned(rest.split(' ').next().unwrap_or_default().to_owned());
    }
    if let Some(rest) = text.strip_prefix("Back with the other servers.") {
        return Reading::Back(number(rest.trim_start()).unwrap_or(0));
    }
    if text.starts_with("You are banned") {
        return Reading::Expelled;
    }
    if text.ends_with("who was replaced meanwhile is not shown.") {
        return Reading::LeftOut;
    }
    if text.starts_with("Cut off from the other servers") {
        return Reading::CutOff;
    }
    if text.ends_with("of the other servers is lost.")
        || text.ends_with("of the other servers are lost.")
    {
        return Reading::Lost(number(text).expect("it begins with how many"));
    }
    if let Some((count, rest)) = text.split_once(" in ")
        && count.parse::<usize>().is_ok()
    {
        let room = rest.split([':', ' ']).next().unwrap_or("").to_owned();
        return Reading::Who { room, list: rest.to_owned() };
    }
    let presence = ["joined the chat.", "left the chat.", "is now", "are now", "banned by"];
    match text {
        _ if text.starts_with("Ignoring ") => Reading::Ignoring,
        _ if presence.iter().any(|word| text.contains(word)) => Reading::Presence,
        _ if DONE.iter().any(|start| text.starts_with(start)) => Reading::Done,
        _ => Reading::Refused(text.to_owned()),
    }
}

/// How those begin that say that something was done, or that nobody has asked for.
const DONE: [&str; 14] = [
    "You are away",
    "You are back",
    "No longer",
    "Muted ",
    "You were muted",
    "You are no longer muted",
    "Echo ",
    "Notices ",
    "Topic: ",
    "No topic",
    "Goodbye!",
    "Bye.",
    "lobby ",
    "-- ",
];

/// The number in a text.
pub(super) fn token(text: &[u8]) -> Option<u64> {
    let start = text.iter().position(|byte| *byte == b'<')? + 1;
    let rest = &text[start..];
    let end = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    if rest[end] != b'>' {
        return token(rest);
    }
    str::from_utf8(&rest[..end]).ok()?.parse().ok()
}
