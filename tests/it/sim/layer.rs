//! A protocol between a client and the hub, as TLS is one: it shakes hands when it is read
//! from, answers by itself, and holds back what it has been given to write. One made up, so that
//! a run stays a function of its seed.

use std::cell::RefMut;
use std::collections::VecDeque;
use std::io::{self, ErrorKind};

use super::stream::Wire;

/// What a client says first, and the server's answer.
pub(super) const HELLO: &[u8] = b"hello, server";
pub(super) const GREETING: &[u8] = b"hello, client";

/// So much at most is held back before its time.
const RECORD: usize = 50;

pub(super) struct Layer {
    phase: Phase,
    /// What was read before the handshake began.
    read_before: VecDeque<u8>,
    held: VecDeque<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Somebody else is read from.
    Raw,
    /// So much of the hello has come.
    Shaking(usize),
    Talking,
    Broken,
}

impl Layer {
    pub(super) fn new() -> Layer {
        Layer { phase: Phase::Raw, read_before: VecDeque::new(), held: VecDeque::new() }
    }

    pub(super) fn begin(&mut self, read_before: &[u8]) {
        assert!(self.phase == Phase::Raw, "a handshake begins once");
        self.read_before.extend(read_before);
        self.phase = Phase::Shaking(0);
    }

    pub(super) fn is_handshaking(&self) -> bool {
        matches!(self.phase, Phase::Raw | Phase::Shaking(_))
    }

    pub(super) fn unsent(&self) -> usize {
        self.held.len()
    }

    pub(super) fn read(
        &mut self,
        mut wire: RefMut<'_, Wire>,
        buffer: &mut [u8],
    ) -> io::Result<usize> {
        let count = if self.read_before.is_empty() {
            wire.deliver(buffer)?
        } else {
            io::Read::read(&mut self.read_before, buffer)?
        };
        match self.phase {
            Phase::Talking | Phase::Shaking(_) if count == 0 && wire.is_cut => {
                wire.journal.hit("end that nobody vouches for");
                Err(ErrorKind::UnexpectedEof.into())
            }
            Phase::Shaking(seen) if count > 0 => self.shake_hands(wire, buffer, count, seen),
            Phase::Broken if count > 0 => Err(ErrorKind::Interrupted.into()),
            _ => Ok(count),
        }
    }

    fn shake_hands(
        &mut self,
        mut wire: RefMut<'_, Wire>,
        buffer: &mut [u8],
        count: usize,
        seen: usize,
    ) -> io::Result<usize> {
        let said = count.min(HELLO.len() - seen);
        if buffer[..said] != HELLO[seen..seen + said] {
            self.phase = Phase::Broken;
            return Err(ErrorKind::InvalidData.into());
        }
        self.phase = Phase::Shaking(seen + said);
        if seen + said == HELLO.len() {
            self.phase = Phase::Talking;
            self.held.extend(GREETING);
            wire.greet();
            self.push(&mut wire).or_else(unless_full)?;
        }
        buffer.copy_within(said..count, 0);
        if said == count { Err(ErrorKind::Interrupted.into()) } else { Ok(count - said) }
    }

    pub(super) fn write(&mut self, mut wire: RefMut<'_, Wire>, bytes: &[u8]) -> io::Result<usize> {
        if self.phase != Phase::Talking {
            return wire.accept(bytes);
        }
        self.push(&mut wire)?;
        let count = bytes.len().min(RECORD);
        self.held.extend(&bytes[..count]);
        self.push(&mut wire).or_else(unless_full)?;
        Ok(count)
    }

    /// Nothing more is to be said. A handshake that is not done never will be.
    pub(super) fn shut(&mut self, mut wire: RefMut<'_, Wire>) -> io::Result<()> {
        if self.is_handshaking() {
            self.phase = Phase::Broken;
        }
        self.push(&mut wire)?;
        wire.shut_write()
    }

    /// Sends what is held back.
    pub(super) fn push(&mut self, wire: &mut Wire) -> io::Result<()> {
        while !self.held.is_empty() {
            match wire.accept(self.held.make_contiguous()) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => drop(self.held.drain(..count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// That there is no room now is not for whoever reads, or has written.
fn unless_full(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::WouldBlock { Ok(()) } else { Err(error) }
}
