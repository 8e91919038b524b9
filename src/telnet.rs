//! Takes out of the bytes what is not text, across packet boundaries: telnet's commands, and
//! a terminal's erasures. Knows no lines.
//!
//! The server negotiates nothing: what it is asked to do it won't, what it is offered
//! it declines, and it never asks. (RFC 854, RFC 855.)

use memchr::{memchr, memchr3};

use crate::scan;

const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;
/// What terminals send for their erase key, the one or the other.
const BS: u8 = 0x08;
const DEL: u8 = 0x7f;
/// RFC 860. Not an option that is on or off but a question each time: after Ctrl-C a
/// telnet client shows nothing more until it has the answer.
const TIMING_MARK: u8 = 6;

/// What the bytes consist of.
#[derive(Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// Bytes of the conversation.
    Data(&'a [u8]),
    /// The code point before it is taken back (BS, DEL).
    Erase,
    /// So many bytes belonged to telnet, and this is to be answered.
    Command(usize, Option<[u8; 3]>),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Data,
    /// After IAC.
    Command,
    /// After IAC and one of WILL, WONT, DO, DONT.
    Option(u8),
    /// Between IAC SB and IAC SE.
    Subnegotiation,
    /// After an IAC in there.
    SubnegotiationCommand,
}

/// One connection's telnet state.
#[derive(Debug, Default)]
pub struct Telnet {
    state: State,
    /// Questions that have been answered; each is answered once, which is what keeps
    /// two negotiating sides from going in circles.
    answered: Vec<[u8; 2]>,
    /// So many of the bytes to come are known to be data.
    known: usize,
}

impl Telnet {
    /// The next token, taken from the front of `bytes`; `None` once they are used up.
    pub fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Token<'a>> {
        let first = *bytes.first()?;
        if self.known > 0 {
            let known = std::mem::take(&mut self.known);
            return Some(Token::Data(split_off(bytes, known.min(bytes.len()))));
        }
        match self.state {
            State::Data if matches!(first, BS | DEL) => {
                *bytes = &bytes[1..];
                return Some(Token::Erase);
            }
            State::Data if first != IAC => {
                let end = scan::counted(bytes, memchr3(IAC, BS, DEL, bytes));
                return Some(Token::Data(split_off(bytes, end.unwrap_or(bytes.len()))));
            }
            State::Subnegotiation if first != IAC => {
                let end = scan::counted(bytes, memchr(IAC, bytes)).unwrap_or(bytes.len());
                return Some(Token::Command(split_off(bytes, end).len(), None));
            }
            _ => {}
        }
        let byte = split_off(bytes, 1);
        if self.state == State::Command && first == IAC {
            self.state = State::Data;
            return Some(Token::Data(byte));
        }
        Some(Token::Command(1, self.step(first)))
    }

    /// The last so many bytes of what was given out as [`Token::Data`] come again, and need
    /// not be looked at again.
    pub fn give_back(&mut self, count: usize) {
        self.known = count;
    }

    /// Whether nothing is to be remembered, so that a new one would do as well.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.state == State::Data && self.answered.is_empty() && self.known == 0
    }

    fn step(&mut self, byte: u8) -> Option<[u8; 3]> {
        let mut answer = None;
        self.state = match (self.state, byte) {
            (State::Data, _) => State::Command,
            (State::Command, WILL | WONT | DO | DONT) => State::Option(byte),
            (State::Command, SB) => State::Subnegotiation,
            (State::Subnegotiation, _) => State::SubnegotiationCommand,
            (State::SubnegotiationCommand, SE) | (State::Command, _) => State::Data,
            (State::SubnegotiationCommand, _) => State::Subnegotiation,
            (State::Option(verb), option) => {
                answer = self.answer(verb, option);
                State::Data
            }
        };
        answer
    }

    fn answer(&mut self, verb: u8, option: u8) -> Option<[u8; 3]> {
        let reply = match verb {
            DO => WONT,
            WILL => DONT,
            _ => return None,
        };
        let question = [verb, option];
        if question != [DO, TIMING_MARK] {
            if self.answered.contains(&question) {
                return None;
            }
            self.answered.push(question);
        }
        Some([IAC, reply, option])
    }
}

fn split_off<'a>(bytes: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (front, rest) = bytes.split_at(count);
    *bytes = rest;
    front
}
