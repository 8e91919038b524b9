//! The dialect of a tutorial's chat: `bob says: hi`. Guests are shown by their addresses.

use std::fmt::{self, Display, Write};
use std::net::SocketAddr;

use super::event::{Event, Kind, Person};
use super::native;
use crate::chat::name::Shown;

pub(super) fn render(event: &Event<'_>, line: &mut String) -> fmt::Result {
    let Event { kind, text, .. } = *event;
    let (Some(from), text) = (event.from.as_ref().map(Known), text.unwrap_or("")) else {
        return native::render(event, line);
    };
    match kind {
        Kind::Say => write!(line, "{from} says: {text}"),
        Kind::Me => write!(line, "* {from} {text}"),
        Kind::Private => write!(line, "{from} says to you: {text}"),
        Kind::Join => write!(line, "{from} joined the chat."),
        Kind::Leave => write!(line, "{from} left the chat."),
        Kind::Topic if text.is_empty() => write!(line, "{from} cleared the topic."),
        Kind::Topic => write!(line, "{from} set the topic: {text}"),
        Kind::Rename => match &event.to {
            Some(to) => write!(line, "{from} is now {to}"),
            None => Ok(()),
        },
        _ => native::render(event, line),
    }
}

/// A user's name; a guest's address where it is known.
struct Known<'a>(&'a Person<'a>);

impl Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addr: Option<SocketAddr> = self.0.addr;
        match (self.0.name, addr) {
            (Shown::Guest(_), Some(addr)) => addr.fmt(f),
            (name, _) => name.fmt(f),
        }
    }
}
