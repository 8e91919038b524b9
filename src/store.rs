//! What outlives the process: a directory with text files that people can read and mend.
//! It blocks, so only a worker uses it.

#[cfg(feature = "accounts")]
mod accounts;
mod bans;
#[cfg(feature = "accounts")]
mod hash;
mod lines;
mod save;

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::chat::{Answer, Ban, Persisted, Request, Target};
use lines::Lines;
use save::{Lock, Stamp, Step};

const BANS: &str = "bans";

/// A directory, and what is in its files. It blocks on the disk, and on hashes of passwords:
/// once the server runs, only a worker such as [`ChatWithWorker`](crate::ChatWithWorker)'s is to call it.
pub struct State {
    dir: PathBuf,
    bans: File<Ban>,
    #[cfg(feature = "accounts")]
    accounts: File<accounts::Entry>,
    #[cfg(feature = "accounts")]
    hasher: hash::Hasher,
    /// Asked before each step of a save, so that each can fail in a test.
    may: fn(Step) -> io::Result<()>,
}

/// One file: its lines, and which version of it they are.
struct File<T> {
    lines: Lines<T>,
    stamp: Option<Stamp>,
}

impl State {
    /// Reads a state directory, which is made if there is none yet, for its owner alone.
    ///
    /// # Errors
    ///
    /// What the system says, or what is wrong with which line of which file.
    pub fn open(dir: &Path) -> io::Result<State> {
        make(dir).map_err(|error| named(&dir.display().to_string(), &error))?;
        State::read(dir)
    }

    /// Reads one that is there.
    ///
    /// # Errors
    ///
    /// As with [`State::open`]; and if there is none.
    pub fn read(dir: &Path) -> io::Result<State> {
        // A file in it may be missing, which says that there is nothing; it may not.
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

    /// All that is kept, for [`Chat::restore`](crate::Chat::restore).
    #[must_use]
    pub fn persisted(&self) -> Persisted {
        Persisted {
            bans: self.bans.lines.entries().cloned().collect(),
            #[cfg(feature = "accounts")]
            accounts: self.accounts.lines.entries().map(|entry| entry.account.clone()).collect(),
            #[cfg(not(feature = "accounts"))]
            accounts: Vec::new(),
        }
    }

    /// Does what a chat asks for; made to be what [`ChatWithWorker::start`](crate::ChatWithWorker::start) is given.
    /// Whatever has been answered to be kept is on the disk.
    pub fn perform(&mut self, request: Request) -> Answer {
        let done = match request {
            Request::Ban { ban, now } => self.ban(&ban, now).map(|()| Answer::Banned(ban)),
            Request::Unban(target) => self.unban(&target).map(|()| Answer::Unbanned(target)),
            Request::Reload => return self.reload(),
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

    /// Adds a ban, in place of one of the same; those that are over go.
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

    fn reload(&mut self) -> Answer {
        match State::read(&self.dir) {
            Ok(state) => {
                self.bans = state.bans;
                #[cfg(feature = "accounts")]
                {
                    self.accounts = state.accounts;
                }
                Answer::Reloaded(Some(self.persisted()))
            }
            Err(error) => Answer::NotReloaded(error.to_string()),
        }
    }
}

fn make(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Who can write in it can be an operator, or keep others from being read.
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

/// Reads one file; there need not be one.
fn read<T>(
    dir: &Path,
    name: &str,
    parse: fn(&str) -> Result<T, String>,
    key: fn(&T) -> String,
) -> io::Result<File<T>> {
    let path = dir.join(name);
    let place = path.display().to_string();
    // The older stamp: what changes in between is noticed before it is overwritten.
    let stamp = Stamp::of(&path).map_err(|error| named(&place, &error))?;
    let bytes = read_regular(&path).map_err(|error| named(&place, &error))?;
    let lines = Lines::parse(&bytes, parse, key)
        .map_err(|why| io::Error::new(ErrorKind::InvalidData, format!("{place}: {why}")))?;
    Ok(File { lines, stamp })
}

/// All of a file, or nothing if there is none. Whatever else is there may have no end, or
/// have one wait before it is even open.
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

fn named(place: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{place}: {error}"))
}

#[cfg(test)]
mod tests;
