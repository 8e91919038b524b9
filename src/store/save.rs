//! A file is replaced whole, or not at all: written beside it, brought to the disk, and
//! put in its place, whatever happens in between.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The file that is locked; there is nothing in it.
pub(super) const LOCK: &str = "lock";

/// What can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Lock,
    Create,
    Write,
    Sync,
    /// The old file gets a second name, to come back by.
    Keep,
    Rename,
    SyncDir,
}

/// One version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: SystemTime,
    len: u64,
    /// Each save makes another.
    inode: u64,
}

impl Stamp {
    /// The version that there is now, if there is one.
    pub(super) fn of(path: &Path) -> io::Result<Option<Stamp>> {
        match fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            result => Ok(Some(Stamp::new(&result?)?)),
        }
    }

    fn new(metadata: &Metadata) -> io::Result<Stamp> {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Ok(Stamp { modified: metadata.modified()?, len: metadata.len(), inode })
    }
}

/// As long as it is there, no other process changes the files of a directory.
pub(super) struct Lock {
    path: PathBuf,
    dir: File,
    _held: File,
}

impl Lock {
    /// Waits for whoever has it now. It is a file of the owner's alone: a directory itself
    /// can be locked by everybody who may read it.
    pub(super) fn take(path: &Path, may: fn(Step) -> io::Result<()>) -> io::Result<Lock> {
        may(Step::Lock)?;
        let dir = File::open(path)?;
        let mut options = OpenOptions::new();
        let lock = private(options.write(true).create(true)).open(path.join(LOCK))?;
        give(&lock, &dir.metadata()?)?;
        lock.lock()?;
        Ok(Lock { path: path.to_owned(), dir, _held: lock })
    }
}

/// Replaces a file in a directory, if it is still the version that is known. Returns
/// that which it is then. `may` is asked before each step.
///
/// # Errors
///
/// What the system says; the file is then what it was.
pub(super) fn save(
    Lock { path: dir, dir: handle, .. }: &Lock,
    name: &str,
    text: &str,
    known: Option<Stamp>,
    may: fn(Step) -> io::Result<()>,
) -> io::Result<Stamp> {
    let (path, new, old) =
        (dir.join(name), dir.join(format!("{name}.new")), dir.join(format!("{name}.old")));
    if Stamp::of(&path)? != known {
        return Err(io::Error::other(format!(
            "{name} was changed by somebody else; /reload first"
        )));
    }
    let replaced = write(&new, text, &handle.metadata()?, may).and_then(|stamp| {
        may(Step::Keep)?;
        remove(&old)?;
        if known.is_some() {
            fs::hard_link(&path, &old)?;
        }
        may(Step::Rename)?;
        fs::rename(&new, &path)?;
        let synced = may(Step::SyncDir).and_then(|()| handle.sync_all());
        if synced.is_err() {
            // It may be there after a crash or not, so it must not be there now.
            if known.is_some() { fs::rename(&old, &path)? } else { fs::remove_file(&path)? }
        }
        synced.map(|()| stamp)
    });
    // In the way of nobody, if they cannot be removed.
    let _ = (remove(&new), remove(&old));
    replaced
}

/// Writes a new file, down to the disk, for its owner alone: whoever the directory is of.
fn write(
    path: &Path,
    text: &str,
    dir: &Metadata,
    may: fn(Step) -> io::Result<()>,
) -> io::Result<Stamp> {
    may(Step::Create)?;
    remove(path)?;
    let mut options = OpenOptions::new();
    let mut file = private(options.write(true).create_new(true)).open(path)?;
    give(&file, dir)?;
    may(Step::Write)?;
    file.write_all(text.as_bytes())?;
    may(Step::Sync)?;
    file.sync_all()?;
    Stamp::new(&file.metadata()?)
}

/// What is made is for its owner alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Gives a file to whom a directory belongs. So what root writes there can be read by the
/// server, who is somebody else. Who may not or cannot do that keeps what it writes.
#[cfg(unix)]
fn give(file: &File, dir: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    if file.metadata()?.uid() != dir.uid() {
        let _ = fchown(file, Some(dir.uid()), Some(dir.gid()));
    }
    Ok(())
}

#[cfg(not(unix))]
fn give(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// What an earlier save has left, if it was cut short.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
