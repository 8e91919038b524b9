//! What the command line says: options, sizes, times, addresses. One line of error each,
//! naming the option, the value and what is allowed.

mod cluster;
mod listen;
mod proxies;
#[cfg(test)]
mod tests;
mod tls;
mod values;
mod web;

use std::ffi::OsString;
use std::path::PathBuf;

use chinwag::chat::{OPERATORS, Settings};
use chinwag::{Config, Limits};
pub(crate) use cluster::{RedisOptions, name_node};
use log::LevelFilter;
use pico_args::{Arguments, Error, Keys};
pub(crate) use tls::TlsFiles;
use values::{number, rate_or_off, some_time, some_time_or_off, time_or_off};

pub(crate) const HELP: &str = "\
A lightweight chat server; nc or telnet is client enough.

Usage: chinwag [OPTIONS]
       chinwag passwd DIR NAME   Give NAME a password in a state directory
       chinwag accounts DIR      List the names that have one there, and flags
       Of a cluster: chinwag passwd --redis URL NAME, chinwag accounts --redis URL

Options:
  -l, --listen [DIALECT=]ADDR  Listen here; may be repeated [127.0.0.1:1337]
                               ADDR is IP:PORT, [::]:PORT (IPv4 too) or HOST:PORT;
                               DIALECT is native, recipe, tutorial, fork or json
  -l, --listen [DIALECT=]unix:PATH  The same at a Unix socket, for its owner only (0600);
                               clients of op=unix:PATH are operators, and alone it
                               does not replace the default
  -l, --listen web=ADDR        Listen for browsers: a page, and WebSocket at /ws
  -l, --listen tls=ADDR        Listen for TLS; also DIALECT+tls=ADDR, web+tls=ADDR
      --tls-cert FILE          The certificates to show for TLS, in PEM, and
      --tls-key FILE           their key; read again once changed, and at SIGHUP
  -l, --listen metrics=ADDR    Listen for monitors: /metrics, /livez and /readyz;
                               alone it does not replace the default
      --state DIR              Keep bans and accounts here; they outlive the server
      --redis URL              Be one chat with all servers that have the same Redis (needs
                               the feature redis); redis://, rediss://, redis+unix://
      --redis-password-file FILE  Its password, if it is neither in the URL nor in the
                               environment, as CHINWAG_REDIS_PASSWORD
      --cluster NAME           Which chat, where several share one Redis [chinwag]
      --node NAME              What /stats and /whois call this server [HOST:PORT]
      --redis-patience TIME    How long Redis may be away before people are told [3s]
      --redis-lease TIME       How long a server may be silent before it is gone [5s]
      --greet-after TIME|off   Greet clients that stay silent for so long [2s]
      --motd FILE              Greet with these lines; SIGHUP reads them again
      --history LINES          Lines that each room keeps [200]
      --max-rooms N            Rooms at a time [1024]
      --resume-for TIME|off    Keep a detached session (/resume) for so long [2m]
      --require-name           Only users with a name may speak to a room
      --max-line BYTES         Longest line that is accepted [4K]
      --max-clients N          Connections at a time [10000]
      --max-per-ip N           Connections from one address (IPv6: one /64) [32];
                               together they may send N times --rate
      --connect-rate N|off     Connections a second from one address [32]
      --limit-loopback         Apply these limits to this machine's own addresses, too
      --proxy-protocol ADDR[/N]|unix  Expect a PROXY header (version 1 or 2) from this proxy
                               or network of proxies, or on Unix sockets other than
                               op's; may be repeated
      --web-host NAME          A name of this server for browsers, besides its addresses
                               and localhost; may be repeated
      --origin URL             Another page that may connect; may be repeated
      --forwarded-for ADDR[/N]  Believe X-Forwarded-For, which names the browser, of this
                               HTTP proxy or network of proxies; may be repeated
      --rate N|off             Lines a second that a client may send [10]
      --queue-soft BYTES       With more than this unread a client misses lines [64K]
      --queue-park BYTES       With more than this unread it is not read from [128K]
      --queue-max BYTES        With more than this unread it is disconnected [1M]
      --queue-total BYTES      The most that all clients together may leave unread [256M]
      --input-total BYTES      With more than this waiting, of all, reads are small [32M]
      --stall TIME             Disconnect clients that take nothing for so long [60s]
      --idle TIME|off          Ask, then close, clients that are silent for so long [off]
      --check-state            Say whether the state that an upgrade hands over is
                               understood; the server that is to be upgraded asks
  -v, --verbose                Log more: connections and names; -vv: details
  -q, --quiet                  Log less: errors only; -qq: nothing
  -V, --version                Print the version
  -h, --help                   Print this help

Numbers may carry K, M or G; times are seconds (fractions allowed), or carry ms, s, m
or h. RUST_LOG wins over -v and -q.";

