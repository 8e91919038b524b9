//! The server's side of one TLS connection: records in memory, and when they are sent. rustls
//! does the rest, without buffers of its own.

use std::io::{self, ErrorKind};
use std::mem;

use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
    WriteTraffic,
};
use rustls::{Error, ProtocolVersion};

use super::ACCESS_DENIED;
pub(super) use super::keys::Keys;
use crate::net::transport::Transport;

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

/// The most that a record adds to its payload, a key update before it included.
const RECORD_OVERHEAD: usize = 64;

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

pub(super) struct Session {
    tls: UnbufferedServerConnection,
    phase: Phase,
    /// Records that are not complete yet, or were read before their time.
    incoming: Vec<u8>,
    is_unprocessed: bool,
    /// Decrypted bytes that the loop has not read yet.
    plain: Vec<u8>,
    /// The client has sent `close_notify`.
    has_ended: bool,
    /// Records that the transport has not taken.
    outgoing: Vec<u8>,
    /// Bytes that were read since the handshake, and became no content.
    overhead: usize,
}

/// What to do once all records are processed.
#[derive(Clone, Copy)]
enum Then<'a> {
    Wait,
    Send(&'a [u8]),
    Close,
}

impl Session {
    pub(super) fn new(keys: &Keys) -> Session {
        let config = keys.config();
        let tls =
            UnbufferedServerConnection::new(config).expect("it asks for nothing that can fail");
        Session {
            tls,
            phase: Phase::Raw,
            incoming: Vec::new(),
            is_unprocessed: false,
            plain: Vec::new(),
            has_ended: false,
            outgoing: Vec::new(),
            overhead: 0,
        }
    }

    pub(super) fn begin(&mut self, read_before: &[u8]) {
        self.phase = Phase::Silent;
        self.incoming.extend_from_slice(read_before);
        self.is_unprocessed = !read_before.is_empty();
    }

    /// Whether the handshake is not done. True again after a failure.
    pub(super) fn is_handshaking(&self) -> bool {
        !matches!(self.phase, Phase::Traffic | Phase::Closed)
    }

