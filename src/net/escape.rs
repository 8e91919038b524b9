//! The sequences that a terminal's keys send (arrows, function keys, the marks around what is
//! pasted), across packet boundaries. Knows no lines.

use crate::net::scan::ESC;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// More parameters than any key sends.
const PARAMETERS_MAX: u8 = 64;

/// How far a sequence has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Escape {
    #[default]
    None,
    /// After ESC.
    Started,
    /// After ESC `[` (CSI) and so many parameters.
    Parameters(u8),
    /// One more byte: after ESC `O` (SS3), or ESC `[[`, the Linux console's function keys.
    Last,
}

/// What a byte turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Part of a sequence.
    Taken,
    /// None of it; and if so, the ESC before it was a character like others.
    Left { after_escape: bool },
}

impl Escape {
    /// Whether [`Escape::step`] is to be asked about a byte.
    pub(crate) fn wants(self, byte: u8) -> bool {
        byte == ESC || self != Escape::None
    }

    pub(crate) fn step(&mut self, byte: u8) -> Step {
        let after_escape = *self == Escape::Started;
        let next = match (*self, byte) {
            // One that was cut short makes way. With Alt held, another ESC comes before the
            // key's own.
            (_, ESC) => Some(Escape::Started),
            (Escape::Started, b'[') => Some(Escape::Parameters(0)),
            (Escape::Started, b'O') | (Escape::Parameters(0), b'[') => Some(Escape::Last),
            (Escape::Parameters(count @ ..PARAMETERS_MAX), b' '..=b'?') => {
                Some(Escape::Parameters(count + 1))
            }
            // Older terminals send Shift and the like as a digit.
            (Escape::Last, b'0'..=b'9') => Some(Escape::Parameters(1)),
            (Escape::Parameters(_), b'@'..=b'~') | (Escape::Last, b' '..=b'~') => {
                Some(Escape::None)
            }
            _ => None,
        };
        *self = next.unwrap_or_default();
        if next.is_some() { Step::Taken } else { Step::Left { after_escape } }
    }
}

impl Pack for Escape {
    fn pack(&self, to: &mut Packer) {
        match self {
            Escape::None => to.tag(0),
            Escape::Started => to.tag(1),
            Escape::Parameters(count) => to.tag(2).put(count),
            Escape::Last => to.tag(3),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Escape, Damaged> {
        Ok(match from.tag()? {
            0 => Escape::None,
            1 => Escape::Started,
            2 => Escape::Parameters(from.get()?),
            3 => Escape::Last,
            _ => return Err(from.wrong("escape sequence")),
        })
    }
}
