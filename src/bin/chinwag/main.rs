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
mod redis_link;
mod signals;
mod start;
mod storage;
mod system;
mod upgrade;

use std::env;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use certificate::CertificateFiles;
use chinwag::chat::{Answer, Motd, Request, Settings};
use chinwag::{
    Chat, ChatWithWorker, Config, HandOver, Handle, Inherited, Pause, Reloader, Running, Server,
    Unpacker,
};
#[cfg(not(feature = "accounts"))]
use cli::Place;
use cli::{Options, Task};
use jiff::tz::TimeZone;
use log::warn;
use output::{Output, PATIENCE};
#[cfg(feature = "accounts")]
use passwd::{list as list_accounts, set as set_password};
use signal_hook::consts::{SIGHUP, SIGUSR2};
use signals::Watch;
use start::{Ready, addrs_of_clients};
use storage::Storage;
use upgrade::Upgrade;

/// Descriptors that are no client's: the poll, the waker, the signals, the standard
/// three, the listeners, the spare one, and the refused who are still reading.
const DESCRIPTORS_KEPT: u64 = 32;

/// The longest message of the day, in bytes: each newcomer is sent all of it.
const MOTD_MAX: usize = 16 << 10;

fn main() -> ExitCode {
    // Before there is any other thread.
    system::block_signals();
    let started =
        Output::start(io::stdout()).and_then(|out| Ok((out, Output::start(io::stderr())?)));
    let Ok((stdout, stderr)) = started else { return ExitCode::FAILURE };
    let code = match cli::parse(env::args_os().skip(1).collect()) {
        Ok(Task::Help) => say(&stdout, cli::HELP, 0),
        Ok(Task::Version) => say(&stdout, concat!("chinwag ", env!("CARGO_PKG_VERSION")), 0),
        Ok(Task::Passwd(place, name)) => finish(set_password(place, &name), &stdout, &stderr),
        Ok(Task::Accounts(place)) => finish(list_accounts(place), &stdout, &stderr),
        Ok(Task::CheckState(options)) => finish(check_state(*options), &stdout, &stderr),
        Ok(Task::Run(options)) => {
            logger::init(options.log, stderr.clone());
            match serve(*options, [&stdout, &stderr]) {
                Ok(()) => 0,
                Err(error) => fail(&stderr, &error.to_string(), 1),
            }
        }
        Err(message) => fail(&stderr, &message, 2),
    };
    stdout.finish(PATIENCE);
    stderr.finish(PATIENCE);
    ExitCode::from(code)
}

/// Reports the outcome of a short task. Returns the exit code.
fn finish(result: io::Result<String>, stdout: &Output, stderr: &Output) -> u8 {
    match result {
        Ok(text) if text.is_empty() => 0,
        Ok(text) => say(stdout, &text, 0),
        Err(error) => fail(stderr, &error.to_string(), 1),
    }
}

#[cfg(not(feature = "accounts"))]
fn set_password(place: Place, _: &str) -> io::Result<String> {
    list_accounts(place)
}

#[cfg(not(feature = "accounts"))]
fn list_accounts(_: Place) -> io::Result<String> {
    Err(io::Error::other("it was built without accounts"))
}

/// Prints the last line. Returns the exit code.
fn say(output: &Output, text: &str, code: u8) -> u8 {
    output.line(text);
    code
}

/// Prints an error, in one line. Returns the exit code.
fn fail(stderr: &Output, why: &str, code: u8) -> u8 {
    say(stderr, &format!("chinwag: {}", cli::one_line(why)), code)
}

/// Whether this program could go on with what it is handed, and with the files that it would read.
fn check_state(options: Options) -> io::Result<String> {
    let mut packed = Vec::new();
    io::stdin().read_to_end(&mut packed)?;
    let Options { config, settings, motd, state, redis, tls, .. } = options;
    let chat = |from: &mut Unpacker<'_>| {
        let chat = Chat::unpack(settings, from)?;
        redis_link::check(redis.as_ref(), from)?;
        Ok(chat)
    };
    Server::check(&config, Server::unpacker(&packed)?, chat)?;
    tls.map(CertificateFiles::open).transpose()?;
    motd.map(|path| read_motd(&path)).transpose()?;
    Storage::open(state.as_deref(), redis.as_ref())?;
    Ok(upgrade::understood(&packed))
}

