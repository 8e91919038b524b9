//! What is said becomes bytes: how each dialect puts it, and how a line ends.

use std::fmt::{self, Write};
use std::str::FromStr;

use super::name::Shown;
use super::reply::Reply;
use crate::line::Ending;

/// How things are said to a connection. What it may say is the same in every dialect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// The chat's own.
    #[default]
    Native,
    /// Native, without notices.
    Recipe,
}

impl Dialect {
    /// Every dialect, in the order in which they are listed to users.
    pub const ALL: [Dialect; 2] = [Dialect::Native, Dialect::Recipe];

    /// The name that listeners are labelled with.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Native => "native",
            Dialect::Recipe => "recipe",
        }
    }
}

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Dialect, UnknownDialect> {
        let is_it = |dialect: &Dialect| dialect.name() == name;
        Dialect::ALL.into_iter().find(is_it).ok_or_else(|| UnknownDialect(name.to_owned()))
    }
}

/// A word that names no dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownDialect(String);

impl fmt::Display for UnknownDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown dialect '{}'; there are", self.0)?;
        let mut separator = " ";
        for dialect in Dialect::ALL {
            write!(f, "{separator}{}", dialect.name())?;
            separator = ", ";
        }
        Ok(())
    }
}

impl std::error::Error for UnknownDialect {}

/// A dialect and a line ending: those who share both are sent the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wording {
    pub(super) dialect: Dialect,
    pub(super) ending: Ending,
}

impl Wording {
    const ENDINGS: [Ending; 3] = [Ending::Lf, Ending::CrLf, Ending::Nul];
    pub(super) const COUNT: usize = Dialect::ALL.len() * Self::ENDINGS.len();

    pub(super) fn all() -> impl Iterator<Item = Wording> {
        Dialect::ALL.into_iter().flat_map(|dialect| {
            Self::ENDINGS.into_iter().map(move |ending| Wording { dialect, ending })
        })
    }

    /// Its place in [`Wording::all`].
    pub(super) fn index(self) -> usize {
        self.dialect as usize * Self::ENDINGS.len() + self.ending as usize
    }

    /// Appends an event as this wording has it, ending included.
    pub(super) fn render(self, event: &Event<'_>, line: &mut String) {
        let written = match event {
            Event::Said { from, text } => write!(line, "[{from}] {text}"),
            Event::Did { from, text } => write!(line, "* {from} {text}"),
            Event::Private { from, to, text } => write!(line, "[{from} → {to}] {text}"),
            Event::Reply(reply) => write!(line, "{reply}"),
        };
        written.expect("a String takes everything");
        line.push_str(self.ending.as_str());
    }
}

/// What there is to tell somebody.
pub(super) enum Event<'a> {
    Said {
        from: Shown<'a>,
        text: &'a str,
    },
    Did {
        from: Shown<'a>,
        text: &'a str,
    },
    Private {
        from: Shown<'a>,
        to: Shown<'a>,
        text: &'a str,
    },
    /// Anything of the server's own, to one user.
    Reply(Reply<'a>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wording_stands_at_its_index() {
        assert_eq!(Wording::all().count(), Wording::COUNT);
        for (index, wording) in Wording::all().enumerate() {
            assert_eq!(wording.index(), index);
        }
    }

    #[test]
    fn a_dialect_is_found_by_its_name() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.name().parse(), Ok(dialect));
        }
        let error = "klingon".parse::<Dialect>().unwrap_err().to_string();
        assert_eq!(error, "unknown dialect 'klingon'; there are native, recipe");
    }
}
