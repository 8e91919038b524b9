//! The read phase of a turn: bytes are read, decoded into lines, and handed to the service.

use std::io::{self, ErrorKind};
use std::mem;

use super::Hub;
use super::input::{Input, Waiting, WaitingItem};
use super::timers::Timer;
use crate::net::codec::websocket;
use crate::net::conn::{CloseReason, ConnId, State};
use crate::net::decoder::Item;
use crate::net::line::{Ending, EndingSeen};
use crate::net::rate::Wait;
use crate::net::service::{Limit, Service};
use crate::net::transport::Transport;
use crate::work;

/// Under input backpressure one read takes at most so many bytes.
const SMALL_READ: usize = 256;

/// So many bytes cost as much as a line.
const KIB: usize = 1024;

impl<T: Transport, S: Service> Hub<T, S> {
    /// Reads from the connections that were ready when the turn began. One that has more to read
    /// goes to the end of the list, behind all others.
    pub(super) fn read_ready(&mut self) {
        for _ in 0..self.ready.len() {
            if self.outbox.must_flush_first() {
                return;
            }
            let Some(id) = self.ready.pop_front() else { return };
            work::walk(1);
            match self.outbox.state(id) {
                State::Open | State::Unreachable => {
                    self.conns[id.slot()].listed = false;
                    self.read(id);
                }
                State::Draining => {
                    self.conns[id.slot()].listed = false;
                    self.discard(id);
                }
                State::Vacant | State::Dead => {}
            }
            // A client that has just left frees a name that the next one may ask for.
            self.announce_closing();
        }
        if self.ready.is_empty() {
            self.ready.shrink_to(512);
        }
    }

