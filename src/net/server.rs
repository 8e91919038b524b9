//! The poll, its clock and its waker: where readiness comes from. It, `net/listen.rs` (with
//! `net/listen/socket.rs`) and `net/transport.rs` are the only ones that name mio, and it alone
//! reads the clock. What happens to a line is decided elsewhere.

#[cfg(unix)]
mod hand_over;
mod handle;
mod running;

use std::collections::HashMap;
use std::fmt::Display;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use log::{info, warn};
use mio::event::Event;
use mio::{Events, Poll, Token, Waker};

use crate::net::http::Web;
use crate::net::hub::Hub;
use crate::net::limits::Limits;
use crate::net::listen::{Incoming, Inherited, Listener, Serves, Spare};
use crate::net::network::Network;
use crate::net::service::{Peer, Refusal, Service};
use crate::net::timeouts::Now;
use crate::net::tls::{ACCESS_DENIED, Certificate, Tls};
use crate::net::transport::{Origin, Socket};
pub use handle::Handle;
pub use running::{Pause, Running};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address; port 0 lets the system choose one.
    pub addr: SocketAddr,
    /// What the service is told in [`Peer::label`]; to the chat it names a dialect.
    pub label: String,
}

/// Where to listen without a network: a Unix socket, for processes that may open its file. Those
/// are its owner's (0600); the file is removed when the server stops listening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenUnix {
    /// Where the file is. A file that a dead server left there is replaced.
    pub path: PathBuf,
    /// As with [`Listen`].
    pub label: String,
    /// Whether a proxy connects there, and begins with a PROXY header, as with
    /// [`Config::proxies`].
    pub is_proxied: bool,
}

/// What a server is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where to listen; by default at 127.0.0.1:1337, labelled `native`. `[::]` takes
    /// IPv4 connections as well.
    pub listen: Vec<Listen>,
    /// Unix sockets to listen on as well. By default there are none; on a system that has
    /// no such sockets [`Server::bind`] fails with `Unsupported` for any.
    pub listen_unix: Vec<ListenUnix>,
    /// Where browsers connect: HTTP, and WebSocket at `/ws`. By default nowhere; without the
    /// feature `web`, [`Server::bind`] fails with `Unsupported` for any.
    pub listen_web: Vec<Listen>,
    /// What browsers are served there.
    pub web: Web,
    /// Where TLS is spoken, with `certificate`. By default nowhere.
    pub listen_tls: Vec<Listen>,
    /// Where browsers connect by TLS. By default nowhere.
    pub listen_web_tls: Vec<Listen>,
    /// What the listeners for TLS show: [`Server::bind`] fails with `InvalidInput` for any without
    /// it.
    pub certificate: Option<Certificate>,
    /// Where monitors ask for `/metrics`, `/livez` and `/readyz`, whoever they are. By default
    /// nowhere; it takes the feature `web` likewise.
    pub listen_metrics: Vec<SocketAddr>,
    /// Connections that may be open at a time; one more is refused. 10 000.
    pub max_clients: usize,
    /// Proxies: their connections begin with a PROXY header, version 1 or 2, that has the
    /// client's address. By default there are none.
    pub proxies: Vec<Network>,
    /// What the loop allows a connection.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Config {
        let addr = SocketAddr::from(([127, 0, 0, 1], 1337));
        Config {
            listen: vec![Listen { addr, label: "native".to_owned() }],
            listen_unix: Vec::new(),
            listen_web: Vec::new(),
            web: Web::default(),
            listen_tls: Vec::new(),
            listen_web_tls: Vec::new(),
            certificate: None,
            listen_metrics: Vec::new(),
            max_clients: 10_000,
            proxies: Vec::new(),
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// Whether connections from there begin with a PROXY header.
    fn is_proxy(&self, origin: Origin) -> bool {
        let is_in = |addr| self.proxies.iter().any(|network| network.contains(addr));
        origin.ip().is_some_and(is_in)
    }
}

