//! Records of TLS 1.3 after the handshake: what is in them, changes of keys, and alerts. Does no I/O.
//!
//! For as long as a connection lives, rustls keeps what only its handshake needs: a third of what
//! an idle client takes; and it copies each record twice on its way out. So once the handshake is
//! done it hands over what it would give to a kernel that seals records (kTLS): the keys, and what
//! makes the next ones. All cryptography stays ring's. Here is only what surrounds it, and
//! faults lead to the same alerts as with rustls.

#[cfg(test)]
mod tests;

use std::mem;

use rustls::crypto::cipher::InboundPlainMessage;
use rustls::crypto::ring;
use rustls::kernel::KernelConnection;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::{
    AlertDescription, ContentType, Error, HandshakeType, InvalidMessage, PeerMisbehaved,
    SupportedCipherSuite, Tls13CipherSuite,
};

use super::buffers::{Buffers, Then};
use super::direction::Direction;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// Type, version and length, before each record.
const HEADER: usize = 5;

/// What comes behind a header is shorter: 16 KiB, and what a cipher adds.
const BODY_LIMIT: usize = (16 << 10) + 2048;

/// So many records in a row may be empty.
const EMPTY_MAX: u8 = 32;

/// So many warnings are ignored.
const WARNINGS_MAX: u8 = 4;

/// So many times keys may change with nothing said between.
const KEY_UPDATES_MAX: u8 = 32;

/// The message that changes the sender's key. Its one byte is 1 if the other side is to change its
/// own, too.
const KEY_UPDATE: u8 = 24;

pub(super) struct Records {
    /// What makes the next keys. It cannot be handed over: after that they do not change any more.
    next: Option<KernelConnection<ServerConnectionData>>,
    suite: &'static Tls13CipherSuite,
    sealing: Direction,
    opening: Direction,
    /// The client has asked for a change of our key: it changes before anything else is sent.
    owes_key_update: bool,
    /// We have sent `close_notify`, which is the last that we send.
    has_closed: bool,
    /// A message whose end is in the next record.
    partial: Vec<u8>,
    empty: u8,
    warnings: u8,
    key_updates: u8,
}

/// What a record holds.
enum Opened<'a> {
    Content(&'a [u8]),
    Nothing,
    /// `close_notify`.
    End,
}

/// Why a client is given up, and with which alert.
pub(super) struct Fault {
    error: Error,
    alert: Option<AlertDescription>,
}

/// No alert is sent where rustls sends none.
impl From<PeerMisbehaved> for Fault {
    fn from(why: PeerMisbehaved) -> Fault {
        Fault { error: why.into(), alert: None }
    }
}

impl From<InvalidMessage> for Fault {
    fn from(why: InvalidMessage) -> Fault {
        Fault { error: why.into(), alert: Some(AlertDescription::DecodeError) }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let alert = match error {
            Error::DecryptError => Some(AlertDescription::BadRecordMac),
            Error::PeerSentOversizedRecord => Some(AlertDescription::RecordOverflow),
            Error::PeerMisbehaved(PeerMisbehaved::IllegalMiddleboxChangeCipherSpec) => {
                Some(AlertDescription::UnexpectedMessage)
            }
            _ => None,
        };
        Fault { error, alert }
    }
}

impl Records {
    /// Goes on where the handshake has ended, with nothing after it read yet.
    pub(super) fn after(tls: UnbufferedServerConnection) -> Result<Records, Error> {
        let (secrets, next) = tls.dangerous_into_kernel_connection()?;
        let SupportedCipherSuite::Tls13(suite) = next.negotiated_cipher_suite() else {
            return Err(Error::HandshakeNotComplete);
        };
        Ok(Records {
            next: Some(next),
            suite,
            sealing: Direction::new(suite, secrets.tx)?,
            opening: Direction::new(suite, secrets.rx)?,
            owes_key_update: false,
            has_closed: false,
            partial: Vec::new(),
            empty: 0,
            warnings: 0,
            key_updates: 0,
        })
    }

    /// Whether another process can go on with the same keys: it has no others.
    pub(super) fn can_be_handed_over(&self) -> bool {
        !self.owes_key_update
    }

    pub(super) fn process(&mut self, buffers: &mut Buffers, then: Then<'_>) -> Result<(), Error> {
        match then {
            Then::Wait => self.open_all(buffers),
            Then::Send(bytes) => {
                self.write(ContentType::ApplicationData, bytes, &mut buffers.outgoing)
            }
            Then::Close => {
                self.has_closed = true;
                self.write(ContentType::Alert, &[1, 0], &mut buffers.outgoing)
            }
        }
    }

