//! What an upgrade needs of the system and no safe crate offers: the only unsafe code here but
//! for one call to the allocator.
#![expect(unsafe_code, reason = "descriptors by number and masks of signals are the system's")]

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR2};

/// Those that mean something here.
pub(crate) const SIGNALS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGUSR2];

/// Takes over a descriptor that the program before this one has left open, and has it closed by
/// the next `exec`. It must not be taken twice, nor be anything that this program has opened
/// itself. One call for each of many: that is most of an upgrade.
pub(crate) fn take(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: it takes numbers, and fails where nothing is open.
    let is_open =
        number > 2 && unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) } == 0;
    // SAFETY: it is open, and nobody else here knows of it: the program before this one has left
    // it, told of it once, and is gone.
    is_open.then(|| unsafe { OwnedFd::from_raw_fd(number) })
}

/// Whether a descriptor stays open at the next `exec`.
pub(crate) fn keep_open(descriptor: BorrowedFd<'_>, is_kept: bool) {
    let flags = if is_kept { 0 } else { libc::FD_CLOEXEC };
    // SAFETY: it takes numbers, and the descriptor is open as long as it is borrowed. So it does
    // not fail.
    unsafe {
        libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFD, flags);
    }
}

/// A file without a name, in memory.
#[cfg(target_os = "linux")]
pub(crate) fn memory_file() -> io::Result<File> {
    // SAFETY: the name is a text that ends with a zero byte.
    let number = unsafe { libc::memfd_create(c"chinwag".as_ptr(), libc::MFD_CLOEXEC) };
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has just made it, for whoever has asked.
    Ok(unsafe { File::from_raw_fd(number) })
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn memory_file() -> io::Result<File> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no files in memory"))
}

/// Holds signals back, in this thread and in those that it starts from now on. What comes
/// meanwhile waits, also for the program that takes the place of this one.
pub(crate) fn block_signals() {
    mask_signals(libc::SIG_BLOCK);
}

/// Lets them come, in this thread.
pub(crate) fn unblock_signals() {
    mask_signals(libc::SIG_UNBLOCK);
}

fn mask_signals(how: i32) {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the set is made before it is used, and outlives the calls.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in SIGNALS {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(how, set.as_ptr(), ptr::null_mut());
    }
}

/// Writing to what nobody reads is an error, and not the end: as it was before an `exec` that has
/// failed.
pub(crate) fn ignore_broken_pipes() {
    // SAFETY: it sets what std sets before `main`.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_IGN);
    }
}
