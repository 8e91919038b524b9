//! The binary: options, log, signals, and then the server runs.

mod cli;
mod memory;
mod output;

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;

use chinwag::chat::Motd;
use chinwag::{Chat, Handle, Server};
use cli::{Options, Request};
use jiff::tz::TimeZone;
use log::{LevelFilter, warn};
use output::Output;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Descriptors that are no client's: the poll, the waker, the signals, the standard
/// three, the listeners, the spare one, and the refused who are still reading.
const DESCRIPTORS_KEPT: u64 = 32;

/// The longest message of the day, in bytes: everybody who comes is sent all of it.
const MOTD_MAX: usize = 16 << 10;

fn main() -> ExitCode {
    let started =
        Output::start(io::stdout()).and_then(|out| Ok((out, Output::start(io::stderr())?)));
    let Ok((stdout, stderr)) = started else { return ExitCode::FAILURE };
    let code = match cli::parse(std::env::args_os().skip(1).collect()) {
        Ok(Request::Help) => say(&stdout, cli::HELP, 0),
        Ok(Request::Version) => say(&stdout, concat!("chinwag ", env!("CARGO_PKG_VERSION")), 0),
        Ok(Request::Run(options)) => {
            init_log(options.log, stderr.clone());
            match serve(*options, &stdout) {
                Ok(()) => 0,
                Err(error) => say(&stderr, &format!("chinwag: {error}"), 1),
            }
        }
        Err(message) => say(&stderr, &format!("chinwag: {message}"), 2),
    };
    stdout.finish();
    stderr.finish();
    ExitCode::from(code)
}

/// The last words, and the code to end with.
fn say(output: &Output, text: &str, code: u8) -> u8 {
    output.line(text);
    code
}

fn serve(options: Options, stdout: &Output) -> io::Result<()> {
    let Options { mut config, mut settings, motd, .. } = options;
    settings.zone = TimeZone::system();
    settings.random = Some(|token| getrandom::fill(token).expect("the system has random bytes"));
    settings.resident = Some(memory::resident);
    settings.give_back = Some(memory::give_back);
    if let Some(path) = &motd {
        settings.motd.set(&read_motd(path)?);
    }
    config.max_clients = affordable(config.max_clients);
    let labels: Vec<String> = config.listen.iter().map(|listen| listen.label.clone()).collect();
    let server = Server::bind(config)?;
    watch_signals(server.handle(), settings.motd.clone(), motd)?;
    for (addr, label) in server.local_addrs().iter().zip(labels) {
        stdout.line(&format!("chinwag listening on {addr} ({label})"));
    }
    if io::stdout().is_terminal()
        && let Some(addr) = server.local_addrs().first()
    {
        stdout.line(&format!("Connect with: nc {} {}", addr.ip(), addr.port()));
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

fn init_log(level: LevelFilter, stderr: Output) {
    let environment = env_logger::Env::default().default_filter_or(level.as_str());
    let target = env_logger::Target::Pipe(Box::new(stderr));
    // It fails only if there is a log already.
    let _ = env_logger::Builder::from_env(environment).target(target).try_init();
}
