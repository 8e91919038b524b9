//! The poll, its clock and its waker: where readiness comes from. It, `net/listen.rs` (with
//! `net/listen/socket.rs`) and `net/transport.rs` are the only ones that name mio, and it alone
//! reads the clock. What happens to a line is decided elsewhere.

mod clock;
mod config;
#[cfg(unix)]
mod hand_over;
mod handle;
#[cfg(unix)]
mod inherited;
mod running;

use std::collections::VecDeque;
use std::fmt::Display;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::time::Duration;

use log::{info, warn};
use mio::event::Event;
use mio::{Events, Poll, Token, Waker};

use crate::net::hub::Hub;
use crate::net::listen::{Incoming, Listener, Serves, Sockets, Spare};
use crate::net::service::{Peer, Refusal, Service};
use crate::net::timeouts::Now;
use crate::net::tls::{ACCESS_DENIED, Tls};
use crate::net::transport::{Origin, Socket};
use clock::Clock;
pub use config::{Config, Listen, ListenUnix};
pub use handle::Handle;
#[cfg(unix)]
pub use inherited::Inherited;
pub use running::{Pause, Running};

/// A server that is bound and not running yet.
pub struct Server {
    poll: Poll,
    listeners: Vec<Listener>,
    addrs: Vec<SocketAddr>,
    spare: Spare,
    clock: Clock,
    handle: Handle,
    config: Config,
    /// The streams that were taken over, each with its slot, until a connection has them.
    streams: VecDeque<(usize, Socket)>,
    /// When the old program stopped serving them, as a time since 1970.
    frozen_at: Duration,
    /// The slots of connections that could not be taken over, and what each is sent last.
    left: Vec<(usize, Vec<u8>)>,
}

/// Tokens below are slots.
const WAKER: Token = Token(usize::MAX);
const FIRST_LISTENER: usize = usize::MAX >> 1;

impl Server {
    /// Binds all listeners of the configuration.
    ///
    /// # Errors
    ///
    /// What the system says of an address, with the address; `InvalidInput` for limits
    /// that cannot work together.
    pub fn bind(config: Config) -> io::Result<Server> {
        Server::with(config, Poll::new()?, Sockets::default())
    }

    /// Listens with what was inherited, and else anew.
    fn with(config: Config, poll: Poll, mut inherited: Sockets) -> io::Result<Server> {
        config.limits.check()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let (mut listeners, addrs) = listen(&config, &mut inherited)?;
        for (index, listener) in listeners.iter_mut().enumerate() {
            listener.register(poll.registry(), Token(FIRST_LISTENER + index))?;
        }
        Ok(Server {
            poll,
            listeners,
            addrs,
            spare: Spare::new(),
            clock: Clock::new(),
            handle: Handle::new(Some(waker)),
            config,
            streams: VecDeque::new(),
            frozen_at: Duration::ZERO,
            left: Vec::new(),
        })
    }

    /// Where it listens, in the order of [`Config::listen`], [`Config::listen_web`],
    /// [`Config::listen_tls`], [`Config::listen_web_tls`] and [`Config::listen_metrics`], with the
    /// real ports.
    #[must_use]
    pub fn local_addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// A handle on this server; get it before [`Server::run`].
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Serves until a handle asks for a shutdown, and gives the service back.
    ///
    /// # Errors
    ///
    /// When the poll or a listener breaks. What a connection does is never an error.
    pub fn run<S: Service>(self, service: S) -> io::Result<S> {
        let mut running = self.start(service);
        while running.run()? == Pause::Interrupted {}
        Ok(running.hub.into_service())
    }

    /// The same, for callers that do something between two turns ([`Handle::interrupt`]).
    #[must_use]
    pub fn start<S: Service>(mut self, service: S) -> Running<S> {
        let hub = Hub::new(service, &self.config.limits, self.clock.read());
        self.with_hub(hub)
    }

