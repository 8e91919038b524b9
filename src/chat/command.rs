//! Parses a line into a command, or says what is wrong with it.

use super::password::Secret;
use super::text::is_blank;

/// A command of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    Say(&'a str),
    /// A name, and perhaps its password.
    Register(&'a str, Option<Secret<'a>>),
    Nick(&'a str, Option<Secret<'a>>),
    /// A private message without a copy for the sender.
    Send(&'a str, &'a str),
    /// A private message with a copy for the sender.
    Msg(&'a str, &'a str),
    Reply(&'a str),
    Me(&'a str),
    Join(&'a str),
    Leave,
    Who(Option<&'a str>),
    Rooms,
    Topic(Option<&'a str>),
    ClearTopic,
    /// How many lines to show.
    History(usize),
    Away(Option<&'a str>),
    Ignore(&'a str),
    Unignore(&'a str),
    Notices(bool),
    Dialect(&'a str),
    /// Asks for a resume token.
    ResumeToken,
    /// The token, and the number and epoch of the last line that was seen.
    Resume(&'a str, Option<u64>, Option<i64>),
    Stats,
    Time,
    Up(&'a str),
    Down(&'a str),
    Echo(bool),
    Help,
    HelpOn(&'static Entry),
    /// `/exit`, `/quit`.
    Exit,
    /// `exit`, `quit`.
    Goodbye,
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mistake<'a> {
    Unknown(&'a str),
    Usage(&'static str),
    /// A word where a time is expected that begins like one.
    NoTime(&'a str),
}

/// An entry in a table of commands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) usage: &'static str,
    pub(super) help: &'static str,
}

pub(super) const fn entry(name: &'static str, usage: &'static str, help: &'static str) -> Entry {
    Entry { name, usage, help }
}

/// The common commands, for `/help COMMAND` and for usage errors. `REGISTER` and `SEND` have no
/// slash.
pub(super) static TABLE: [Entry; 28] = [
    entry(
        "register",
        "REGISTER NAME",
        "take a name; where there are accounts, /protect PASSWORD has it protected",
    ),
    entry("send", "SEND @NAME TEXT", "say something to NAME alone"),
    entry("nick", "/nick NAME", "take a name; a protected one: /nick NAME PASSWORD"),
    entry("msg", "/msg NAME TEXT", "say something to NAME alone, and see it yourself"),
    entry("reply", "/reply TEXT", "answer whoever last wrote to you alone"),
    entry("r", "/reply TEXT", "answer whoever last wrote to you alone"),
    entry("me", "/me TEXT", "tell the room what you do"),
    entry("say", "/say TEXT", "say anything, even what looks like a command"),
    entry("join", "/join ROOM", "go to a room; there need not be one yet"),
    entry("leave", "/leave", "go back to the lobby"),
    entry("who", "/who [ROOM]", "list who is in the room, or in another"),
    entry("rooms", "/rooms", "list the rooms, and how many are in each"),
    entry("topic", "/topic [TEXT|-]", "the room's topic, or a new one; - clears it"),
    entry("history", "/history [N]", "the last N lines that were said in the room"),
    entry("away", "/away [TEXT]", "tell those who write to you that you are away, or not any more"),
    entry("ignore", "/ignore NAME", "do not see what NAME says; NAME is not told"),
    entry("unignore", "/unignore NAME", "see it again"),
    entry("notices", "/notices on|off", "whether you are told who comes and goes"),
    entry("echo", "/echo on|off", "whether what you say comes back to you"),
    entry("dialect", "/dialect NAME", "how things are said to you: native, recipe, json"),
    entry(
        "resume",
        "/resume [TOKEN [SEQ [EPOCH]]]",
        "have your name held if you are cut off, or come back",
    ),
    entry("time", "/time", "the server's date and time"),
    entry("up", "/up TEXT", "TEXT in upper case"),
    entry("down", "/down TEXT", "TEXT in lower case"),
    entry("stats", "/stats", "how the server is doing"),
    entry("help", "/help [COMMAND]", "this help, or that on a command"),
    entry("exit", "/exit", "leave"),
    entry("quit", "/quit", "leave"),
];

/// The text of `/help`: one line a topic, at most twelve.
pub(super) static HELP: [&str; 10] = [
    "Type to talk. A command starts with a slash; //text says /text.",
    "Names: /nick NAME, or REGISTER NAME",
    "Private: /msg NAME TEXT, or SEND @NAME TEXT; /reply TEXT",
    "Talk: /me TEXT, /say TEXT, /history [N], /topic [TEXT]",
    "Rooms: /join ROOM, /leave, /rooms, /who [ROOM]",
    "Yourself: /away [TEXT], /ignore NAME, /unignore NAME, /notices on|off, /echo on|off",
    "Connection: /resume [TOKEN [SEQ [EPOCH]]], /dialect NAME, /stats",
    "Tools: /time, /up TEXT, /down TEXT",
    "Leave: /exit, or /quit, exit, quit",
    "More on one: /help COMMAND",
];

impl<'a> Command<'a> {
    /// Parses a sanitised line that is not blank. The order of the checks is part of the
    /// protocol: a private message must never be said to the room by mistake. So `is_here`
    /// decides whether the word after `SEND` is a user.
    pub(super) fn parse(
        line: &'a str,
        is_here: impl Fn(&str) -> bool,
    ) -> Result<Command<'a>, Mistake<'a>> {
        if line.starts_with("//") {
            return Ok(Command::Say(&line[1..]));
        }
        if let Some(command) = line.strip_prefix('/') {
            return slash(command);
        }
        let (word, rest) = split_word(line);
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        if is("REGISTER") {
            let (name, password) =
                name_and_password(rest).ok_or(Mistake::Usage("REGISTER NAME"))?;
            return Ok(Command::Register(name, password));
        }
        if is("SEND") {
            let rest = rest.trim_start();
            if rest.starts_with('@') || is_here(addressee(split_word(rest).0)) {
                let (name, text) = name_and_text(rest).ok_or(Mistake::Usage("SEND @NAME TEXT"))?;
                return Ok(Command::Send(name, text));
            }
        }
        if rest.is_empty() && (is("quit") || is("exit")) {
            return Ok(Command::Goodbye);
        }
        Ok(Command::Say(line))
    }
}

/// Parses a line after its slash.
fn slash<'a>(line: &'a str) -> Result<Command<'a>, Mistake<'a>> {
    let (name, rest) = split_word(line);
    let entry = find(&TABLE, name).filter(|entry| entry.usage.starts_with('/'));
    let entry = entry.ok_or(Mistake::Unknown(name))?;
    let text = Some(rest).filter(|rest| !is_blank(rest));
    let optional = |rest: &'a str| match rest.trim() {
        "" => Some(None),
        _ => one_word(rest).map(Some),
    };
    let command = match entry.name {
        "nick" => name_and_password(rest).map(|(name, password)| Command::Nick(name, password)),
        "msg" => name_and_text(rest).map(|(name, text)| Command::Msg(name, text)),
        "reply" | "r" => text.map(Command::Reply),
        "me" => text.map(Command::Me),
        "say" => text.map(Command::Say),
        "join" => one_word(rest).map(Command::Join),
        "leave" => Some(Command::Leave),
        "who" => optional(rest).map(Command::Who),
        "rooms" => Some(Command::Rooms),
        "topic" if one_word(rest) == Some("-") => Some(Command::ClearTopic),
        "topic" => Some(Command::Topic(text)),
        "history" => optional(rest).and_then(count).map(Command::History),
        "away" => Some(Command::Away(text)),
        "ignore" => one_word(rest).map(Command::Ignore),
        "unignore" => one_word(rest).map(Command::Unignore),
        "notices" => one_word(rest).and_then(on_or_off).map(Command::Notices),
        "dialect" => one_word(rest).map(Command::Dialect),
        "resume" => resume(rest),
        "stats" => Some(Command::Stats),
        "time" => Some(Command::Time),
        "up" => text.map(Command::Up),
        "down" => text.map(Command::Down),
        "echo" => one_word(rest).and_then(on_or_off).map(Command::Echo),
        "help" => match one_word(rest) {
            None => Some(Command::Help),
            Some(name) => {
                let name = name.trim_start_matches('/');
                Some(Command::HelpOn(find(&TABLE, name).ok_or(Mistake::Unknown(name))?))
            }
        },
        "exit" | "quit" => Some(Command::Exit),
        _ => return Err(Mistake::Unknown(name)),
    };
    command.ok_or(Mistake::Usage(entry.usage))
}

/// Finds a command by its name in any case.
pub(super) fn find(table: &'static [Entry], name: &str) -> Option<&'static Entry> {
    table.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
}

/// The entry that `/help NAME` is about.
pub(super) fn help_on(table: &'static [Entry], name: &str, rest: &str) -> Option<&'static Entry> {
    let is_help = name.eq_ignore_ascii_case("help");
    find(table, one_word(rest).filter(|_| is_help)?.trim_start_matches('/'))
}

/// How many lines of history.
fn count(word: Option<&str>) -> Option<usize> {
    match word {
        None => Some(20),
        Some(word) => word.parse().ok().filter(|count| *count > 0),
    }
}

fn resume(rest: &str) -> Option<Command<'_>> {
    let mut words = rest.split_whitespace();
    let Some(token) = words.next() else { return Some(Command::ResumeToken) };
    let seq = words.next().map(str::parse).transpose().ok()?;
    let epoch = words.next().map(str::parse).transpose().ok()?;
    words.next().is_none().then_some(Command::Resume(token, seq, epoch))
}

/// The command most like an unknown one: the first that begins with it, or else the one with the
/// fewest edits.
pub(super) fn near(
    name: &str,
    entries: impl Iterator<Item = &'static Entry> + Clone,
) -> Option<&'static str> {
    let name = name.to_lowercase();
    // In a short word two edits make another word. A word twice as long as a command is not
    // compared: it would take long.
    let most = if name.chars().count() < 4 { 1 } else { 2 };
    let names = entries
        .filter(|entry| entry.usage.starts_with('/') && entry.name.len() > 1)
        .map(|entry| entry.name)
        .filter(|other| !name.is_empty() && name.len() <= 2 * other.len());
    let begun = names.clone().find(|other| name.len() > 1 && other.starts_with(&*name));
    let nearest = || {
        names
            .map(|other| (strsim::damerau_levenshtein(&name, other), other))
            .filter(|(distance, _)| *distance <= most)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, other)| other)
    };
    begun.or_else(nearest)
}

fn on_or_off(word: &str) -> Option<bool> {
    let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
    (is("on") || is("off")).then(|| is("on"))
}

/// The first word, and what follows the one space after it. Keyboards also produce no-break and
/// ideographic spaces, which count as spaces.
pub(super) fn split_word(line: &str) -> (&str, &str) {
    line.split_once(char::is_whitespace).unwrap_or((line, ""))
}

/// The rest of a line, if it is one word.
pub(super) fn one_word(rest: &str) -> Option<&str> {
    let word = rest.trim();
    Some(word).filter(|word| !word.is_empty() && !word.contains(char::is_whitespace))
}

/// A name, and perhaps its password: all that follows one space.
fn name_and_password(rest: &str) -> Option<(&str, Option<Secret<'_>>)> {
    let (name, password) = split_word(rest.trim_start().trim_end_matches(' '));
    let password = Some(Secret(password)).filter(|_| !password.is_empty());
    Some((name, password)).filter(|_| !name.is_empty())
}

/// A user, and the text after one space. Further spaces belong to the text.
fn name_and_text(rest: &str) -> Option<(&str, &str)> {
    let (word, text) = split_word(rest.trim_start());
    let name = addressee(word);
    Some((name, text)).filter(|_| !name.is_empty() && !is_blank(text))
}

/// The name in `bob`, `@bob` or `bob:`.
fn addressee(word: &str) -> &str {
    word.strip_prefix('@').unwrap_or(word).trim_end_matches([':', ','])
}

#[cfg(test)]
mod tests {
    use super::Command::*;
    use super::*;

    /// Parses a line in a chat whose only user is bob.
    fn parse(line: &str) -> Result<Command<'_>, Mistake<'_>> {
        Command::parse(line, |name| name.eq_ignore_ascii_case("bob"))
    }

    #[test]
    fn lines_are_parsed_as_the_protocol_says() {
        let cases = [
            ("hello", Say("hello")),
            ("//shrug", Say("/shrug")),
            ("//", Say("/")),
            ("/say /nick ann", Say("/nick ann")),
            ("/SAY  two spaces", Say(" two spaces")),
            ("register ann", Register("ann", None)),
            ("REGISTER   ann", Register("ann", None)),
            ("Register ann smith", Register("ann", Some(Secret("smith")))),
            ("registered users only", Say("registered users only")),
            ("Send help please", Say("Send help please")),
            ("SEND bob hi", Send("bob", "hi")),
            ("send  Bob  hi", Send("Bob", " hi")),
            ("SEND bob: hi", Send("bob", "hi")),
            ("SEND bobby hi", Say("SEND bobby hi")),
            ("SEND", Say("SEND")),
            ("SEND\u{a0}@bob hi", Send("bob", "hi")),
            ("SEND\u{a0}bob\u{a0}hi", Send("bob", "hi")),
            ("/join\u{3000}games", Join("games")),
            ("/nick\u{a0}ann\u{a0}hunter22", Nick("ann", Some(Secret("hunter22")))),
            ("/msg @bob hi", Msg("bob", "hi")),
            ("/msg bob: hi", Msg("bob", "hi")),
            ("/topic -", ClearTopic),
            ("/topic - - -", Topic(Some("- - -"))),
            ("send   @bob hi there", Send("bob", "hi there")),
            ("SEND @bob  hi", Send("bob", " hi")),
            ("Quit", Goodbye),
            ("EXIT", Goodbye),
            ("quit it", Say("quit it")),
            ("/quit", Exit),
            ("/nick ann", Nick("ann", None)),
            ("/nick  ann a  b ", Nick("ann", Some(Secret("a  b")))),
            ("/msg bob hi", Msg("bob", "hi")),
            ("/msg  bob  hi", Msg("bob", " hi")),
            ("/r hi", Reply("hi")),
            ("/me waves", Me("waves")),
            ("/who", Who(None)),
            ("/who lobby", Who(Some("lobby"))),
            ("/down ÄÖ", Down("ÄÖ")),
            ("/echo OFF", Echo(false)),
            ("/help", Help),
            ("/join games", Join("games")),
            ("/topic", Topic(None)),
            ("/topic  two words", Topic(Some(" two words"))),
            ("/history", History(20)),
            ("/history 5", History(5)),
            ("/away", Away(None)),
            ("/resume", ResumeToken),
            ("/resume abc", Resume("abc", None, None)),
            ("/resume abc 7", Resume("abc", Some(7), None)),
            ("/resume abc 7 1795", Resume("abc", Some(7), Some(1795))),
        ];
        for (line, command) in cases {
            assert_eq!(parse(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn a_mistake_is_never_said_to_anybody() {
        let cases = [
            ("REGISTER", Mistake::Usage("REGISTER NAME")),
            ("SEND @bob", Mistake::Usage("SEND @NAME TEXT")),
            ("SEND @", Mistake::Usage("SEND @NAME TEXT")),
            ("send BOB", Mistake::Usage("SEND @NAME TEXT")),
            ("send @ hi", Mistake::Usage("SEND @NAME TEXT")),
            ("/nick", Mistake::Usage("/nick NAME")),
            ("/msg bob", Mistake::Usage("/msg NAME TEXT")),
            ("/say", Mistake::Usage("/say TEXT")),
            ("/r", Mistake::Usage("/reply TEXT")),
            ("/echo maybe", Mistake::Usage("/echo on|off")),
            ("/history x", Mistake::Usage("/history [N]")),
            ("/history 0", Mistake::Usage("/history [N]")),
            ("/join", Mistake::Usage("/join ROOM")),
            ("/join a b", Mistake::Usage("/join ROOM")),
            ("/who a b", Mistake::Usage("/who [ROOM]")),
            ("/resume a 1 2 3", Mistake::Usage("/resume [TOKEN [SEQ [EPOCH]]]")),
            ("/resume a 1 c", Mistake::Usage("/resume [TOKEN [SEQ [EPOCH]]]")),
            ("/resume a b", Mistake::Usage("/resume [TOKEN [SEQ [EPOCH]]]")),
            ("/", Mistake::Unknown("")),
            ("/ nick", Mistake::Unknown("")),
            ("/Foo bar", Mistake::Unknown("Foo")),
            ("/register ann", Mistake::Unknown("register")),
            ("/help foo", Mistake::Unknown("foo")),
        ];
        for (line, mistake) in cases {
            assert_eq!(parse(line), Err(mistake), "{line}");
        }
    }

    #[test]
    fn a_typing_error_finds_the_command_that_was_meant() {
        let cases = [
            ("nikc", Some("nick")),
            ("mgs", Some("msg")),
            ("HELO", Some("help")),
            ("he", Some("help")),
            ("Hist", Some("history")),
            ("em", Some("me")),
        ];
        let long = "me".repeat(500);
        let no = [
            ("", None),
            ("xyzzy", None),
            ("register", None),
            ("q", None),
            ("h", None),
            (&*long, None),
        ];
        for (typed, meant) in cases.into_iter().chain(no) {
            assert_eq!(near(typed, TABLE.iter()), meant, "{typed}");
        }
    }

    #[test]
    fn every_command_of_the_table_is_understood() {
        for entry in TABLE.iter().filter(|entry| entry.usage.starts_with('/')) {
            let line = format!("/{} nick", entry.name);
            let parsed = parse(&line);
            assert!(!matches!(parsed, Err(Mistake::Unknown(_))), "{line} is {parsed:?}");
        }
    }
}
