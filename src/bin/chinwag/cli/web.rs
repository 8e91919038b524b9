//! The options about browsers: which names this server has for them, whose pages may connect, and
//! which proxies tell for whom they ask.

use chinwag::chat::{Dialect, Settings};
use chinwag::{Config, Network, NotANetwork, Web};
use pico_args::Arguments;

use super::all;

pub(super) fn read(
    arguments: &mut Arguments,
    settings: &Settings,
    config: &mut Config,
) -> Result<(), String> {
    let hosts = all(arguments, "--web-host", "--web-host", host)?;
    let origins = all(arguments, "--origin", "--origin", origin)?;
    let labels = Dialect::ALL.into_iter().filter(|dialect| settings.offers(*dialect));
    let labels = labels.map(|dialect| dialect.name().to_owned()).collect();
    let proxies = all(arguments, "--forwarded-for", "--forwarded-for", proxy)?;
    config.web = Web { hosts, origins, proxies, ..Web::default() };
    if !config.listen_web.is_empty() {
        config.web.labels = labels;
    }
    Ok(())
}

fn proxy(text: &str) -> Result<Network, String> {
    text.parse().map_err(|error: NotANetwork| error.to_string())
}

fn host(text: &str) -> Result<String, String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if text.is_empty() || !text.chars().all(is_part) {
        return Err("a name such as chat.example is wanted, without a port".to_owned());
    }
    Ok(text.to_owned())
}

/// As browsers send it: without a path.
fn origin(text: &str) -> Result<String, String> {
    let url = text.strip_suffix('/').unwrap_or(text);
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let port = host.and_then(|host| host.rsplit_once(':')).map(|(_, port)| port);
    // Behind the last colon of an IPv6 address without a port is the end of that address.
    let is_port = |text: &str| text.ends_with(']') || text.parse::<u16>().is_ok();
    if host.is_none_or(|host| host.is_empty() || host.contains(['/', ' ', '?', '#', '@']))
        || !port.is_none_or(is_port)
    {
        return Err("http://HOST[:PORT] or https://HOST[:PORT] is wanted".to_owned());
    }
    Ok(url.to_owned())
}
