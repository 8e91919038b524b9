//! How much memory the process has, and how it is given back.

use std::fs;

/// Resident memory in bytes, where the system tells.
pub(crate) fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Gives the memory that has been freed back to the system.
///
/// glibc gives back only what lies at the end of its heap, so that a spike of which one
/// byte is left there is kept whole, for as long as the process runs. Other allocators
/// see to it by themselves.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "there is no other way to ask glibc for it")]
    // SAFETY: it takes a number, and may be called from any thread at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
