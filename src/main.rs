//! The binary: options, log, signals, and then the server runs.

mod cli;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::thread;

use chinwag::{Chat, Handle, Server};
use cli::{Options, Request};
use jiff::tz::TimeZone;
use log::{LevelFilter, warn};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Descriptors that are no client's: the poll, the waker, the signals, the standard
/// three, the listeners, the spare one, and the refused who are still reading.
const DESCRIPTORS_KEPT: u64 = 32;

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
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn serve(options: Options) -> io::Result<()> {
    let mut config = options.config;
    config.max_clients = affordable(config.max_clients);
    let labels: Vec<String> = config.listen.iter().map(|listen| listen.label.clone()).collect();
    let server = Server::bind(config)?;
    watch_signals(server.handle())?;
    for (addr, label) in server.local_addrs().iter().zip(labels) {
        print(&format!("chinwag listening on {addr} ({label})"));
    }
    if io::stdout().is_terminal()
        && let Some(addr) = server.local_addrs().first()
    {
        print(&format!("Connect with: nc {} {}", addr.ip(), addr.port()));
    }
    server.run(Chat::new(TimeZone::system()))?;
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

/// SIGINT and SIGTERM ask for a shutdown; the second one does not take no for an answer.
fn watch_signals(server: Handle) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let watch = move || signals.forever().for_each(|_| server.shutdown());
    thread::Builder::new().name("signals".to_owned()).stack_size(64 << 10).spawn(watch)?;
    Ok(())
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
