//! Masks of signals, which an upgrade needs and no safe crate offers.
#![expect(unsafe_code, reason = "masks of signals are the system's")]

use std::mem::MaybeUninit;
use std::ptr;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR2};

/// The signals that the server obeys.
pub(crate) const SIGNALS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGUSR2];

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