/// The label of listeners for browsers.
pub(crate) const WEB: &str = "web";

/// The label of listeners for monitors.
pub(crate) const METRICS: &str = "metrics";

/// In the label of listeners that are encrypted: `tls`, `json+tls`.
pub(crate) const TLS: &str = "tls";

/// Lines a second: nobody types so fast.
const RATE: u32 = 10;

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Task {
    Help,
    Version,
    Run(Box<Options>),
    /// Say whether this could go on with what another program hands over.
    CheckState(Box<Options>),
    /// Give a name a password.
    Passwd(Place, String),
    /// List the names that have one.
    Accounts(Place),
}

/// Where accounts are kept.
#[derive(Debug)]
#[cfg_attr(not(feature = "accounts"), expect(dead_code, reason = "there are none"))]
pub(crate) enum Place {
    Dir(PathBuf),
    Redis(Box<RedisOptions>),
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) config: Config,
    pub(crate) settings: Settings,
    pub(crate) motd: Option<PathBuf>,
    pub(crate) state: Option<PathBuf>,
    pub(crate) redis: Option<RedisOptions>,
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) log: LevelFilter,
}

/// Reads the command line, without the program's name.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Task, String> {
    let readable = readable(&arguments);
    let mut arguments = Arguments::from_vec(arguments);
    if arguments.contains(["-h", "--help"]) {
        return Ok(Task::Help);
    }
    if arguments.contains(["-V", "--version"]) {
        return Ok(Task::Version);
    }
    // It fails for a word that is not UTF-8, which the check below reports.
    if let Ok(Some(word)) = arguments.subcommand() {
        return subcommand(&word, arguments);
    }
    readable?;
    let mut config = Config::default();
    let places = all(&mut arguments, "--listen", ["-l", "--listen"], listen::place)?;
    listen::read(places, &mut config);
    let mut settings = Settings::default();
    read_settings(&mut arguments, &mut settings)?;
    settings.dialects = listen::dialects(&config);
    web::read(&mut arguments, &settings, &mut config)?;
    let tls = tls::read(&mut arguments, &config)?;
    let (mut motd, mut state) = (None, None);
    set(&mut arguments, "--motd", &mut motd, |path| Ok(Some(PathBuf::from(path))))?;
    set(&mut arguments, "--state", &mut state, |path| Ok(Some(PathBuf::from(path))))?;
    let redis = cluster::read(&mut arguments, state.as_ref())?;
    settings.accounts = (state.is_some() || redis.is_some()) && cfg!(feature = "accounts");
    settings.operators =
        settings.accounts || config.listen_unix.iter().any(|listen| listen.label == OPERATORS);
    read_limits(&mut arguments, &mut config.limits)?;
    proxies::read(&mut arguments, &mut config)?;
    set(&mut arguments, "--max-clients", &mut config.max_clients, |text| {
        number(text, 1, 10_000_000)
    })?;
    let mut log = LevelFilter::Warn as usize;
    while arguments.contains(["-v", "--verbose"]) {
        log += 1;
    }
    while arguments.contains(["-q", "--quiet"]) {
        log = log.saturating_sub(1);
    }
    let is_check = flag(&mut arguments, "--check-state");
    if let Some(stray) = arguments.finish().first() {
        return Err(format!("unexpected argument '{}'; see --help", stray.to_string_lossy()));
    }
    let log = LevelFilter::iter().nth(log).unwrap_or(LevelFilter::Trace);
    let options = Box::new(Options { config, settings, motd, state, redis, tls, log });
    Ok(if is_check { Task::CheckState(options) } else { Task::Run(options) })
}

/// An error if a word is not UTF-8.
fn readable(arguments: &[OsString]) -> Result<(), String> {
    let Some(at) = arguments.iter().position(|argument| argument.to_str().is_none()) else {
        return Ok(());
    };
    let text = arguments[at].to_string_lossy();
    let before = arguments[..at].last().and_then(|before| before.to_str()).unwrap_or("");
    let (option, value) = match text.split_once('=') {
        Some(parts) if text.starts_with('-') => parts,
        _ if before.starts_with('-') && !before.contains('=') => (before, &*text),
        _ => return Err(format!("unexpected argument '{text}'; see --help")),
    };
    Err(format!("{option} {value}: it is not UTF-8"))
}

/// Escapes control characters, so that no value can break a line of output in two, or move the
/// cursor.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_debug());
        } else {
            line.push(c);
        }
    }
    line
}

