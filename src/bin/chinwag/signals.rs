//! The thread that waits for signals; what each of them asks for is in `main.rs`, at `run`. No other
//! thread gets any, so that none is lost while one program takes the place of another.

use std::io;
use std::thread::{self, JoinHandle};

use signal_hook::iterator::{Handle, Signals};

use crate::system::{SIGNALS, unblock_signals};

/// The thread, while there is one, and what it does with a signal. Signals have to be blocked in
/// the thread that starts it, and so in all others.
pub(crate) struct Watch<F> {
    obey: F,
    thread: Option<(Handle, JoinHandle<Signals>)>,
}

impl<F: Fn(i32) + Clone + Send + 'static> Watch<F> {
    pub(crate) fn start(obey: F) -> io::Result<Watch<F>> {
        let mut watch = Watch { obey, thread: None };
        watch.go_on()?;
        Ok(watch)
    }

    /// Starts the thread again. What came meanwhile has waited.
    pub(crate) fn go_on(&mut self) -> io::Result<()> {
        let mut signals = Signals::new(SIGNALS)?;
        let (closer, obey) = (signals.handle(), self.obey.clone());
        let watch = move || {
            unblock_signals();
            signals.forever().for_each(obey);
            signals
        };
        let thread = thread::Builder::new().name("signals".to_owned()).stack_size(64 << 10);
        self.thread = Some((closer, thread.spawn(watch)?));
        Ok(())
    }

    /// Ends the thread. All signals that it got are obeyed by then; those that come later wait,
    /// for this program or for the next.
    pub(crate) fn stop(&mut self) {
        let Some((closer, thread)) = self.thread.take() else { return };
        closer.close();
        let mut signals = thread.join().expect("what it does does not panic");
        signals.pending().for_each(&self.obey);
    }
}