    pub(super) fn version(&self) -> Option<&'static str> {
        match self.tls.protocol_version()? {
            ProtocolVersion::TLSv1_3 => Some("1.3"),
            _ => Some("1.2"),
        }
    }

    pub(super) fn unsent(&self) -> usize {
        self.outgoing.len()
    }

    pub(super) fn take_overhead(&mut self, count: usize) -> bool {
        let left = self.overhead.checked_sub(count);
        self.overhead = left.unwrap_or(self.overhead);
        left.is_some()
    }

    /// How many bytes its buffers take.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.incoming.capacity() + self.plain.capacity() + self.outgoing.capacity()
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
        if self.plain.is_empty() && !self.has_ended {
            self.receive(transport, buf)?;
        }
        if self.plain.is_empty() {
            return if self.has_ended { Ok(0) } else { Err(ErrorKind::Interrupted.into()) };
        }
        let count = buf.len().min(self.plain.len());
        buf[..count].copy_from_slice(&self.plain[..count]);
        take_front(&mut self.plain, count);
        Ok(count)
    }

    fn receive(&mut self, transport: &mut impl Transport, buf: &mut [u8]) -> io::Result<()> {
        if !mem::take(&mut self.is_unprocessed) {
            let count = transport.read(buf)?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            self.incoming.extend_from_slice(&buf[..count]);
        }
        let held = self.outgoing.len();
        let result = self.take_records();
        if self.outgoing.len() > held {
            self.push(transport).or_else(unless_full)?;
        }
        result
    }

    fn take_records(&mut self) -> io::Result<()> {
        if self.phase == Phase::Silent {
            self.phase = Phase::Handshake;
            if self.incoming.first() != Some(&HANDSHAKE) {
                self.phase = Phase::Failed;
                let is_http = is_http(&self.incoming);
                let told = if is_http { SPEAKS_TLS_HTTP } else { SPEAKS_TLS };
                self.outgoing.extend_from_slice(told);
                return Err(io::Error::new(ErrorKind::InvalidData, "that is not TLS"));
            }
        }
        self.process(Then::Wait)?;
        if self.phase == Phase::Handshake && !self.tls.is_handshaking() {
            self.phase = Phase::Traffic;
        }
        Ok(())
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
                self.outgoing.extend_from_slice(&ACCESS_DENIED);
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
                self.outgoing.extend_from_slice(SPEAKS_TLS);
            }
            Phase::Raw | Phase::Handshake => self.phase = Phase::Failed,
            Phase::Closed | Phase::Failed => {}
        }
        self.push(transport)
    }

    /// Sends what is held back.
    pub(super) fn push(&mut self, transport: &mut impl Transport) -> io::Result<()> {
        while !self.outgoing.is_empty() {
            match transport.write(&self.outgoing) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => take_front(&mut self.outgoing, count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Has rustls process what has come, and answer it.
    fn process(&mut self, then: Then<'_>) -> io::Result<()> {
        let result = self.process_records(then);
        if result.is_err() {
            self.phase = Phase::Failed;
            self.take_alert();
        }
        if self.incoming.is_empty() {
            self.incoming = Vec::new();
        }
        result.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }

    fn process_records(&mut self, then: Then<'_>) -> Result<(), Error> {
        loop {
            let UnbufferedStatus { mut discard, state, .. } =
                self.tls.process_tls_records(&mut self.incoming);
            let mut content = 0;
            let mut is_done = false;
            let mut result = Ok(());
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        content += record.payload.len();
                        self.plain.extend_from_slice(record.payload);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    append(&mut self.outgoing, 0, |room| {
                        data.encode(room).map_err(|error| short_encode(&error))
                    })?;
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::PeerClosed) => self.has_ended = true,
                Ok(ConnectionState::WriteTraffic(traffic)) => {
                    result = go_on(traffic, then, &mut self.outgoing);
                    is_done = true;
                }
                Ok(_) => is_done = true,
                Err(error) => result = Err(error),
            }
            self.incoming.drain(..discard);
            if self.phase == Phase::Traffic {
                self.overhead += discard - content;
            }
            if is_done || result.is_err() {
                return result;
            }
        }
    }

    /// After an error: the alert that tells the client of it.
    fn take_alert(&mut self) {
        while self.tls.wants_write() {
            match self.tls.process_tls_records(&mut []).state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    let encode =
                        |room: &mut [u8]| data.encode(room).map_err(|error| short_encode(&error));
                    if append(&mut self.outgoing, 0, encode).is_err() {
                        return;
                    }
                }
                _ => return,
            }
        }
    }
}

/// All records are processed: does what is next.
fn go_on(
    mut traffic: WriteTraffic<'_, ServerConnectionData>,
    then: Then<'_>,
    outgoing: &mut Vec<u8>,
) -> Result<(), Error> {
    match then {
        Then::Wait => Ok(()),
        Then::Send(bytes) => append(outgoing, bytes.len() + RECORD_OVERHEAD, |room| {
            traffic.encrypt(bytes, room).map_err(|error| short_encrypt(&error))
        }),
        Then::Close => append(outgoing, 0, |room| {
            traffic.queue_close_notify(room).map_err(|error| short_encrypt(&error))
        }),
    }
}

/// Has something written behind `outgoing`, with as much room as it turns out to want. It fails
/// for good where no room is enough: `None`.
fn append(
    outgoing: &mut Vec<u8>,
    guess: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>,
) -> Result<(), Error> {
    let start = outgoing.len();
    let mut room = guess;
    loop {
        outgoing.resize(start + room, 0);
        match write(&mut outgoing[start..]) {
            Ok(count) => {
                outgoing.truncate(start + count);
                return Ok(());
            }
            Err(Some(required)) => room = required,
            Err(None) => {
                outgoing.truncate(start);
                return Err(Error::EncryptError);
            }
        }
    }
}

/// How much room rustls wants; `None` for another error.
fn short_encrypt(error: &EncryptError) -> Option<usize> {
    match error {
        EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => {
            Some(*required_size)
        }
        EncryptError::EncryptExhausted => None,
    }
}

fn short_encode(error: &EncodeError) -> Option<usize> {
    match error {
        EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => {
            Some(*required_size)
        }
        EncodeError::AlreadyEncoded => None,
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
