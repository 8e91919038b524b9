//! Messages for a service from other threads.

use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};

use crate::net::server::Handle;

/// Where a service finds the messages that other threads have posted. Each post has
/// [`Service::on_tick`](crate::Service::on_tick) called, which takes them.
///
/// ```
/// use chinwag::{ConnId, Handle, Mailbox, Outbox, Post, Service};
///
/// /// Tells everybody what other threads know.
/// struct News(Mailbox<String>);
///
/// impl Service for News {
///     fn on_tick(&mut self, out: &mut Outbox) {
///         while let Some(news) = self.0.take() {
///             out.broadcast(news.as_bytes());
///         }
///     }
///
///     fn on_line(&mut self, _: ConnId, _: &[u8], _: &mut Outbox) {}
/// }
///
/// // With a server it is `server.handle()`.
/// let (post, mailbox) = Mailbox::new(Handle::detached(), 16);
/// let service = News(mailbox);
/// std::thread::spawn(move || post.post("It rains.".to_owned()));
/// ```
pub struct Mailbox<M>(Receiver<M>);

/// Posts messages to a [`Mailbox`], from any thread.
pub struct Post<M> {
    messages: SyncSender<M>,
    server: Handle,
}

impl<M> Mailbox<M> {
    /// A mailbox that holds at most `capacity` messages, and what posts to it. The service behind
    /// the handle is woken for each.
    #[must_use]
    pub fn new(server: Handle, capacity: usize) -> (Post<M>, Mailbox<M>) {
        let (messages, mailbox) = mpsc::sync_channel(capacity);
        (Post { messages, server }, Mailbox(mailbox))
    }

    /// The next message; `None` if none is there now. It never blocks.
    pub fn take(&mut self) -> Option<M> {
        self.0.try_recv().ok()
    }
}

impl<M> Post<M> {
    /// Posts a message. It never blocks.
    ///
    /// # Errors
    ///
    /// The message itself, if the mailbox is full or gone.
    pub fn post(&self, message: M) -> Result<(), M> {
        let posted = self.messages.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) | TrySendError::Disconnected(message) => message,
        });
        self.server.wake();
        posted
    }

    /// Posts a message, and waits for room. False if the mailbox is gone.
    pub(crate) fn deliver(&self, message: M) -> bool {
        let is_posted = self.messages.send(message).is_ok();
        self.server.wake();
        is_posted
    }
}

impl<M> Clone for Post<M> {
    fn clone(&self) -> Post<M> {
        Post { messages: self.messages.clone(), server: self.server.clone() }
    }
}
