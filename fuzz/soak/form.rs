//! The forms that a line from the server can have, in its native dialect.

/// What a line is.
pub(crate) enum Form<'a> {
    /// Somebody's line to the room; with the time of day before it if it was said before.
    Said {
        name: &'a str,
        text: &'a str,
        is_past: bool,
    },
    /// Somebody's line to one.
    Private {
        from: &'a str,
        to: &'a str,
    },
    /// One's own name, now.
    Named(&'a str),
    NameTaken,
    /// Who is in the room that one is in.
    Room(&'a str),
    /// To come back with.
    Token(&'a str),
    /// Why a private line was not delivered.
    Undelivered,
    /// The answer that is asked for to know that all before it has come.
    Done,
    NoticesOn,
    /// The last line of the greeting.
    Greeted,
    Skipped,
    Bye,
    /// Who comes and goes, and the rest of a greeting.
    Notice,
}

/// What a line is, or `None` if it is nothing that the server should say here.
pub(crate) fn read(line: &str) -> Option<Form<'_>> {
    if let Some(said) = speech(line, false) {
        return Some(said);
    }
    if is_time(line) {
        return speech(&line[6..], true).filter(|form| matches!(form, Form::Said { .. }));
    }
    match line {
        "DONE" => return Some(Form::Done),
        "Bye." | "Goodbye!" => return Some(Form::Bye),
        "Notices on." => return Some(Form::NoticesOn),
        "Welcome." | "-- kept in memory only --" => return Some(Form::Notice),
        _ => {}
    }
    reply(line).or_else(|| preference(line))
}

/// `[alice] hi`, `* alice waves`, `[alice → bob] hi`
fn speech(line: &str, is_past: bool) -> Option<Form<'_>> {
    if let Some(rest) = line.strip_prefix("* ") {
        let (name, text) = rest.split_once(' ')?;
        return Some(Form::Said { name, text, is_past });
    }
    let (name, text) = line.strip_prefix('[')?.split_once("] ")?;
    Some(match name.split_once(" → ") {
        Some((from, to)) => Form::Private { from, to },
        None => Form::Said { name, text, is_past },
    })
}

/// Whether it begins with `HH:MM `.
fn is_time(line: &str) -> bool {
    let digit = |byte: &u8| byte.is_ascii_digit();
    matches!(line.as_bytes(), [a, b, b':', c, d, b' ', ..] if [a, b, c, d].into_iter().all(digit))
}

fn reply(line: &str) -> Option<Form<'_>> {
    let named = line.strip_prefix("Registered as ").or_else(|| line.strip_prefix("You are now "));
    if let Some(name) = named {
        return Some(Form::Named(name));
    }
    if let Some((_, token)) =
        line.strip_prefix("To come back within ").and_then(|rest| rest.split_once(": /resume "))
    {
        return Some(Form::Token(token));
    }
    if line.starts_with("Name ") && line.ends_with(" is taken.") {
        return Some(Form::NameTaken);
    }
    if line.starts_with("You are guest") {
        return Some(Form::Greeted);
    }
    if line.starts_with("No one is called ") || line.ends_with(" is not reading; not delivered.") {
        return Some(Form::Undelivered);
    }
    let (count, rest) = line.split_once(" in ")?;
    let (room, _) = rest.split_once(": ")?;
    count.parse::<usize>().ok().map(|_| Form::Room(room))
}

/// What comes unasked.
fn preference(line: &str) -> Option<Form<'_>> {
    if line.starts_with("-- ") && line.ends_with(" skipped: your connection is slow --") {
        return Some(Form::Skipped);
    }
    let is_notice = line.ends_with(" joined the chat.")
        || line.ends_with(" left the chat.")
        || line.ends_with(" have new names")
        || line.contains(" is now ");
    is_notice.then_some(Form::Notice)
}
