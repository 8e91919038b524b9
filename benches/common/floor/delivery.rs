//! Three ways to give every line to every client: each line at once, all the
//! lines of one poll together, or whatever has come since a client's last turn.

use mio::net::TcpStream;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write};

/// After so many sends the rolling floor looks whether new lines have come.
const SENDS_BUDGET: usize = 128;

/// All connections, under their poll tokens. Tokens are never used again.
#[derive(Default)]
pub(super) struct Clients {
    streams: Vec<Option<TcpStream>>,
    connected: usize,
}

impl Clients {
    pub(super) fn connected(&self) -> usize {
        self.connected
    }

    pub(super) fn next_id(&self) -> usize {
        self.streams.len()
    }

    pub(super) fn open(&mut self, stream: TcpStream) {
        self.streams.push(Some(stream));
        self.connected += 1;
    }

    pub(super) fn stream(&mut self, id: usize) -> Option<&mut TcpStream> {
        self.streams[id].as_mut()
    }

    pub(super) fn close(&mut self, id: usize) {
        if self.streams[id].take().is_some() {
            self.connected -= 1;
        }
    }

    /// Sends once, and returns how many bytes are done with. Bytes for one who
    /// has gone are done with; that it has gone is noticed when reading.
    fn send(&mut self, id: usize, bytes: &[u8]) -> usize {
        let Some(stream) = &mut self.streams[id] else {
            return bytes.len();
        };
        loop {
            match stream.write(bytes) {
                Ok(sent) => return sent,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return 0,
                Err(_) => return bytes.len(),
            }
        }
    }
}

/// What becomes of complete lines.
pub(super) trait Delivery {
    /// A client has come, under the next id.
    fn open(&mut self) {}
    /// These complete lines have been read from somebody.
    fn take(&mut self, clients: &mut Clients, lines: &[u8]);
    /// All that one poll reported has been read. Returns whether there is more
    /// to send, so that the next poll must not wait.
    fn flush(&mut self, clients: &mut Clients) -> bool;
    /// This client's socket takes bytes, perhaps again.
    fn resume(&mut self, clients: &mut Clients, id: usize);
}

/// When lines go out to all.
#[derive(PartialEq)]
pub(super) enum Moment {
    /// Each when it comes in.
    Line,
    /// Those of one poll together.
    Poll,
}

/// What has come goes out to one client after the other.
pub(super) struct Direct {
    moment: Moment,
    batch: Vec<u8>,
    /// What sockets have not taken. Nearly always nobody is in here.
    unsent: BTreeMap<usize, Vec<u8>>,
}

impl Direct {
    pub(super) fn new(moment: Moment) -> Direct {
        Direct { moment, batch: Vec::new(), unsent: BTreeMap::new() }
    }

    fn send_all(&mut self, clients: &mut Clients, bytes: &[u8]) {
        for id in 0..clients.next_id() {
            if let Some(unsent) = self.unsent.get_mut(&id) {
                unsent.extend_from_slice(bytes);
                continue;
            }
            let sent = clients.send(id, bytes);
            if sent < bytes.len() {
                self.unsent.insert(id, bytes[sent..].to_vec());
            }
        }
    }
}

impl Delivery for Direct {
    fn take(&mut self, clients: &mut Clients, lines: &[u8]) {
        if self.moment == Moment::Poll {
            return self.batch.extend_from_slice(lines);
        }
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            self.send_all(clients, line);
        }
    }

    fn flush(&mut self, clients: &mut Clients) -> bool {
        let mut batch = std::mem::take(&mut self.batch);
        if !batch.is_empty() {
            self.send_all(clients, &batch);
            batch.clear();
        }
        self.batch = batch;
        false
    }

    fn resume(&mut self, clients: &mut Clients, id: usize) {
        if let Some(mut unsent) = self.unsent.remove(&id) {
            unsent.drain(..clients.send(id, &unsent));
            if !unsent.is_empty() {
                self.unsent.insert(id, unsent);
            }
        }
    }
}

/// All lines stand in one log, and a sweep goes round the clients: each gets, in
/// one send, all that it has not had. Lines that come while the sweep is on its
/// way lengthen what the rest get, at no further send.
///
/// One who never reads would make the log grow without end. A chat server must
/// not allow that; here everybody reads.
#[derive(Default)]
pub(super) struct Rolling {
    log: Vec<u8>,
    /// How many bytes have been trimmed off the front of the log.
    trimmed: usize,
    /// How far each client has been sent, counted from the first byte ever.
    cursors: Vec<usize>,
    /// Those whose sockets were full wait for a writable edge.
    blocked: BTreeSet<usize>,
    /// Whose turn it is.
    next: usize,
    /// Where the log ended when all but the blocked had been sent everything.
    counted: usize,
}

impl Rolling {
    fn end(&self) -> usize {
        self.trimmed + self.log.len()
    }

    /// Sends one client what it has not had. Returns whether there was anything.
    fn catch_up(&mut self, clients: &mut Clients, id: usize) -> bool {
        let behind = self.cursors[id] < self.end();
        if !behind || self.blocked.contains(&id) {
            return false;
        }
        let unsent = &self.log[self.cursors[id] - self.trimmed..];
        self.cursors[id] += clients.send(id, unsent);
        if self.cursors[id] < self.end() {
            self.blocked.insert(id);
        }
        true
    }

    /// Drops what everybody has had.
    fn trim(&mut self) {
        let had_by_all = self.cursors.iter().copied().min().unwrap_or(self.end());
        self.log.drain(..had_by_all - self.trimmed);
        self.trimmed = had_by_all;
    }
}

impl Delivery for Rolling {
    fn open(&mut self) {
        self.cursors.push(self.end());
    }

    fn take(&mut self, _clients: &mut Clients, lines: &[u8]) {
        self.log.extend_from_slice(lines);
    }

    fn flush(&mut self, clients: &mut Clients) -> bool {
        if self.counted == self.end() {
            return false;
        }
        let mut sends = 0;
        for _ in 0..clients.next_id() {
            sends += usize::from(self.catch_up(clients, self.next));
            self.next += 1;
            if self.next == clients.next_id() {
                self.next = 0;
                self.trim();
            }
            if sends == SENDS_BUDGET {
                return true;
            }
        }
        // A whole round without running out of sends: only the blocked are behind.
        self.counted = self.end();
        false
    }

    fn resume(&mut self, clients: &mut Clients, id: usize) {
        if self.blocked.remove(&id) {
            self.catch_up(clients, id);
        }
    }
}
