//! The first half of a turn: from streams to lines to the service.

use std::io::ErrorKind;
use std::mem;

use super::{Hub, Stream};
use crate::conn::{CloseReason, ConnId, State};
use crate::limits::Limits;
use crate::line::{Ending, LineSplitter, Piece};
use crate::service::{Limit, Service};
use crate::telnet::{Telnet, Token};

/// What has been read and not yet become lines.
pub(super) struct Input {
    telnet: Telnet,
    lines: LineSplitter,
    /// Read, and waiting for the connection's release; used up to `rest_start`.
    rest: Vec<u8>,
    rest_start: usize,
}

impl Input {
    pub(super) fn new(limits: &Limits) -> Input {
        Input {
            telnet: Telnet::default(),
            lines: LineSplitter::new(limits.line_max, limits.endless()),
            rest: Vec::new(),
            rest_start: 0,
        }
    }

    fn is_new(&self) -> bool {
        self.telnet.is_new() && self.lines.is_between_lines() && self.rest.is_empty()
    }
}

impl<T: Stream, S: Service> Hub<T, S> {
    /// Reads from those that were ready when the turn began; who has more to read
    /// stands at the end of the list, behind everybody else.
    pub(super) fn receive_ready(&mut self) {
        for _ in 0..self.ready.len() {
            if self.outbox.brake() {
                return;
            }
            let Some(id) = self.ready.pop_front() else { return };
            match self.outbox.state(id) {
                State::Open => {
                    self.conns[id.slot()].listed = false;
                    self.receive(id);
                }
                State::Draining(_) => {
                    self.conns[id.slot()].listed = false;
                    self.discard(id);
                }
                State::Vacant | State::Dead(_) => {}
            }
            // Whoever has just left frees a name that the next one may ask for.
            self.announce_closing();
        }
        if self.ready.is_empty() {
            self.ready.shrink_to(512);
        }
    }

    fn receive(&mut self, id: ConnId) {
        if !self.outbox.listens(id) || !self.digest_rest(id) {
            return;
        }
        for _ in 0..self.limits.read_budget {
            match self.conns[id.slot()].stream.read(&mut self.chunk) {
                Ok(0) => return self.end_of_input(id),
                Ok(count) => {
                    if !self.digest_chunk(id, count) {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.outbox.kill(id, CloseReason::Broken),
            }
            if self.outbox.brake() {
                break;
            }
        }
        self.list_ready(id);
    }

    /// Goes on with what was read before the connection had to wait. False if it has
    /// to wait again, or closes.
    fn digest_rest(&mut self, id: ConnId) -> bool {
        let Some(mut input) = self.conns[id.slot()].input.take() else { return true };
        let rest = mem::take(&mut input.rest);
        let start = input.rest_start;
        input.rest_start += self.digest(id, &mut input, &rest[start..]);
        if input.rest_start < rest.len() {
            input.rest = rest;
        } else {
            input.rest_start = 0;
        }
        self.keep(id, input);
        self.outbox.listens(id)
    }

    /// Turns what was just read into lines. False if the connection has to wait, or
    /// closes.
    fn digest_chunk(&mut self, id: ConnId, count: usize) -> bool {
        let own = self.conns[id.slot()].input.take().or_else(|| self.spare.take());
        let mut input = own.unwrap_or_else(|| Box::new(Input::new(&self.limits)));
        let chunk = mem::take(&mut self.chunk);
        let used = self.digest(id, &mut input, &chunk[..count]);
        input.rest.extend_from_slice(&chunk[used..count]);
        self.chunk = chunk;
        let partial = input.lines.partial();
        let first = self.conns[id.slot()].ending.is_none() && !partial.is_empty();
        if first && self.outbox.listens(id) {
            self.service.on_partial(id, partial, &mut self.outbox);
        }
        self.keep(id, input);
        self.outbox.listens(id)
    }

    /// Hands the lines in `bytes` to the service until they are used up, or the
    /// connection has to wait or closes. Returns how many bytes were used.
    fn digest(&mut self, id: ConnId, input: &mut Input, bytes: &[u8]) -> usize {
        let mut left = bytes;
        while let Some(token) = input.telnet.next(&mut left) {
            match token {
                Token::Data(mut data) => {
                    while let Some(piece) = input.lines.next(&mut data) {
                        self.dispatch(id, piece);
                        if !self.outbox.listens(id) {
                            return bytes.len() - left.len() - data.len();
                        }
                    }
                }
                Token::Command(count, answer) => {
                    self.outbox.send(id, answer.as_ref().map_or(b"", |answer| answer));
                    if !input.lines.skip(count) {
                        self.dispatch(id, Piece::Endless);
                    }
                    if !self.outbox.listens(id) {
                        return bytes.len() - left.len();
                    }
                }
            }
        }
        bytes.len()
    }

    fn dispatch(&mut self, id: ConnId, piece: Piece<'_>) {
        match piece {
            Piece::Line(line, ending) => {
                self.note_ending(id, ending);
                self.service.on_line(id, line, &mut self.outbox);
            }
            Piece::TooLong => {
                let limit = Limit::LineTooLong { max: self.limits.line_max };
                self.service.on_limit(id, limit, &mut self.outbox);
            }
            Piece::Discarded(ending) => self.note_ending(id, Some(ending)),
            Piece::Endless => self.outbox.drain(id, CloseReason::Endless),
        }
    }

    fn note_ending(&mut self, id: ConnId, ending: Option<Ending>) {
        let known = &mut self.conns[id.slot()].ending;
        if let (None, Some(ending)) = (*known, ending) {
            *known = Some(ending);
            self.service.on_ending(id, ending, &mut self.outbox);
        }
    }

    /// The other side has sent its last: an unfinished line counts, then the
    /// connection is closed once all replies are sent.
    fn end_of_input(&mut self, id: ConnId) {
        self.conns[id.slot()].ended = true;
        if let Some(mut input) = self.conns[id.slot()].input.take()
            && let Some(piece) = input.lines.finish()
        {
            self.dispatch(id, piece);
        }
        self.outbox.drain(id, CloseReason::EndOfInput);
    }

    /// Reads what a closing connection still sends, and drops it: closing a socket
    /// with unread input would destroy what the other side has not read yet.
    fn discard(&mut self, id: ConnId) {
        for _ in 0..self.limits.read_budget {
            match self.conns[id.slot()].stream.read(&mut self.chunk) {
                Ok(0) => {
                    self.conns[id.slot()].ended = true;
                    if self.outbox.is_idle(id) {
                        self.outbox.kill(id, CloseReason::EndOfInput);
                    }
                    return;
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.outbox.kill(id, CloseReason::Broken),
            }
        }
        self.list_ready(id);
    }

    /// Keeps the input state with the connection if it holds anything, else as the
    /// spare one.
    fn keep(&mut self, id: ConnId, input: Box<Input>) {
        if input.is_new() {
            self.spare = Some(input);
        } else {
            self.conns[id.slot()].input = Some(input);
        }
    }
}
