//! The chat's own dialect. Other dialects use it for events that they have no form of.

use std::fmt::{self, Display, Write};

use super::event::{Event, Kind, Person};

pub(super) fn render(event: &Event<'_>, line: &mut String) -> fmt::Result {
    let Event { kind, from, to, text, .. } = *event;
    let (from, to, text) = (Maybe(from), Maybe(to), text.unwrap_or(""));
    match kind {
        Kind::Say => write!(line, "[{from}] {text}"),
        Kind::Me => write!(line, "* {from} {text}"),
        Kind::Private | Kind::Copy => write!(line, "[{from} → {to}] {text}"),
        Kind::Join => write!(line, "{from} joined the chat."),
        Kind::Leave => write!(line, "{from} left the chat."),
        Kind::Rename => write!(line, "{from} is now {to}"),
        Kind::Topic if text.is_empty() => write!(line, "{from} cleared the topic."),
        Kind::Topic => write!(line, "{from} set the topic: {text}"),
        Kind::Hello | Kind::Notice | Kind::Skipped | Kind::Reply | Kind::Error => {
            line.write_str(text)
        }
    }
}

/// A user's name, or nothing.
struct Maybe<'a>(Option<Person<'a>>);

impl Display for Maybe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |person| person.fmt(f))
    }
}