    fn read(&mut self, id: ConnId) {
        self.lines_left = self.limits.line_budget;
        if !self.read_preface(id) {
            return;
        }
        if !self.outbox.listens(id) || !self.decode_parked(id) {
            return self.leave_unread(id);
        }
        for _ in 0..self.limits.read_budget {
            if !self.pay_overhead(id) {
                return self.leave_unread(id);
            }
            if self.is_enough() {
                break;
            }
            let most =
                if self.input_held > self.limits.input_total { SMALL_READ } else { usize::MAX };
            let most = most.min(self.chunk.len());
            let result = self.conns[id.slot()].stream.read(&mut self.chunk[..most]);
            self.note_unsent(id);
            match result {
                Ok(0) => return self.end_of_input(id),
                Ok(count) => {
                    self.metrics.bytes_received += count as u64;
                    self.trim.note_activity();
                    self.restart_idle_timer(id);
                    if !self.decode_chunk(id, count) {
                        return self.leave_unread(id);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    drop(self.take_input(id));
                    return self.end_of_input(id);
                }
                // More may come, unless it cannot be written to any more: then it is broken.
                Err(error)
                    if error.kind() == ErrorKind::WouldBlock
                        && self.outbox.state(id) == State::Open =>
                {
                    return;
                }
                Err(_) => return self.outbox.kill(id, CloseReason::Broken),
            }
        }
        self.list_ready(id);
    }

    /// Charges for bytes that the transport used up itself, such as TLS's own: they cost as much as
    /// telnet's. False if the connection has to wait for its rate.
    fn pay_overhead(&mut self, id: ConnId) -> bool {
        while self.conns[id.slot()].stream.take_overhead(KIB) {
            if let Err(wait) = self.pay(id, price(Item::Bulk)) {
                let mut input = self.take_or_new_input(id);
                input.waiting = Some(self.defer(id, Item::Bulk, wait));
                self.park_input(id, input);
                return false;
            }
            self.lines_left = self.lines_left.saturating_sub(1);
        }
        true
    }

    /// A connection is not read from for now. The edge that led here may have been its end, and
    /// no other edge tells of that.
    fn leave_unread(&mut self, id: ConnId) {
        let is_open = self.outbox.state(id) == State::Open;
        if is_open && self.conns[id.slot()].stream.is_broken() {
            self.lose_reader(id);
        }
    }

    /// Goes on with parked input. False if the connection has to wait again, or closes.
    fn decode_parked(&mut self, id: ConnId) -> bool {
        let Some(mut input) = self.take_input(id) else { return true };
        if !self.pass_waiting(id, &mut input) {
            self.park_input(id, input);
            return false;
        }
        let rest = mem::take(&mut input.rest);
        let start = input.rest_start;
        input.rest_start += self.decode(id, &mut input, &rest[start..]);
        if input.rest_start < rest.len() {
            input.rest = rest;
        } else {
            input.rest_start = 0;
        }
        let is_done = input.rest.is_empty() && !input.is_waiting();
        self.park_input(id, input);
        is_done && self.outbox.listens(id)
    }

    /// Dispatches the line that waits for its rate, if there is one and its time has come.
    /// False if it has to wait still, or nothing may follow it.
    fn pass_waiting(&mut self, id: ConnId, input: &mut Input) -> bool {
        let Some(waiting) = input.waiting.take() else { return true };
        let now = self.outbox.now().monotonic;
        if waiting.until > now {
            // An edge led here, and not the timer, which is still set.
            input.waiting = Some(waiting);
            return false;
        }
        if let Err(wait) = self.pay(id, price(waiting.what.item())) {
            self.timers.set((id, Timer::Pass), wait.until);
            input.waiting = Some(Waiting { until: wait.until, ..waiting });
            return false;
        }
        self.dispatch(id, waiting.what.item());
        if matches!(waiting.what, WaitingItem::Other(Item::EndOfInput)) {
            self.keep_end(id, input);
        }
        self.outbox.listens(id)
    }

    /// Decodes what was just read. False if the connection has to wait, or closes.
    fn decode_chunk(&mut self, id: ConnId, count: usize) -> bool {
        let mut input = self.take_or_new_input(id);
        let chunk = mem::take(&mut self.chunk);
        if !self.is_foreign(id, &mut input, &chunk[..count]) {
            let used = self.decode(id, &mut input, &chunk[..count]);
            input.rest.extend_from_slice(&chunk[used..count]);
        }
        self.chunk = chunk;
        let is_done = input.rest.is_empty() && !input.is_waiting();
        self.park_input(id, input);
        is_done && self.outbox.listens(id)
    }

    /// Hands the lines in `bytes` to the service until they are used up, the connection has to
    /// wait or closes, or its share of the turn is used up. Returns how many bytes were used.
    fn decode(&mut self, id: ConnId, input: &mut Input, bytes: &[u8]) -> usize {
        let mut left = bytes;
        while let Some(item) = input.codec.next(&mut left) {
            if self.is_foreign_line(id, &mut input.sniffer, item) {
                return bytes.len();
            }
            let (price, is_end) = (price(item), matches!(item, Item::EndOfInput));
            if let Err(wait) = self.pay(id, price) {
                input.waiting = Some(self.defer(id, item, wait));
            } else {
                self.dispatch(id, item);
            }
            if is_end {
                self.keep_end(id, input);
            }
            if self.stops(id, input, price) {
                break;
            }
        }
        bytes.len() - left.len()
    }

    /// Whether what follows has to wait. If it waits for the next turn only, the connection is
    /// listed as ready.
    fn stops(&mut self, id: ConnId, input: &Input, price: u32) -> bool {
        if input.is_waiting() || !self.outbox.listens(id) {
            return true;
        }
        self.lines_left = self.lines_left.saturating_sub(price as usize);
        if self.is_enough() {
            self.list_ready(id);
        }
        self.is_enough()
    }

    /// Whether the connection that is read from has used up its share of this turn.
    fn is_enough(&self) -> bool {
        self.lines_left == 0 || self.outbox.must_flush_first()
    }

    /// The rate limit: this waits, and so does all that follows it.
    fn defer(&mut self, id: ConnId, item: Item<'_>, wait: Wait) -> Waiting {
        self.timers.set((id, Timer::Pass), wait.until);
        if wait.is_first {
            self.service.on_limit(id, Limit::Throttled, &mut self.outbox);
        }
        let what = match item {
            Item::Line(line, ending) => WaitingItem::Line(line.to_vec(), ending),
            Item::TooLong => WaitingItem::Other(Item::TooLong),
            Item::AreYouThere => WaitingItem::Other(Item::AreYouThere),
            _ => WaitingItem::Other(Item::Bulk),
        };
        Waiting { until: wait.until, what }
    }

    /// Takes a price, from what the connection may say and from what its address may, or says
    /// how long to wait.
    fn pay(&mut self, id: ConnId, price: u32) -> Result<(), Wait> {
        let now = self.outbox.now().monotonic;
        let Some(rate) = self.own_limits(id).rate.filter(|_| price > 0) else { return Ok(()) };
        let not_before = self.addresses.may_speak_at(id, price, rate);
        self.rate.take(id, price, rate, not_before, now)?;
        self.addresses.charge(id, price, rate, now);
        Ok(())
    }

    /// Telnet's end of input comes again if the service has put it off.
    fn keep_end(&mut self, id: ConnId, input: &mut Input) {
        if self.outbox.is_reading_paused(id) {
            let until = self.outbox.now().monotonic;
            input.waiting = Some(Waiting { until, what: WaitingItem::Other(Item::EndOfInput) });
        }
    }

    fn dispatch(&mut self, id: ConnId, item: Item<'_>) {
        match item {
            Item::Line(line, ending) => {
                self.note_ending(id, ending);
                self.metrics.lines_received += 1;
                self.accepted_log.count_in(id);
                self.service.on_line(id, line, &mut self.outbox);
            }
            Item::TooLong => {
                let limit = Limit::LineTooLong { max: self.own_limits(id).line_max };
                self.service.on_limit(id, limit, &mut self.outbox);
            }
            Item::Discarded(ending) => self.note_ending(id, Some(ending)),
            Item::Bulk => {}
            Item::Telnet(answer) => {
                self.note_telnet(id);
                self.outbox.send(id, answer.as_ref().map_or(b"", |answer| answer));
            }
            Item::AreYouThere => {
                self.note_telnet(id);
                self.service.on_are_you_there(id, &mut self.outbox);
            }
            Item::EndOfInput => self.end(id),
            Item::Endless => self.outbox.drain(id, CloseReason::Endless),
            Item::Answer(answer) => self.outbox.send(id, answer),
            Item::Close(code) => self.answer_close(id, code),
            Item::Malformed(code) => {
                if self.is_web_socket(id) {
                    self.outbox.send(id, &websocket::close(code, ""));
                }
                self.outbox.drain(id, CloseReason::Malformed);
            }
        }
    }

    /// A client that speaks telnet will probably end its lines with CR LF: that is assumed until it
    /// ends one.
    fn note_telnet(&mut self, id: ConnId) {
        if self.outbox.ending_seen(id) == EndingSeen::None {
            self.outbox.note_ending(id, EndingSeen::Telnets);
            self.service.on_ending(id, Ending::CrLf, &mut self.outbox);
        }
    }

    pub(super) fn note_ending(&mut self, id: ConnId, ending: Option<Ending>) {
        let seen = self.outbox.ending_seen(id);
        if let Some(ending) = ending.filter(|_| !seen.is_own()) {
            self.outbox.note_ending(id, EndingSeen::Own(ending));
            self.service.on_ending(id, ending, &mut self.outbox);
        }
    }

    /// The end of input: an unfinished line counts, then the connection is closed once all
    /// replies are sent.
    fn end_of_input(&mut self, id: ConnId) {
        if self.outbox.state(id) == State::Unreachable {
            // Whether the line would have gone on cannot be known.
            return self.outbox.kill(id, CloseReason::Broken);
        }
        if let Some(mut input) = self.take_input(id)
            && let Some(item) = input.codec.finish()
            && !self.is_foreign_line(id, &mut input.sniffer, item)
        {
            // The last line does not wait for its rate, but counts for its address.
            if let Some(rate) = self.own_limits(id).rate {
                self.addresses.charge(id, price(item), rate, self.outbox.now().monotonic);
            }
            self.dispatch(id, item);
        }
        self.end(id);
        // If reading is paused, the end is read again once it is resumed.
        self.conns[id.slot()].ended = !self.outbox.is_reading_paused(id);
    }

    /// Closes a connection that has said all, unless the service puts that off.
    fn end(&mut self, id: ConnId) {
        if self.outbox.is_open(id) {
            self.service.on_end_of_input(id, &mut self.outbox);
        }
        if !self.outbox.is_reading_paused(id) {
            self.outbox.drain(id, CloseReason::EndOfInput);
        }
    }

    /// Reads what a closing connection still sends, and drops it: closing a socket
    /// with unread input would destroy what the other side has not read yet.
    fn discard(&mut self, id: ConnId) {
        if self.finds_close_frame(id, 0) {
            return self.end_discarded(id);
        }
        for _ in 0..self.limits.read_budget {
            let result = self.conns[id.slot()].stream.read(&mut self.chunk);
            self.note_unsent(id);
            match end_or(result) {
                Ok(0) => return self.end_discarded(id),
                Ok(count) => {
                    self.metrics.bytes_received += count as u64;
                    self.note_heard(id);
                    if self.finds_close_frame(id, count) {
                        return self.end_discarded(id);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.outbox.kill(id, CloseReason::Broken),
            }
        }
        self.list_ready(id);
    }

    /// A closing connection has sent its last.
    fn end_discarded(&mut self, id: ConnId) {
        self.conns[id.slot()].ended = true;
        if self.outbox.is_idle(id) {
            self.outbox.kill(id, CloseReason::EndOfInput);
        }
    }
}

/// For a closing connection it does not matter how the peer ended.
fn end_or(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
        result => result,
    }
}

/// What the rate limit charges for an item: 1 for a line, and 1 for each full KiB of it, text or
/// not.
fn price(item: Item<'_>) -> u32 {
    match item {
        Item::Line(..) | Item::TooLong | Item::Bulk | Item::AreYouThere => 1,
        Item::Discarded(_)
        | Item::Telnet(_)
        | Item::EndOfInput
        | Item::Endless
        | Item::Answer(_)
        | Item::Close(_)
        | Item::Malformed(_) => 0,
    }
}
