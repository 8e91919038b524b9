//! The server's side of one TLS connection: how far it has got, what is in memory, and when it is
//! sent. What is in records is the business of `handshake.rs` and `records.rs`.

use std::io::{self, ErrorKind};
use std::mem;

use rustls::{Error, ProtocolVersion};

use super::buffers::{Buffers, Then};
use super::handshake::Handshake;
pub(super) use super::keys::Keys;
use super::records::Records;
use super::{ACCESS_DENIED, CUT_SHORT};
use crate::net::transport::Transport;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// The answer to a client that does not begin a handshake.
const SPEAKS_TLS: &[u8] = b"This port speaks TLS.\n";

/// The same for a browser.
const SPEAKS_TLS_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    Connection: close\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 22\r\n\
    \r\n\
    This port speaks TLS.\n";

/// How every TLS handshake begins: with a record of this type.
const HANDSHAKE: u8 = 22;

/// The most that one record holds.
const RECORD: usize = 16 << 10;

/// How far a connection has got.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before the handshake: bytes are read as they are (a PROXY header).
    Raw,
    /// The handshake is awaited; nothing has come yet.
    Silent,
    Handshake,
    Traffic,
    /// `close_notify` was sent.
    Closed,
    /// It has failed: only what is held back is still sent.
    Failed,
}

/// What makes records, and opens them.
enum Engine {
    /// The handshake, and TLS 1.2 after it.
    Handshake(Box<Handshake>),
    /// TLS 1.3 after it.
    Records(Box<Records>),
    /// It has failed between the two.
    Gone,
}

pub(super) struct Session {
    engine: Engine,
    phase: Phase,
    is_unprocessed: bool,
    buffers: Buffers,
}

impl Session {
    pub(super) fn new(keys: &Keys) -> Session {
        Session {
            engine: Engine::Handshake(Box::new(Handshake::new(keys))),
            phase: Phase::Raw,
            is_unprocessed: false,
            buffers: Buffers::default(),
        }
    }

    pub(super) fn begin(&mut self, read_before: &[u8]) {
        self.phase = Phase::Silent;
        self.buffers.incoming.extend_from_slice(read_before);
        self.is_unprocessed = !read_before.is_empty();
    }

    /// Whether the handshake is not done. True again after a failure.
    pub(super) fn is_handshaking(&self) -> bool {
        !matches!(self.phase, Phase::Traffic | Phase::Closed)
    }

