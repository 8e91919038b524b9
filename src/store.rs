//! The state that outlives the process: a directory with text files that people can read and
//! edit, or for a cluster the same lines in Redis. It blocks, so only a worker uses it.

#[cfg(feature = "accounts")]
mod accounts;
mod bans;
#[cfg(feature = "accounts")]
mod hash;
mod lines;
mod save;
#[cfg(feature = "redis")]
mod shared;

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::chat::{Answer, Ban, Persisted, Request, Target};
use lines::Lines;
use save::{Lock, Stamp, Step};
#[cfg(feature = "redis")]
pub use shared::SharedState;

const BANS: &str = "bans";

/// A state directory, and what is in its files. It blocks on the disk and on password hashes:
/// once the server runs, only a worker such as [`ChatWithWorker`](crate::ChatWithWorker)'s should
/// call it.
pub struct State {
    dir: PathBuf,
    bans: File<Ban>,
    #[cfg(feature = "accounts")]
    accounts: File<accounts::Entry>,
    #[cfg(feature = "accounts")]
    hasher: hash::Hasher,
    /// Called before each step of a save; tests let steps fail with it.
    may: fn(Step) -> io::Result<()>,
}

/// A file: its lines, and the version that they were read from.
struct File<T> {
    lines: Lines<T>,
    stamp: Option<Stamp>,
}

impl State {
    /// Reads a state directory. If there is none yet, it is made, for its owner alone.
    ///
    /// # Errors
    ///
    /// What the system says, or which line of which file is wrong, and why.
    pub fn open(dir: &Path) -> io::Result<State> {
        make(dir).map_err(|error| named(&dir.display().to_string(), &error))?;
        State::read(dir)
    }

    /// Reads an existing state directory.
    ///
    /// # Errors
    ///
    /// As with [`State::open`]; also if there is no directory.
    pub fn read(dir: &Path) -> io::Result<State> {
        // A missing file is an empty one; a missing directory is an error.
        check_dir(dir).map_err(|error| named(&dir.display().to_string(), &error))?;
        let bans = read(dir, BANS, bans::parse, bans::key)?;
        Ok(State {
            dir: dir.to_owned(),
            bans,
            #[cfg(feature = "accounts")]
            accounts: read(dir, accounts::ACCOUNTS, accounts::parse, accounts::key)?,
            #[cfg(feature = "accounts")]
            hasher: hash::Hasher::default(),
            may: |_| Ok(()),
        })
    }

    /// What is persisted, for [`Chat::restore`](crate::Chat::restore).
    #[must_use]
    pub fn persisted(&self) -> Persisted {
        Persisted {
            bans: self.bans.lines.entries().cloned().collect(),
            #[cfg(feature = "accounts")]
            accounts: self.accounts.lines.entries().map(|entry| entry.account.clone()).collect(),
            #[cfg(not(feature = "accounts"))]
            accounts: Vec::new(),
            new_passwords: Vec::new(),
        }
    }

    /// Carries out a request of a chat; made for
    /// [`ChatWithWorker::start`](crate::ChatWithWorker::start). What the answer says was
    /// persisted is on the disk.
    pub fn perform(&mut self, request: Request) -> Answer {
        let done = match request {
            Request::Ban { ban, now } => self.ban(&ban, now).map(|()| Answer::Banned(ban)),
            Request::Unban(target) => self.unban(&target).map(|()| Answer::Unbanned(target)),
            Request::Reload => {
                return self.reload().map_or_else(Answer::NotReloaded, |persisted| {
                    Answer::Reloaded(Some(persisted))
                });
            }
            // What is in files does not get lost with another server's memory.
            Request::Refresh { put_back: _ } => {
                return self.reload().map_or_else(Answer::NotRefreshed, |persisted| {
                    Answer::Refreshed(Some(persisted))
                });
            }
            #[cfg(feature = "accounts")]
            Request::Register { account, password, now } => {
                return self.register(account, &password, now);
            }
            #[cfg(feature = "accounts")]
            Request::LogIn { name, password, by } => {
                let is_right = self.verify(&name, &password);
                if is_right {
                    self.mark_used(&name);
                }
                return if is_right { Answer::LoggedIn(name, by) } else { Answer::Wrong };
            }
            #[cfg(feature = "accounts")]
            Request::Passwd { name, password } => return self.change_password(&name, &password),
            #[cfg(feature = "accounts")]
            Request::Unregister { name, password } => return self.unregister(name, &password),
            #[cfg(not(feature = "accounts"))]
            _ => Err(io::Error::other("this server cannot do that")),
        };
        done.unwrap_or_else(|error| Answer::NotSaved(error.to_string()))
    }

