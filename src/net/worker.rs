//! One thread for what may block, with a bounded queue of jobs: it takes them in order, and each
//! answer wakes the service.

use std::io;
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread;

use crate::net::mailbox::Mailbox;
use crate::net::server::Handle;

/// A thread that does jobs for a service, which takes the answers in
/// [`Service::on_tick`](crate::Service::on_tick). It ends once this is dropped.
///
/// A job that panics ends the thread: from then on none is taken.
pub struct Worker<J, A> {
    jobs: SyncSender<J>,
    answers: Mailbox<A>,
}

impl<J: Send + 'static, A: Send + 'static> Worker<J, A> {
    /// Starts it. At most `capacity` jobs wait; the one that is being done does not count.
    ///
    /// # Errors
    ///
    /// If the system cannot start a thread.
    pub fn start(
        server: Handle,
        capacity: usize,
        mut work: impl FnMut(J) -> A + Send + 'static,
    ) -> io::Result<Worker<J, A>> {
        let (jobs, queue) = mpsc::sync_channel(capacity);
        let (post, answers) = Mailbox::new(server, capacity + 1);
        thread::Builder::new().name("worker".to_owned()).spawn(move || {
            for job in queue {
                if !post.deliver(work(job)) {
                    return;
                }
            }
        })?;
        Ok(Worker { jobs, answers })
    }

    /// Gives it a job. It never blocks.
    ///
    /// # Errors
    ///
    /// The job itself, if as many wait as may, or the thread has ended.
    pub fn give(&self, job: J) -> Result<(), J> {
        self.jobs.try_send(job).map_err(|error| match error {
            TrySendError::Full(job) | TrySendError::Disconnected(job) => job,
        })
    }

    /// The next answer; `None` if none is there now. It never blocks.
    pub fn take(&mut self) -> Option<A> {
        self.answers.take()
    }
}
