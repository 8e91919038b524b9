//! The binary: options, log, signals, and then the server runs.

mod certificate;
mod cli;
mod logger;
mod memory;
mod output;
#[cfg(feature = "web")]
mod page;
#[cfg(feature = "accounts")]
mod passwd;
mod start;

use std::env;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use certificate::CertificateFiles;
use chinwag::chat::{Answer, Motd, Request};
use chinwag::{Chat, ChatWithWorker, Handle, Server, State};
use cli::{Options, Task};
use jiff::tz::TimeZone;
use log::warn;
use output::Output;
#[cfg(feature = "accounts")]
use passwd::{list as list_accounts, set as set_password};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Descriptors that are no client's: the poll, the waker, the signals, the standard
/// three, the listeners, the spare one, and the refused who are still reading.
const DESCRIPTORS_KEPT: u64 = 32;

/// The longest message of the day, in bytes: each newcomer is sent all of it.
const MOTD_MAX: usize = 16 << 10;

fn main() -> ExitCode {
    let started =
        Output::start(io::stdout()).and_then(|out| Ok((out, Output::start(io::stderr())?)));
    let Ok((stdout, stderr)) = started else { return ExitCode::FAILURE };
    let code = match cli::parse(env::args_os().skip(1).collect()) {
        Ok(Task::Help) => say(&stdout, cli::HELP, 0),
        Ok(Task::Version) => say(&stdout, concat!("chinwag ", env!("CARGO_PKG_VERSION")), 0),
        Ok(Task::Passwd(dir, name)) => finish(set_password(&dir, &name), &stdout, &stderr),
        Ok(Task::Accounts(dir)) => finish(list_accounts(&dir), &stdout, &stderr),
        Ok(Task::Run(options)) => {
            logger::init(options.log, stderr.clone());
            match serve(*options, &stdout) {
                Ok(()) => 0,
                Err(error) => fail(&stderr, &error.to_string(), 1),
            }
        }
        Err(message) => fail(&stderr, &message, 2),
    };
    stdout.finish();
    stderr.finish();
    ExitCode::from(code)
}

/// What has come of something short.
fn finish(result: io::Result<String>, stdout: &Output, stderr: &Output) -> u8 {
    match result {
        Ok(text) if text.is_empty() => 0,
        Ok(text) => say(stdout, &text, 0),
        Err(error) => fail(stderr, &error.to_string(), 1),
    }
}

#[cfg(not(feature = "accounts"))]
fn set_password(_: &Path, _: &str) -> io::Result<String> {
    list_accounts(Path::new(""))
}

#[cfg(not(feature = "accounts"))]
fn list_accounts(_: &Path) -> io::Result<String> {
    Err(io::Error::other("it was built without accounts"))
}

/// The last words, and the code to end with.
fn say(output: &Output, text: &str, code: u8) -> u8 {
    output.line(text);
    code
}

/// What went wrong, in one line.
fn fail(stderr: &Output, why: &str, code: u8) -> u8 {
    say(stderr, &format!("chinwag: {}", cli::one_line(why)), code)
}

fn serve(options: Options, stdout: &Output) -> io::Result<()> {
    let Options { mut config, mut settings, motd, state, tls, .. } = options;
    settings.zone = TimeZone::system();
    settings.random = Some(|token| getrandom::fill(token).expect("the system has random bytes"));
    settings.resident = Some(memory::resident);
    settings.give_back = Some(memory::give_back);
    let certificate = tls.map(CertificateFiles::open).transpose()?.map(Arc::new);
    config.certificate = certificate.as_ref().map(|files| files.certificate.clone());
    let files = Files { words: settings.motd.clone(), motd, certificate };
    files.reload_motd()?;
    config.max_clients = affordable(config.max_clients);
    let state = state.map(|dir| State::open(&dir)).transpose();
    let state = state.map_err(|error| io::Error::new(error.kind(), format!("--state {error}")))?;
    #[cfg(feature = "web")]
    page::add(&mut config.web);
    let server = Server::bind(config.clone())?;
    start::log(&config, &settings);
    let ready = || start::say_where(&server, &config, stdout);
    if let Some(certificate) = files.certificate.clone() {
        let name = "certificate".to_owned();
        thread::Builder::new().name(name).spawn(move || certificate.watch())?;
    }
    // Where nothing outlives the server and nobody is in charge, the chat runs by itself;
    // else with a worker beside it.
    if state.is_none() && !settings.operators {
        let reload = aside("reload", move || {
            if let Err(error) = files.reload_motd() {
                warn!(error:%; "motd_not_reloaded");
            }
            if let Some(certificate) = &files.certificate {
                certificate.reload_and_log();
            }
        })?;
        watch_signals(server.handle(), reload)?;
        ready();
        return server.run(Chat::new(settings)).map(drop);
    }
    let mut chat = Chat::new(settings);
    if let Some(state) = &state {
        chat.restore(state.persisted());
    }
    let app = ChatWithWorker::start(chat, server.handle(), worker(files, state))?;
    let reloader = app.reloader();
    watch_signals(server.handle(), move || reloader.reload())?;
    ready();
    server.run(app).map(drop)
}

