//! What the server says to one user. Each sentence is a function, and has its text, its code for
//! programs and its severity in one place; the files are by subject.

mod accounts;
mod operators;
mod people;
mod rooms;
mod server;

use std::fmt::{self, Display};
use std::time::Duration;

use super::dialect::Kind;
pub(super) use accounts::*;
pub(super) use operators::*;
pub(super) use people::*;
pub(super) use rooms::*;
pub(super) use server::*;

/// A reply, not rendered yet.
pub(super) struct Reply<T> {
    /// Whether something was done, or could not be.
    pub(super) kind: Kind,
    /// What programs read. Codes never change; texts may.
    pub(super) code: &'static str,
    pub(super) text: T,
}

/// A reply that says what was done, or what was asked for.
fn done<T: Display>(code: &'static str, text: T) -> Reply<T> {
    Reply { kind: Kind::Reply, code, text }
}

/// A reply that says what could not be done.
fn error<T: Display>(code: &'static str, text: T) -> Reply<T> {
    Reply { kind: Kind::Error, code, text }
}

fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// A duration as it is given on the command line: `2 m`, `90 s`, `1.5 s`.
pub(super) struct Span(pub(super) Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        let whole = self.0.as_secs();
        match whole {
            _ if self.0.subsec_nanos() > 0 => write!(f, "{seconds} s"),
            3600.. if whole.is_multiple_of(3600) => write!(f, "{} h", whole / 3600),
            60.. if whole.is_multiple_of(60) => write!(f, "{} m", whole / 60),
            _ => write!(f, "{whole} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_shown_in_the_largest_unit_that_fits() {
        for (millis, said) in
            [(120_000, "2 m"), (90_000, "90 s"), (7_200_000, "2 h"), (1500, "1.5 s"), (0, "0 s")]
        {
            assert_eq!(Span(Duration::from_millis(millis)).to_string(), said);
        }
    }
}
