//! `chinwag passwd` and `chinwag accounts`: a state directory, or what a cluster has in Redis,
//! without a server.

use std::io::{self, IsTerminal, Read};
use std::path::Path;

#[cfg(feature = "redis")]
use chinwag::SharedState;
use chinwag::State;
use chinwag::chat::Password;
use zeroize::Zeroizing;

use crate::cli::Place;

/// More than a password and its line's ending may have.
const INPUT_MAX: u64 = 1024;

/// The error for a password that could not be typed in the chat.
const RULE: &str = "a password has 8 to 128 bytes of UTF-8, without control characters (tabs \
    too) and marks of direction, and no space at its end";

/// Protects a name with a password from a prompt, or from standard input if that is no
/// terminal. Returns what there is to say.
pub(crate) fn set(place: Place, name: &str) -> io::Result<String> {
    State::check_name(name)?;
    if let Place::Dir(dir) = &place {
        check_dir(dir)?;
    }
    let text = if io::stdin().is_terminal() { ask()? } else { read_line()? };
    let password =
        Password::new(text.trim_end_matches(['\n', '\r'])).ok_or_else(|| io::Error::other(RULE))?;
    let whom_to_tell = match place {
        Place::Dir(dir) => {
            State::set_password(&dir, name, &password)?;
            "the server"
        }
        #[cfg(feature = "redis")]
        Place::Redis(options) => {
            SharedState::new(&options)?.set_password(name, &password)?;
            "one of the servers"
        }
        #[cfg(not(feature = "redis"))]
        Place::Redis(never) => match *never {},
    };
    Ok(format!("{name} has this password now; tell {whom_to_tell} with SIGHUP or /reload"))
}

/// The names that are protected, a line each, and their flags.
pub(crate) fn list(place: Place) -> io::Result<String> {
    let accounts = match place {
        Place::Dir(dir) => {
            check_dir(&dir)?;
            State::read(&dir)?.persisted().accounts
        }
        #[cfg(feature = "redis")]
        Place::Redis(options) => SharedState::new(&options)?.read()?.accounts,
        #[cfg(not(feature = "redis"))]
        Place::Redis(never) => match *never {},
    };
    let line = |op: bool| if op { " op" } else { "" };
    let lines: Vec<String> =
        accounts.iter().map(|account| format!("{}{}", account.name, line(account.op))).collect();
    Ok(lines.join("\n"))
}

/// Only a server creates a state directory: a mistyped path must not become one.
fn check_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let dir = dir.display();
    let why = format!("{dir}: no such directory; chinwag --state {dir} makes it, or mkdir -m 700");
    Err(io::Error::new(io::ErrorKind::NotFound, why))
}

/// Twice, because nobody sees what is typed.
fn ask() -> io::Result<Zeroizing<String>> {
    let text = Zeroizing::new(rpassword::prompt_password("Password: ")?);
    let again = Zeroizing::new(rpassword::prompt_password("The same again: ")?);
    if *text != *again {
        return Err(io::Error::other("these are two different passwords"));
    }
    Ok(text)
}

fn read_line() -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(1024));
    io::stdin().lock().take(INPUT_MAX).read_to_string(&mut text)?;
    Ok(text)
}
