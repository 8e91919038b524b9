//! Whatever bytes somebody types, others get nothing but text that can only be read, in
//! whole lines, behind a prefix, the same in every dialect.
//!
//! The input: how the text is said, how the listeners end their lines, and then the text.
#![no_main]

use chinwag::Ending;
use chinwag::chat::Dialect;
use chinwag_fuzz::decisions::Decisions;
use chinwag_fuzz::output::{sanitised, take_apart};
use chinwag_fuzz::room::{Room, SPEAKER};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// How a text comes to others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The line as it is, whatever it means.
    Line,
    Say,
    Me,
    Topic,
    Send,
    Msg,
    Away,
    /// Commands that have the text in their private answer, or find it unfit.
    Privately(&'static str),
}

const WAYS: [Way; 16] = [
    Way::Line,
    Way::Say,
    Way::Me,
    Way::Topic,
    Way::Send,
    Way::Msg,
    Way::Away,
    Way::Privately("/up "),
    Way::Privately("/down "),
    Way::Privately("/nick "),
    Way::Privately("/join "),
    Way::Privately("/msg "),
    Way::Privately("/ignore "),
    Way::Privately("/dialect "),
    Way::Privately("/help "),
    Way::Privately("/"),
];

/// The speaker as the dialects show it, by its address and its number.
const ADDRESS: &str = "[127.0.0.1] (1)";

fuzz_target!(|input: &[u8]| {
    let mut decisions = Decisions::new(input);
    let way = decisions.pick(&WAYS);
    let ending = decisions.pick(&[Ending::Lf, Ending::CrLf, Ending::Nul]);
    let typed = decisions.rest();
    let mut room = Room::new(ending);
    say(&mut room, way, typed);
    let text = sanitised(without_blanks_at_the_end(typed));
    assert!(text.len() <= 3 * typed.len(), "three times as long at most");
    // A topic that is a dash alone is none: it clears the one that there is.
    let is_topic = way != Way::Topic || text.trim() != "-";
    let is_shown = !text.is_empty() && is_topic && stays_whole(&text);
    for (listener, dialect) in Dialect::ALL.into_iter().enumerate() {
        let heard = room.heard(listener);
        let heard = lines(&heard, ending);
        match prefix(way, dialect).filter(|_| is_shown) {
            Some(prefix) => check_text(&heard, dialect, &prefix, &text),
            // Nobody says the reply that somebody is away.
            None if way == Way::Away => {}
            None => check_starts(&heard, dialect),
        }
        if matches!(way, Way::Say | Way::Me | Way::Topic) && is_shown {
            room.ask(listener, b"/history 1");
            let told_again = room.heard(listener);
            let told_again = lines(&told_again, ending);
            match prefix(way, Dialect::Native) {
                _ if dialect == Dialect::Json => assert_eq!(told_again, heard),
                Some(prefix) => {
                    check_text(&told_again, dialect, &format!("15:17 {prefix}"), &text);
                }
                None => {}
            }
        }
    }
    room.wait();
    for (listener, dialect) in Dialect::ALL.into_iter().enumerate() {
        let heard = room.heard(listener);
        check_starts(&lines(&heard, ending), dialect);
    }
    let _ = lines(&room.heard_by_speaker(), ending);
});

fn say(room: &mut Room, way: Way, typed: &[u8]) {
    let mut say = |start: &str| room.say(&[start.as_bytes(), typed].concat());
    match way {
        Way::Line => say(""),
        Way::Privately(command) => say(command),
        Way::Say => say("/say "),
        Way::Me => say("/me "),
        Way::Topic => say("/topic "),
        Way::Send => Dialect::ALL.iter().for_each(|to| say(&format!("SEND @{} ", to.name()))),
        Way::Msg => Dialect::ALL.iter().for_each(|to| say(&format!("/msg {} ", to.name()))),
        Way::Away => {
            say("/away ");
            for listener in 0..Dialect::ALL.len() {
                room.ask(listener, format!("SEND @{SPEAKER} hi").as_bytes());
            }
        }
    }
}

