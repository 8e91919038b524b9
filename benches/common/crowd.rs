//! The load generator's clients: all connections of a bench, on one thread.
//!
//! The thread spins on polls that do not wait. If it slept, every first `send` to
//! it would have to wake it, and the server would be charged for that.

use super::ask::{self, Answers, Ask};
use super::stream::{Over, Stream};
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::ops::Range;
use std::time::{Duration, Instant};

/// So many clients may wait for their answers at once. More would only show how
/// long a queue before a server can get.
const WAITING_MAX: usize = 256;

/// So many clients share a source address, each with a port of its own.
const PORTS_PER_ADDRESS: usize = 4096;
const FIRST_PORT: usize = 20_000;

/// How long one client's connect, and all clients' answers together, may take: a machine that is
/// busy with other things is slow, not broken.
const CONNECT_MAX: Duration = Duration::from_mins(1);
const ANSWER_MAX: Duration = Duration::from_mins(5);

/// Few, so that what a sender is waiting for is not seen late.
const EVENTS_MAX: usize = 256;
const CHUNK_SIZE: usize = 256 * 1024;

/// Connected clients, numbered from 0.
pub(crate) struct Crowd {
    poll: Poll,
    streams: Vec<Stream>,
    over: Over,
    events: Events,
    chunk: Box<[u8]>,
    idle: Duration,
}

impl Crowd {
    /// Nobody yet.
    pub(crate) fn new() -> io::Result<Crowd> {
        Crowd::over(Over::Tcp)
    }

    /// The same; they will connect so.
    pub(crate) fn over(over: Over) -> io::Result<Crowd> {
        Ok(Crowd {
            poll: Poll::new()?,
            streams: Vec::new(),
            over,
            events: Events::with_capacity(EVENTS_MAX),
            chunk: vec![0; CHUNK_SIZE].into_boxed_slice(),
            idle: Duration::ZERO,
        })
    }

    /// Connects `count` more clients. Each asks, and once all have their answers they
    /// are in.
    pub(crate) fn connect(
        &mut self,
        addr: SocketAddr,
        count: usize,
        asks: impl Fn(usize) -> Vec<Ask>,
    ) -> io::Result<()> {
        let ids = self.len()..self.len() + count;
        self.each_in_turn(ids, |crowd, id| {
            crowd.open(id, addr)?;
            Ok(asks(id))
        })
    }

    /// Has clients that are in ask for something, one after the other, and waits until
    /// all have their answers.
    pub(crate) fn ask(
        &mut self,
        ids: Range<usize>,
        asks: impl Fn(usize) -> Vec<Ask>,
    ) -> io::Result<()> {
        self.each_in_turn(ids, |_, id| Ok(asks(id)))
    }

    fn each_in_turn(
        &mut self,
        mut ids: Range<usize>,
        mut begin: impl FnMut(&mut Crowd, usize) -> io::Result<Vec<Ask>>,
    ) -> io::Result<()> {
        let mut answers = Answers::default();
        let start = Instant::now();
        while !ids.is_empty() || answers.len() > 0 {
            while answers.len() < WAITING_MAX
                && let Some(id) = ids.next()
            {
                let asks = begin(self, id)?;
                if !asks.is_empty() {
                    let lines = asks.iter().flat_map(|ask| [&ask.line, "\n"]).collect::<String>();
                    self.send(id, lines.as_bytes())?;
                    answers.await_for(id, asks);
                }
            }
            // What comes for those who wait for nothing is not for here.
            if answers.len() > 0 {
                self.receive(|id, bytes| answers.enter(id, bytes))?;
            }
            if start.elapsed() > ANSWER_MAX {
                let other = answers.other().unwrap_or_default();
                let missing = answers.len();
                let error =
                    format!("{missing} clients have no answer; the last line was {other:?}");
                return Err(io::Error::other(error));
            }
        }
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }

    /// How long all polls together have found nothing to do. The rest of the
    /// time the generator was busy.
    pub(crate) fn idle_seconds(&self) -> f64 {
        self.idle.as_secs_f64()
    }

    /// From now on nothing that comes for this client is read.
    pub(crate) fn deafen(&mut self, id: usize) -> io::Result<()> {
        self.poll.registry().deregister(self.streams[id].socket())
    }

    /// From now on what comes for it is read again.
    pub(crate) fn wake(&mut self, id: usize) -> io::Result<()> {
        let socket = self.streams[id].socket();
        self.poll.registry().register(socket, Token(id), Interest::READABLE)
    }

    /// Reads whatever has come for anybody, in one poll that does not wait. Returns whether there
    /// was anything.
    pub(crate) fn receive(&mut self, mut received: impl FnMut(usize, &[u8])) -> io::Result<bool> {
        let start = Instant::now();
        match self.poll.poll(&mut self.events, Some(Duration::ZERO)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        if self.events.is_empty() {
            self.idle += start.elapsed();
        }
        for event in &self.events {
            let Token(id) = event.token();
            drain(id, &mut self.streams[id], &mut self.chunk, |bytes| received(id, bytes))?;
        }
        Ok(!self.events.is_empty())
    }

    /// Reads what has come and drops it.
    pub(crate) fn forget_unread(&mut self) -> io::Result<()> {
        while self.receive(|_, _| {})? {}
        Ok(())
    }

    /// Sends lines that are few enough for the socket to take them at once.
    pub(crate) fn send(&mut self, id: usize, lines: &[u8]) -> io::Result<()> {
        let sent = self.streams[id].write(lines)?;
        if sent < lines.len() {
            return Err(io::Error::other("the server does not read what it is sent"));
        }
        Ok(())
    }

    fn open(&mut self, id: usize, addr: SocketAddr) -> io::Result<()> {
        let mut stream = Stream::begin(self.over, connect_one(id, addr)?)?;
        let registry = self.poll.registry();
        registry.register(stream.socket(), Token(id), Interest::READABLE)?;
        self.streams.push(stream);
        Ok(())
    }
}

/// Reads one client's socket until it is empty.
fn drain(
    id: usize,
    stream: &mut Stream,
    chunk: &mut [u8],
    mut received: impl FnMut(&[u8]),
) -> io::Result<()> {
    loop {
        match stream.read(chunk) {
            Ok(0) => {
                return Err(io::Error::other(format!("{} was cut off", ask::client_name(id))));
            }
            Ok(length) => {
                received(&chunk[..length]);
                if stream.is_drained_by(length < chunk.len()) {
                    return Ok(());
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Connects one client. On loopback the connection stands at once, as long as
/// the server's backlog has room.
fn connect_one(id: usize, addr: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // Searching for a free port takes the kernel ever longer, the fewer an address
    // has left. Linux has a whole network of loopback addresses, so that every
    // client can be given a port of its own. Where that fails, let it search.
    socket.set_reuse_address(true)?;
    let _ = socket.bind(&source_addr(id).into());
    socket.connect_timeout(&addr.into(), CONNECT_MAX)?;
    Ok(socket.into())
}

/// Where a client comes from.
fn source_addr(id: usize) -> SocketAddr {
    let network = u32::from(Ipv4Addr::new(127, 1, 0, 1));
    let host = u32::try_from(id / PORTS_PER_ADDRESS).expect("ids are small");
    let port = u16::try_from(FIRST_PORT + id % PORTS_PER_ADDRESS).expect("it is below 24 096");
    SocketAddr::from((Ipv4Addr::from(network + host), port))
}
