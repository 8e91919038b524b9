//! The oracle of dialects: how each of them puts what happened, from the protocol's
//! table and the one for json.

use std::net::SocketAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Native,
    Recipe,
    Tutorial,
    Fork,
    Json,
}

pub(super) const DIALECTS: [(&str, Dialect); 5] = [
    ("native", Dialect::Native),
    ("recipe", Dialect::Recipe),
    ("tutorial", Dialect::Tutorial),
    ("fork", Dialect::Fork),
    ("json", Dialect::Json),
];

impl Dialect {
    /// What is noted of one who comes to a listener of it.
    pub(super) fn listener(self) -> &'static str {
        match self {
            Dialect::Native => "comes: native",
            Dialect::Recipe => "comes: recipe",
            Dialect::Tutorial => "comes: tutorial",
            Dialect::Fork => "comes: fork",
            Dialect::Json => "comes: json",
        }
    }
}

/// What programs are told is an error, and not an answer.
const ERRORS: &str = "name_taken no_such_user no_one_wrote not_reading ignoring_self \
     ignoring_too_many no_such_room rooms_full no_notices no_resume token_unknown replaced \
     line_too_long not_a_web_server";

/// Somebody, as others see it.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) is_guest: bool,
    /// Where it connected from, while it is connected.
    pub(super) addr: Option<SocketAddr>,
    pub(super) serial: u32,
}

impl Person {
    /// As the tutorial has it.
    fn known(&self) -> String {
        match self.addr {
            Some(addr) if self.is_guest => addr.to_string(),
            _ => self.name.clone(),
        }
    }

    /// As the fork server has it.
    fn numbered(&self) -> String {
        let addr = self.addr.expect("only who is connected speaks");
        format!("[{}] ({})", addr.ip(), self.serial)
    }
}

/// A line that was said to a room.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) seq: u64,
    pub(super) epoch: i64,
    pub(super) millis: i64,
    /// Whose it is, by now.
    pub(super) speaker: usize,
    pub(super) name: String,
    pub(super) text: String,
}

/// What happened, to be told.
pub(super) enum Told<'a> {
    Hello {
        room: &'a str,
        name: &'a str,
    },
    Line {
        record: &'a Record,
        room: &'a str,
        from: &'a Person,
    },
    Private {
        from: &'a Person,
        to: &'a Person,
        text: &'a str,
    },
    /// The private line, as its sender sees it.
    Copy {
        from: &'a Person,
        to: &'a Person,
        text: &'a str,
    },
    Join {
        room: &'a str,
        who: &'a Person,
    },
    Leave {
        room: &'a str,
        who: &'a Person,
    },
    Rename {
        room: &'a str,
        old: &'a Person,
        new: &'a Person,
    },
    /// Join and leave notices, put together for those who read native.
    NoticeBatches(&'a str),
    ShuttingDown(&'a str),
    Reply {
        code: &'a str,
        text: &'a str,
    },
}

/// How a dialect puts it, without an ending.
pub(super) fn put(dialect: Dialect, millis: i64, told: &Told<'_>) -> String {
    match dialect {
        Dialect::Json => object(millis, told),
        Dialect::Tutorial => match told {
            Told::Line { record, from, .. } => format!("{} says: {}", from.known(), record.text),
            Told::Private { from, text, .. } => format!("{} says to you: {text}", from.known()),
            Told::Join { who, .. } => format!("{} joined the chat.", who.known()),
            Told::Leave { who, .. } => format!("{} left the chat.", who.known()),
            Told::Rename { old, new, .. } => format!("{} is now {}", old.known(), new.name),
            _ => plain(told),
        },
        Dialect::Fork => match told {
            Told::Line { record, from, .. } => format!("{}:{}", from.numbered(), record.text),
            Told::Private { from, text, .. } => format!("{} to you:{text}", from.numbered()),
            Told::Join { who, .. } => format!("{}:Connected", who.numbered()),
            _ => plain(told),
        },
        Dialect::Native | Dialect::Recipe => plain(told),
    }
}

fn plain(told: &Told<'_>) -> String {
    match told {
        Told::Line { record, from, .. } => format!("[{}] {}", from.name, record.text),
        Told::Private { from, to, text } | Told::Copy { from, to, text } => {
            format!("[{} → {}] {text}", from.name, to.name)
        }
        Told::NoticeBatches(text) | Told::ShuttingDown(text) | Told::Reply { text, .. } => {
            (*text).to_owned()
        }
        Told::Hello { .. } | Told::Join { .. } | Told::Leave { .. } | Told::Rename { .. } => {
            unreachable!("nobody reads this in so many words")
        }
    }
}

/// How a line is told again later: with names as they were.
pub(super) fn recalled(dialect: Dialect, room: &str, record: &Record) -> String {
    let name = record.name.clone();
    let from = Person { name, is_guest: false, addr: None, serial: 0 };
    if dialect == Dialect::Json {
        return object(record.millis, &Told::Line { record, room, from: &from });
    }
    let minutes = record.millis / 60_000;
    let (hour, minute) = (minutes / 60 % 24, minutes % 60);
    format!("{hour:02}:{minute:02} [{}] {}", record.name, record.text)
}

/// One object, with its fields in the one order.
fn object(millis: i64, told: &Told<'_>) -> String {
    let seq = match told {
        Told::Line { record, .. } => {
            format!("\"seq\":{},\"epoch\":{},", record.seq, record.epoch)
        }
        _ => String::new(),
    };
    let (kind, fields) = fields(told);
    let mut object = format!("{{{seq}\"at\":{millis},\"type\":\"{kind}\"");
    for (name, text) in fields {
        object.extend([",\"", name, "\":\"", &escaped(text), "\""]);
    }
    object + "}"
}

fn fields<'a>(told: &'a Told<'_>) -> (&'static str, Vec<(&'static str, &'a str)>) {
    match told {
        Told::Hello { room, name } => ("hello", vec![("room", room), ("to", name)]),
        Told::Line { record, room, from } => {
            ("say", vec![("room", room), ("from", &from.name), ("text", &record.text)])
        }
        Told::Private { from, to, text } | Told::Copy { from, to, text } => {
            ("private", vec![("from", &from.name), ("to", &to.name), ("text", text)])
        }
        Told::Join { room, who } => ("join", vec![("room", room), ("from", &who.name)]),
        Told::Leave { room, who } => ("leave", vec![("room", room), ("from", &who.name)]),
        Told::Rename { room, old, new } => {
            ("rename", vec![("room", room), ("from", &old.name), ("to", &new.name)])
        }
        Told::NoticeBatches(_) => unreachable!("programs are told of each by itself"),
        Told::ShuttingDown(text) => ("notice", vec![("text", text), ("code", "shutting_down")]),
        Told::Reply { code, text } => {
            let kind = match *code {
                "skipped" => "skipped",
                code if ERRORS.split(' ').any(|error| error == code) => "error",
                _ => "reply",
            };
            (kind, vec![("text", text), ("code", code)])
        }
    }
}

/// Texts are clean, so that only these two could end the string.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