/// What stands before the text; `None` if it is not to come to others at all.
fn prefix(way: Way, dialect: Dialect) -> Option<String> {
    let prefix = match (way, dialect) {
        (Way::Line | Way::Privately(_), _) => return None,
        (Way::Away, _) => format!("{SPEAKER} is away: "),
        (Way::Me, _) => format!("* {SPEAKER} "),
        (Way::Topic, _) => format!("{SPEAKER} set the topic: "),
        (Way::Say, Dialect::Tutorial) => format!("{SPEAKER} says: "),
        (Way::Say, Dialect::Fork) => format!("{ADDRESS}:"),
        (Way::Say, _) => format!("[{SPEAKER}] "),
        (Way::Send | Way::Msg, Dialect::Tutorial) => format!("{SPEAKER} says to you: "),
        (Way::Send | Way::Msg, Dialect::Fork) => format!("{ADDRESS} to you:"),
        (Way::Send | Way::Msg, _) => format!("[{SPEAKER} → {}] ", dialect.name()),
    };
    Some(prefix)
}

/// One line, with the prefix and the text and no more. Programs get the text alone, or
/// where it is the server's sentence that too.
fn check_text(lines: &[&str], dialect: Dialect, prefix: &str, text: &str) {
    let [line] = lines else { panic!("not one line: {lines:?}") };
    if dialect != Dialect::Json {
        assert_eq!(*line, format!("{prefix}{text}"));
        return;
    }
    let object = object(line);
    let told = object["text"].as_str().expect("there is a text");
    match object["type"].as_str().expect("there is a type") {
        "reply" => assert_eq!(told, format!("{prefix}{text}")),
        _ => assert_eq!((object["from"].as_str(), told), (Some(SPEAKER), text)),
    }
}

/// Whether nothing of a text is cut, for being unseen or heaped on one character. Which
/// characters are is the server's to know: here are those that surely are not.
fn stays_whole(text: &str) -> bool {
    let is_filler = |c: char| matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
    let is_mark = |c: char| !c.is_ascii() && c.is_alphanumeric();
    let is_seen = |c: char| {
        c.is_ascii() || matches!(c, '\u{fffd}' | '\u{2400}'..='\u{2421}') || c.is_alphanumeric()
    };
    // A letter may be a mark as well, of which eight in a row stay.
    let is_heap = text.split(|c| !is_mark(c)).any(|marks| marks.chars().count() > 8);
    text.chars().all(|c| is_seen(c) && !is_filler(c)) && !is_heap
}

/// Whatever it is, others see from whom it is, or of whom it tells.
fn check_starts(lines: &[&str], dialect: Dialect) {
    let speech = match dialect {
        Dialect::Fork => ADDRESS.to_owned(),
        Dialect::Tutorial => format!("{SPEAKER} says"),
        _ => format!("[{SPEAKER}"),
    };
    let starts = [speech, format!("{SPEAKER} "), format!("* {SPEAKER} ")];
    for line in lines {
        if dialect == Dialect::Json {
            assert_eq!(object(line)["from"].as_str(), Some(SPEAKER), "not from whom it is: {line}");
        } else {
            assert!(starts.iter().any(|start| line.starts_with(start)), "no prefix: {line}");
        }
    }
}

fn object(line: &str) -> Value {
    let object: Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert!(object.is_object(), "no object: {line}");
    object
}

/// Whole lines, all ended as they should be.
fn lines(bytes: &[u8], ending: Ending) -> Vec<&str> {
    let sent = take_apart(bytes);
    assert_eq!(sent.unfinished, b"", "only whole lines");
    assert!(sent.answers.is_empty(), "nobody has asked");
    let lines = sent.lines.into_iter().map(|(line, how)| {
        assert_eq!(how, ending, "of {line}");
        line
    });
    lines.collect()
}

fn without_blanks_at_the_end(mut typed: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = typed {
        typed = rest;
    }
    typed
}
