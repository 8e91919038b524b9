//! The handshake, which is rustls' own, and all that comes after it in TLS 1.2. Does no I/O.

use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
    WriteTraffic,
};
use rustls::{Error, ProtocolVersion};

use super::buffers::{Buffers, Then};
use super::keys::Keys;
use super::records::{self, Records};

/// The most that a record of TLS 1.2 adds to its payload.
const RECORD_OVERHEAD: usize = 64;

pub(super) struct Handshake {
    tls: UnbufferedServerConnection,
    /// How many of the bytes that have come rustls has seen, and wants to see again.
    seen: usize,
}

impl Handshake {
    pub(super) fn new(keys: &Keys) -> Handshake {
        let tls = UnbufferedServerConnection::new(keys.config());
        Handshake { tls: tls.expect("it asks for nothing that can fail"), seen: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        !self.tls.is_handshaking()
    }

    pub(super) fn version(&self) -> Option<ProtocolVersion> {
        self.tls.protocol_version()
    }

    /// Whether nothing more is to be done here.
    fn ends_here(&self) -> bool {
        self.is_done() && self.version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// TLS 1.3, once the handshake is done.
    pub(super) fn into_records(self) -> Result<Records, Error> {
        Records::after(self.tls)
    }

    /// Has rustls process what has come, and answer it.
    pub(super) fn process(&mut self, buffers: &mut Buffers, then: Then<'_>) -> Result<(), Error> {
        let result = self.process_records(buffers, then);
        if result.is_err() {
            self.take_alert(&mut buffers.outgoing);
        }
        result
    }

    /// It is given one more record at a time, and nothing that follows the handshake: it would
    /// answer a change of keys, for example, only together with the next data that it sends, which
    /// never comes.
    fn process_records(&mut self, buffers: &mut Buffers, then: Then<'_>) -> Result<(), Error> {
        loop {
            if self.step(buffers, then)? {
                let is_over = !matches!(then, Then::Wait) || self.ends_here();
                match records::first_record(&buffers.incoming[self.seen..]) {
                    Some(length) if !is_over => self.seen += length,
                    _ => return Ok(()),
                }
            }
        }
    }

    /// Whether rustls has no more to do with what it has seen.
    fn step(&mut self, buffers: &mut Buffers, then: Then<'_>) -> Result<bool, Error> {
        let is_traffic = self.is_done();
        let UnbufferedStatus { mut discard, state, .. } =
            self.tls.process_tls_records(&mut buffers.incoming[..self.seen]);
        let mut content = 0;
        let mut result = Ok(false);
        match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while let Some(record) = traffic.next_record() {
                    let record = record?;
                    discard += record.discard;
                    content += record.payload.len();
                    buffers.plain.extend_from_slice(record.payload);
                }
            }
            Ok(ConnectionState::EncodeTlsData(mut data)) => {
                append(&mut buffers.outgoing, 0, |room| {
                    data.encode(room).map_err(|error| short_encode(&error))
                })?;
            }
            Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
            Ok(ConnectionState::PeerClosed) => buffers.has_ended = true,
            Ok(ConnectionState::WriteTraffic(traffic)) => {
                result = go_on(traffic, then, &mut buffers.outgoing).map(|()| true);
            }
            Ok(_) => result = Ok(true),
            Err(error) => result = Err(error),
        }
        buffers.incoming.drain(..discard);
        self.seen -= discard;
        if is_traffic {
            buffers.overhead += discard - content;
        }
        result
    }

    /// After an error: the alert that tells the client of it.
    fn take_alert(&mut self, outgoing: &mut Vec<u8>) {
        while self.tls.wants_write() {
            match self.tls.process_tls_records(&mut []).state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    let encode =
                        |room: &mut [u8]| data.encode(room).map_err(|error| short_encode(&error));
                    if append(outgoing, 0, encode).is_err() {
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

/// Has something written behind `outgoing`, in as much room as it turns out to need. `None` if it
/// fails however much room there is.
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
