//! Where to listen, and what is spoken there.

use std::net::{SocketAddr, ToSocketAddrs};

use chinwag::chat::{Dialect, OPERATORS};
use chinwag::{Config, Listen, ListenUnix};

use super::{METRICS, TLS, WEB};

/// Where to listen.
pub(super) enum Place {
    Port { listen: Listen, is_web: bool, is_tls: bool },
    Unix(ListenUnix),
    Metrics(SocketAddr),
}

/// Listeners that are given replace the default one, unless all of them are for operators and
/// monitors.
pub(super) fn read(places: Vec<Place>, config: &mut Config) {
    let is_port = |place: &Place| match place {
        Place::Port { .. } => true,
        Place::Unix(listen) => listen.label != OPERATORS,
        Place::Metrics(_) => false,
    };
    if places.iter().any(is_port) {
        config.listen.clear();
    }
    for place in places {
        match place {
            Place::Unix(listen) => config.listen_unix.push(listen),
            Place::Metrics(addr) => config.listen_metrics.push(addr),
            Place::Port { listen, is_web, is_tls } => {
                let listeners = match (is_web, is_tls) {
                    (false, false) => &mut config.listen,
                    (true, false) => &mut config.listen_web,
                    (false, true) => &mut config.listen_tls,
                    (true, true) => &mut config.listen_web_tls,
                };
                listeners.push(listen);
            }
        }
    }
}

/// The dialects of all listeners.
pub(super) fn dialects(config: &Config) -> Vec<Dialect> {
    let labels = config.listen.iter().chain(&config.listen_tls).map(|listen| &listen.label);
    let labels = labels.chain(config.listen_unix.iter().map(|listen| &listen.label));
    labels.filter_map(|label| label.parse().ok()).collect()
}

/// `[DIALECT=]ADDR`, `[DIALECT=]unix:PATH`, `op=unix:PATH`, `web=ADDR`, `tls=ADDR`,
/// `DIALECT+tls=ADDR`, `web+tls=ADDR`, `metrics=ADDR`
pub(super) fn place(text: &str) -> Result<Place, String> {
    let (label, addr) = text.split_once('=').unwrap_or((Dialect::default().name(), text));
    let (label, is_tls) = match label.strip_suffix(TLS) {
        Some("") => (Dialect::default().name(), true),
        Some(rest) => rest.strip_suffix('+').map_or((label, false), |label| (label, true)),
        None => (label, false),
    };
    let path = addr.strip_prefix("unix:");
    if label == OPERATORS && path.is_none() {
        return Err("operators come by unix:PATH".to_owned());
    }
    let dialect: Dialect = match label {
        METRICS if path.is_some() || is_tls => {
            return Err("monitors come by metrics=ADDR".to_owned());
        }
        // Monitors speak none, and this is not used.
        OPERATORS | METRICS => Dialect::Native,
        WEB if path.is_some() => return Err("browsers come by ADDR".to_owned()),
        // What the page speaks.
        WEB => Dialect::Json,
        name => {
            name.parse().map_err(|error| format!("{error}; or it is web, tls, op or metrics"))?
        }
    };
    if path == Some("") {
        return Err("unix:PATH is wanted, and there is no path".to_owned());
    }
    if let Some(path) = path {
        if is_tls {
            return Err("TLS is for ADDR".to_owned());
        }
        let label = if label == OPERATORS { OPERATORS } else { dialect.name() };
        let listen = ListenUnix { path: path.into(), label: label.to_owned(), is_proxied: false };
        return Ok(Place::Unix(listen));
    }
    let unusable = |why: String| format!("{why}; IP:PORT, [::]:PORT or HOST:PORT is wanted");
    let found = addr.to_socket_addrs().map_err(|error| unusable(error.to_string()))?.next();
    let addr = found.ok_or_else(|| unusable("no address of that name".to_owned()))?;
    if label == METRICS {
        return Ok(Place::Metrics(addr));
    }
    let listen = Listen { addr, label: dialect.name().to_owned() };
    Ok(Place::Port { listen, is_web: label == WEB, is_tls })
}