    /// Opens all records that are complete.
    fn open_all(&mut self, buffers: &mut Buffers) -> Result<(), Error> {
        let mut done = 0;
        let mut result = Ok(());
        while !buffers.has_ended && result.is_ok() {
            let Some(length) = first_record(&buffers.incoming[done..]) else { break };
            let mut content = 0;
            match self.open(&mut buffers.incoming[done..done + length]) {
                Ok(Opened::Content(bytes)) => {
                    content = bytes.len();
                    buffers.plain.extend_from_slice(bytes);
                }
                Ok(Opened::Nothing) => {}
                Ok(Opened::End) => buffers.has_ended = true,
                Err(fault) => {
                    if let Some(alert) = fault.alert.filter(|_| !self.has_closed) {
                        self.write(ContentType::Alert, &[2, alert.into()], &mut buffers.outgoing)?;
                    }
                    result = Err(fault.error);
                }
            }
            buffers.overhead += length - content;
            done += length;
        }
        buffers.incoming.drain(..done);
        result
    }

    fn open<'a>(&mut self, record: &'a mut [u8]) -> Result<Opened<'a>, Fault> {
        let (header, body) = record.split_first_chunk_mut().expect("a record has a header");
        check_header(*header)?;
        let kind = ContentType::from(header[0]);
        if kind == ContentType::ChangeCipherSpec && self.partial.is_empty() {
            return Err(if *body == [1] {
                unexpected(kind)
            } else {
                InvalidMessage::InvalidCcs.into()
            });
        }
        let message = self.opening.open(kind, body)?;
        self.take_message(&message)
    }

    fn take_message<'a>(
        &mut self,
        &InboundPlainMessage { typ, payload, .. }: &InboundPlainMessage<'a>,
    ) -> Result<Opened<'a>, Fault> {
        if typ != ContentType::Handshake && !self.partial.is_empty() {
            return Err(PeerMisbehaved::MessageInterleavedWithHandshakeMessage.into());
        }
        self.empty = if payload.is_empty() { self.empty + 1 } else { 0 };
        if self.empty > EMPTY_MAX {
            return Err(PeerMisbehaved::TooManyEmptyFragments.into());
        }
        match typ {
            ContentType::ApplicationData => {
                self.key_updates = 0;
                Ok(Opened::Content(payload))
            }
            ContentType::Alert => self.take_alert(payload),
            ContentType::Handshake => self.take_handshake(payload).map(|()| Opened::Nothing),
            _ => Err(InvalidMessage::InvalidContentType.into()),
        }
    }

    fn take_alert(&mut self, payload: &[u8]) -> Result<Opened<'static>, Fault> {
        let &[level, description] = payload else {
            return Err(InvalidMessage::MissingData("AlertMessagePayload").into());
        };
        let alert = AlertDescription::from(description);
        let error = Error::AlertReceived(alert);
        match (level, alert) {
            (1 | 2, AlertDescription::CloseNotify) => Ok(Opened::End),
            (1, _) if self.warnings == WARNINGS_MAX => {
                Err(PeerMisbehaved::TooManyWarningAlertsReceived.into())
            }
            (1, AlertDescription::UserCanceled) => {
                self.warnings += 1;
                Ok(Opened::Nothing)
            }
            (1, _) => Err(Fault { error, alert: Some(AlertDescription::DecodeError) }),
            (2, _) => Err(Fault { error, alert: None }),
            _ => Err(Fault { error, alert: Some(AlertDescription::IllegalParameter) }),
        }
    }

    /// Of handshake messages nothing but a change of keys may come any more.
    fn take_handshake(&mut self, payload: &[u8]) -> Result<(), Fault> {
        let mut message = mem::take(&mut self.partial);
        message.extend_from_slice(payload);
        match *message {
            [KEY_UPDATE, 0, 0, 1, request] => self.take_key_update(request),
            // What follows would be sealed with the new key.
            [KEY_UPDATE, 0, 0, 1, _, _, ..] => {
                let error = PeerMisbehaved::KeyEpochWithPendingFragment.into();
                Err(Fault { error, alert: Some(AlertDescription::UnexpectedMessage) })
            }
            [] | [KEY_UPDATE] | [KEY_UPDATE, 0] | [KEY_UPDATE, 0, 0] | [KEY_UPDATE, 0, 0, 1] => {
                self.partial = message;
                Ok(())
            }
            [KEY_UPDATE, ..] => Err(InvalidMessage::InvalidKeyUpdate.into()),
            [other, ..] => {
                let got_type = HandshakeType::from(other);
                let expect_types = vec![HandshakeType::KeyUpdate];
                let error = Error::InappropriateHandshakeMessage { expect_types, got_type };
                Err(Fault { error, alert: Some(AlertDescription::UnexpectedMessage) })
            }
        }
    }

    fn take_key_update(&mut self, request: u8) -> Result<(), Fault> {
        if self.key_updates == KEY_UPDATES_MAX {
            return Err(PeerMisbehaved::TooManyKeyUpdateRequests.into());
        }
        self.key_updates += 1;
        if request > 1 {
            let error = InvalidMessage::InvalidKeyUpdate.into();
            return Err(Fault { error, alert: Some(AlertDescription::IllegalParameter) });
        }
        let Some(next) = &mut self.next else {
            return Err(Fault {
                error: no_more_keys(),
                alert: Some(AlertDescription::InternalError),
            });
        };
        self.opening = Direction::new(self.suite, next.update_rx_secret()?)?;
        self.owes_key_update |= request == 1;
        Ok(())
    }

    /// Seals a record, and queues it.
    fn write(
        &mut self,
        kind: ContentType,
        bytes: &[u8],
        outgoing: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let is_worn = self.sealing.count + 1 >= self.suite.common.confidentiality_limit;
        if self.owes_key_update || is_worn {
            let secrets = self.next.as_mut().ok_or_else(no_more_keys)?.update_tx_secret()?;
            let message = [KEY_UPDATE, 0, 0, 1, 0];
            self.sealing.seal(ContentType::Handshake, &message, outgoing)?;
            self.sealing = Direction::new(self.suite, secrets)?;
            self.owes_key_update = false;
        }
        self.sealing.seal(kind, bytes, outgoing)
    }
}

