//! Descriptors that stay open while one program takes the place of another, and what else that
//! takes of the system and no safe crate offers. But for the binary's masks of signals and one
//! call to the allocator, the only unsafe code.
#![expect(unsafe_code, reason = "descriptors by number are the system's")]

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::panic::{self, AssertUnwindSafe};
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Takes over a descriptor that the program before this one has left open, and has it closed by
/// the next `exec`. It must not be taken twice, nor be anything that this program has opened
/// itself.
pub(crate) fn take(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: it takes numbers, and fails where nothing is open.
    let is_open =
        number > 2 && unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } == 0;
    if !is_open {
        let why = format!("descriptor {number} is not open");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    // SAFETY: it is open, and nobody else here knows of it: the program before this one has left
    // it, told of it once, and is gone.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Whether a descriptor stays open at the next `exec`.
pub(crate) fn keep_open(descriptor: BorrowedFd<'_>, is_kept: bool) {
    let flags = if is_kept { 0 } else { libc::FD_CLOEXEC };
    // SAFETY: its arguments are numbers. It does not fail, as the descriptor is open while it is
    // borrowed.
    unsafe {
        libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFD, flags);
    }
}

/// Has another program take the place of this one. Returns only if that fails. `Command::exec`
/// resets SIGPIPE on its way: what was set before is put back.
pub(crate) fn exec(command: &mut Command) -> io::Error {
    // SAFETY: no handler is installed; what was in force is put back as it was.
    let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    let error = command.exec();
    // SAFETY: as above.
    unsafe {
        libc::signal(libc::SIGPIPE, before);
    }
    error
}

/// How long a copy of the process may take.
const COPY_PATIENCE: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_micros(100);

/// Has a copy of this process do something, and gives back what comes of it. Here nothing has
/// changed then. The copy has no other threads, and whatever they hold stays held: `work` may
/// compute and allocate, but must not lock, log, or touch what the two processes share.
pub(crate) fn in_a_copy(work: impl FnOnce() -> Vec<u8>) -> io::Result<Vec<u8>> {
    let mut file = new_file()?;
    // SAFETY: the copy ends below, and until then does what is said above. The system's allocator
    // sees to it that its own locks are free there.
    let copy = unsafe { libc::fork() };
    if copy < 0 {
        return Err(io::Error::last_os_error());
    }
    if copy == 0 {
        let result = panic::catch_unwind(AssertUnwindSafe(|| file.write_all(&work())));
        let code = i32::from(!matches!(result, Ok(Ok(()))));
        // SAFETY: it ends at once, and leaves buffers unflushed: the parent writes its own.
        unsafe { libc::_exit(code) }
    }
    wait_for(copy)?;
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn wait_for(copy: libc::pid_t) -> io::Result<()> {
    for _ in 0..COPY_PATIENCE.as_micros() / LOOK_EVERY.as_micros() {
        let mut status = 0;
        // SAFETY: it is this process's child, and the status outlives the call.
        match unsafe { libc::waitpid(copy, &raw mut status, libc::WNOHANG) } {
            0 => thread::sleep(LOOK_EVERY),
            -1 => return Err(io::Error::last_os_error()),
            _ if status == 0 => return Ok(()),
            _ => return Err(io::Error::other("a copy of the process has failed")),
        }
    }
    // SAFETY: it has not been waited for yet, so the number is still its own.
    unsafe {
        libc::kill(copy, libc::SIGKILL);
        libc::waitpid(copy, std::ptr::null_mut(), 0);
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "a copy of the process has not ended in time"))
}

/// A file without a name, in memory, that begins with this.
#[cfg(target_os = "linux")]
fn new_file() -> io::Result<File> {
    // SAFETY: the name is a text that ends with a zero byte.
    let number = unsafe { libc::memfd_create(c"chinwag".as_ptr(), libc::MFD_CLOEXEC) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new, so nothing else owns it.
    Ok(unsafe { File::from_raw_fd(number) })
}

#[cfg(not(target_os = "linux"))]
fn new_file() -> io::Result<File> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no files in memory"))
}

/// A file without a name, in memory, that holds these bytes, at its start: the standard input for a
/// program that is to check what it would be handed ([`Running::freeze`](crate::Running::freeze)).
///
/// # Errors
///
/// What the system says: no memory or descriptor is left, or `Unsupported` if it is not Linux.
pub fn memory_file(bytes: &[u8]) -> io::Result<File> {
    let mut file = new_file()?;
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

/// Puts the poll of the program before this one, with all that is registered there, in the place
/// of one that nothing is registered at.
#[cfg(target_os = "linux")]
pub(crate) fn replace_poll(new: BorrowedFd<'_>, before: &OwnedFd) -> io::Result<()> {
    // SAFETY: both are open; what `new` stood for is closed, and nobody has a use for it.
    let result = unsafe { libc::dup3(before.as_raw_fd(), new.as_raw_fd(), libc::O_CLOEXEC) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn replace_poll(_: BorrowedFd<'_>, _: &OwnedFd) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "a poll cannot be handed over on this system"))
}

/// Has a poll forget a descriptor, if it is registered there.
#[cfg(target_os = "linux")]
pub(crate) fn unregister(poll: BorrowedFd<'_>, descriptor: BorrowedFd<'_>) {
    let (poll, number) = (poll.as_raw_fd(), descriptor.as_raw_fd());
    // SAFETY: both are open, and nothing is read or written.
    unsafe {
        libc::epoll_ctl(poll, libc::EPOLL_CTL_DEL, number, std::ptr::null_mut());
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn unregister(_: BorrowedFd<'_>, _: BorrowedFd<'_>) {}
