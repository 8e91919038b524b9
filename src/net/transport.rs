//! What a connection runs over: the seam between the loop and sockets. With `server.rs` and
//! `listen.rs` the only place that names mio.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
use std::time::Duration;

use mio::event::Source;
use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};

use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// A non-blocking, edge-triggered stream of bytes, which may have a protocol of its own
/// underneath: records, a handshake.
///
/// Beside what std says of [`Read`] and [`Write`]:
///
/// - `read` fails with `Interrupted` where it made progress and has no bytes: it is to be
///   called again, and that counts as a read. It fails with `UnexpectedEof` at an end that the
///   peer has not vouched for: an unended line does not count.
/// - What `read` has to answer it sends, or holds back until a writable edge; it does not send
///   what was held back before, but in front of that.
/// - `write` may take bytes and hold them back. `flush` fails with `WouldBlock` while it does,
///   and a writable edge comes; so it is called whenever nothing else is to be written.
/// - The end of a connection that is still shaking hands is that of one that never began.
pub trait Transport: Read + Write {
    /// Tells the other side that nothing more will come, while it may still send.
    ///
    /// # Errors
    ///
    /// `WouldBlock` while something is held back: it is to be called again after the next
    /// writable edge. Whatever else the socket says, the loop does not mind.
    fn shutdown_write(&mut self) -> io::Result<()>;

    /// How many bytes it has taken, or made itself, and holds back.
    fn unsent(&self) -> usize {
        0
    }

    /// Whether it is not known yet who is there: the service does not hear of it, and nothing
    /// but a refusal is written.
    fn is_handshaking(&self) -> bool {
        false
    }

    /// What came of a handshake before this was asked to read: behind a PROXY header.
    fn begin(&mut self, read_before: &[u8]) {
        let _ = read_before;
    }

    /// The version of TLS that it is encrypted with, for the log: `1.3`. `None` if it is not.
    fn tls_version(&self) -> Option<&'static str> {
        None
    }

    /// Whether it has broken, as far as that shows without reading from it.
    fn is_broken(&mut self) -> bool {
        false
    }

    /// Where it comes from, as the system has it.
    fn peer_addr(&self) -> Option<SocketAddr> {
        None
    }

    /// Whether the other side may take as long as it likes to read. So it is while it is
    /// behind, and for [`Limits::stall_time`](crate::Limits::stall_time) after that: it is then
    /// looked after in the loop, and who takes a little at a time is not to be given up by the
    /// system.
    fn disable_user_timeout(&mut self, is_disabled: bool) {
        let _ = is_disabled;
    }
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An address; a mapped IPv4 address shows as IPv4.
    Addr(SocketAddr),
    /// A Unix socket, where nobody has one.
    Unix,
}

impl Origin {
    /// The address, if there is one.
    #[must_use]
    pub fn addr(self) -> Option<SocketAddr> {
        match self {
            Origin::Addr(addr) => Some(addr),
            Origin::Unix => None,
        }
    }

    /// The address without its port.
    #[must_use]
    pub fn ip(self) -> Option<IpAddr> {
        self.addr().map(|addr| addr.ip())
    }

    /// The port that goes with it.
    #[must_use]
    pub fn port(self) -> Option<u16> {
        self.addr().map(|addr| addr.port())
    }
}

impl From<SocketAddr> for Origin {
    fn from(addr: SocketAddr) -> Origin {
        Origin::Addr(SocketAddr::new(addr.ip().to_canonical(), addr.port()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Addr(addr) => addr.fmt(f),
            Origin::Unix => f.write_str("a Unix socket"),
        }
    }
}

/// Sent bytes that stay unacknowledged for so long break a connection. By itself Linux tries
/// for a quarter of an hour.
#[cfg(target_os = "linux")]
pub(crate) const USER_TIMEOUT: Duration = Duration::from_mins(2);

/// A connected socket.
pub(crate) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    /// Registers it, once and for good.
    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        match self {
            Socket::Tcp(socket) => socket.register(registry, token, interest),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.register(registry, token, interest),
        }
    }
}

impl Socket {
    /// Closes it without a farewell: the other side finds it reset, and the system keeps nothing
    /// of it.
    pub(crate) fn reset(self) {
        if let Socket::Tcp(socket) = &self {
            // Where it fails, it closes as any other does.
            let _ = socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO));
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.read(buf),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.read(buf),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.write(buf),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Socket {
    fn shutdown_write(&mut self) -> io::Result<()> {
        match self {
            Socket::Tcp(socket) => socket.shutdown(Shutdown::Write),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.shutdown(Shutdown::Write),
        }
    }

    fn is_broken(&mut self) -> bool {
        let error = match self {
            Socket::Tcp(socket) => socket.take_error(),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.take_error(),
        };
        !matches!(error, Ok(None))
    }

    fn peer_addr(&self) -> Option<SocketAddr> {
        match self {
            Socket::Tcp(socket) => socket.peer_addr().ok(),
            #[cfg(unix)]
            Socket::Unix(_) => None,
        }
    }

    /// Linux counts the time that a peer's window is closed for what is to be sent next, and
    /// does not mind what it reads meanwhile: with a small receive buffer, whoever stays behind
    /// for that long would be given up.
    fn disable_user_timeout(&mut self, is_disabled: bool) {
        #[cfg(target_os = "linux")]
        if let Socket::Tcp(socket) = self {
            let time = Some(USER_TIMEOUT).filter(|_| !is_disabled);
            // It fails where the connection has, which reading will tell.
            let _ = socket2::SockRef::from(&*socket).set_tcp_user_timeout(time);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = is_disabled;
    }
}

impl Pack for Origin {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.addr());
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Origin, Damaged> {
        Ok(from.get::<Option<SocketAddr>>()?.map_or(Origin::Unix, Origin::Addr))
    }
}
