//! Handing a whole server over to the program that takes the place of this one by `exec`: its
//! listeners and streams stay open under their numbers, and all else is packed.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::process::{self, Command};
use std::time::{Duration, SystemTime};

use log::info;
use mio::Poll;

use super::inherited::VARIABLE;
use super::{Clock, Config, Inherited, Running, Server};
use crate::net::descriptors::{self, memory_file};
use crate::net::hub::Hub;
use crate::net::listen::{Listener, Listening, Sockets};
use crate::net::service::{HandOver, Service, Upgraded};
use crate::net::timeouts::Now;
use crate::net::tls::Tls;
use crate::net::transport::Socket;
use crate::pack::{Damaged, Packer, Unpacker, impl_pack};

/// What stays open, by number.
struct Descriptors {
    /// When the old process stopped serving, since the epoch.
    frozen_at: Duration,
    /// The slots of connections that are left behind, and what each is sent last.
    left: Vec<(usize, Vec<u8>)>,
    /// At which all streams are registered, under their slots.
    poll: RawFd,
    /// In the order of the configuration, and which file is a Unix socket's.
    listeners: Vec<(RawFd, Option<(u64, u64)>)>,
    /// With the slot of the connection, and whether it is a Unix socket.
    streams: Vec<(RawFd, (usize, bool))>,
}

impl<S: HandOver> Running<S> {
    /// Flushes all queues, as far as the sockets take them. Then packs which descriptors there are,
    /// the service, and the connections. Afterwards this server can still go on as before.
    pub fn freeze(&mut self) -> Vec<u8> {
        self.pack(Vec::new())
    }

    /// Replaces this program by another one, in this process. What is packed becomes that program's
    /// standard input, where [`Inherited::take`] reads it. Connections that cannot be handed over
    /// are told so and closed by the other program, with bytes that are encrypted here. Returns
    /// only if that fails: then all goes on, those connections too. The error names no program.
    ///
    /// The service is to have nothing under way elsewhere ([`HandOver::quiesce`]). Before, the other
    /// program should be asked whether it understands what [`Running::freeze`] packs: once it is
    /// executed there is no way back. It should be started with the same arguments, and have the
    /// same configuration.
    pub fn hand_over_to(&mut self, command: &mut Command) -> io::Error {
        let now = self.server.clock.read();
        self.hub.pass(now);
        let state = self.seal().map(|left| self.pack(left));
        let file = match state.and_then(|state| memory_file(&state)) {
            Ok(file) => file,
            Err(error) => return error,
        };
        self.descriptors().for_each(|it| descriptors::keep_open(it, true));
        let command = command.env(VARIABLE, process::id().to_string()).stdin(file);
        let error = descriptors::exec(command);
        self.descriptors().for_each(|it| descriptors::keep_open(it, false));
        error
    }

    /// The last bytes for connections that cannot be handed over. Encrypting them changes the state
    /// of their keys. So a copy of this process does it, and if no other program takes over, this
    /// one goes on with a state that has not changed.
    fn seal(&mut self) -> io::Result<Vec<(usize, Vec<u8>)>> {
        let goodbyes = self.hub.say_goodbye();
        if goodbyes.is_empty() {
            return Ok(goodbyes);
        }
        let now = self.hub.outbox().now();
        let sealed = descriptors::in_a_copy(|| {
            let mut packer = Packer::new(now);
            packer.put(&self.hub.seal(goodbyes));
            packer.finish()
        })?;
        Ok(Unpacker::new(&sealed, now)?.get()?)
    }

    fn pack(&mut self, left: Vec<(usize, Vec<u8>)>) -> Vec<u8> {
        let Running { server, hub, .. } = self;
        let now = server.clock.read();
        hub.pass(now);
        hub.flush_all();
        server.drop_closed(hub);
        let mut packer = Packer::new(now);
        packer.put(&Descriptors::of(server, hub, now, left));
        hub.service().pack(&mut packer);
        hub.pack(&mut packer);
        packer.finish()
    }