    pub(super) fn version(&self) -> Option<&'static str> {
        match &self.engine {
            Engine::Handshake(tls) if tls.version()? == ProtocolVersion::TLSv1_2 => Some("1.2"),
            _ => Some("1.3"),
        }
    }

    pub(super) fn unsent(&self) -> usize {
        self.buffers.outgoing.len()
    }

    pub(super) fn take_overhead(&mut self, count: usize) -> bool {
        let left = self.buffers.overhead.checked_sub(count);
        self.buffers.overhead = left.unwrap_or(self.buffers.overhead);
        left.is_some()
    }

    /// Whether another process can go on with it: not in a handshake, nor in TLS 1.2.
    pub(super) fn can_be_handed_over(&self) -> bool {
        let Engine::Records(records) = &self.engine else { return false };
        self.phase != Phase::Failed && records.can_be_handed_over()
    }

    /// How many bytes its buffers take.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.buffers.incoming.capacity()
            + self.buffers.plain.capacity()
            + self.buffers.outgoing.capacity()
    }

    /// Reads once from the transport.
    pub(super) fn read(
        &mut self,
        transport: &mut impl Transport,
        buf: &mut [u8],
    ) -> io::Result<usize> {
        match self.phase {
            Phase::Raw => return transport.read(buf),
            Phase::Failed => {
                let count = transport.read(buf)?;
                return if count == 0 { Ok(0) } else { Err(ErrorKind::Interrupted.into()) };
            }
            _ => {}
        }
        if self.buffers.plain.is_empty() && !self.buffers.has_ended {
            self.receive(transport, buf)?;
        }
        if self.buffers.plain.is_empty() {
            return if self.buffers.has_ended { Ok(0) } else { Err(ErrorKind::Interrupted.into()) };
        }
        let count = buf.len().min(self.buffers.plain.len());
        buf[..count].copy_from_slice(&self.buffers.plain[..count]);
        take_front(&mut self.buffers.plain, count);
        Ok(count)
    }

    fn receive(&mut self, transport: &mut impl Transport, buf: &mut [u8]) -> io::Result<()> {
        if !mem::take(&mut self.is_unprocessed) {
            let count = transport.read(buf)?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.buffers.incoming.extend_from_slice(&buf[..count]);
        }
        let (held, was_handshaking) = (self.buffers.outgoing.len(), self.is_handshaking());
        let result = self.take_records();
        if self.buffers.outgoing.len() > held {
            self.push(transport).or_else(unless_full)?;
        } else if was_handshaking && !self.is_handshaking() {
            // In TLS 1.3 nothing answers the end of a handshake, and until it is acknowledged a
            // client with Nagle's algorithm holds back its first line.
            transport.acknowledge();
        }
        result
    }

    fn take_records(&mut self) -> io::Result<()> {
        if self.phase == Phase::Silent {
            self.phase = Phase::Handshake;
            if self.buffers.incoming.first() != Some(&HANDSHAKE) {
                self.phase = Phase::Failed;
                let is_http = is_http(&self.buffers.incoming);
                let told = if is_http { SPEAKS_TLS_HTTP } else { SPEAKS_TLS };
                self.buffers.outgoing.extend_from_slice(told);
                return Err(io::Error::new(ErrorKind::InvalidData, "that is not TLS"));
            }
        }
        self.process(Then::Wait)
    }

    /// Sends what is held back; then takes as much as one record holds.
    pub(super) fn write(
        &mut self,
        transport: &mut impl Transport,
        bytes: &[u8],
    ) -> io::Result<usize> {
        match self.phase {
            Phase::Traffic => {}
            Phase::Closed | Phase::Failed => return Err(ErrorKind::BrokenPipe.into()),
            // A refusal: in the middle of a handshake there are no words for it.
            Phase::Raw | Phase::Silent | Phase::Handshake => {
                self.phase = Phase::Failed;
                self.buffers.outgoing.extend_from_slice(&ACCESS_DENIED);
                self.push(transport).or_else(unless_full)?;
                return Ok(bytes.len());
            }
        }
        self.push(transport)?;
        let bytes = &bytes[..bytes.len().min(RECORD)];
        self.process(Then::Send(bytes))?;
        self.push(transport).or_else(unless_full)?;
        Ok(bytes.len())
    }

    /// Queues `close_notify`, and sends what is held back.
    pub(super) fn close(&mut self, transport: &mut impl Transport) -> io::Result<()> {
        match self.phase {
            Phase::Traffic => {
                self.phase = Phase::Closed;
                self.process(Then::Close)?;
            }
            Phase::Silent => {
                self.phase = Phase::Failed;
                self.buffers.outgoing.extend_from_slice(SPEAKS_TLS);
            }
            Phase::Handshake => {
                self.phase = Phase::Failed;
                self.buffers.outgoing.extend_from_slice(&CUT_SHORT);
            }
            Phase::Raw => self.phase = Phase::Failed,
            Phase::Closed | Phase::Failed => {}
        }
        self.push(transport)
    }

    /// Sends what is held back.
    pub(super) fn push(&mut self, transport: &mut impl Transport) -> io::Result<()> {
        while !self.buffers.outgoing.is_empty() {
            match transport.write(&self.buffers.outgoing) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => take_front(&mut self.buffers.outgoing, count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn process(&mut self, then: Then<'_>) -> io::Result<()> {
        let result = self.process_records(then);
        if result.is_err() {
            self.phase = Phase::Failed;
        }
        if self.buffers.incoming.is_empty() {
            self.buffers.incoming = Vec::new();
        }
        result.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }

    fn process_records(&mut self, then: Then<'_>) -> Result<(), Error> {
        match &mut self.engine {
            Engine::Handshake(tls) => {
                tls.process(&mut self.buffers, then)?;
                if self.phase == Phase::Handshake && tls.is_done() {
                    self.phase = Phase::Traffic;
                    return self.end_handshake();
                }
                Ok(())
            }
            Engine::Records(records) => records.process(&mut self.buffers, then),
            Engine::Gone => Err(Error::HandshakeNotComplete),
        }
    }

    fn end_handshake(&mut self) -> Result<(), Error> {
        match mem::replace(&mut self.engine, Engine::Gone) {
            Engine::Handshake(tls) if tls.version() == Some(ProtocolVersion::TLSv1_3) => {
                self.engine = Engine::Records(Box::new(tls.into_records()?));
                // The first of them may have come along.
                self.process_records(Then::Wait)
            }
            engine => {
                self.engine = engine;
                Ok(())
            }
        }
    }
}

/// Whether somebody asks over HTTP: a browser, if nobody has typed the s of https.
fn is_http(first: &[u8]) -> bool {
    let method = first.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    method > 0 && first[method..].starts_with(b" /")
}

/// Removes bytes from the front. An empty buffer is given back.
fn take_front(buffer: &mut Vec<u8>, count: usize) {
    if count == buffer.len() {
        *buffer = Vec::new();
    } else {
        buffer.drain(..count);
    }
}

/// `WouldBlock` from sending must not reach the caller of `read`, or of a `write` that was taken.
fn unless_full(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::WouldBlock { Ok(()) } else { Err(error) }
}

/// If it can be handed over.
impl Pack for Session {
    fn pack(&self, to: &mut Packer) {
        let Session { engine, phase, is_unprocessed: _, buffers } = self;
        if let Engine::Records(records) = engine {
            to.put(&(*phase == Phase::Closed)).put(buffers).put(&**records);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Session, Damaged> {
        let phase = if from.get()? { Phase::Closed } else { Phase::Traffic };
        let (buffers, records) = (from.get()?, from.get()?);
        Ok(Session { engine: Engine::Records(records), phase, is_unprocessed: false, buffers })
    }
}