/// How long the first record is, if it can be judged: it is there, or its header is wrong.
pub(super) fn first_record(bytes: &[u8]) -> Option<usize> {
    let header = bytes.first_chunk::<HEADER>()?;
    let length = match check_header(*header) {
        Ok(body) => HEADER + body,
        Err(_) => HEADER,
    };
    (length <= bytes.len()).then_some(length)
}

/// How long the body is that follows.
fn check_header(header: [u8; HEADER]) -> Result<usize, InvalidMessage> {
    let [kind, major, _, high, low] = header;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let kind = ContentType::from(kind);
    if let ContentType::Unknown(_) = kind {
        Err(InvalidMessage::InvalidContentType)
    } else if major != 3 {
        Err(InvalidMessage::UnknownProtocolVersion)
    } else if length == 0 && kind != ContentType::ApplicationData {
        Err(InvalidMessage::InvalidEmptyPayload)
    } else if length >= BODY_LIMIT {
        Err(InvalidMessage::MessageTooLarge)
    } else {
        Ok(length)
    }
}

/// What makes the next keys has stayed in the process before this one.
fn no_more_keys() -> Error {
    Error::General("its keys cannot change any more since an upgrade".to_owned())
}

fn unexpected(got_type: ContentType) -> Fault {
    let expect_types = vec![ContentType::ApplicationData, ContentType::Handshake];
    let error = Error::InappropriateMessage { expect_types, got_type };
    Fault { error, alert: Some(AlertDescription::UnexpectedMessage) }
}

impl Pack for Records {
    fn pack(&self, to: &mut Packer) {
        let Records {
            next: _,
            suite,
            sealing,
            opening,
            owes_key_update: _,
            has_closed,
            partial,
            empty,
            warnings,
            key_updates,
        } = self;
        to.put(&u16::from(suite.common.suite));
        sealing.pack(to);
        opening.pack(to);
        to.put(has_closed).put(partial).put(empty).put(warnings).put(key_updates);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Records, Damaged> {
        let number: u16 = from.get()?;
        let mut suites = ring::ALL_CIPHER_SUITES.iter().filter_map(SupportedCipherSuite::tls13);
        let suite = suites.find(|suite| u16::from(suite.common.suite) == number);
        let suite = suite.ok_or_else(|| from.wrong("cipher suite"))?;
        Ok(Records {
            next: None,
            suite,
            sealing: Direction::unpack(suite, from)?,
            opening: Direction::unpack(suite, from)?,
            owes_key_update: false,
            has_closed: from.get()?,
            partial: from.get()?,
            empty: from.get()?,
            warnings: from.get()?,
            key_updates: from.get()?,
        })
    }
}
