//! Renders events: how each dialect words them, and how a line ends.

mod event;
mod fork;
mod json;
mod native;
mod tutorial;

use std::fmt;
use std::str::FromStr;

use crate::net::line::Ending;
use crate::pack::{Damaged, Pack, Packer, Unpacker, impl_pack};
pub(super) use event::{Event, Kind, LineNumber, Person};

/// How events are worded for a connection. Commands are the same in every dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The chat's own.
    #[default]
    Native,
    /// Native, without notices.
    Recipe,
    /// `bob says: hi`; guests are shown by their addresses.
    Tutorial,
    /// `[ADDR] (ID):hi`; without echo.
    Fork,
    /// One JSON object a line, for programs.
    Json,
}

impl Dialect {
    /// Every dialect, in the order of the variants, in which they are listed to users.
    pub const ALL: [Dialect; 5] =
        [Dialect::Native, Dialect::Recipe, Dialect::Tutorial, Dialect::Fork, Dialect::Json];

    /// The name that listeners are labelled with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Native => "native",
            Dialect::Recipe => "recipe",
            Dialect::Tutorial => "tutorial",
            Dialect::Fork => "fork",
            Dialect::Json => "json",
        }
    }

    /// Whether it shows users' addresses. A server offers such dialects only where a listener has
    /// them.
    #[must_use]
    pub fn shows_addresses(self) -> bool {
        matches!(self, Dialect::Tutorial | Dialect::Fork)
    }

    /// Whether users can turn join, leave and rename notices on and off.
    pub(super) fn has_notices(self) -> bool {
        !matches!(self, Dialect::Recipe | Dialect::Fork)
    }

    /// Whether it announces each connection, when it opens. The other dialects announce users
    /// once they have sent a line.
    pub(super) fn announces_connections(self, kind: Kind) -> bool {
        match self {
            Dialect::Tutorial => true,
            Dialect::Fork => kind == Kind::Join,
            Dialect::Native | Dialect::Recipe | Dialect::Json => false,
        }
    }

    /// Whether speakers get a copy of what they say, until they choose otherwise.
    pub(super) fn echoes(self) -> bool {
        self != Dialect::Fork
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Dialect, UnknownDialect> {
        let is_it = |dialect: &Dialect| dialect.name().eq_ignore_ascii_case(name);
        Dialect::ALL.into_iter().find(is_it).ok_or_else(|| UnknownDialect(name.to_owned()))
    }
}

/// The error for a word that is no dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDialect(String);

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Dialect::ALL.map(Dialect::name).join(", ");
        write!(f, "unknown dialect '{}'; there are {names}", self.0)
    }
}

impl std::error::Error for UnknownDialect {}

/// A dialect and a line ending. Connections with the same format are sent the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) dialect: Dialect,
    pub(super) ending: Ending,
}

impl Format {
    const ENDINGS: usize = 4;
    /// The number of formats.
    pub(super) const COUNT: usize = Dialect::ALL.len() * Self::ENDINGS;

    /// The format's index, below [`Format::COUNT`].
    pub(super) fn index(self) -> usize {
        self.dialect as usize * Self::ENDINGS + self.ending as usize
    }

    /// The format for history. People get it in the native dialect, since only names are kept,
    /// not addresses.
    pub(super) fn in_history(self) -> Format {
        match self.dialect {
            Dialect::Json => self,
            _ => Format { dialect: Dialect::Native, ..self },
        }
    }

    /// Renders an event in this format, framed.
    pub(super) fn render<'a>(self, event: &Event<'_>, buffer: &'a mut Buffer) -> &'a [u8] {
        self.render_behind("", event, buffer)
    }

    /// Renders it behind the start of a line.
    pub(super) fn render_behind<'a>(
        self,
        start: &str,
        event: &Event<'_>,
        buffer: &'a mut Buffer,
    ) -> &'a [u8] {
        let Buffer { line, framed } = buffer;
        line.clear();
        line.push_str(start);
        let written = match self.dialect {
            Dialect::Native | Dialect::Recipe => native::render(event, line),
            Dialect::Tutorial => tutorial::render(event, line),
            Dialect::Fork => fork::render(event, line),
            Dialect::Json => json::render(event, line),
        };
        written.expect("a String takes everything");
        self.ending.frame(line, framed)
    }
}

/// Where lines are rendered, one after the other.
#[derive(Default)]
pub(super) struct Buffer {
    line: String,
    framed: Vec<u8>,
}

/// By the place in [`Dialect::ALL`].
impl Pack for Dialect {
    fn pack(&self, to: &mut Packer) {
        to.tag(*self as u8);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Dialect, Damaged> {
        let dialect = Dialect::ALL.get(usize::from(from.tag()?));
        dialect.copied().ok_or_else(|| from.wrong("dialect"))
    }
}

impl_pack! {
    struct Format { dialect, ending }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_has_an_index_of_its_own() {
        let endings = [Ending::Lf, Ending::CrLf, Ending::Nul, Ending::WebSocket];
        let all = Dialect::ALL
            .into_iter()
            .flat_map(|dialect| endings.map(|ending| Format { dialect, ending }));
        let numbers: Vec<usize> = all.map(Format::index).collect();
        assert_eq!(numbers, (0..Format::COUNT).collect::<Vec<_>>());
    }

    #[test]
    fn a_dialect_is_found_by_its_name() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.name().parse(), Ok(dialect));
        }
        let error = "klingon".parse::<Dialect>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown dialect 'klingon'; there are native, recipe, tutorial, fork, json"
        );
    }
}
