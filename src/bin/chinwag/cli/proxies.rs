//! `--proxy-protocol`: which peers are proxies.

use chinwag::chat::OPERATORS;
use chinwag::{Config, Network, NotANetwork};
use pico_args::Arguments;

use super::all;

/// Peers whose connections begin with a PROXY header.
enum Proxy {
    Network(Network),
    Unix,
}

fn proxy(text: &str) -> Result<Proxy, String> {
    if text == "unix" {
        return Ok(Proxy::Unix);
    }
    text.parse().map(Proxy::Network).map_err(|error: NotANetwork| format!("{error}, or unix"))
}

/// Reads the option. Operators' sockets are left out: nobody connects there through a proxy.
pub(super) fn read(arguments: &mut Arguments, config: &mut Config) -> Result<(), String> {
    for proxy in all(arguments, "--proxy-protocol", "--proxy-protocol", proxy)? {
        match proxy {
            Proxy::Network(network) => config.proxies.push(network),
            Proxy::Unix => {
                let sockets = config.listen_unix.iter_mut();
                sockets.filter(|it| it.label != OPERATORS).for_each(|it| it.is_proxied = true);
            }
        }
    }
    Ok(())
}
