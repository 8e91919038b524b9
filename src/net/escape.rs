//! The sequences that a terminal sends by itself (for arrows, function keys and the mouse, around
//! what is pasted, as the answer to a program's question), across packet boundaries. Knows no lines.

use crate::net::scan::ESC;
use crate::pack::impl_pack;

/// More parameters than any key sends.
const PARAMETERS_MAX: u8 = 64;

/// Longer than any answer of a terminal that nobody asks for here.
const STRING_MAX: u8 = 200;

const BEL: u8 = 0x07;

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
    /// After ESC `[M`, and with so many bytes left: an old report of the mouse, or a key.
    Mouse(u8),
    /// After ESC and this byte, which may begin a string: OSC, DCS or APC.
    StringStart(u8),
    /// After so many bytes of a string.
    String(u8),
}

/// What a byte turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Part of a sequence.
    Taken,
    /// None of it; and these, which were taken before, are characters like others.
    Left(&'static [u8]),
}

impl Escape {
    /// Whether [`Escape::step`] is to be asked about a byte.
    pub(crate) fn wants(self, byte: u8) -> bool {
        byte == ESC || self != Escape::None
    }

    pub(crate) fn step(&mut self, byte: u8) -> Step {
        use Escape::{Last, Mouse, Parameters, Started, StringStart};
        let next = match (*self, byte) {
            // One that was cut short makes way. With Alt held, another ESC comes before the
            // key's own.
            (_, ESC) => Started,
            (Started, b'[') => Parameters(0),
            (Started, b'O') | (Parameters(0), b'[') => Last,
            (Started, b']' | b'P' | b'_') => StringStart(byte),
            (Parameters(0), b'M') => Mouse(3),
            // No terminal sends a slash here, but a command begins with one.
            (Parameters(count @ ..PARAMETERS_MAX), b' '..=b'.' | b'0'..=b'?') => {
                Parameters(count + 1)
            }
            // Older terminals send Shift and the like as a digit.
            (Last, b'0'..=b'9') => Parameters(1),
            // A button or the wheel, without Shift and the like.
            (Mouse(3), b' '..=b'#' | b'@'..=b'C' | b'`' | b'a') => Mouse(2),
            (Mouse(2), b' '..) => Mouse(1),
            // How answers begin. What follows Alt and a letter does not.
            (StringStart(_), b'0'..=b'9' | b'>' | b'!' | b'G' | b'l' | b'L') => Escape::String(1),
            (Escape::String(count @ ..STRING_MAX), b' '..=b'~' | 0x80..) => {
                Escape::String(count + 1)
            }
            // With a backslash, ESC is the end of a string.
            (Started, b'\\')
            | (Parameters(_), b'@'..=b'~')
            | (Last, b' ' | b'@'..=b'~')
            | (Mouse(1), b' '..)
            | (Escape::String(_), BEL) => Escape::None,
            _ => return Step::Left(std::mem::take(self).text()),
        };
        *self = next;
        Step::Taken
    }

    /// What there is of it, if it is none after all but text.
    fn text(self) -> &'static [u8] {
        match self {
            Escape::Started => b"\x1b",
            Escape::StringStart(b']') => b"\x1b]",
            Escape::StringStart(b'_') => b"\x1b_",
            Escape::StringStart(_) => b"\x1bP",
            _ => b"",
        }
    }
}

impl_pack! {
    enum Escape {
        0 => None,
        1 => Started,
        2 => Parameters(count),
        3 => Last,
        4 => Mouse(left),
        5 => StringStart(byte),
        6 => String(count),
    }
    else "escape sequence"
}