/// A server that is bound and not running yet.
pub struct Server {
    poll: Poll,
    listeners: Vec<Listener>,
    addrs: Vec<SocketAddr>,
    spare: Spare,
    clock: Clock,
    handle: Handle,
    config: Config,
    /// What was taken over, by slot, until it is some connection's.
    streams: HashMap<usize, Socket>,
    /// When those were not heard any more, since the epoch.
    frozen_at: Duration,
    /// How many connections could not be taken over.
    left: usize,
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
        Server::with(config, Inherited::default())
    }

    /// Listens with what was inherited, and else anew.
    fn with(config: Config, mut inherited: Inherited) -> io::Result<Server> {
        config.limits.check()?;
        let poll = Poll::new()?;
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
            streams: HashMap::new(),
            frozen_at: Duration::ZERO,
            left: 0,
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
                // Those of a server that is stopping are gone.
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
        if hub.take_shutdown() {
            self.handle.shutdown();
        }
        if !*stopping && self.handle.shutdowns() > 0 {
            info!(connections = hub.open_count(); "shutting_down");
            *stopping = true;
            // Monitors are told so.
            self.listeners.truncate(self.config.listen_metrics.len());
            hub.shutdown();
        }
    }

    /// Each makes a descriptor free.
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
            let mut is_dropping = false;
            for _ in 0..self.config.limits.accept_budget {
                match listener.accept(now.monotonic, &mut self.spare, &full)? {
                    Incoming::Stream(stream, origin) => {
                        let admitted =
                            admit(&self.poll, &self.config, hub, listener, (stream, origin));
                        is_dropping |= admitted == Admitted::Dropped;
                    }
                    Incoming::TurnedAway(origin) => hub.log_refused(origin, Refusal::Full),
                    Incoming::Nobody => {}
                }
                if !listener.is_ready() {
                    break;
                }
            }
            if is_dropping && !listener.is_ready() {
                listener.pause(self.poll.registry(), now.monotonic)?;
            }
        }
        Ok(())
    }
}

/// Binds all listeners.
fn listen(
    config: &Config,
    inherited: &mut Inherited,
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
        // In front: they are what is left at a shutdown.
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
    Dropped,
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
    let now = hub.outbox().now();
    let refusal = hub.admission(&peer, now).filter(|_| !origin_comes_later && !is_probe);
    // The last question: nobody is closed to make room for one who is not let in.
    let is_full = refusal.is_none() && !is_probe && !hub.has_room(config.max_clients);
    // Who has made room makes a slot free, too.
    hub.take_closed().for_each(drop);
    let refusal = refusal.or(is_full.then_some(Refusal::Full));
    if let Some(why) = refusal {
        hub.log_refused(origin, why);
        if !origin_comes_later && !hub.may_tell(origin) {
            socket.reset();
            return Admitted::Dropped;
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

/// The only place where clocks are read: before each poll, and after it.
struct Clock {
    last_read: Instant,
    /// Time that nobody could have used.
    lost: Duration,
}

impl Clock {
    fn new() -> Clock {
        Clock { last_read: Instant::now(), lost: Duration::ZERO }
    }

    /// Reads it after work, all of whose time counts: deadlines pass however long it took.
    fn read(&mut self) -> Now {
        self.read_after(None)
    }

    /// Reads it after a poll, in which so much time may have been slept through; `None`: any.
    fn read_after(&mut self, timeout: Option<Duration>) -> Now {
        Now { monotonic: self.count(Instant::now(), timeout), wall: SystemTime::now() }
    }

    /// The time now, without what was lost. Where far more has passed than may have, the
    /// machine or the process was asleep, and so could nobody have kept a deadline. None of
    /// that time counts then: with the timeout counted, the nearest deadline would be past
    /// at once, and whoever it is for could not do anything about it.
    fn count(&mut self, now: Instant, timeout: Option<Duration>) -> Instant {
        let took = now.saturating_duration_since(self.last_read);
        let was_asleep = |timeout| took.saturating_sub(timeout) > Duration::from_secs(1);
        if timeout.is_some_and(was_asleep) {
            self.lost += took;
        }
        self.last_read = now;
        now.checked_sub(self.lost).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_time_is_up_because_the_machine_was_asleep() {
        let seconds = Duration::from_secs;
        let mut clock = Clock::new();
        let start = clock.last_read;
        let mut counted = |at, timeout: Option<u64>| {
            clock.count(start + seconds(at), timeout.map(seconds)) - start
        };
        assert_eq!(counted(3, Some(2)), seconds(3), "a second late is only late");
        assert_eq!(counted(3605, Some(2)), seconds(3), "an hour has not passed in a poll");
        assert_eq!(counted(3606, Some(0)), seconds(4));
        assert_eq!(counted(7206, Some(0)), seconds(4), "nor in one that does not wait");
        assert_eq!(counted(10_000, None), seconds(2798), "nobody had a deadline");
        assert_eq!(counted(10_012, Some(11)), seconds(2810));
    }

    #[test]
    fn the_time_of_long_turns_counts_however_many_they_are() {
        let mut clock = Clock::new();
        let before = clock.read().monotonic;
        for _ in 0..10 {
            // As if the turn had begun so long ago.
            clock.last_read = clock.last_read.checked_sub(Duration::from_secs(2)).unwrap();
            clock.read();
        }
        assert_eq!(clock.lost, Duration::ZERO);
        assert!(clock.read().monotonic >= before);
    }
}