/// What the worker does.
fn worker(files: Files, mut state: Option<State>) -> impl FnMut(Request) -> Answer + Send {
    move |request| {
        if let Request::Reload = request
            && let Err(error) = files.reload()
        {
            return Answer::NotReloaded(error.to_string());
        }
        perform(state.as_mut(), request)
    }
}

/// Without a place to keep it, what is banned is until the server ends.
fn perform(state: Option<&mut State>, request: Request) -> Answer {
    match (state, request) {
        (Some(state), request) => state.perform(request),
        (None, Request::Ban { ban, .. }) => Answer::Banned(ban),
        (None, Request::Unban(target)) => Answer::Unbanned(target),
        (None, Request::Reload) => Answer::Reloaded(None),
        // There are no accounts then, so nobody asks.
        (None, _) => Answer::NotSaved("there is no place for it".to_owned()),
    }
}

/// Raises the descriptor limit as far as it goes, and tells how many clients fit.
fn affordable(wanted: usize) -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
    let most = limit.saturating_sub(DESCRIPTORS_KEPT).max(1);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if wanted > most {
        warn!(wanted, allowed = most, descriptors = limit; "max_clients_lowered");
    }
    wanted.min(most)
}

/// SIGINT and SIGTERM ask for a graceful shutdown; the second one ends the server at once. SIGHUP
/// reloads, in another thread: files may be slow, and a shutdown must not wait for them.
fn watch_signals(server: Handle, reload: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let watch = move || {
        for signal in signals.forever() {
            match signal {
                SIGHUP => reload(),
                _ => server.shutdown(),
            }
        }
    };
    thread::Builder::new().name("signals".to_owned()).stack_size(64 << 10).spawn(watch)?;
    Ok(())
}

/// A thread that does something whenever it is asked to, which is never waited for. Asking
/// again before it has begun is asking once.
fn aside(name: &str, work: impl Fn() + Send + 'static) -> io::Result<impl Fn() + Send + 'static> {
    let wanted = Arc::new(AtomicBool::new(false));
    let is_wanted = Arc::clone(&wanted);
    let watch = move || loop {
        while is_wanted.swap(false, Ordering::AcqRel) {
            work();
        }
        thread::park();
    };
    let thread = thread::Builder::new().name(name.to_owned()).spawn(watch)?;
    Ok(move || {
        wanted.store(true, Ordering::Release);
        thread.thread().unpark();
    })
}

/// What is read again when that is asked for, besides the state.
struct Files {
    words: Motd,
    motd: Option<PathBuf>,
    certificate: Option<Arc<CertificateFiles>>,
}

impl Files {
    fn reload(&self) -> io::Result<()> {
        self.reload_motd()?;
        self.certificate.as_ref().map_or(Ok(()), |certificate| certificate.reload())
    }

    fn reload_motd(&self) -> io::Result<()> {
        if let Some(path) = &self.motd {
            self.words.set(&read_motd(path)?);
        }
        Ok(())
    }
}

fn read_motd(path: &Path) -> io::Result<Vec<u8>> {
    let named =
        |kind, why: String| io::Error::new(kind, format!("--motd {}: {why}", path.display()));
    let text =
        read_start(path, MOTD_MAX + 1).map_err(|error| named(error.kind(), error.to_string()))?;
    if text.len() > MOTD_MAX {
        let why = format!("it is too long; at most {MOTD_MAX} bytes are allowed");
        return Err(named(io::ErrorKind::InvalidData, why));
    }
    Ok(text)
}

/// Reads no more than so many bytes of a file, and nothing of what could be endless or
/// have one wait.
fn read_start(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    // Asked before it is opened, since opening may wait already.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut text = Vec::new();
    fs::File::open(path)?.take(most as u64).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn whoever_asks_for_what_takes_long_does_not_wait_for_it() {
        let (begun, begins) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let ask = aside("test", move || {
            // Both fail once the test is over.
            let _ = begun.send(());
            let _ = gate.recv_timeout(PATIENCE);
        })
        .unwrap();
        let start = Instant::now();
        ask();
        begins.recv_timeout(PATIENCE).expect("it is done");
        ask();
        assert!(start.elapsed() < PATIENCE, "it was waited for");
        // What is asked for meanwhile is done after it.
        go.send(()).unwrap();
        begins.recv_timeout(PATIENCE).expect("it is done again");
    }
}
