//! The binary: options, log, signals, and then the server runs.

mod cli;

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use chinwag::chat::Motd;
use chinwag::{Chat, Handle, Server};
use cli::{Options, Request};
use jiff::tz::TimeZone;
use log::{LevelFilter, warn};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Descriptors that are no client's: the poll, the waker, the signals, the standard
/// three, the listeners, the spare one, and the refused who are still reading.
const DESCRIPTORS_KEPT: u64 = 32;

/// The longest message of the day, in bytes: everybody who comes is sent all of it.
const MOTD_MAX: usize = 16 << 10;

fn main() -> ExitCode {
    let options = match cli::parse(std::env::args_os().skip(1).collect()) {
        Ok(Request::Help) => return print(cli::HELP),
        Ok(Request::Version) => return print(concat!("chinwag ", env!("CARGO_PKG_VERSION"))),
        Ok(Request::Run(options)) => options,
        Err(message) => {
            complain(&message);
            return ExitCode::from(2);
        }
    };
    init_log(options.log);
    match serve(*options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn serve(options: Options) -> io::Result<()> {
    let Options { mut config, mut settings, motd, .. } = options;
    settings.zone = TimeZone::system();
    settings.random = Some(|token| getrandom::fill(token).expect("the system has random bytes"));
    settings.resident = Some(resident);
    if let Some(path) = &motd {
        settings.motd.set(&read_motd(path)?);
    }
    config.max_clients = affordable(config.max_clients);
    let labels: Vec<String> = config.listen.iter().map(|listen| listen.label.clone()).collect();
    let server = Server::bind(config)?;
    watch_signals(server.handle(), settings.motd.clone(), motd)?;
    for (addr, label) in server.local_addrs().iter().zip(labels) {
        print(&format!("chinwag listening on {addr} ({label})"));
    }
    if io::stdout().is_terminal()
        && let Some(addr) = server.local_addrs().first()
    {
        print(&format!("Connect with: nc {} {}", addr.ip(), addr.port()));
    }
    server.run(Chat::new(settings))?;
    Ok(())
}

/// Raises the descriptor limit as far as it goes, and tells how many clients fit.
fn affordable(wanted: usize) -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
    let most = limit.saturating_sub(DESCRIPTORS_KEPT).max(1);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if wanted > most {
        warn!("at most {most} clients instead of {wanted}: there are {limit} descriptors");
    }
    wanted.min(most)
}

/// SIGINT and SIGTERM ask for a shutdown; the second one does not take no for an
/// answer. SIGHUP reads the motd again. All in a thread: files may be slow.
fn watch_signals(server: Handle, motd: Motd, path: Option<PathBuf>) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let watch = move || {
        for signal in signals.forever() {
            match (signal, &path) {
                (SIGHUP, None) => {}
                (SIGHUP, Some(path)) => match read_motd(path) {
                    Ok(text) => motd.set(&text),
                    Err(error) => warn!("{error}; the old one stays"),
                },
                _ => server.shutdown(),
            }
        }
    };
    thread::Builder::new().name("signals".to_owned()).stack_size(64 << 10).spawn(watch)?;
    Ok(())
}

fn read_motd(path: &Path) -> io::Result<Vec<u8>> {
    let name = |why: String| format!("--motd {}: {why}", path.display());
    let text =
        fs::read(path).map_err(|error| io::Error::new(error.kind(), name(error.to_string())))?;
    if text.len() > MOTD_MAX {
        let why = name(format!("{} bytes; at most {MOTD_MAX} are allowed", text.len()));
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(text)
}

/// Resident memory in bytes, where the system tells.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

fn init_log(level: LevelFilter) {
    let environment = env_logger::Env::default().default_filter_or(level.as_str());
    // It fails only if there is a log already.
    let _ = env_logger::Builder::from_env(environment).try_init();
}

/// A line on stdout, at once. Nobody has to read it, so it may fail.
fn print(text: &str) -> ExitCode {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    ExitCode::SUCCESS
}

/// A line on stderr, whatever the log's level.
fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "chinwag: {message}");
}
