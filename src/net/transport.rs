//! What a connection runs over: the seam between the loop and sockets. With `server.rs` and
//! `listen.rs` the only file that names mio.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr};
#[cfg(unix)]
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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
/// - `read` fails with `Interrupted` if it made progress and has no bytes for the loop yet, for
///   example after a record of the handshake: the loop calls it again, and that counts as a read.
///   It fails with `UnexpectedEof` if the peer ended without the protocol's own end (TLS's
///   `close_notify`): an unended line is then dropped.
/// - If `read` has to answer the peer (a handshake, a key update), it sends the answer, or holds
///   it back until a writable edge. What was held back before goes first.
/// - `write` may take bytes and hold them back. While it does, `flush` fails with `WouldBlock`,
///   and a writable edge comes; so the loop calls `flush` whenever nothing else is to be written.
/// - If a connection ends during its handshake, the service is never told of it.
pub trait Transport: Read + Write {
    /// Tells the other side that nothing more will come, while it may still send.
    ///
    /// # Errors
    ///
    /// `WouldBlock` while something is held back: the loop calls it again after the next writable
    /// edge. The loop ignores all other errors.
    fn shutdown_write(&mut self) -> io::Result<()>;

    /// What it is, in one word, for metrics.
    fn name(&self) -> &'static str {
        "other"
    }

    /// How many bytes it holds back: taken by `write`, or made by itself.
    fn unsent(&self) -> usize {
        0
    }

    /// Whether the handshake is not done yet. Until then the service is not told of the
    /// connection, and nothing but a refusal is written.
    fn is_handshaking(&self) -> bool {
        false
    }

    /// Bytes of the handshake that the loop read before `read` was called: they came in one piece
    /// with a PROXY header.
    fn begin(&mut self, read_before: &[u8]) {
        let _ = read_before;
    }

    /// Takes `count` of the bytes that were read and became no content (headers of records, new
    /// keys), if there are as many. The loop charges for them as for bytes of a line.
    fn take_overhead(&mut self, count: usize) -> bool {
        let _ = count;
        false
    }

    /// The version of TLS that it is encrypted with, for the log: `1.3`. `None` if it is not.
    fn tls_version(&self) -> Option<&'static str> {
        None
    }

    /// Whether it has broken, as far as that shows without reading from it.
    fn is_broken(&mut self) -> bool {
        false
    }

    /// Whether another program can go on with it as it is.
    fn can_be_handed_over(&self) -> bool {
        true
    }

    /// Packs what that program has to know, beside the socket. Also called if the transport cannot
    /// be handed over: [`Transport::seal`] makes what its peer is sent.
    fn pack(&self, to: &mut Packer) {
        let _ = to;
    }

    /// Goes on with what another program has packed. It is new: nothing was read or written.
    ///
    /// # Errors
    ///
    /// If that is something else.
    fn restore(&mut self, from: &mut Unpacker<'_>) -> Result<(), Damaged> {
        let _ = from;
        Ok(())
    }

    /// These bytes and then a proper end, as they go over the wire. Called if the transport cannot
    /// be handed over; nothing else is written to it after that.
    ///
    /// # Errors
    ///
    /// If nothing can be written to it any more.
    fn seal(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        Ok(bytes.to_vec())
    }

    /// Where it comes from, as the system has it.
    fn peer_addr(&self) -> Option<SocketAddr> {
        None
    }

    /// Switches the system's user timeout off or on. It is off while the peer is a slow consumer,
    /// and for [`Limits::stall_time`](crate::Limits::stall_time) after that: the loop watches it
    /// then, and the system would give up a peer that reads a little at a time.
    fn disable_user_timeout(&mut self, is_disabled: bool) {
        let _ = is_disabled;
    }

    /// Has the system acknowledge at once what has come, and not wait for an answer that carries
    /// the acknowledgement (delayed ACK: up to 40 ms on Linux).
    fn acknowledge(&mut self) {}
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An address; a mapped IPv4 address shows as IPv4.
    Addr(SocketAddr),
    /// A Unix socket, which has no address.
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

/// A connection breaks when sent bytes stay unacknowledged for so long. By default Linux goes on
/// trying for a quarter of an hour.
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

/// What an upgrade hands over: the descriptor, and what kind it is.
#[cfg(unix)]
impl Socket {
    pub(crate) fn adopt(descriptor: OwnedFd, is_unix: bool) -> Socket {
        if is_unix {
            Socket::Unix(UnixStream::from_std(descriptor.into()))
        } else {
            Socket::Tcp(TcpStream::from_std(descriptor.into()))
        }
    }

    pub(crate) fn is_unix(&self) -> bool {
        matches!(self, Socket::Unix(_))
    }
}

#[cfg(unix)]
impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(socket) => socket.as_fd(),
            Socket::Unix(socket) => socket.as_fd(),
        }
    }
}

/// For connections that are unpacked only to check that they can be.
impl Transport for io::Empty {
    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps what is written, to be sent later ([`Transport::seal`]).
impl Transport for io::Cursor<Vec<u8>> {
    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
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
    fn name(&self) -> &'static str {
        match self {
            Socket::Tcp(_) => "tcp",
            #[cfg(unix)]
            Socket::Unix(_) => "unix",
        }
    }

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
    /// ignores what the peer reads meanwhile: with a small receive buffer, a slow consumer would be
    /// given up after that time.
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

    fn acknowledge(&mut self) {
        #[cfg(target_os = "linux")]
        if let Socket::Tcp(socket) = self {
            // It fails where the connection has, which reading will tell.
            let _ = socket2::SockRef::from(&*socket).set_tcp_quickack(true);
        }
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