fn subcommand(word: &str, mut arguments: Arguments) -> Result<Task, String> {
    let usage = |what: &str| Err(format!("usage: chinwag {what}"));
    let redis = cluster::read(&mut arguments, None)?;
    let rest = arguments.finish();
    let text = |name: &OsString| name.to_string_lossy().into_owned();
    match (word, redis, &rest[..]) {
        ("passwd", None, [dir, name]) => Ok(Task::Passwd(Place::Dir(dir.into()), text(name))),
        ("passwd", Some(redis), [name]) => Ok(Task::Passwd(Place::Redis(redis.into()), text(name))),
        ("accounts", None, [dir]) => Ok(Task::Accounts(Place::Dir(dir.into()))),
        ("accounts", Some(redis), []) => Ok(Task::Accounts(Place::Redis(redis.into()))),
        ("passwd", None, _) => usage("passwd DIR NAME"),
        ("passwd", Some(_), _) => usage("passwd --redis URL NAME"),
        ("accounts", None, _) => usage("accounts DIR"),
        ("accounts", Some(_), _) => usage("accounts --redis URL"),
        _ => Err(format!("unexpected argument '{word}'; see --help")),
    }
}

/// Reads the options about the chat.
fn read_settings(arguments: &mut Arguments, settings: &mut Settings) -> Result<(), String> {
    set(arguments, "--greet-after", &mut settings.greet_after, time_or_off)?;
    set(arguments, "--history", &mut settings.history_lines, |text| number(text, 0, 1 << 20))?;
    set(arguments, "--max-rooms", &mut settings.rooms_max, |text| number(text, 1, 1 << 20))?;
    let mut resume_for = Some(settings.resume_for);
    set(arguments, "--resume-for", &mut resume_for, time_or_off)?;
    settings.resume_for = resume_for.unwrap_or_default();
    settings.require_name = flag(arguments, "--require-name");
    Ok(())
}

/// Reads the options about limits.
fn read_limits(arguments: &mut Arguments, limits: &mut Limits) -> Result<(), String> {
    let bytes = |text: &str| number(text, 1024, 1 << 30);
    limits.rate = Some(RATE);
    set(arguments, "--max-line", &mut limits.line_max, |text| number(text, 64, 1 << 20))?;
    set(arguments, "--max-per-ip", &mut limits.per_ip_max, |text| number(text, 1, 10_000_000))?;
    // So an address that has as many connections as it may have is slowed down no further.
    limits.per_ip_rate = u32::try_from(limits.per_ip_max).unwrap_or(u32::MAX);
    set(arguments, "--connect-rate", &mut limits.connect_rate, rate_or_off)?;
    set(arguments, "--rate", &mut limits.rate, rate_or_off)?;
    set(arguments, "--queue-soft", &mut limits.queue_soft, bytes)?;
    set(arguments, "--queue-park", &mut limits.queue_park, bytes)?;
    set(arguments, "--queue-max", &mut limits.queue_max, bytes)?;
    set(arguments, "--queue-total", &mut limits.queue_total, |text| number(text, 1024, 1 << 40))?;
    set(arguments, "--input-total", &mut limits.input_total, |text| number(text, 1024, 1 << 40))?;
    set(arguments, "--stall", &mut limits.stall_time, some_time)?;
    set(arguments, "--idle", &mut limits.idle_time, some_time_or_off)?;
    limits.limit_loopback = flag(arguments, "--limit-loopback");
    let (soft, park, max) = (limits.queue_soft, limits.queue_park, limits.queue_max);
    if soft > park || park > max {
        return Err(format!(
            "--queue-soft {soft}, --queue-park {park}, --queue-max {max}: none may be larger \
             than the next"
        ));
    }
    Ok(())
}

/// Whether an option without a value is given, however often.
fn flag(arguments: &mut Arguments, option: &'static str) -> bool {
    let mut is_given = false;
    while arguments.contains(option) {
        is_given = true;
    }
    is_given
}

/// Reads an option that may be given once.
fn set<T>(
    arguments: &mut Arguments,
    option: &'static str,
    setting: &mut T,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<(), String> {
    let mut values = all(arguments, option, option, read)?.into_iter();
    *setting = match (values.next(), values.next()) {
        (None, _) => return Ok(()),
        (Some(value), None) => value,
        (Some(_), Some(_)) => return Err(format!("{option} is given twice; once is allowed")),
    };
    Ok(())
}

/// Reads an option that may be repeated.
fn all<T>(
    arguments: &mut Arguments,
    option: &str,
    keys: impl Into<Keys>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let values = arguments.values_from_str(keys).map_err(|error| match error {
        // The error for an empty value says what is allowed.
        Error::OptionWithoutAValue(_) => {
            let why = read("").err().unwrap_or_else(|| "a value is wanted".to_owned());
            format!("{option}: {why}")
        }
        error => error.to_string(),
    });
    let values: Vec<String> = values?;
    let name = |value: &str, why| format!("{option} {value}: {why}");
    values.iter().map(|value| read(value).map_err(|why| name(value, why))).collect()
}