    /// What has to stay open when another program takes the place of this one. Else nothing does.
    fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let Server { poll, listeners, .. } = &self.server;
        let listeners = listeners.iter().map(|listener| listener.socket().as_fd());
        let streams = self.hub.streams().map(|(_, stream)| stream.transport().as_fd());
        [poll.registry().as_fd()].into_iter().chain(listeners).chain(streams)
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

    /// Like [`Server::bind`], but with the listeners and streams of the program that was here
    /// before. The service comes next in what is given back, and then [`Server::thaw`].
    ///
    /// # Errors
    ///
    /// As [`Server::bind`], and `InvalidData` if something else was packed, or a format that this
    /// version does not know, if a descriptor is missing, or if it was adopted before.
    pub fn adopt(config: Config, inherited: &mut Inherited) -> io::Result<(Server, Unpacker<'_>)> {
        if std::mem::replace(&mut inherited.is_adopted, true) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it was adopted before"));
        }
        let mut from = Server::unpacker(&inherited.state)?;
        let Descriptors { frozen_at, left, poll, listeners, streams } = from.get()?;
        let poll = adopt_poll(poll)?;
        let mut sockets = Sockets::new();
        for (number, identity) in listeners {
            let socket = Listening::adopt(descriptors::take(number)?, identity);
            // Under which token it is registered there is not known: it is registered anew.
            descriptors::unregister(poll.registry().as_fd(), socket.as_fd());
            sockets.push_back(socket);
        }
        let mut server = Server::with(config, poll, sockets)?;
        for (number, (slot, is_unix)) in streams {
            let stream = Socket::adopt(descriptors::take(number)?, is_unix);
            server.streams.push_back((slot, stream));
        }
        (server.frozen_at, server.left) = (frozen_at, left);
        Ok((server, from))
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
        // They were packed in the order of the connections.
        let stream = |slot| {
            let next = streams.pop_front().filter(|(its_slot, _)| *its_slot == slot);
            next.map(|(_, stream)| Tls::plain(stream))
        };
        let mut hub = Hub::thaw(service, &self.config.limits, now, &mut from, stream)?;
        from.finish()?;
        let left = hub.leave_behind(std::mem::take(&mut self.left));
        let silence = since_epoch(self.clock.read()).saturating_sub(self.frozen_at);
        let millis = silence.as_secs_f64() * 1000.0;
        let connections = hub.open_count();
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
        Hub::thaw(service, &config.limits, now, &mut from, |_| Some(Tls::plain(io::empty())))?;
        from.finish()
    }
}

impl Descriptors {
    fn of<S: Service>(
        server: &Server,
        hub: &Hub<Tls<Socket>, S>,
        now: Now,
        left: Vec<(usize, Vec<u8>)>,
    ) -> Descriptors {
        let listeners = server.listeners.iter().map(Listener::socket);
        let streams = hub.streams();
        Descriptors {
            frozen_at: since_epoch(now),
            left,
            poll: server.poll.registry().as_raw_fd(),
            listeners: listeners.map(|it| (it.as_fd().as_raw_fd(), it.identity())).collect(),
            streams: streams
                .map(|(slot, it)| {
                    (it.transport().as_fd().as_raw_fd(), (slot, it.transport().is_unix()))
                })
                .collect(),
        }
    }
}

impl_pack! {
    struct Descriptors { frozen_at, left, poll, listeners, streams }
}

/// The poll of the program that was here before. Its streams stay registered there, so that no
/// edge is lost, and that thousands need not be registered anew.
fn adopt_poll(number: RawFd) -> io::Result<Poll> {
    let poll = Poll::new()?;
    descriptors::replace_poll(poll.registry().as_fd(), &descriptors::take(number)?)?;
    Ok(poll)
}

fn since_epoch(now: Now) -> Duration {
    now.wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

impl From<Damaged> for io::Error {
    fn from(error: Damaged) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}