    fn with_hub<S: Service>(mut self, mut hub: Hub<Tls<Socket>, S>) -> Running<S> {
        hub.serve_web(mem::take(&mut self.config.web));
        hub.serve_probes(self.config.max_clients);
        Running::new(self, hub)
    }

    fn wait(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let mut result = self.poll.poll(events, timeout);
        // A signal: find out which connections are ready before any deadline passes, above all
        // when the process was stopped and goes on.
        while result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::Interrupted) {
            result = self.poll.poll(events, Some(Duration::ZERO));
        }
        result
    }

    fn timeout<S: Service>(&self, hub: &Hub<Tls<Socket>, S>, now: Now) -> Option<Duration> {
        if self.listeners.iter().any(Listener::is_ready) {
            return Some(Duration::ZERO);
        }
        let accept = self.listeners.iter().filter_map(Listener::next).min();
        let accept = accept.map(|at| at.saturating_duration_since(now.monotonic));
        accept.into_iter().chain(hub.timeout(now)).min()
    }

    /// An event only marks. Its flags are hints; reading and writing find out.
    fn mark<S: Service>(&mut self, event: &Event, hub: &mut Hub<Tls<Socket>, S>) {
        match event.token() {
            WAKER => {}
            Token(index) if index >= FIRST_LISTENER => {
                // When the server is stopping, most listeners are gone.
                if let Some(listener) = self.listeners.get_mut(index - FIRST_LISTENER) {
                    listener.mark_ready();
                }
            }
            Token(slot) => {
                if event.is_readable() || event.is_read_closed() || event.is_error() {
                    hub.mark_readable(slot);
                }
                if event.is_writable() || event.is_write_closed() {
                    hub.mark_writable(slot);
                }
            }
        }
    }

    fn take_requests<S: Service>(&mut self, hub: &mut Hub<Tls<Socket>, S>, stopping: &mut bool) {
        if self.handle.takes_wake() {
            hub.wake();
        }
        while hub.take_shutdown() {
            self.handle.shutdown();
        }
        if !*stopping && self.handle.shutdowns() > 0 {
            info!(connections = hub.open_count(); "shutting_down");
            *stopping = true;
            // The monitors' listeners stay, to tell that it is shutting down.
            self.listeners.truncate(self.config.listen_metrics.len());
            hub.shutdown();
        }
    }

    /// Drops the streams that are done with. Each frees a descriptor.
    fn drop_closed<S: Service>(&mut self, hub: &mut Hub<Tls<Socket>, S>) {
        if hub.take_closed().count() > 0 {
            self.listeners.iter_mut().for_each(Listener::retry);
        }
    }

    fn accept<S: Service>(&mut self, hub: &mut Hub<Tls<Socket>, S>, now: Now) -> io::Result<()> {
        for listener in &mut self.listeners {
            listener.wait_over(self.poll.registry(), now.monotonic)?;
            if !listener.is_ready() {
                continue;
            }
            let full = if listener.is_encrypted() {
                ACCESS_DENIED.to_vec()
            } else {
                hub.refusal(Refusal::Full, listener.is_web())
            };
            let mut has_reset = false;
            for _ in 0..self.config.limits.accept_budget {
                match listener.accept(now.monotonic, &mut self.spare, &full)? {
                    Incoming::Stream(stream, origin) => {
                        let admitted =
                            admit(&self.poll, &self.config, hub, listener, (stream, origin));
                        has_reset |= admitted == Admitted::Reset
                            && listener.count_reset(origin, now.monotonic);
                    }
                    Incoming::TurnedAway(origin) => hub.log_refused(origin, Refusal::Full),
                    Incoming::Nobody => {}
                }
                if !listener.is_ready() {
                    break;
                }
            }
            if has_reset && !listener.is_ready() {
                listener.pause(self.poll.registry(), now.monotonic)?;
            }
        }
        Ok(())
    }
}

