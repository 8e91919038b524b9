//! What the program that was here before has left to this one: on the standard input, if an
//! environment variable says so.

use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

/// Names the process that takes over, so that its children do not think that they do.
pub(super) const VARIABLE: &str = "CHINWAG_TAKES_OVER";

/// What the program that was here before has left to this one: its listeners, its connections, and
/// what it knew of them and of the service.
pub struct Inherited {
    pub(super) state: Vec<u8>,
    pub(super) is_adopted: bool,
}

impl Inherited {
    /// Takes it, if this program has taken the place of another by
    /// [`Running::hand_over_to`](crate::Running::hand_over_to). Only the first call finds it. After
    /// that the standard input is empty.
    ///
    /// # Errors
    ///
    /// What the system says of reading the standard input.
    pub fn take() -> io::Result<Option<Inherited>> {
        static IS_TAKEN: AtomicBool = AtomicBool::new(false);
        let id = process::id().to_string();
        let is_here = env::var_os(VARIABLE).is_some_and(|process| *process == *id);
        if !is_here || IS_TAKEN.swap(true, Ordering::AcqRel) {
            return Ok(None);
        }
        let mut file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let mut state = Vec::new();
        // A file of known length is read in one piece.
        state.try_reserve(usize::try_from(file.metadata()?.len()).unwrap_or(0))?;
        file.read_to_end(&mut state)?;
        // It is in memory, and not needed any more.
        file.set_len(0)?;
        Ok(Some(Inherited { state, is_adopted: false }))
    }
}
