//! Telnet's part of the bytes, across packet boundaries. Knows no lines.
//!
//! The server negotiates nothing: it answers DO with WONT and WILL with DONT, and never asks
//! itself. (RFC 854, RFC 855.)

use crate::net::scan::IAC;
use crate::pack::impl_pack;
use crate::work;

const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const ERASE_LINE: u8 = 248;
const ERASE_CHARACTER: u8 = 247;
const ARE_YOU_THERE: u8 = 246;
const INTERRUPT: u8 = 244;
const SE: u8 = 240;
const END_OF_FILE: u8 = 236;
/// RFC 860. Not an option that is on or off but a question each time: after Ctrl-C a
/// telnet client shows nothing more until it has the answer.
const TIMING_MARK: u8 = 6;

/// A longer subnegotiation is taken for one without an end.
const SUBNEGOTIATION_MAX: u16 = 1024;

/// What a byte turns out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The IAC before it was no command but a byte of the conversation. (What follows it
    /// has not been taken, unless it was the second IAC of two.)
    Data,
    /// Part of a command.
    Command,
    /// Part of a subnegotiation.
    Subnegotiation,
    /// The last byte of a command.
    Done(Command),
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Nothing,
    Answer([u8; 3]),
    EraseLine,
    EraseCharacter,
    AreYouThere,
    EndOfInput,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Data,
    /// After IAC.
    Command,
    /// After IAC and one of WILL, WONT, DO, DONT.
    Option(u8),
    /// Between IAC SB and IAC SE, after so many bytes.
    Subnegotiation(u16),
    /// After an IAC in there.
    SubnegotiationCommand(u16),
}

/// One connection's telnet state.
#[derive(Debug, Default)]
pub(crate) struct Telnet {
    state: State,
    /// A bit for each DO, and then for each WILL, that has been answered. Each is answered
    /// once, which is what keeps two negotiating sides from going in circles.
    answered: [u64; 8],
}

impl Telnet {
    /// Whether a byte is telnet's, and [`Telnet::step`] is to be asked.
    pub(crate) fn wants(&mut self, byte: u8) -> bool {
        if matches!(self.state, State::Subnegotiation(SUBNEGOTIATION_MAX..)) {
            self.state = State::Data;
        }
        byte == IAC || self.state != State::Data
    }

    /// Takes the first of some bytes, if it is telnet's after all.
    pub(crate) fn step(&mut self, bytes: &mut &[u8]) -> Option<Step> {
        let (byte, rest) = bytes.split_first()?;
        work::look_at(1);
        let (state, step) = self.next(*byte);
        self.state = state;
        // What came behind a byte 255 that was no command is not telnet's.
        let is_left = state == State::Data && step == Step::Data && *byte != IAC;
        if !is_left {
            *bytes = rest;
        }
        Some(step)
    }

    fn next(&mut self, byte: u8) -> (State, Step) {
        use State::{Data, Option, Subnegotiation, SubnegotiationCommand};
        match (self.state, byte) {
            (Data, _) => (State::Command, Step::Command),
            (State::Command, IAC | ..END_OF_FILE) => (Data, Step::Data),
            (State::Command, WILL..=DONT) => (Option(byte), Step::Command),
            (State::Command, SB) => (Subnegotiation(0), Step::Done(Command::Nothing)),
            (State::Command, _) => (Data, Step::Done(command(byte))),
            (Option(verb), option) => (Data, Step::Done(self.answer(verb, option))),
            (Subnegotiation(count), IAC) => {
                (SubnegotiationCommand(count + 1), Step::Subnegotiation)
            }
            (Subnegotiation(count), _) => (Subnegotiation(count + 1), Step::Subnegotiation),
            (SubnegotiationCommand(_), SE) => (Data, Step::Subnegotiation),
            (SubnegotiationCommand(count), IAC) => {
                (Subnegotiation(count + 1), Step::Subnegotiation)
            }
            (SubnegotiationCommand(_), _) => {
                self.state = State::Command;
                self.next(byte)
            }
        }
    }

    /// Whether it holds no state, so that a new one would do as well.
    pub(crate) fn is_new(&self) -> bool {
        self.state == State::Data && self.answered == [0; 8]
    }

    fn answer(&mut self, verb: u8, option: u8) -> Command {
        let (reply, bit) = match verb {
            DO => (WONT, usize::from(option)),
            WILL => (DONT, 256 + usize::from(option)),
            _ => return Command::Nothing,
        };
        let (answered, mask) = (&mut self.answered[bit / 64], 1 << (bit % 64));
        if *answered & mask != 0 {
            return Command::Nothing;
        }
        if (verb, option) != (DO, TIMING_MARK) {
            *answered |= mask;
        }
        Command::Answer([IAC, reply, option])
    }
}

fn command(byte: u8) -> Command {
    match byte {
        INTERRUPT | ERASE_LINE => Command::EraseLine,
        ERASE_CHARACTER => Command::EraseCharacter,
        ARE_YOU_THERE => Command::AreYouThere,
        END_OF_FILE => Command::EndOfInput,
        _ => Command::Nothing,
    }
}

impl_pack! {
    enum State {
        0 => Data,
        1 => Command,
        2 => Option(verb),
        3 => Subnegotiation(count),
        4 => SubnegotiationCommand(count),
    }
    else "telnet state"
}

impl_pack! {
    struct Telnet { state, answered }
}
