//! What a server is to do: where it listens, for whom, and within which limits.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::net::http::Web;
use crate::net::limits::Limits;
use crate::net::network::Network;
use crate::net::tls::Certificate;
use crate::net::transport::Origin;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// The address; port 0 lets the system choose one.
    pub addr: SocketAddr,
    /// What the service is told in [`Peer::label`](crate::Peer::label); to the chat it names a
    /// dialect.
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
#[non_exhaustive]
pub struct Config {
    /// Where to listen; by default at 127.0.0.1:1337, labelled `native`. `[::]` takes
    /// IPv4 connections as well.
    pub listen: Vec<Listen>,
    /// Unix sockets to listen on as well. By default there are none; on a system that has
    /// no such sockets [`bind`](crate::Server::bind) fails with `Unsupported` for any.
    pub listen_unix: Vec<ListenUnix>,
    /// Where browsers connect: HTTP, and WebSocket at `/ws`. By default nowhere; without the
    /// feature `web`, [`bind`](crate::Server::bind) fails with `Unsupported` for any.
    pub listen_web: Vec<Listen>,
    /// What browsers are served there.
    pub web: Web,
    /// Where TLS is spoken, with `certificate`. By default nowhere.
    pub listen_tls: Vec<Listen>,
    /// Where browsers connect by TLS. By default nowhere.
    pub listen_web_tls: Vec<Listen>,
    /// What the listeners for TLS show: [`bind`](crate::Server::bind) fails with `InvalidInput` for
    /// any without it.
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
    /// The defaults, but listening at this address alone, without a label.
    #[must_use]
    pub fn at(addr: SocketAddr) -> Config {
        let listen = vec![Listen { addr, label: String::new() }];
        Config { listen, ..Config::default() }
    }

    /// The same, with some of it changed:
    ///
    /// ```
    /// # use chinwag::Config;
    /// let config = Config::default().with(|config| config.max_clients = 100);
    /// ```
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Config)) -> Config {
        change(&mut self);
        self
    }

    /// Whether connections from there begin with a PROXY header.
    pub(super) fn is_proxy(&self, origin: Origin) -> bool {
        let is_in = |addr| self.proxies.iter().any(|network| network.contains(addr));
        origin.ip().is_some_and(is_in)
    }
}
