//! Handing a whole server over to the program that takes the place of this one by `exec`: its
//! listeners and streams stay open under their numbers, and all else is packed.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, SystemTime};

use log::info;
use mio::Token;

use super::{Clock, Config, Running, Server};
use crate::net::hub::Hub;
use crate::net::listen::{Inherited, Listener, Listening};
use crate::net::service::{HandOver, Service, Upgraded};
use crate::net::timeouts::Now;
use crate::net::tls::Tls;
use crate::net::transport::Socket;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// What stays open, by number.
struct Descriptors {
    /// When the old process stopped serving, since the epoch.
    frozen_at: Duration,
    /// How many connections are left behind.
    left: usize,
    /// In the order of the configuration, and which file is a Unix socket's.
    listeners: Vec<(RawFd, Option<(u64, u64)>)>,
    /// With the slot of the connection, and whether it is a Unix socket.
    streams: Vec<(RawFd, (usize, bool))>,
}

impl<S: HandOver> Running<S> {
    /// Packs which descriptors there are, the service, and the connections. Before that everybody
    /// is written to until nothing waits for them, or their socket is full. All goes on as before,
    /// if it is to.
    pub fn freeze(&mut self) -> Vec<u8> {
        self.pack(0)
    }

    /// The same for a program that takes over now. Connections that cannot be handed over are
    /// told so, and closed.
    pub fn freeze_for_good(&mut self) -> Vec<u8> {
        let now = self.server.clock.read();
        self.hub.pass(now);
        let left = self.hub.leave_behind();
        self.pack(left)
    }

    fn pack(&mut self, left: usize) -> Vec<u8> {
        let Running { server, hub, .. } = self;
        let now = server.clock.read();
        hub.pass(now);
        hub.settle();
        server.drop_closed(hub);
        let mut packer = Packer::new(now);
        packer.put(&Descriptors::of(&server.listeners, hub, now, left));
        hub.service().pack(&mut packer);
        hub.pack(&mut packer);
        packer.finish()
    }

    /// What has to stay open when another program takes the place of this one. At first nothing
    /// does.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let listeners = self.server.listeners.iter().map(|listener| listener.socket().as_fd());
        listeners.chain(self.hub.streams().map(|(_, stream)| stream.transport().as_fd()))
    }
}

impl Server {
    /// Reads what [`Running::freeze`] has packed, at the present time.
    ///
    /// # Errors
    ///
    /// If it is something else, or in a format that this version does not know.
    pub fn unpacker(bytes: &[u8]) -> Result<Unpacker<'_>, Damaged> {
        Unpacker::new(bytes, Clock::new().read())
    }

    /// Goes on with the listeners and streams of the process that was here before, as
    /// [`Server::bind`] begins. `take` gives the descriptor of a number, to be closed by the next
    /// `exec`. The service comes next,
    /// and then [`Server::thaw`].
    ///
    /// # Errors
    ///
    /// As [`Server::bind`], and `InvalidData` if something else was packed, or if a descriptor is
    /// missing.
    pub fn adopt(
        config: Config,
        from: &mut Unpacker<'_>,
        take: impl Fn(RawFd) -> Option<OwnedFd>,
    ) -> io::Result<Server> {
        let take = |number| {
            let why = || format!("descriptor {number} is not open");
            let missing = || io::Error::new(io::ErrorKind::InvalidData, why());
            take(number).ok_or_else(missing)
        };
        let Descriptors { frozen_at, left, listeners, streams } = from.get()?;
        let mut inherited = Inherited::new();
        for (number, identity) in listeners {
            inherited.push_back(Listening::adopt(take(number)?, identity));
        }
        let mut server = Server::with(config, inherited)?;
        for (number, (slot, is_unix)) in streams {
            let mut stream = Socket::adopt(take(number)?, is_unix);
            stream.register(server.poll.registry(), Token(slot))?;
            server.streams.insert(slot, stream);
        }
        (server.frozen_at, server.left) = (frozen_at, left);
        Ok(server)
    }

    /// Goes on with the connections, and tells the service. Nothing may be left to unpack then.
    ///
    /// # Errors
    ///
    /// If what comes next is something else.
    pub fn thaw<S: HandOver>(
        mut self,
        service: S,
        mut from: Unpacker<'_>,
    ) -> Result<Running<S>, Damaged> {
        let (now, mut streams) = (from.now(), std::mem::take(&mut self.streams));
        let version = from.version().to_owned();
        let stream = |slot| streams.remove(&slot).map(Tls::plain);
        let mut hub = Hub::thaw(service, &self.config.limits, now, &mut from, stream)?;
        from.finish()?;
        let silence = since_epoch(self.clock.read()).saturating_sub(self.frozen_at);
        let millis = silence.as_secs_f64() * 1000.0;
        let (left, connections) = (self.left, hub.open_count());
        info!(from = version, connections, left, silence_ms:% = format_args!("{millis:.1}"); "upgraded");
        let upgraded = Upgraded { from: version, connections, left, silence };
        hub.between_turns(|service, out| service.on_upgraded(&upgraded, out));
        // An upgrade or a shutdown may have been asked of the old process.
        hub.wake();
        Ok(self.with_hub(hub))
    }

    /// Whether all of it can be unpacked, without opening anything. `service` unpacks its part.
    ///
    /// # Errors
    ///
    /// If not.
    pub fn check<S: Service>(
        config: &Config,
        mut from: Unpacker<'_>,
        service: impl FnOnce(&mut Unpacker<'_>) -> Result<S, Damaged>,
    ) -> Result<(), Damaged> {
        from.get::<Descriptors>()?;
        let service = service(&mut from)?;
        let now = from.now();
        Hub::thaw(service, &config.limits, now, &mut from, |_| Some(io::empty()))?;
        from.finish()
    }
}

impl Descriptors {
    fn of<S: Service>(
        listeners: &[Listener],
        hub: &Hub<Tls<Socket>, S>,
        now: Now,
        left: usize,
    ) -> Descriptors {
        let listeners = listeners.iter().map(Listener::socket);
        let streams = hub.streams();
        Descriptors {
            frozen_at: since_epoch(now),
            left,
            listeners: listeners.map(|it| (it.as_fd().as_raw_fd(), it.identity())).collect(),
            streams: streams
                .map(|(slot, it)| {
                    (it.transport().as_fd().as_raw_fd(), (slot, it.transport().is_unix()))
                })
                .collect(),
        }
    }
}

impl Pack for Descriptors {
    fn pack(&self, to: &mut Packer) {
        let Descriptors { frozen_at, left, listeners, streams } = self;
        to.put(frozen_at).put(left).put(listeners).put(streams);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Descriptors, Damaged> {
        let (frozen_at, left, listeners) = (from.get()?, from.get()?, from.get()?);
        Ok(Descriptors { frozen_at, left, listeners, streams: from.get()? })
    }
}

fn since_epoch(now: Now) -> Duration {
    now.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

impl From<Damaged> for io::Error {
    fn from(error: Damaged) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}
