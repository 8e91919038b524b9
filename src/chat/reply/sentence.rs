//! What a reply is made of.

use std::fmt::{self, Display};
use std::time::Duration;

use crate::chat::dialect::Kind;

/// A reply, not rendered yet.
pub(in crate::chat) struct Reply<T> {
    /// Whether something was done, or could not be.
    pub(in crate::chat) kind: Kind,
    /// What programs read. Codes never change; texts may.
    pub(in crate::chat) code: &'static str,
    pub(in crate::chat) text: T,
}

/// A reply that says what was done, or what was asked for.
pub(super) fn done<T: Display>(code: &'static str, text: T) -> Reply<T> {
    Reply { kind: Kind::Reply, code, text }
}

/// A reply that says what could not be done.
pub(super) fn error<T: Display>(code: &'static str, text: T) -> Reply<T> {
    Reply { kind: Kind::Error, code, text }
}

pub(super) fn on_or_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// A duration as it is given on the command line: `2 m`, `90 s`, `1.5 s`.
pub(in crate::chat) struct Span(pub(in crate::chat) Duration);

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