    /// Adds a ban, or replaces the one of the same target; drops expired ones.
    fn ban(&mut self, ban: &Ban, now: Timestamp) -> io::Result<()> {
        let mut lines = self.bans.lines.clone();
        lines.retain(|old| !old.is_over(now));
        lines.put(ban.clone(), |old| old.target.is_same(&ban.target));
        self.save_bans(lines)
    }

    fn unban(&mut self, target: &Target) -> io::Result<()> {
        let mut lines = self.bans.lines.clone();
        lines.retain(|ban| !ban.target.is_meant_by(target));
        self.save_bans(lines)
    }

    fn save_bans(&mut self, lines: Lines<Ban>) -> io::Result<()> {
        let lock = Lock::take(&self.dir, self.may)?;
        self.bans = store(&lock, BANS, lines, bans::render, self.bans.stamp, self.may)?;
        Ok(())
    }

    fn reload(&mut self) -> Result<Persisted, String> {
        let state = State::read(&self.dir).map_err(|error| error.to_string())?;
        #[cfg(feature = "accounts")]
        let new_passwords = state.new_passwords(self);
        #[cfg(not(feature = "accounts"))]
        let new_passwords = Vec::new();
        self.bans = state.bans;
        #[cfg(feature = "accounts")]
        {
            self.accounts = state.accounts;
        }
        Ok(Persisted { new_passwords, ..self.persisted() })
    }
}

fn make(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if dir.exists() {
        return Err(io::Error::new(ErrorKind::NotADirectory, "it is not a directory"));
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// A user of the system who can write there could become an operator, or block the files.
fn check_dir(dir: &Path) -> io::Result<()> {
    fs::read_dir(dir)?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(dir)?) & 0o777;
        if mode & 0o022 != 0 {
            let why = format!("others may write in it (mode {mode:o}); at most 755 is allowed");
            return Err(io::Error::new(ErrorKind::PermissionDenied, why));
        }
    }
    Ok(())
}

/// Reads one file, which may be missing.
fn read<T>(
    dir: &Path,
    name: &str,
    parse: fn(&str) -> Result<T, String>,
    key: fn(&T) -> String,
) -> io::Result<File<T>> {
    let path = dir.join(name);
    let path_text = path.display().to_string();
    // The stamp from before reading: a change in between is noticed at the next save.
    let stamp = Stamp::of(&path).map_err(|error| named(&path_text, &error))?;
    let bytes = read_regular(&path).map_err(|error| named(&path_text, &error))?;
    let lines = Lines::parse(&bytes, parse, key)
        .map_err(|why| io::Error::new(ErrorKind::InvalidData, format!("{path_text}: {why}")))?;
    Ok(File { lines, stamp })
}

/// All of a regular file; empty if there is none. Anything else could be endless, or block on
/// opening.
fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_file() => fs::read(path),
        Ok(_) => Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")),
    }
}

/// Replaces one file, if it is still the version that was read.
fn store<T>(
    lock: &Lock,
    name: &str,
    lines: Lines<T>,
    render: fn(&T) -> String,
    known: Option<Stamp>,
    may: fn(Step) -> io::Result<()>,
) -> io::Result<File<T>> {
    let stamp = save::save(lock, name, &lines.render(render), known, may)?;
    Ok(File { lines, stamp: Some(stamp) })
}

fn named(path_text: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{path_text}: {error}"))
}

#[cfg(test)]
mod tests;
