//! Listening sockets: made, accepted from, and what happens when descriptors run out.
//! Knows no line and no chat.

mod flood;
mod socket;
mod spare;
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use log::warn;
use mio::net::TcpListener;
use mio::{Registry, Token};
use socket2::{Domain, Protocol, TcpKeepalive, Type};

use crate::net::tls::{Certificate, Tls};
#[cfg(target_os = "linux")]
use crate::net::transport::USER_TIMEOUT;
use crate::net::transport::{Origin, Socket};
use flood::Flood;
pub(crate) use socket::Listening;
pub(crate) use spare::Spare;
use spare::reject;

/// A burst of this many connects is answered at once. With std's and mio's 128, the
/// kernel drops the rest, and they try again after a second, then three.
const BACKLOG: i32 = 4096;

/// What the kernel keeps for a reader that has stalled; it would take 4 MB by itself.
/// Linux doubles it, and may go beyond that by one packet of 64 KiB: 256 KiB at most.
const SEND_BUFFER: usize = 96 << 10;

/// After accepting has failed for want of a descriptor, it is tried again this often.
const RETRY: Duration = Duration::from_millis(100);

/// After a connect that was reset without a word, no more are accepted for so long. Until there
/// are enough of them to have the kernel drop them, they would wake the loop one by one; a newcomer
/// hardly notices.
const PAUSE: Duration = Duration::from_millis(5);

/// A listener that fails says so at most this often.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Listening sockets of the process that was here before, in the order in which they are wanted.
pub(crate) type Sockets = VecDeque<Listening>;

/// The outcome of an attempt to accept a connection.
pub(crate) enum Incoming {
    Stream(Socket, Origin),
    /// There was no descriptor for it.
    TurnedAway(Origin),
    Nobody,
}

/// Which kind of client a listener is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serves {
    Lines,
    Browsers,
    Probes,
}

pub(crate) struct Listener {
    socket: Listening,
    /// What it is registered under.
    token: Token,
    label: String,
    /// All clients there are proxies.
    is_proxied: bool,
    serves: Serves,
    /// Connections there are encrypted with it.
    certificate: Option<Certificate>,
    /// Where it listens, for the log.
    place: String,
    /// The last accept did not end in `WouldBlock`, so no edge will come.
    ready: bool,
    /// Accepting failed for want of a descriptor, and is to be tried again then.
    retry_at: Option<Instant>,
    /// It is not registered until then.
    paused_until: Option<Instant>,
    flood: Flood,
    logged_at: Option<Instant>,
}

impl Listener {
    /// Listens on an address. Returns that address, too, with its real port.
    pub(crate) fn bind(
        addr: SocketAddr,
        label: &str,
        inherited: Option<Listening>,
    ) -> io::Result<(Listener, SocketAddr)> {
        let socket = match inherited {
            Some(Listening::Tcp(socket)) => {
                flood::drop_none(&socket);
                socket
            }
            _ => Listener::bind_anew(addr)?,
        };
        let addr = socket.local_addr()?;
        Ok((Listener::new(Listening::Tcp(socket), label, addr.to_string()), addr))
    }

