//! TLS over any transport: what is encrypted, and with which certificate. Knows no socket. Only
//! the files below name rustls.

#[cfg(feature = "tls")]
mod buffers;
#[cfg(feature = "redis")]
pub(crate) mod client;
#[cfg(feature = "tls")]
mod direction;
#[cfg(feature = "tls")]
mod handshake;
#[cfg(feature = "tls")]
mod keys;
#[cfg(feature = "tls")]
mod records;
#[cfg_attr(not(feature = "tls"), path = "tls/without.rs")]
mod session;
#[cfg(all(test, feature = "tls"))]
mod tests;

use std::error::Error;
use std::fmt;
use std::io::{self, Cursor, Read, Write};
use std::net::SocketAddr;
use std::ptr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::net::transport::Transport;
use crate::pack::{Damaged, Packer, Unpacker};
use session::{Keys, Session};

/// A fatal alert, access denied: what a TLS client reads that is refused.
pub(crate) const ACCESS_DENIED: [u8; 7] = [21, 3, 3, 0, 2, 2, 49];

/// A fatal alert, internal error: a handshake is cut short, through no fault of the client's.
#[cfg(feature = "tls")]
const CUT_SHORT: [u8; 7] = [21, 3, 3, 0, 2, 2, 80];

/// The certificate that a server shows, and its key. A clone shares them, so that another thread
/// can replace them.
#[derive(Clone)]
pub struct Certificate(Arc<RwLock<Keys>>);

impl Certificate {
    /// Reads them as `certbot` and `lego` write them: `chain` is PEM, the server's own certificate
    /// first, and `key` the private key of that one, in PEM without a password. Each may hold
    /// other blocks besides, so both may be the same text.
    ///
    /// # Errors
    ///
    /// If one of them is no such PEM, or the key is another certificate's; and always without the
    /// feature `tls`.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Certificate, BadCertificate> {
        Ok(Certificate(Arc::new(RwLock::new(Keys::from_pem(chain, key)?))))
    }

    /// Replaces them, from any thread, for connections that begin from now on.
    ///
    /// # Errors
    ///
    /// The same. The old certificate stays in force then.
    pub fn replace(&self, chain: &[u8], key: &[u8]) -> Result<(), BadCertificate> {
        let keys = Keys::from_pem(chain, key)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// Whether the first certificate of `chain` is valid at this time. Neither of the others asks:
    /// it is for clients to decide what to do about that.
    ///
    /// # Errors
    ///
    /// If it has expired, or is not valid yet; and always without the feature `tls`.
    pub fn check_dates(chain: &[u8], now: SystemTime) -> Result<(), BadCertificate> {
        Keys::check_dates(chain, now.duration_since(UNIX_EPOCH).unwrap_or_default())
    }

    fn session(&self) -> Session {
        Session::new(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Keys are shown to nobody.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

/// Clones of one certificate are equal.
impl PartialEq for Certificate {
    fn eq(&self, other: &Certificate) -> bool {
        ptr::eq(&raw const *self.0, &raw const *other.0)
    }
}

impl Eq for Certificate {}

/// Why a [`Certificate`] is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadCertificate {
    /// What is wrong with the certificates.
    Chain(String),
    /// What is wrong with the key, or that it is another's.
    Key(String),
    /// It was built without the feature `tls`.
    Unsupported,
}

impl fmt::Display for BadCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadCertificate::Chain(why) => write!(f, "the certificate: {why}"),
            BadCertificate::Key(why) => write!(f, "the key: {why}"),
            BadCertificate::Unsupported => f.write_str("it was built without the feature tls"),
        }
    }
}

impl Error for BadCertificate {}

/// A transport, encrypted by TLS or as it is.
///
/// The handshake may take [`Limits::handshake_time`](crate::Limits::handshake_time). A TLS client
/// that is refused before its end gets a fatal alert in place of the refusal; a client that does
/// not speak TLS reads `This port speaks TLS.`
pub struct Tls<T> {
    transport: T,
    /// If it is encrypted.
    session: Option<Box<Session>>,
}

impl<T: Transport> Tls<T> {
    /// A transport that is not encrypted.
    pub fn plain(transport: T) -> Tls<T> {
        Tls { transport, session: None }
    }

    /// What lies underneath.
    pub(crate) fn transport(&self) -> &T {
        &self.transport
    }

    /// Encrypts a transport: the server's side of TLS 1.3 or 1.2. Clients show no certificate, and
    /// no session is resumed.
    #[cfg_attr(not(feature = "tls"), expect(unreachable_code))]
    pub fn encrypted(transport: T, certificate: &Certificate) -> Tls<T> {
        Tls { transport, session: Some(Box::new(certificate.session())) }
    }
}

impl<T: Transport> Read for Tls<T> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.session {
            Some(session) => session.read(&mut self.transport, buf),
            None => self.transport.read(buf),
        }
    }
}

impl<T: Transport> Write for Tls<T> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match &mut self.session {
            Some(session) => session.write(&mut self.transport, buf),
            None => self.transport.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(session) = &mut self.session {
            session.push(&mut self.transport)?;
        }
        self.transport.flush()
    }
}

impl<T: Transport> Transport for Tls<T> {
    fn name(&self) -> &'static str {
        if self.session.is_some() { "tls" } else { self.transport.name() }
    }

    fn can_be_handed_over(&self) -> bool {
        self.session.as_ref().is_none_or(|session| session.can_be_handed_over())
    }

    /// The session. Without one the other program takes the connection for a plain one. That is
    /// right, too, if the connection cannot be handed over: then that program gets sealed bytes to
    /// send.
    fn pack(&self, to: &mut Packer) {
        match self.session.as_ref().filter(|session| session.can_be_handed_over()) {
            Some(session) => to.tag(1).put(&**session),
            None => to.tag(0),
        };
    }

    fn restore(&mut self, from: &mut Unpacker<'_>) -> Result<(), Damaged> {
        self.session = from.get()?;
        Ok(())
    }

    fn seal(&mut self, mut bytes: &[u8]) -> io::Result<Vec<u8>> {
        let Some(session) = &mut self.session else { return Ok(bytes.to_vec()) };
        let mut records = Cursor::new(Vec::new());
        while !bytes.is_empty() {
            let count = session.write(&mut records, bytes)?;
            bytes = &bytes[count..];
        }
        session.close(&mut records)?;
        Ok(records.into_inner())
    }

    fn shutdown_write(&mut self) -> io::Result<()> {
        if let Some(session) = &mut self.session {
            session.close(&mut self.transport)?;
        }
        self.transport.shutdown_write()
    }

    fn unsent(&self) -> usize {
        let held = self.session.as_ref().map_or(0, |session| session.unsent());
        held + self.transport.unsent()
    }

    fn is_handshaking(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.is_handshaking())
    }

    fn begin(&mut self, read_before: &[u8]) {
        if let Some(session) = &mut self.session {
            session.begin(read_before);
        }
    }

    fn take_overhead(&mut self, count: usize) -> bool {
        self.session.as_mut().is_some_and(|session| session.take_overhead(count))
    }

    fn tls_version(&self) -> Option<&'static str> {
        self.session.as_ref()?.version()
    }

    fn is_broken(&mut self) -> bool {
        self.transport.is_broken()
    }

    fn peer_addr(&self) -> Option<SocketAddr> {
        self.transport.peer_addr()
    }

    fn disable_user_timeout(&mut self, is_disabled: bool) {
        self.transport.disable_user_timeout(is_disabled);
    }

    fn acknowledge(&mut self) {
        self.transport.acknowledge();
    }
}
