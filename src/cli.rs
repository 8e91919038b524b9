//! What the command line says: options, sizes, addresses. One line of error each,
//! naming the option, the value and what is allowed.

use std::ffi::OsString;
use std::net::ToSocketAddrs;

use chinwag::chat::Dialect;
use chinwag::{Config, Listen};
use log::LevelFilter;
use pico_args::{Arguments, Keys};

pub(crate) const HELP: &str = "\
A lightweight chat server; nc or telnet is client enough.

Usage: chinwag [OPTIONS]

Options:
  -l, --listen [DIALECT=]ADDR  Listen here; may be repeated [127.0.0.1:1337]
                               ADDR is IP:PORT, [::]:PORT (IPv4 too) or HOST:PORT;
                               DIALECT is native or recipe [native]
      --max-line BYTES         Longest line that is accepted [4K]
      --max-clients N          Connections at a time [10000]
  -v, --verbose                Log more: connections and their addresses; -vv: details
  -q, --quiet                  Log less: errors only; -qq: nothing
  -V, --version                Print the version
  -h, --help                   Print this help

Numbers may carry K, M or G. RUST_LOG wins over -v and -q.";

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Request {
    Help,
    Version,
    Run(Options),
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) config: Config,
    pub(crate) log: LevelFilter,
}

/// Reads the command line, without the program's name.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Request, String> {
    let mut arguments = Arguments::from_vec(arguments);
    if arguments.contains(["-h", "--help"]) {
        return Ok(Request::Help);
    }
    if arguments.contains(["-V", "--version"]) {
        return Ok(Request::Version);
    }
    let mut config = Config::default();
    let listeners = all(&mut arguments, "--listen", ["-l", "--listen"], listener)?;
    if !listeners.is_empty() {
        config.listen = listeners;
    }
    let limits = &mut config.limits;
    set(&mut arguments, "--max-line", &mut limits.line_max, |text| number(text, 64, 1 << 20))?;
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
    if let Some(stray) = arguments.finish().first() {
        return Err(format!("unexpected argument '{}'; see --help", stray.to_string_lossy()));
    }
    let log = LevelFilter::iter().nth(log).unwrap_or(LevelFilter::Trace);
    Ok(Request::Run(Options { config, log }))
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
    let values: Vec<String> = arguments.values_from_str(keys).map_err(|error| error.to_string())?;
    let name = |value: &str, why| format!("{option} {value}: {why}");
    values.iter().map(|value| read(value).map_err(|why| name(value, why))).collect()
}

/// `[DIALECT=]ADDR`
fn listener(text: &str) -> Result<Listen, String> {
    let (dialect, addr) = text.split_once('=').unwrap_or((Dialect::default().name(), text));
    let dialect: Dialect = dialect.parse().map_err(|error| format!("{error}"))?;
    let unusable = |why: String| format!("{why}; IP:PORT, [::]:PORT or HOST:PORT is wanted");
    let found = addr.to_socket_addrs().map_err(|error| unusable(error.to_string()))?.next();
    let addr = found.ok_or_else(|| unusable("no address of that name".to_owned()))?;
    Ok(Listen { addr, label: dialect.name().to_owned() })
}

/// A whole number, perhaps with K, M or G for 2 to the 10th, 20th, 30th.
fn number(text: &str, least: usize, most: usize) -> Result<usize, String> {
    let shift = match text.to_ascii_uppercase().chars().last() {
        Some('K') => 10,
        Some('M') => 20,
        Some('G') => 30,
        _ => 0,
    };
    let digits = &text[..text.len() - usize::from(shift > 0)];
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let value = digits.parse::<usize>().ok().filter(|_| is_number);
    value
        .and_then(|value| value.checked_mul(1 << shift))
        .filter(|value| (least..=most).contains(value))
        .ok_or_else(|| format!("a number from {least} to {most} is wanted, K, M and G allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<Options, String> {
        match parse(line.split_whitespace().map(OsString::from).collect())? {
            Request::Run(options) => Ok(options),
            request => panic!("{line} was read as {request:?}"),
        }
    }

    #[test]
    fn without_options_everything_is_at_its_default() {
        let options = run("").unwrap();
        assert_eq!((options.config, options.log), (Config::default(), LevelFilter::Warn));
    }

    #[test]
    fn options_are_understood_in_every_notation() {
        let options =
            run("-l recipe=[::1]:7 --listen=127.0.0.1:8 --max-line 8k --max-clients=2K -vv")
                .unwrap();
        let listen = |label: &str, addr: &str| Listen {
            addr: addr.parse().unwrap(),
            label: label.to_owned(),
        };
        assert_eq!(
            options.config.listen,
            [listen("recipe", "[::1]:7"), listen("native", "127.0.0.1:8")]
        );
        assert_eq!((options.config.limits.line_max, options.config.max_clients), (8192, 2048));
        assert_eq!(options.log, LevelFilter::Debug);
        assert_eq!(run("-q").unwrap().log, LevelFilter::Error);
        assert_eq!(run("-qqqq").unwrap().log, LevelFilter::Off);
        assert_eq!(run("-vvvvv").unwrap().log, LevelFilter::Trace);
    }

    #[test]
    fn help_and_version_need_nothing_else_to_be_right() {
        let request = |word: &str| parse(vec![word.into(), "--max-line".into()]);
        assert!(matches!(request("-h"), Ok(Request::Help)));
        assert!(matches!(request("--version"), Ok(Request::Version)));
    }

    #[test]
    fn an_error_names_the_option_the_value_and_what_is_allowed() {
        let cases = [
            ("--max-line 12x", "--max-line 12x: a number from 64 to 1048576 is wanted"),
            ("--max-line +64", "--max-line +64: a number from 64"),
            ("--max-line 1", "--max-line 1: a number from 64"),
            ("--max-clients 99999999999999999999", "a number from 1 to 10000000"),
            ("--max-clients 18014398509481984K", "a number from 1 to 10000000"),
            ("--max-line", "--max-line"),
            ("--max-line 1K --max-line 2K", "--max-line is given twice"),
            ("-l klingon=127.0.0.1:1", "unknown dialect 'klingon'; there are native, recipe"),
            ("-l 127.0.0.1", "--listen 127.0.0.1: "),
            ("-l 127.0.0.1:99999", "--listen 127.0.0.1:99999: "),
            ("--frobnicate", "unexpected argument '--frobnicate'"),
            ("stray", "unexpected argument 'stray'"),
        ];
        for (line, part) in cases {
            let error = run(line).unwrap_err();
            assert!(error.contains(part) && error.lines().count() == 1, "{line}: {error}");
        }
    }
}
