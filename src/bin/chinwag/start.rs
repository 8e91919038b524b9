//! What is said when the server starts: where it listens, and what holds.

use std::io::{self, IsTerminal};
use std::net::{Ipv4Addr, SocketAddr};

use chinwag::chat::{OPERATORS, Settings};
use chinwag::{Config, Limits, ListenUnix, Server};
use log::info;

use crate::cli;
use crate::output::Output;

/// The lines to print at the start. There are none when this program has taken the place of
/// another: it goes on.
pub(crate) struct Ready(Vec<String>);

impl Ready {
    /// Puts together where the server listens, and logs the settings.
    pub(crate) fn new(
        server: &Server,
        config: &Config,
        settings: &Settings,
        goes_on: bool,
    ) -> Ready {
        if goes_on {
            return Ready(Vec::new());
        }
        log(config, settings);
        let addrs = server.local_addrs();
        let (web, tls, metrics) = (cli::WEB, cli::TLS, cli::METRICS);
        let labels = config.listen.iter().map(|listen| listen.label.clone());
        let labels = labels.chain(config.listen_web.iter().map(|_| web.to_owned()));
        let labels = labels.chain(config.listen_tls.iter().map(|it| format!("{}+{tls}", it.label)));
        let labels = labels.chain(config.listen_web_tls.iter().map(|_| format!("{web}+{tls}")));
        let labels = labels.chain(config.listen_metrics.iter().map(|_| metrics.to_owned()));
        let ports = addrs.iter().zip(labels);
        let ports = ports.map(|(addr, label)| format!("chinwag listening on {addr} ({label})"));
        let files = config.listen_unix.iter().map(|ListenUnix { path, label, .. }| {
            let path = cli::one_line(&path.display().to_string());
            format!("chinwag listening on unix:{path} ({label})")
        });
        let hint = io::stdout().is_terminal();
        let addrs = addrs_of_clients(server, config);
        let hint = hint.then(|| format!("Connect with: {}", how_to_connect(addrs, config)));
        Ready(ports.chain(files).chain(hint).collect())
    }

    /// Prints the lines: by now the server listens, and obeys signals.
    pub(crate) fn say(&self, stdout: &Output) {
        self.0.iter().for_each(|line| stdout.line(line));
    }
}

/// Where the server listens for people and programs.
pub(crate) fn addrs_of_clients<'a>(server: &'a Server, config: &Config) -> &'a [SocketAddr] {
    let addrs = server.local_addrs();
    // Monitors' come last.
    &addrs[..addrs.len() - config.listen_metrics.len()]
}

/// Logs the settings in force, in the words of the options.
fn log(config: &Config, settings: &Settings) {
    let Limits { line_max, per_ip_max, rate, stall_time, idle_time, .. } = config.limits;
    let Limits { queue_soft, queue_park, queue_max, queue_total, .. } = config.limits;
    let or_off = |value: Option<String>| value.unwrap_or_else(|| "off".to_owned());
    info!(
        version = env!("CARGO_PKG_VERSION"),
        max_clients = config.max_clients,
        max_per_ip = per_ip_max,
        max_line = line_max,
        rate = or_off(rate.map(|rate| rate.to_string())),
        queue_soft, queue_park, queue_max, queue_total,
        stall = stall_time.as_secs_f64(),
        idle = or_off(idle_time.map(|time| time.as_secs_f64().to_string())),
        history = settings.history_lines,
        max_rooms = settings.rooms_max;
        "started"
    );
}

/// A command that works on this machine.
fn how_to_connect(addrs: &[SocketAddr], config: &Config) -> String {
    if let Some(addr) = addrs.first() {
        // A listener at [::] takes IPv4 as well, which every nc and every machine has.
        let is_any = addr.ip().is_unspecified();
        let ip = if is_any { Ipv4Addr::LOCALHOST.into() } else { addr.ip() };
        let addr = SocketAddr::new(ip, addr.port());
        // In the order that `addrs` has.
        let kinds = [&config.listen, &config.listen_web, &config.listen_tls];
        return match kinds.map(Vec::is_empty) {
            [false, ..] => format!("nc {ip} {}", addr.port()),
            [_, false, _] => format!("http://{addr}/"),
            [.., false] => format!("openssl s_client -quiet -connect {addr}"),
            _ => format!("https://{addr}/"),
        };
    }
    let places = &config.listen_unix;
    let place = places.iter().find(|place| place.label != OPERATORS).or(places.first());
    let path = place.map(|place| place.path.display().to_string()).unwrap_or_default();
    format!("nc -U '{}'", cli::one_line(&path.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_to_connect_with_works_on_this_machine() {
        let hint = |addrs: &[&str], places: &[(&str, &str)]| {
            let addrs: Vec<SocketAddr> = addrs.iter().map(|addr| addr.parse().unwrap()).collect();
            let listen_unix = places.iter().map(|(label, path)| ListenUnix {
                path: path.into(),
                label: (*label).to_owned(),
                is_proxied: false,
            });
            let config = Config::default().with(|it| it.listen_unix = listen_unix.collect());
            how_to_connect(&addrs, &config)
        };
        let listen = Config::default().listen;
        let none = Config::default().with(|it| it.listen = Vec::new());
        let addrs = ["[::]:7".parse().unwrap()];
        let config = none.clone().with(|it| it.listen_web = listen.clone());
        assert_eq!(how_to_connect(&addrs, &config), "http://127.0.0.1:7/");
        let config = none.clone().with(|it| it.listen_web_tls = listen.clone());
        assert_eq!(how_to_connect(&addrs, &config), "https://127.0.0.1:7/");
        let config = config.with(|it| it.listen_tls = listen);
        let command = "openssl s_client -quiet -connect 127.0.0.1:7";
        assert_eq!(how_to_connect(&addrs, &config), command);
        let op = (OPERATORS, "/run/op");
        assert_eq!(hint(&["192.0.2.7:1337", "127.0.0.1:1"], &[op]), "nc 192.0.2.7 1337");
        assert_eq!(hint(&["0.0.0.0:1337"], &[]), "nc 127.0.0.1 1337");
        assert_eq!(hint(&["[::]:1337"], &[]), "nc 127.0.0.1 1337");
        assert_eq!(hint(&["[::1]:1337"], &[]), "nc ::1 1337");
        assert_eq!(hint(&[], &[op, ("json", "it's")]), r"nc -U 'it'\''s'");
        assert_eq!(hint(&[], &[op]), "nc -U '/run/op'");
    }
}
