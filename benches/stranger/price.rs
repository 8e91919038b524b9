//! What each command costs, by itself and without a rate limit. Which commands there are is
//! asked of the server, so that a new one is measured without a word here.

use super::client::Client;
use super::town::{Site, Town};
use crate::common::stats;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

/// The most that are said at once; a first one is said alone.
const AT_ONCE: usize = 64;

/// What the words of `/help` are filled in with.
const WORDS: [(&str, &str); 13] = [
    ("TEXT", "Good morning, everybody! How are things over there today?"),
    ("COMMAND", "history"),
    ("ROOM", "lobby"),
    ("NAME", "resident-0"),
    ("NEW", "another password"),
    ("PASSWORD", "a right password"),
    ("TOKEN", "000102030405060708090a0b0c0d0e0f1011121314151617"),
    ("SEQ", "1"),
    ("on|off", "on"),
    ("N", "200"),
    ("ADDR", "192.0.2.1"),
    ("FOR", "1h"),
    ("WHY", "because"),
];

/// What one command has cost.
pub(crate) struct Price {
    /// Of the loop's CPU time.
    pub(crate) micros: f64,
    /// To who has typed it.
    pub(crate) bytes_out: f64,
}

/// A server that is asked for prices, and somebody who asks.
pub(crate) struct Shop {
    town: Town,
    customer: Client,
    commands: Vec<String>,
}

impl Shop {
    pub(crate) fn open(site: &Site, program: &Path) -> io::Result<Shop> {
        let town = site.found(program, &["--rate", "off"])?;
        let customer = enter(town.addr())?;
        let mut commands = vec!["something that is said".to_owned(), "/mistyped".to_owned()];
        commands.extend(self::commands(town.addr())?);
        Ok(Shop { town, customer, commands })
    }

    /// What there is to be had.
    pub(crate) fn commands(&self) -> &[String] {
        &self.commands
    }

    /// Types a command again and again for so long.
    pub(crate) fn price(&mut self, command: &str, duration: Duration) -> io::Result<Price> {
        let (before, bytes) = (self.town.loop_seconds()?, self.customer.bytes);
        let (mut bytes_out, mut count, mut at_once) = (0, 0, 1);
        let start = Instant::now();
        while start.elapsed() < duration {
            let lines = format!("{command}\n").repeat(at_once);
            if self.customer.ask(&format!("{lines}/up done\n"), "DONE").is_ok() {
                count += at_once;
            } else {
                // Some commands end the connection, and are as dear as a new one.
                count += 1;
                bytes_out += self.customer.bytes;
                self.customer = enter(self.town.addr())?;
            }
            at_once = (2 * at_once).min(AT_ONCE);
        }
        let cpu = self.town.loop_seconds()? - before;
        let count = stats::size(count);
        let bytes_out = (bytes_out + self.customer.bytes).saturating_sub(bytes);
        // The next command is typed in the lobby again.
        if self.customer.ask("/leave\n/up done\n", "DONE").is_err() {
            self.customer = enter(self.town.addr())?;
        }
        Ok(Price { micros: cpu * 1e6 / count, bytes_out: stats::float(bytes_out) / count })
    }
}

fn enter(addr: SocketAddr) -> io::Result<Client> {
    let mut client = Client::connect_aside(Ipv4Addr::new(127, 0, 6, 1), addr)?;
    client.ask("REGISTER customer\n/up done\n", "DONE")?;
    Ok(client)
}

/// All commands that a server's help names, with their words filled in; those whose words may
/// be left out come once without.
pub(crate) fn commands(addr: SocketAddr) -> io::Result<Vec<String>> {
    let mut client = Client::connect_aside(Ipv4Addr::new(127, 0, 6, 2), addr)?;
    client.send("/help\n/up done\n")?;
    let mut commands = Vec::new();
    loop {
        let line = client.wait_for(&["\n"])?;
        if line.trim_end() == "DONE" {
            break;
        }
        let Some((_, list)) = line.trim_end().split_once(": ") else { continue };
        for item in list.split([',', ';']) {
            let item = item.trim().trim_start_matches("or ");
            if item.starts_with(['/', 'R', 'S']) {
                commands.extend([fill_in(item, false), fill_in(item, true)]);
            }
        }
    }
    commands.dedup();
    if commands.is_empty() { Err(ErrorKind::NotFound.into()) } else { Ok(commands) }
}

/// A usage such as `/history [N]` as somebody would type it, with what is in brackets or not.
fn fill_in(usage: &str, with_optional: bool) -> String {
    let usage = &usage.replace("/dialect NAME", "/dialect native");
    let usage = if with_optional { usage.replace(['[', ']'], "") } else { without_brackets(usage) };
    let words = usage.split(' ').map(|word| {
        let bare = word.trim_start_matches('@');
        let known = WORDS.iter().find(|(name, _)| *name == bare);
        known.map_or_else(|| word.to_owned(), |(name, value)| word.replace(name, value))
    });
    words.collect::<Vec<_>>().join(" ")
}

fn without_brackets(usage: &str) -> String {
    usage.split(" [").next().unwrap_or_default().to_owned()
}
