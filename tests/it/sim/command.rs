//! The oracle of commands: what a clean line asks for, in the order of the protocol's page.

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
    Who,
    Time,
    Echo(bool),
    Help(String),
    /// Something that has its answer already.
    Answer(String),
    Leave(&'static str),
}

pub(super) fn parse(line: &str) -> Command {
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
        "send" if rest.trim_start_matches(' ').starts_with('@') => {
            let rest = rest.trim_start_matches(' ').strip_prefix('@').unwrap_or_default();
            private(rest, false).unwrap_or_else(|| usage("SEND @NAME TEXT"))
        }
        "quit" | "exit" if rest.is_empty() => Command::Leave("Goodbye!"),
        _ => Command::Say(line.to_owned()),
    }
}

fn slash(line: &str) -> Command {
    let (word, rest) = cut(line);
    let word = word.to_lowercase();
    let text = rest.to_owned();
    let has_text = !rest.trim_matches(' ').is_empty();
    match word.as_str() {
        "nick" => match only_word(rest) {
            Some(name) => Command::Name(name, "You are now"),
            None => usage("/nick NAME"),
        },
        "msg" => private(rest, true).unwrap_or_else(|| usage("/msg NAME TEXT")),
        "reply" | "r" if has_text => Command::Reply(text),
        "reply" | "r" => usage("/reply TEXT"),
        "me" if has_text => Command::Me(text),
        "me" => usage("/me TEXT"),
        "say" if has_text => Command::Say(text),
        "say" => usage("/say TEXT"),
        "up" if has_text => Command::Answer(text.to_uppercase()),
        "up" => usage("/up TEXT"),
        "down" if has_text => Command::Answer(text.to_lowercase()),
        "down" => usage("/down TEXT"),
        "who" if !has_text => Command::Who,
        "who" => match only_word(rest) {
            Some(room) if room.eq_ignore_ascii_case("lobby") => Command::Who,
            Some(room) => Command::Answer(format!("No room is called {room}.")),
            None => usage("/who [ROOM]"),
        },
        "time" => Command::Time,
        "echo" => match only_word(rest).map(|word| word.to_lowercase()).as_deref() {
            Some("on") => Command::Echo(true),
            Some("off") => Command::Echo(false),
            _ => usage("/echo on|off"),
        },
        "help" => match only_word(rest).map(|word| word.trim_start_matches('/').to_lowercase()) {
            None => Command::Help("help".to_owned()),
            Some(word) if HELPED.contains(&&word[..]) => Command::Help(format!("help {word}")),
            Some(word) => Command::Answer(format!("Unknown command: {word}")),
        },
        "exit" | "quit" => Command::Leave("Bye."),
        _ => Command::Answer(format!("Unknown command: {word}")),
    }
}

fn usage(what: &str) -> Command {
    Command::Answer(format!("Usage: {what}"))
}

/// `NAME TEXT`, with one space between them that belongs to neither.
fn private(rest: &str, copy: bool) -> Option<Command> {
    let (to, text) = cut(rest);
    let is_whole = !to.is_empty() && !text.trim_matches(' ').is_empty();
    is_whole.then(|| Command::Private { to: to.to_owned(), text: text.to_owned(), copy })
}

fn cut(line: &str) -> (&str, &str) {
    line.split_once(' ').unwrap_or((line, ""))
}

fn only_word(rest: &str) -> Option<String> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let word = words.next()?;
    words.next().is_none().then(|| word.to_owned())
}
