//! The floors: the smallest servers that do a chat's kernel work, and nothing else.
//!
//! Each line of any client goes to every client, its sender included. There are
//! no names, no commands and no limits, so what such a server costs is what the
//! kernel costs. The three differ in how they send; see `delivery`.

mod delivery;

use delivery::{Clients, Delivery, Direct, Moment, Rolling};
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;
use std::time::Duration;

const LISTENER: Token = Token(usize::MAX);

/// Connects that come faster than they are accepted wait here; past it they
/// would be lost, and tried again after a second.
const BACKLOG: i32 = 4096;

/// One that nobody has been connected to for so long ends by itself, so that
/// none outlives a bench that was killed.
const LONELY_MAX: Duration = Duration::from_mins(1);

const EVENTS_MAX: usize = 1024;
const CHUNK_SIZE: usize = 64 * 1024;

/// What each of them is, for readers of figures, in the order of the enum.
pub(crate) const ABOUT: [(&str, &str); 3] = [
    ("plain", "a floor, the least that a server can do: one send a line a client"),
    ("coalescing", "a floor: one send a client for all the lines of one poll"),
    ("rolling", "a floor: one log, a cursor a client, and a look for new lines every 128 sends"),
];

/// Which of the floors.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Floor {
    Plain,
    Coalescing,
    Rolling,
}

impl Floor {
    const ALL: [Floor; 3] = [Floor::Plain, Floor::Coalescing, Floor::Rolling];

    pub(crate) fn name(self) -> &'static str {
        ABOUT[self as usize].0
    }

    pub(crate) fn from_name(name: &str) -> Result<Floor, &'static str> {
        Floor::ALL.into_iter().find(|floor| floor.name() == name).ok_or("no such floor")
    }

    /// Serves on a free port, told in the first line on stdout, until the process
    /// is killed or has been left alone.
    pub(crate) fn serve(self) -> io::Result<()> {
        match self {
            Floor::Plain => FloorServer::bind(Direct::new(Moment::Line))?.run(),
            Floor::Coalescing => FloorServer::bind(Direct::new(Moment::Poll))?.run(),
            Floor::Rolling => FloorServer::bind(Rolling::default())?.run(),
        }
    }
}

struct FloorServer<D> {
    poll: Poll,
    listener: TcpListener,
    clients: Clients,
    delivery: D,
    chunk: Box<[u8]>,
    /// Lines that have begun, and not ended yet. Hardly any client ever has one,
    /// so an idle client costs nothing here.
    unfinished: BTreeMap<usize, Vec<u8>>,
}

impl<D: Delivery> FloorServer<D> {
    fn bind(delivery: D) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        // Connections inherit this, without a system call for each.
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
        socket.listen(BACKLOG)?;
        let mut listener = TcpListener::from_std(socket.into());
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(FloorServer {
            poll,
            listener,
            clients: Clients::default(),
            delivery,
            chunk: vec![0; CHUNK_SIZE].into_boxed_slice(),
            unfinished: BTreeMap::new(),
        })
    }

    fn run(mut self) -> io::Result<()> {
        println!("floor listening on {}", self.listener.local_addr()?);
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut more_to_send = false;
        loop {
            let timeout = match (more_to_send, self.clients.connected()) {
                (true, _) => Some(Duration::ZERO),
                (false, 0) => Some(LONELY_MAX),
                (false, _) => None,
            };
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            if timeout == Some(LONELY_MAX) && events.is_empty() {
                return Ok(());
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    Token(id) => {
                        self.receive(id);
                        if event.is_writable() {
                            self.delivery.resume(&mut self.clients, id);
                        }
                    }
                }
            }
            more_to_send = self.delivery.flush(&mut self.clients);
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            let mut stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let token = Token(self.clients.next_id());
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, token, interest)?;
            self.clients.open(stream);
            self.delivery.open();
        }
    }

    fn receive(&mut self, id: usize) {
        while let Some(stream) = self.clients.stream(id) {
            match stream.read(&mut self.chunk) {
                Ok(0) => self.clients.close(id),
                Ok(length) => {
                    self.deliver(id, length);
                    // A short read has drained the socket, so there is an edge
                    // to come with whatever follows.
                    if length < self.chunk.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.clients.close(id),
            }
        }
    }

    /// Hands on the lines that the chunk completes, and keeps what follows them.
    fn deliver(&mut self, id: usize, length: usize) {
        let mut lines = self.unfinished.remove(&id).unwrap_or_default();
        lines.extend_from_slice(&self.chunk[..length]);
        let end = memchr::memrchr(b'\n', &lines).map_or(0, |newline| newline + 1);
        if end < lines.len() {
            self.unfinished.insert(id, lines.split_off(end));
        }
        if end > 0 {
            self.delivery.take(&mut self.clients, &lines);
        }
    }
}