fn serve(options: Options, outputs: [&Output; 2]) -> io::Result<()> {
    let Options { mut config, mut settings, motd, state, mut redis, tls, .. } = options;
    fill_from_system(&mut settings);
    let certificate = tls.map(CertificateFiles::open).transpose()?.map(Arc::new);
    config.certificate = certificate.as_ref().map(|files| files.certificate.clone());
    let files = Files { words: settings.motd.clone(), motd, certificate };
    files.reload_motd()?;
    let monitors = if config.listen_metrics.is_empty() { 0 } else { config.limits.probes_max };
    config.max_clients = affordable(config.max_clients, DESCRIPTORS_KEPT + monitors as u64);
    #[cfg(feature = "web")]
    page::add(&mut config.web);
    let mut inherited = Inherited::take()?;
    let (server, mut from) = open(config.clone(), inherited.as_mut())?;
    if let Some(redis) = &mut redis {
        cli::name_node(redis, addrs_of_clients(&server, &config));
    }
    let mut storage = Storage::open(state.as_deref(), redis.as_ref())?;
    let ready = Ready::new(&server, &config, &settings, from.is_some());
    if let Some(certificate) = files.certificate.clone() {
        let name = "certificate".to_owned();
        thread::Builder::new().name(name).spawn(move || certificate.watch())?;
    }
    let persisted = storage.read(from.is_some())?;
    let handle = server.handle();
    let (mut chat, link) = redis_link::start(redis, settings, from.as_mut(), &handle)?;
    if let Some(persisted) = persisted {
        chat.restore(persisted);
    }
    let app = ChatWithWorker::start(chat, handle.clone(), worker(files, storage))?;
    let reloader = app.reloader();
    let Some(link) = link else {
        let running = begin(server, app, from)?;
        drop(inherited);
        return run(running, handle, reloader, &ready, outputs);
    };
    let running = begin(server, app.with_link(link), from)?;
    drop(inherited);
    run(running, handle, reloader, &ready, outputs)
}

/// A server with listeners of its own, or with all that another program has left.
fn open(
    config: Config,
    inherited: Option<&mut Inherited>,
) -> io::Result<(Server, Option<Unpacker<'_>>)> {
    let Some(inherited) = inherited else { return Ok((Server::bind(config)?, None)) };
    let (server, from) = Server::adopt(config, inherited)?;
    Ok((server, Some(from)))
}

/// Settings that only the system can tell.
fn fill_from_system(settings: &mut Settings) {
    settings.zone = local_zone();
    settings.random = Some(|token| getrandom::fill(token).expect("the system has random bytes"));
    settings.resident = Some(memory::resident);
    settings.give_back = Some(memory::give_back);
}

/// The time zone of this machine, out of its own file. A look-up by name would first list all zones
/// of the machine; in an upgrade, nobody is served meanwhile.
fn local_zone() -> TimeZone {
    let is_named = env::var_os("TZ").is_some();
    let data = fs::read("/etc/localtime").ok().filter(|_| !is_named);
    let zone = data.and_then(|data| TimeZone::tzif("Local", &data).ok());
    zone.unwrap_or_else(TimeZone::system)
}

/// Starts the server, with the connections of the program that was here before, if there was one.
fn begin<S: HandOver>(
    server: Server,
    service: S,
    from: Option<Unpacker<'_>>,
) -> io::Result<Running<S>> {
    match from {
        None => Ok(server.start(service)),
        Some(from) => Ok(server.thaw(service, from)?),
    }
}

/// Serves until it is told to stop, or until another program takes over.
///
/// SIGINT and SIGTERM ask for a graceful shutdown; the second one ends the server at once. SIGHUP
/// has the worker read files again: they may be slow, and a shutdown must not wait for them. SIGUSR2
/// asks for an upgrade.
fn run<S: HandOver>(
    mut running: Running<S>,
    server: Handle,
    reloader: Reloader,
    ready: &Ready,
    outputs: [&Output; 2],
) -> io::Result<()> {
    let mut upgrade = Upgrade::new(server.clone());
    let asker = upgrade.asker();
    let mut watch = Watch::start(move |signal| match signal {
        SIGHUP => reloader.reload(),
        SIGUSR2 => asker.ask(),
        _ => server.shutdown(),
    })?;
    ready.say(outputs[0]);
    while running.run()? == Pause::Interrupted {
        if let Err(error) = upgrade.step(&mut running, &mut watch, outputs) {
            warn!(error; "not_upgraded");
            running.between_turns(|service, out| service.on_not_upgraded(&error, out));
        }
    }
    Ok(())
}

/// What the worker does with a request.
fn worker(files: Files, mut storage: Storage) -> impl FnMut(Request) -> Answer + Send {
    move |request| {
        if let Request::Reload = request
            && let Err(error) = files.reload()
        {
            return Answer::NotReloaded(error.to_string());
        }
        storage.perform(request)
    }
}

/// Raises the descriptor limit as far as it goes. Returns how many clients fit beside the `kept`
/// descriptors.
fn affordable(wanted: usize, kept: u64) -> usize {
    let limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
    let most = limit.saturating_sub(kept).max(1);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if wanted > most {
        warn!(wanted, allowed = most, descriptors = limit; "max_clients_lowered");
    }
    wanted.min(most)
}

/// The files that a reload reads, besides the state.
struct Files {
    words: Motd,
    motd: Option<PathBuf>,
    certificate: Option<Arc<CertificateFiles>>,
}

impl Files {
    /// Reads each again: a bad one does not keep the other from being read.
    fn reload(&self) -> io::Result<()> {
        let certificate = self.certificate.as_ref().map_or(Ok(()), |files| files.reload());
        self.reload_motd().and(certificate)
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

/// Reads the first `most` bytes of a regular file. Others, such as pipes and devices, may be endless,
/// or make the caller wait.
fn read_start(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    // Asked before it is opened, since opening may wait already.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut text = Vec::new();
    fs::File::open(path)?.take(most as u64).read_to_end(&mut text)?;
    Ok(text)
}
