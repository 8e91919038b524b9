//! What other threads ask a server for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use mio::Waker;

/// Speaks to a running server, from any thread.
#[derive(Clone)]
pub struct Handle(Arc<Requests>);

/// What handles ask for. Only the waker tells the loop to look; asking twice before it
/// has looked is asking once, except for a shutdown, where twice means at once.
struct Requests {
    /// There is none without a server.
    waker: Option<Waker>,
    wake: AtomicBool,
    interrupt: AtomicBool,
    shutdowns: AtomicU8,
}

impl Handle {
    /// A handle on no server: it does nothing. For tests.
    #[must_use]
    pub fn detached() -> Handle {
        Handle::new(None)
    }

    pub(super) fn new(waker: Option<Waker>) -> Handle {
        let (wake, interrupt) = (AtomicBool::new(false), AtomicBool::new(false));
        Handle(Arc::new(Requests { waker, wake, interrupt, shutdowns: AtomicU8::new(0) }))
    }

    /// Has the service's `on_tick` called soon.
    pub fn wake(&self) {
        self.0.wake.store(true, Ordering::Release);
        self.rouse();
    }

    /// Has [`Running::run`](crate::Running::run) come back soon.
    pub fn interrupt(&self) {
        self.0.interrupt.store(true, Ordering::Release);
        self.rouse();
    }

    /// Whether a shutdown was asked for.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.shutdowns() > 0
    }

    /// Ends [`Server::run`](crate::Server::run). The first call is a graceful shutdown, within
    /// `drain_time`; the second ends it at once.
    pub fn shutdown(&self) {
        // Saturates at two, which is all that is looked at.
        let _ = self.0.shutdowns.fetch_update(Ordering::AcqRel, Ordering::Acquire, |times| {
            Some(times.saturating_add(1).min(2))
        });
        self.rouse();
    }

    /// How often a shutdown was asked for; more than twice is twice.
    pub(super) fn shutdowns(&self) -> u8 {
        self.0.shutdowns.load(Ordering::Acquire)
    }

    fn rouse(&self) {
        // It fails only once the server is gone, and then there is nobody to wake.
        let _ = self.0.waker.as_ref().map(Waker::wake);
    }

    /// Whether [`Handle::wake`] was called; true once.
    pub(super) fn takes_wake(&self) -> bool {
        self.0.wake.swap(false, Ordering::AcqRel)
    }

    /// Whether [`Handle::interrupt`] was called; true once.
    pub(super) fn takes_interrupt(&self) -> bool {
        self.0.interrupt.swap(false, Ordering::AcqRel)
    }
}
