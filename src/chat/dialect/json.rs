//! The dialect for programs: one JSON object (RFC 8259) a line. Fields are always in the same
//! order; those that do not apply are left out.

use std::fmt::{self, Display, Write};

use super::event::{Event, Kind, LineNumber};

pub(super) fn render(event: &Event<'_>, line: &mut String) -> fmt::Result {
    line.push('{');
    if let Some(LineNumber { seq, epoch }) = event.number {
        write!(line, "\"seq\":{seq},\"epoch\":{epoch},")?;
    }
    write!(line, "\"at\":{},\"type\":\"{}\"", event.at, type_of(event.kind))?;
    field(line, "room", event.room)?;
    field(line, "from", event.from)?;
    field(line, "to", event.to)?;
    field(line, "text", event.text)?;
    field(line, "code", event.code)?;
    line.push('}');
    Ok(())
}

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Hello => "hello",
        Kind::Say => "say",
        Kind::Me => "me",
        Kind::Private | Kind::Copy => "private",
        Kind::Join => "join",
        Kind::Leave => "leave",
        Kind::Rename => "rename",
        Kind::Topic => "topic",
        Kind::Notice => "notice",
        Kind::Skipped => "skipped",
        Kind::Reply => "reply",
        Kind::Error => "error",
    }
}

fn field(line: &mut String, name: &str, value: Option<impl Display>) -> fmt::Result {
    let Some(value) = value else { return Ok(()) };
    write!(line, ",\"{name}\":\"")?;
    write!(Escaping(line), "{value}")?;
    line.push('"');
    Ok(())
}

/// Escapes a JSON string. Texts are sanitised, so only these two characters are left to escape;
/// control characters are escaped all the same.
struct Escaping<'a>(&'a mut String);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '"' | '\\' => self.0.extend(['\\', c]),
                '\0'..='\x1f' => write!(self.0, "\\u{:04x}", u32::from(c))?,
                _ => self.0.push(c),
            }
        }
        Ok(())
    }
}
