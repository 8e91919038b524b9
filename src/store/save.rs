//! Replaces a file as a whole or not at all: the new one is written beside it, synced, and
//! renamed over it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The lock file, which is empty.
pub(super) const LOCK: &str = "lock";

/// The steps of a save that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Lock,
    Create,
    Write,
    Sync,
    /// The old file is linked under a second name, to be restored from.
    Keep,
    Rename,
    SyncDir,
}

/// Identifies one version of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: SystemTime,
    len: u64,
    /// Each save makes a new inode.
    inode: u64,
}

impl Stamp {
    /// The current version; `None` if there is no file.
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

/// While it lives, no other process changes the files of a directory.
pub(super) struct Lock {
    path: PathBuf,
    dir: File,
    _held: File,
}

impl Lock {
    /// Waits for other processes to release it. It is a file for its owner alone: anybody who may
    /// read the directory could lock the directory itself.
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

/// Replaces a file in a directory, if it is still the version `known`. Returns the new version.
/// `may` is called before each step.
///
/// # Errors
///
/// What the system says; the file is then unchanged.
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
            // A crash could leave either version, so the old one is restored at once.
            if known.is_some() { fs::rename(&old, &path)? } else { fs::remove_file(&path)? }
        }
        synced.map(|()| stamp)
    });
    // They do no harm if they cannot be removed.
    let _ = (remove(&new), remove(&old));
    replaced
}

/// Writes and syncs a new file, for its owner alone. The directory's owner becomes its owner.
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

/// Makes files for their owner alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Gives a file to the owner of its directory, so that the server can read what root wrote. A
/// process without that right keeps its files.
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

/// Removes what an interrupted save has left.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
