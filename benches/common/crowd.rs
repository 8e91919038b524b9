//! The load generator's clients: all connections of a bench, on one thread.
//!
//! The thread spins on polls that do not wait. If it slept, every first `send` to
//! it would have to wake it, and the server would be charged for that.

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// So many clients may wait for their replies at once. More would only show how
/// long a queue before a server can get.
const ENTERING_MAX: usize = 256;

/// So many clients share a source address, each with a port of its own.
const PORTS_PER_ADDRESS: usize = 4096;
const FIRST_PORT: usize = 20_000;

/// How long one client's connect, and all clients together, may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);
const ENTER_MAX: Duration = Duration::from_mins(1);

/// Few, so that what a sender is waiting for is not seen late.
const EVENTS_MAX: usize = 256;
const CHUNK_SIZE: usize = 256 * 1024;

/// What counts as being in.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Entry {
    /// The connection stands.
    Connected,
    /// The server has confirmed the client's name.
    Registered,
}

/// Connected clients, numbered from 0.
pub(crate) struct Crowd {
    poll: Poll,
    streams: Vec<TcpStream>,
    chunk: Box<[u8]>,
    idle: Duration,
}

/// The name of a client; always six characters, so that all lines can be equally long.
pub(crate) fn name(id: usize) -> String {
    format!("u{id:05}")
}

impl Crowd {
    /// Connects `count` clients, and waits until all of them are in.
    pub(crate) fn connect(addr: SocketAddr, count: usize, entry: Entry) -> io::Result<Crowd> {
        let mut crowd = Crowd {
            poll: Poll::new()?,
            streams: Vec::with_capacity(count),
            chunk: vec![0; CHUNK_SIZE].into_boxed_slice(),
            idle: Duration::ZERO,
        };
        let mut replies = Replies::default();
        let mut events = Events::with_capacity(EVENTS_MAX);
        let start = Instant::now();
        while crowd.len() < count || !replies.awaited.is_empty() {
            while crowd.len() < count && replies.awaited.len() < ENTERING_MAX {
                let id = crowd.open(addr)?;
                if entry == Entry::Registered {
                    crowd.send(id, format!("REGISTER {}\n", name(id)).as_bytes())?;
                    replies.awaited.insert(id, Vec::new());
                }
            }
            crowd.receive(&mut events, |id, bytes| replies.enter(id, bytes))?;
            if let Some(wrong) = &replies.wrong {
                return Err(io::Error::other(format!(
                    "a client that was coming in was told {wrong:?}"
                )));
            }
            if start.elapsed() > ENTER_MAX {
                return Err(io::Error::other("the server does not answer everybody who comes in"));
            }
        }
        Ok(crowd)
    }

    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }

    /// How long all polls together have found nothing to do. The rest of the
    /// time the generator was busy.
    pub(crate) fn idle_seconds(&self) -> f64 {
        self.idle.as_secs_f64()
    }

    /// Reads whatever has come for anybody.
    pub(crate) fn receive(
        &mut self,
        events: &mut Events,
        mut received: impl FnMut(usize, &[u8]),
    ) -> io::Result<()> {
        self.wait(events)?;
        for event in &*events {
            let Token(id) = event.token();
            self.drain(id, |bytes| received(id, bytes))?;
        }
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

    fn open(&mut self, addr: SocketAddr) -> io::Result<usize> {
        let id = self.streams.len();
        let mut stream = connect_one(id, addr)?;
        let registry = self.poll.registry();
        registry.register(&mut stream, Token(id), Interest::READABLE)?;
        self.streams.push(stream);
        Ok(id)
    }

    /// One poll, without waiting.
    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let start = Instant::now();
        match self.poll.poll(events, Some(Duration::ZERO)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        if events.is_empty() {
            self.idle += start.elapsed();
        }
        Ok(())
    }

    /// Reads one client's socket until it is empty.
    fn drain(&mut self, id: usize, mut received: impl FnMut(&[u8])) -> io::Result<()> {
        loop {
            match self.streams[id].read(&mut self.chunk) {
                Ok(0) => return Err(io::Error::other(format!("{} was cut off", name(id)))),
                Ok(length) => {
                    received(&self.chunk[..length]);
                    // A short read has drained the socket.
                    if length < self.chunk.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The replies to `REGISTER` that have not come yet, or not wholly.
#[derive(Default)]
struct Replies {
    awaited: BTreeMap<usize, Vec<u8>>,
    /// One that was not as it should be.
    wrong: Option<String>,
}

impl Replies {
    fn enter(&mut self, id: usize, bytes: &[u8]) {
        let mut reply = self.awaited.remove(&id).unwrap_or_default();
        reply.extend_from_slice(bytes);
        if !reply.ends_with(b"\n") {
            self.awaited.insert(id, reply);
        } else if reply != format!("Registered as {}\n", name(id)).as_bytes() {
            self.wrong = Some(String::from_utf8_lossy(&reply).into_owned());
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
    socket.set_nonblocking(true)?;
    Ok(TcpStream::from_std(socket.into()))
}

/// Where a client comes from.
fn source_addr(id: usize) -> SocketAddr {
    let network = u32::from(Ipv4Addr::new(127, 1, 0, 1));
    let host = u32::try_from(id / PORTS_PER_ADDRESS).expect("ids are small");
    let port = u16::try_from(FIRST_PORT + id % PORTS_PER_ADDRESS).expect("it is below 24 096");
    SocketAddr::from((Ipv4Addr::from(network + host), port))
}