    fn bind_anew(addr: SocketAddr) -> io::Result<TcpListener> {
        let socket =
            socket2::Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
        if addr.is_ipv6() {
            // [::] is everybody's address: IPv4 comes in as mapped addresses, whatever
            // the system's default.
            socket.set_only_v6(false)?;
        }
        // On Windows this would let two servers share a port.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        // On Linux connections inherit these from the listener: no call for each. A
        // telnet client sends part of Ctrl-C as urgent data; left out of line, the
        // byte before it would swallow the one after.
        socket.set_tcp_nodelay(true)?;
        socket.set_out_of_band_inline(true)?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        keep_alive(&socket)?;
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from_std(socket.into()))
    }

    /// Listens at a path, as long as this lives.
    pub(crate) fn bind_unix(
        path: &Path,
        label: &str,
        is_proxied: bool,
        inherited: Option<Listening>,
    ) -> io::Result<Listener> {
        let place = format!("unix:{}", path.display());
        let socket = inherited.map(|socket| socket.at(path));
        let socket = socket.map_or_else(|| Listening::bind_unix(path), Ok)?;
        Ok(Listener { is_proxied, ..Listener::new(socket, label, place) })
    }

    fn new(socket: Listening, label: &str, place: String) -> Listener {
        let label = label.to_owned();
        Listener {
            socket,
            token: Token(0),
            label,
            is_proxied: false,
            serves: Serves::Lines,
            certificate: None,
            place,
            ready: false,
            retry_at: None,
            paused_until: None,
            flood: Flood::default(),
            logged_at: None,
        }
    }

    pub(crate) fn socket(&self) -> &Listening {
        &self.socket
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.token = token;
        self.socket.register(registry, token)
    }

    /// Accepts nothing for a moment; newcomers wait in the kernel.
    ///
    /// # Errors
    ///
    /// What the system says; the listener is broken then.
    pub(crate) fn pause(&mut self, registry: &Registry, now: Instant) -> io::Result<()> {
        if self.paused_until.is_none() {
            self.socket.deregister(registry)?;
            self.ready = false;
            self.paused_until = Some(now + PAUSE);
        }
        Ok(())
    }

    /// A connect from there was reset without a word. Returns whether accepting should pause, since
    /// the kernel does not drop what comes next.
    pub(crate) fn count_reset(&mut self, origin: Origin, now: Instant) -> bool {
        match (&self.socket, origin.ip()) {
            (Listening::Tcp(socket), Some(addr)) => !self.flood.count(socket, addr, now),
            _ => true,
        }
    }

    /// Ends what is over by now: a pause, a flood, the wait for a descriptor.
    ///
    /// # Errors
    ///
    /// As with [`Listener::pause`].
    pub(crate) fn wait_over(&mut self, registry: &Registry, now: Instant) -> io::Result<()> {
        self.end_flood(now);
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
            self.ready = true;
            self.socket.register(registry, self.token)?;
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry();
        }
        Ok(())
    }

    fn end_flood(&mut self, now: Instant) {
        if let Listening::Tcp(socket) = &self.socket {
            self.flood.end(socket, now);
        }
    }

    /// Sets whom it serves, and the certificate if they have a handshake first.
    pub(crate) fn serving(self, serves: Serves, certificate: Option<&Certificate>) -> Listener {
        Listener { serves, certificate: certificate.cloned(), ..self }
    }

    /// Whether it serves monitors, which are not clients and are always let in.
    pub(crate) fn is_for_probes(&self) -> bool {
        self.serves == Serves::Probes
    }

    /// Whether connections there have a handshake first.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.certificate.is_some()
    }

    /// What a connection from there runs over.
    pub(crate) fn wrap(&self, socket: Socket) -> Tls<Socket> {
        match &self.certificate {
            Some(certificate) => Tls::encrypted(socket, certificate),
            None => Tls::plain(socket),
        }
    }

    /// Whether clients there speak HTTP first.
    pub(crate) fn is_web(&self) -> bool {
        self.serves != Serves::Lines
    }

    /// Whether connections there begin with a PROXY header.
    pub(crate) fn is_proxied(&self) -> bool {
        self.is_proxied
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn mark_ready(&mut self) {
        self.ready = true;
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready
    }

    /// When it waits no longer.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.paused_until.or(self.retry_at).into_iter().chain(self.flood.next()).min()
    }

    /// A descriptor has come free, or the time has come: accepting is tried again.
    pub(crate) fn retry(&mut self) {
        if self.retry_at.take().is_some() {
            self.ready = self.paused_until.is_none();
        }
    }

    /// Makes one attempt to accept a connection. When descriptors have run out (EMFILE), it accepts
    /// with the spare one, tells that client `refusal`, and closes it.
    ///
    /// # Errors
    ///
    /// Those that say that the listener itself is broken.
    pub(crate) fn accept(
        &mut self,
        now: Instant,
        spare: &mut Spare,
        refusal: &[u8],
    ) -> io::Result<Incoming> {
        // The spare descriptor may have been lost to another thread. It is taken back before a
        // newcomer gets one, or the next client could not even be told.
        spare.take_back();
        let mut outcome = self.socket.accept();
        if let Err(error) = &outcome
            && let Verdict::Exhausted = verdict(error)
        {
            self.log(now, error);
            outcome = spare.accept(&self.socket);
            if let Ok((stream, origin)) = outcome {
                reject(stream, refusal);
                spare.take_back();
                return Ok(Incoming::TurnedAway(origin));
            }
            spare.take_back();
        }
        match outcome {
            Ok((stream, origin)) => return Ok(Incoming::Stream(stream, origin)),
            Err(error) => self.failed(now, error)?,
        }
        Ok(Incoming::Nobody)
    }

    /// Nobody was accepted: decides whether, and when, to try again.
    fn failed(&mut self, now: Instant, error: io::Error) -> io::Result<()> {
        match verdict(&error) {
            Verdict::GoOn => {}
            Verdict::Nobody => self.ready = false,
            Verdict::Exhausted => {
                self.ready = false;
                self.retry_at = Some(now + RETRY);
            }
            Verdict::Broken => return Err(error),
        }
        Ok(())
    }

    fn log(&mut self, now: Instant, error: &io::Error) {
        if self.logged_at.is_none_or(|at| now >= at + LOG_EVERY) {
            self.logged_at = Some(now);
            warn!(listener = &*self.place, error:%; "accept_failed");
        }
    }
}

/// TCP keepalive: a peer that has vanished is noticed within two minutes, even if it was idle; a
/// slow consumer is looked after elsewhere ([`Transport::disable_user_timeout`]).
fn keep_alive(socket: &socket2::Socket) -> io::Result<()> {
    let keepalive = TcpKeepalive::new().with_time(Duration::from_mins(1));
    #[cfg(any(target_os = "linux", target_os = "macos", target_os = "freebsd", windows))]
    let keepalive = keepalive.with_interval(Duration::from_secs(15)).with_retries(4);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(USER_TIMEOUT))?;
    Ok(())
}

enum Verdict {
    Nobody,
    GoOn,
    Exhausted,
    Broken,
}

/// What a failed accept means. Nearly all errors are those of the connection that was
/// to be accepted, and say nothing of the next one.
fn verdict(error: &io::Error) -> Verdict {
    use io::ErrorKind::{InvalidInput, OutOfMemory, WouldBlock};
    match error.kind() {
        WouldBlock => return Verdict::Nobody,
        OutOfMemory => return Verdict::Exhausted,
        InvalidInput => return Verdict::Broken,
        _ => {}
    }
    match error.raw_os_error() {
        #[cfg(unix)]
        Some(code) if errno::EXHAUSTED.contains(&code) => Verdict::Exhausted,
        #[cfg(unix)]
        Some(errno::EBADF) => Verdict::Broken,
        _ => Verdict::GoOn,
    }
}

/// The few error numbers for which std has no kind.
#[cfg(unix)]
mod errno {
    pub(super) const EBADF: i32 = 9;
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const ENOBUFS: i32 = if cfg!(target_os = "linux") { 105 } else { 55 };
    pub(super) const EXHAUSTED: [i32; 3] = [ENFILE, EMFILE, ENOBUFS];
}
