//! A network without sockets, to test a service with (feature `testing`): streams in memory, with
//! faults, under the very loop that a server runs, and time that passes when it is told to.
//!
//! ```
//! use std::time::Duration;
//!
//! use chinwag::testing::Network;
//! use chinwag::{ConnId, Limits, Outbox, Service};
//!
//! /// Answers a second later.
//! struct Slow;
//!
//! impl Service for Slow {
//!     fn on_line(&mut self, id: ConnId, _: &[u8], out: &mut Outbox) {
//!         out.set_timer(id.slot() as u64, Duration::from_secs(1));
//!     }
//!
//!     fn on_timer(&mut self, _: u64, out: &mut Outbox) {
//!         out.broadcast(b"done");
//!     }
//! }
//!
//! let mut network = Network::new(Slow, &Limits::default());
//! let ann = network.connect("");
//! assert_eq!(network.say(ann, "work\r\n"), "");
//! network.pass(Duration::from_millis(999));
//! assert_eq!(network.read(ann), "");
//! network.pass(Duration::from_millis(1));
//! assert_eq!(network.read(ann), "done\r\n");
//! ```

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use crate::net::conn::ConnId;
use crate::net::hub::Hub;
use crate::net::limits::Limits;
use crate::net::outbox::Outbox;
use crate::net::service::{Peer, Refusal, Service};
use crate::net::timeouts::Now;
use crate::net::transport::{Origin, Transport};
pub use crate::work::work_done;

mod stream;

pub use stream::{Call, Stream};

/// In so many turns whatever happens at once is over.
const TURNS: usize = 100_000;

/// A service, and its clients.
pub struct Network<S> {
    hub: Hub<Stream, S>,
    now: Now,
    /// The clients' ends.
    streams: BTreeMap<ConnId, Stream>,
}

impl<S: Service> Network<S> {
    /// A service without clients. The wall clock begins with the year 1970.
    pub fn new(service: S, limits: &Limits) -> Network<S> {
        let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        Network { hub: Hub::new(service, limits, now), now, streams: BTreeMap::new() }
    }

    /// A client connects over a Unix socket, at a listener with this label.
    ///
    /// # Panics
    ///
    /// If the service refuses it.
    pub fn connect(&mut self, label: &str) -> ConnId {
        self.connect_as(&Peer::new(Origin::Unix, label)).expect("it is let in")
    }

    /// A client connects from an address, say.
    ///
    /// # Errors
    ///
    /// Why it is refused: by the limits of its address, or by the service.
    pub fn connect_as(&mut self, peer: &Peer<'_>) -> Result<ConnId, Refusal> {
        if let Some(why) = self.hub.admission(peer, usize::MAX) {
            return Err(why);
        }
        let stream = Stream::default();
        let id = self.hub.open(stream.clone(), peer);
        self.streams.insert(id, stream);
        self.run();
        Ok(id)
    }

    /// A client sends something, and reads all that it is sent now: [`Network::send`] and
    /// [`Network::read`].
    pub fn say(&mut self, id: ConnId, text: &str) -> String {
        self.send(id, text.as_bytes());
        self.read(id)
    }

    /// A client sends these bytes, and the service does all that comes of it.
    pub fn send(&mut self, id: ConnId, bytes: &[u8]) {
        self.stream(id).send(bytes);
        self.hub.mark_readable(id.slot());
        self.run();
    }

    /// A client reads all that it is sent now, as text; what is no UTF-8 is replaced.
    pub fn read(&mut self, id: ConnId) -> String {
        String::from_utf8_lossy(&self.receive(id)).into_owned()
    }

    /// A client reads all that it is sent now.
    pub fn receive(&mut self, id: ConnId) -> Vec<u8> {
        let mut received = Vec::new();
        loop {
            let piece = self.receive_some(id);
            if piece.is_empty() {
                return received;
            }
            received.extend(piece);
        }
    }

    /// A client reads what is under way, once: what comes into its place is left.
    pub fn receive_some(&mut self, id: ConnId) -> Vec<u8> {
        let piece = self.stream(id).receive();
        self.hub.mark_writable(id.slot());
        self.run();
        piece
    }

    /// Fault: from here on a client leaves at most so many bytes unread; then its stream is full.
    pub fn narrow(&mut self, id: ConnId, capacity: usize) {
        self.stream(id).narrow(capacity);
    }

    /// Fault: a client's connection breaks; what it has sent and was not read is lost.
    pub fn reset(&mut self, id: ConnId) {
        self.stream(id).reset();
        self.hub.mark_readable(id.slot());
        self.run();
    }

    /// A client sends nothing any more. It still reads.
    pub fn end(&mut self, id: ConnId) {
        self.stream(id).end();
        self.hub.mark_readable(id.slot());
        self.run();
    }

    /// Whether the server has closed a connection, after all that was queued for it.
    pub fn is_closed(&self, id: ConnId) -> bool {
        self.stream(id).is_shut() || self.stream(id).is_closed()
    }

    /// Time passes, and what is due happens at its time.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.monotonic + time;
        while let Some(left) = self.hub.timeout(self.now)
            && self.now.monotonic + left <= end
        {
            self.set_time(self.now.monotonic + left);
            self.run();
        }
        self.set_time(end);
        self.run();
    }

    /// Has `on_tick` called, as [`Handle::wake`](crate::Handle::wake) does.
    pub fn wake(&mut self) {
        self.hub.wake();
        self.run();
    }

    /// The service says goodbye, and everybody is closed.
    pub fn shutdown(&mut self) {
        self.hub.shutdown();
        self.run();
    }

    /// The service.
    pub fn service(&self) -> &S {
        self.hub.service()
    }

    /// What waits to be sent.
    pub fn outbox(&self) -> &Outbox {
        self.hub.outbox()
    }

    /// Takes turns until nothing more happens by itself.
    fn run(&mut self) {
        run_until_idle(&mut self.hub, self.now);
        self.hub.take_closed().for_each(drop);
    }

    fn set_time(&mut self, monotonic: Instant) {
        self.now.wall += monotonic - self.now.monotonic;
        self.now.monotonic = monotonic;
    }

    fn stream(&self, id: ConnId) -> &Stream {
        self.streams.get(&id).expect("it has connected here")
    }
}

/// Has a hub take turns until nothing more happens by itself. What it has closed stays for
/// [`Hub::take_closed`].
///
/// # Panics
///
/// If it never comes to rest.
pub fn run_until_idle<T: Transport, S: Service>(hub: &mut Hub<T, S>, now: Now) {
    for _ in 0..TURNS {
        hub.turn(now);
        if hub.timeout(now) != Some(Duration::ZERO) {
            return;
        }
    }
    panic!("after {TURNS} turns the service still has something to do at once");
}

/// An [`Outbox`] without a loop, where only a service's answers matter: opens the queue of a slot.
///
/// # Panics
///
/// If the slot is in use or no `u32`.
pub fn open(out: &mut Outbox, slot: usize) -> ConnId {
    out.open(slot)
}

/// Takes all that waits for a connection, as if its socket had.
pub fn take(out: &mut Outbox, id: ConnId) -> Vec<u8> {
    out.take(id)
}

/// Sets the time.
pub fn pass(out: &mut Outbox, now: Now) {
    out.pass(now);
}