/// Binds all listeners.
fn listen(
    config: &Config,
    inherited: &mut Sockets,
) -> io::Result<(Vec<Listener>, Vec<SocketAddr>)> {
    let (mut listeners, mut addrs) = (Vec::new(), Vec::new());
    let named = |place: &dyn Display, error: io::Error| {
        io::Error::new(error.kind(), format!("{place}: {error}"))
    };
    let web = config.listen_web.iter().chain(&config.listen_web_tls);
    let is_http = web.count() > 0 || !config.listen_metrics.is_empty();
    if is_http && !cfg!(feature = "web") {
        let why = "it was built without the feature web";
        return Err(io::Error::new(io::ErrorKind::Unsupported, why));
    }
    let certificate = config.certificate.as_ref();
    let tls = config.listen_tls.iter().chain(&config.listen_web_tls);
    if tls.count() > 0 && certificate.is_none() {
        let why = "listeners for TLS need a certificate";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let probed = config.listen_metrics.iter().map(|&addr| Listen { addr, label: String::new() });
    for (places, serves, certificate) in [
        // Monitors' come first: at a shutdown only they are left.
        (&probed.collect(), Serves::Probes, None),
        (&config.listen, Serves::Lines, None),
        (&config.listen_web, Serves::Browsers, None),
        (&config.listen_tls, Serves::Lines, certificate),
        (&config.listen_web_tls, Serves::Browsers, certificate),
    ] {
        for Listen { addr, label } in places {
            let bound = Listener::bind(*addr, label, inherited.pop_front());
            let bound = bound.map_err(|error| named(addr, error))?;
            listeners.push(bound.0.serving(serves, certificate));
            addrs.push(bound.1);
        }
    }
    for ListenUnix { path, label, is_proxied } in &config.listen_unix {
        let listener = Listener::bind_unix(path, label, *is_proxied, inherited.pop_front());
        listeners.push(listener.map_err(|error| named(&path.display(), error))?);
    }
    addrs.rotate_left(config.listen_metrics.len());
    Ok((listeners, addrs))
}

/// What has become of a connection that was accepted.
#[derive(PartialEq, Eq)]
enum Admitted {
    Registered,
    /// Too many from its address were refused before.
    Reset,
}

/// Registers a connection, once and for good, and opens or refuses it.
fn admit<S: Service>(
    poll: &Poll,
    config: &Config,
    hub: &mut Hub<Tls<Socket>, S>,
    listener: &Listener,
    (mut socket, origin): (Socket, Origin),
) -> Admitted {
    let (peer, is_web) = (Peer::new(origin, listener.label()), listener.is_web());
    let is_proxied = listener.is_proxied() || config.is_proxy(origin);
    let origin_comes_later = is_proxied || is_web && hub.is_web_proxy(origin);
    let is_probe = listener.is_for_probes();
    let refusal = if is_probe {
        None
    } else if origin_comes_later {
        (!hub.has_room(config.max_clients)).then_some(Refusal::Full)
    } else {
        hub.admission(&peer, config.max_clients)
    };
    // If one was closed to make room, that frees its slot as well.
    hub.take_closed().for_each(drop);
    if let Some(why) = refusal {
        hub.log_refused(origin, why);
        if !origin_comes_later && !hub.may_tell(origin) {
            socket.reset();
            return Admitted::Reset;
        }
    }
    if let Err(error) = socket.register(poll.registry(), Token(hub.next_slot())) {
        warn!(addr = origin.ip(), error:%; "not_registered");
        return Admitted::Registered;
    }
    let stream = listener.wrap(socket);
    match refusal {
        Some(why) if is_web => hub.refuse_web(stream, why),
        Some(why) => hub.refuse(stream, why),
        None if is_probe => hub.open_probe(stream, origin),
        None if is_web => _ = hub.open_web(stream, &peer, is_proxied),
        None if is_proxied => _ = hub.open_proxied(stream, &peer),
        None => _ = hub.open(stream, &peer),
    }
    Admitted::Registered
}
