//! Sentences about commands, the server, and the user's connection to it.

use std::fmt::{self, Display};

use super::sentence::{Reply, done, error};
use crate::chat::dialect::Kind;

/// Sent to peers that are not admitted. Their line ending is not known yet.
pub(in crate::chat) const FULL: &[u8] = b"Server is full.\n";
pub(in crate::chat) const ADDRESS_FULL: &[u8] = b"Too many connections from your address.\n";
pub(in crate::chat) const NO_WEB_SERVER: &[u8] = b"This is a chat server, not a web server.\n";

pub(in crate::chat) fn time(text: &str) -> Reply<&str> {
    done("time", text)
}

/// The reply to `/up` and `/down`.
pub(in crate::chat) fn text(text: &str) -> Reply<&str> {
    done("text", text)
}

pub(in crate::chat) fn stats(line: &str) -> Reply<&str> {
    done("stats", line)
}

pub(in crate::chat) fn help(line: &str) -> Reply<&str> {
    done("help", line)
}

pub(in crate::chat) fn help_on(usage: &str, help: &str) -> Reply<impl Display> {
    done("help", fmt::from_fn(move |f| write!(f, "{usage}: {help}")))
}

/// The name of a command with a similar name goes along.
pub(in crate::chat) fn unknown_command(name: &str, near: Option<&str>) -> Reply<impl Display> {
    error(
        "unknown_command",
        fmt::from_fn(move |f| {
            write!(f, "Unknown command: {}", name.to_lowercase())?;
            near.map_or(Ok(()), |near| write!(f, " (did you mean /{near}?)"))
        }),
    )
}

pub(in crate::chat) fn usage(usage: &str) -> Reply<impl Display> {
    error("usage", fmt::from_fn(move |f| write!(f, "Usage: {usage}")))
}

pub(in crate::chat) fn greeting(line: &str) -> Reply<&str> {
    done("greeting", line)
}

pub(in crate::chat) fn kept_in_memory() -> Reply<&'static str> {
    done("greeting", "-- kept in memory only --")
}

pub(in crate::chat) fn you_are(name: &str) -> Reply<impl Display> {
    done(
        "greeting",
        fmt::from_fn(move |f| {
            write!(f, "You are {name}. Type to talk; /nick NAME to be named; /help for more.")
        }),
    )
}

pub(in crate::chat) fn line_too_long(max: usize) -> Reply<impl Display> {
    error(
        "line_too_long",
        fmt::from_fn(move |f| write!(f, "Line too long (limit {max} bytes); dropped.")),
    )
}

pub(in crate::chat) fn throttled() -> Reply<&'static str> {
    done("throttled", "Slow down: your lines are being delayed.")
}

pub(in crate::chat) fn still_there() -> Reply<&'static str> {
    done("still_there", "Are you still there?")
}

pub(in crate::chat) fn here() -> Reply<&'static str> {
    done("here", "[chinwag: yes]")
}

pub(in crate::chat) fn skipped(count: u64) -> Reply<impl Display> {
    let text = fmt::from_fn(move |f| match count {
        1 => f.write_str("-- 1 line skipped: your connection is slow --"),
        _ => write!(f, "-- {count} lines skipped: your connection is slow --"),
    });
    Reply { kind: Kind::Skipped, ..done("skipped", text) }
}

pub(in crate::chat) fn goodbye() -> Reply<&'static str> {
    done("bye", "Goodbye!")
}

pub(in crate::chat) fn bye() -> Reply<&'static str> {
    done("bye", "Bye.")
}

/// The reason may be empty.
pub(in crate::chat) fn shutting_down(why: &str) -> Reply<impl Display> {
    done(
        "shutting_down",
        fmt::from_fn(move |f| match why {
            "" => f.write_str("Server is shutting down."),
            _ => write!(f, "Server is shutting down: {why}"),
        }),
    )
}
