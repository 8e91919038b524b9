//! The options of a server that is one of several.

use std::net::SocketAddr;
use std::path::PathBuf;

use pico_args::Arguments;

use super::set;

/// Without the feature there are none.
#[cfg(not(feature = "redis"))]
pub(crate) type RedisOptions = std::convert::Infallible;
#[cfg(feature = "redis")]
pub(crate) use chinwag::redis::Options as RedisOptions;

/// Where the password may be, so that nobody reads it in the list of processes.
#[cfg(feature = "redis")]
const PASSWORD: &str = "CHINWAG_REDIS_PASSWORD";

/// The most that is read of a file with a password.
#[cfg(feature = "redis")]
const PASSWORD_MAX: u64 = 4096;

/// The values of the options, still as text.
#[derive(Default)]
struct Texts {
    url: Option<String>,
    password_file: Option<PathBuf>,
    cluster: Option<String>,
    node: Option<String>,
    patience: Option<String>,
    lease: Option<String>,
}

/// The Redis that keeps the log, if there is to be one.
pub(super) fn read(
    arguments: &mut Arguments,
    state: Option<&PathBuf>,
) -> Result<Option<RedisOptions>, String> {
    let text = |text: &str| Ok(Some(text.to_owned()));
    let mut texts = Texts::default();
    set(arguments, "--redis", &mut texts.url, text)?;
    let path = |path: &str| Ok(Some(PathBuf::from(path)));
    set(arguments, "--redis-password-file", &mut texts.password_file, path)?;
    set(arguments, "--cluster", &mut texts.cluster, text)?;
    set(arguments, "--node", &mut texts.node, text)?;
    set(arguments, "--redis-patience", &mut texts.patience, text)?;
    set(arguments, "--redis-lease", &mut texts.lease, text)?;
    let Texts { url, password_file, cluster, node, patience, lease } = &texts;
    if url.is_none() {
        let password_file = password_file.as_ref().map(|path| path.display().to_string());
        for (option, value) in [
            ("--redis-password-file", &password_file),
            ("--cluster", cluster),
            ("--node", node),
            ("--redis-patience", patience),
            ("--redis-lease", lease),
        ] {
            if let Some(value) = value {
                return Err(format!("{option} {value}: --redis URL is wanted, too"));
            }
        }
        return Ok(None);
    }
    if let Some(state) = state {
        return Err(format!(
            "--state {}: with --redis, bans and accounts are kept there",
            state.display()
        ));
    }
    options(texts).map(Some)
}

#[cfg(not(feature = "redis"))]
fn options(_: Texts) -> Result<RedisOptions, String> {
    Err("--redis: this program was built without it (the feature redis)".to_owned())
}

#[cfg(feature = "redis")]
fn options(texts: Texts) -> Result<RedisOptions, String> {
    use super::some_time;

    let Texts { url, password_file, cluster, node, patience, lease } = texts;
    // The error does not repeat the URL: there may be a password in it.
    let address = url.unwrap_or_default().parse().map_err(|why| format!("--redis: {why}"))?;
    let mut options = RedisOptions::new(address);
    options.node = node.unwrap_or_default();
    if let Some(cluster) = cluster {
        options.cluster = cluster;
    }
    let time =
        |option: &str, text: &str| some_time(text).map_err(|why| format!("{option} {text}: {why}"));
    if let Some(text) = patience {
        options.patience = time("--redis-patience", &text)?;
    }
    if let Some(text) = lease {
        options.lease = time("--redis-lease", &text)?;
    }
    options.password = match (password_file, password_from_environment()?) {
        (Some(path), None) => Some(password(&path)?),
        (Some(path), Some(_)) => {
            let path = path.display();
            return Err(format!("--redis-password-file {path}: {PASSWORD} is set, too"));
        }
        (None, password) => password,
    };
    options.check().map_err(|why| why.to_string())?;
    Ok(options)
}

/// The first line of a file.
#[cfg(feature = "redis")]
fn password(path: &std::path::Path) -> Result<String, String> {
    use std::io::Read;

    let failed = |why: String| format!("--redis-password-file {}: {why}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    file.take(PASSWORD_MAX).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(password.to_owned()),
        _ => Err(failed("there is no password in its first line".to_owned())),
    }
}

/// `None` if it is unset or empty: so a unit file may set it to nothing.
#[cfg(feature = "redis")]
fn password_from_environment() -> Result<Option<String>, String> {
    let password = std::env::var_os(PASSWORD).filter(|password| !password.is_empty());
    let password = password.map(std::ffi::OsString::into_string).transpose();
    password.map_err(|_| format!("{PASSWORD}: the password is not UTF-8"))
}

/// A node without a name is called after the host, and the port of the first of these listeners.
#[cfg(feature = "redis")]
pub(crate) fn name_node(options: &mut RedisOptions, addrs: &[SocketAddr]) {
    if !options.node.is_empty() {
        return;
    }
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "localhost",
        host => host,
    };
    options.node = match addrs.first() {
        Some(addr) => format!("{host}:{}", addr.port()),
        None => host.to_owned(),
    };
}

#[cfg(not(feature = "redis"))]
pub(crate) fn name_node(options: &mut RedisOptions, _: &[SocketAddr]) {
    match *options {}
}
