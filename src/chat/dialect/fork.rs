//! The dialect of a server that forks a process for each client: `[ADDR] (ID):hi`. The
//! connection's number stands in for the process id.

use std::fmt::{self, Write};

use super::event::{Event, Kind};
use super::native;

pub(super) fn render(event: &Event<'_>, line: &mut String) -> fmt::Result {
    let text = event.text.unwrap_or("");
    let (between, text) = match event.kind {
        Kind::Say => ("", text),
        Kind::Private => (" to you", text),
        Kind::Join => ("", "Connected"),
        _ => return native::render(event, line),
    };
    match event.from.and_then(|from| Some((from.addr?.ip(), from.number))) {
        Some((addr, number)) => write!(line, "[{addr}] ({number}){between}:{text}"),
        None => native::render(event, line),
    }
}
