//! A server while it runs: the loop around its poll.

use std::io;

use mio::Events;

use super::Server;
use crate::net::hub::Hub;
use crate::net::outbox::Outbox;
use crate::net::service::Service;
use crate::net::tls::Tls;
use crate::net::transport::Socket;

/// A server and its service, from the first connection on.
pub struct Running<S> {
    pub(super) server: Server,
    pub(super) hub: Hub<Tls<Socket>, S>,
    events: Events,
    stopping: bool,
}

/// Why [`Running::run`] has come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// A handle has asked for a shutdown, and all is closed.
    Stopped,
    /// [`Handle::interrupt`](crate::Handle::interrupt) was called. Nothing has ended: call
    /// [`Running::run`] again.
    Interrupted,
}

impl<S: Service> Running<S> {
    pub(super) fn new(server: Server, hub: Hub<Tls<Socket>, S>) -> Running<S> {
        Running { server, hub, events: Events::with_capacity(1024), stopping: false }
    }

    /// Serves until a handle asks for a shutdown, or for an interruption.
    ///
    /// # Errors
    ///
    /// When the poll or a listener breaks. What a connection does is never an error.
    pub fn run(&mut self) -> io::Result<Pause> {
        let Running { server, hub, events, stopping } = self;
        loop {
            let now = server.clock.read();
            hub.end_turn(now);
            let timeout = server.timeout(hub, now);
            server.wait(events, timeout)?;
            let now = server.clock.read_after(timeout);
            for event in &*events {
                server.mark(event, hub);
            }
            hub.pass(now);
            server.take_requests(hub, stopping);
            hub.turn(now);
            server.drop_closed(hub);
            // Clients that left have made room for newcomers.
            server.accept(hub, now)?;
            // Some of the refused are closed at once.
            server.drop_closed(hub);
            if *stopping && (hub.is_empty() || server.handle.shutdowns() > 1) {
                return Ok(Pause::Stopped);
            }
            if server.handle.takes_interrupt() {
                return Ok(Pause::Interrupted);
            }
        }
    }

    /// Between two turns, does something with the service and what waits to be sent.
    pub fn between_turns<R>(&mut self, act: impl FnOnce(&mut S, &mut Outbox) -> R) -> R {
        let now = self.server.clock.read();
        self.hub.pass(now);
        self.hub.between_turns(act)
    }
}
