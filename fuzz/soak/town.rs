//! All clients, on one thread: their connections, and what becomes of them.

use crate::chance::Chance;
use crate::client::{Around, Asked, Client, Stage, Wish};
use crate::plan::Plan;
use crate::said::Said;
use crate::tally::Tally;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, SockRef, Socket, Type};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::time::{Duration, Instant};

/// How long any answer, and the end after a goodbye, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stalled reader says a blank line so often. It means nothing to the server, but it
/// is how one who does not read finds out that it has been cut off.
const POKE: Duration = Duration::from_secs(5);

/// Of what a stalled reader does not take, so much waits at its own end.
const STALLED_UNREAD: usize = 4096;

/// Who was cut off comes back after at most this.
const AWAY_MAX_MS: usize = 500;

/// How often a name may still be taken when its bearer is back.
const TRIES_MAX: u32 = 40;

/// So many clients share a source address, each with a port of its own.
const PORTS_PER_ADDRESS: usize = 4096;
const FIRST_PORT: usize = 20_000;
const ADDRESSES: u32 = 60_000;

const EVENTS_MAX: usize = 1024;
const CHUNK_SIZE: usize = 64 * 1024;
const SEED: u64 = 1;

pub(crate) struct Town {
    pub(crate) plan: Plan,
    pub(crate) clients: Vec<Client>,
    pub(crate) rooms: Vec<Said>,
    pub(crate) tally: Tally,
    pub(crate) chance: Chance,
    addr: SocketAddr,
    poll: Poll,
    events: Events,
    chunk: Box<[u8]>,
    /// Who comes back when.
    returns: BinaryHeap<Reverse<(Instant, usize)>>,
    /// How many have been connected, so that each has a source address of its own: the
    /// one that it had before may still be in use at the server's end.
    connects: usize,
    is_over: bool,
}

impl Town {
    pub(crate) fn new(plan: Plan, addr: SocketAddr) -> io::Result<Town> {
        let now = Instant::now();
        Ok(Town {
            clients: (0..plan.clients()).map(|id| Client::new(id, now)).collect(),
            rooms: plan.places.iter().map(|place| Said::new(place.is_talkative())).collect(),
            plan,
            tally: Tally::default(),
            chance: Chance::new(SEED),
            addr,
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_MAX),
            chunk: vec![0; CHUNK_SIZE].into_boxed_slice(),
            returns: BinaryHeap::new(),
            connects: 0,
            is_over: false,
        })
    }

    pub(crate) fn count(&self, is_counted: impl Fn(&Client) -> bool) -> usize {
        self.clients.iter().filter(|client| is_counted(client)).count()
    }

    /// Reads what has come, waiting for it at most so long, and brings back whose time
    /// it is.
    pub(crate) fn turn(&mut self, wait: Duration) -> io::Result<()> {
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        let ready: Vec<usize> = self.events.iter().map(|event| event.token().0).collect();
        for id in ready {
            self.receive(id);
        }
        let now = Instant::now();
        while let Some(Reverse((at, id))) = self.returns.peek().copied()
            && at <= now
            && !self.is_over
        {
            self.returns.pop();
            self.connect(id)?;
        }
        Ok(())
    }

    /// Connects a client, and lets it say who it is, or wait until it is greeted.
    pub(crate) fn connect(&mut self, id: usize) -> io::Result<()> {
        let is_stalled = self.plan.is_stalled(id);
        let unread_max = is_stalled.then_some(STALLED_UNREAD);
        let mut stream = connect(self.connects, self.addr, unread_max)?;
        self.connects += 1;
        if !is_stalled {
            self.poll.registry().register(&mut stream, Token(id), Interest::READABLE)?;
        }
        let now = Instant::now();
        self.clients[id].connected(stream, now);
        if is_stalled {
            self.clients[id].stage = Stage::Stalled;
            self.send(id, &self.plan.arrival(id));
        } else if self.clients[id].token.is_none() && self.chance.below(20) == 0 {
            self.clients[id].stage = Stage::Hesitating;
        } else {
            self.arrive(id);
        }
        Ok(())
    }

    fn arrive(&mut self, id: usize) {
        self.clients[id].stage = Stage::Arriving;
        if let Some(token) = self.clients[id].token.take() {
            self.tally.resumed += 1;
            return self.ask(
                id,
                &format!("/resume {token}\n/up done\n"),
                [Asked::Name, Asked::Done],
            );
        }
        let arrival = self.plan.arrival(id);
        self.ask(id, &arrival, [Asked::Name, Asked::Room, Asked::Done]);
    }

    /// Says lines that are answered in this order.
    pub(crate) fn ask(&mut self, id: usize, lines: &str, asked: impl IntoIterator<Item = Asked>) {
        self.clients[id].asked.extend(asked);
        self.clients[id].since = Instant::now();
        self.send(id, lines);
    }

    /// Sends what is little enough for a socket to take at once.
    pub(crate) fn send(&mut self, id: usize, lines: &str) {
        let client = &mut self.clients[id];
        let Some(stream) = &mut client.stream else { return };
        match stream.write(lines.as_bytes()) {
            Ok(sent) if sent == lines.len() => {}
            // Who is cut off has its end noticed where it reads, or is poked.
            Err(error)
                if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {}
            refused => self.tally.error(&format!("client {id} could not send: {refused:?}")),
        }
    }

    fn receive(&mut self, id: usize) {
        let mut wishes = Vec::new();
        loop {
            let client = &mut self.clients[id];
            let Some(stream) = &mut client.stream else { return };
            match stream.read(&mut self.chunk) {
                Ok(0) => return self.ended(id, None),
                Ok(length) => {
                    let bytes = &self.chunk[..length];
                    let around = Around {
                        home: self.plan.home(id),
                        plan: &self.plan,
                        rooms: &mut self.rooms,
                        tally: &mut self.tally,
                    };
                    if let Err(why) = client.receive(bytes, around, |wish| wishes.push(wish)) {
                        self.tally.error(&why);
                        // What follows an error would be taken for more of them.
                        return self.drop_for_now(id);
                    }
                    if client.stage == Stage::Arriving && client.asked.is_empty() {
                        client.stage = Stage::In;
                        client.tries = 0;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.ended(id, Some(&error)),
            }
        }
        for wish in wishes {
            self.fulfil(id, wish);
        }
    }

    fn fulfil(&mut self, id: usize, wish: Wish) {
        match wish {
            Wish::Arrive => self.arrive(id),
            Wish::TryAgain => {
                self.tally.taken += 1;
                self.clients[id].tries += 1;
                if self.clients[id].tries > TRIES_MAX {
                    self.tally.error(&format!("the name of client {id} never becomes free"));
                }
                self.drop_for_now(id);
            }
            // Half of them try it out at once; the others have it for when they leave.
            Wish::UseToken if self.chance.below(2) == 0 => self.reset(id),
            Wish::UseToken => {}
        }
    }

    /// The server has ended a connection.
    fn ended(&mut self, id: usize, error: Option<&io::Error>) {
        let client = &self.clients[id];
        let is_whole = client.echoes.is_empty() && client.asked.is_empty() && error.is_none();
        if client.stage != Stage::Leaving || !is_whole {
            let (stage, echoes, asked) = (client.stage, &client.echoes, &client.asked);
            self.tally.error(&format!(
                "client {id} was cut off: {error:?}, {stage:?}, waits for {echoes:?}, {asked:?}"
            ));
        }
        self.drop_for_now(id);
    }

    /// Closes a connection with whatever has not been read. The client will be back.
    pub(crate) fn drop_for_now(&mut self, id: usize) {
        let client = &mut self.clients[id];
        // Closing it takes it out of the poll.
        client.stream = None;
        client.stage = Stage::Away;
        let away = u64::try_from(self.chance.below(AWAY_MAX_MS)).unwrap_or(0);
        self.returns.push(Reverse((Instant::now() + Duration::from_millis(away), id)));
    }

    pub(crate) fn reset(&mut self, id: usize) {
        if let Some(stream) = &self.clients[id].stream {
            // Where it fails the connection is closed in another way, and that is all.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
        self.drop_for_now(id);
    }

    /// Says goodbye, in one of the ways there are, and reads until the end.
    pub(crate) fn take_leave(&mut self, id: usize, goodbye: Option<&str>) {
        self.clients[id].stage = Stage::Leaving;
        self.clients[id].since = Instant::now();
        match (goodbye, &self.clients[id].stream) {
            (Some(line), _) => {
                self.clients[id].token = None;
                self.send(id, line);
            }
            (None, Some(stream)) => {
                // It fails if the connection is no more, which shows where it is read.
                let _ = stream.shutdown(Shutdown::Write);
            }
            (None, None) => {}
        }
    }

    /// Nobody comes back any more.
    pub(crate) fn end(&mut self) {
        self.is_over = true;
    }

    /// Looks after those that no event will tell of: who waits for too long, and stalled
    /// readers that were cut off.
    pub(crate) fn look_around(&mut self) {
        let now = Instant::now();
        for id in 0..self.clients.len() {
            let client = &mut self.clients[id];
            let waits = now.duration_since(client.since);
            let is_waiting = matches!(client.stage, Stage::Hesitating | Stage::Leaving)
                || !client.asked.is_empty();
            match client.stage {
                Stage::Away => {}
                Stage::Stalled if waits >= POKE => {
                    client.since = now;
                    self.poke(id);
                }
                _ if is_waiting && waits > PATIENCE => {
                    let (stage, asked) = (client.stage, &client.asked);
                    self.tally.error(&format!("client {id} waits: {stage:?}, {asked:?}"));
                    self.drop_for_now(id);
                }
                _ => {}
            }
        }
    }

    fn poke(&mut self, id: usize) {
        let Some(stream) = &mut self.clients[id].stream else { return };
        match stream.write(b"\n") {
            Err(error) if error.kind() != ErrorKind::WouldBlock => {
                self.tally.cut_off += 1;
                self.drop_for_now(id);
            }
            _ => {}
        }
    }
}

/// Connects a client from a source address of its own, if that can be had. Of what it does
/// not read, about `unread_max` bytes wait at its end; without that as many as the kernel
/// likes.
fn connect(id: usize, addr: SocketAddr, unread_max: Option<usize>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // Linux has a whole network of loopback addresses: so no search for a free port gets long.
    socket.set_reuse_address(true)?;
    let host = u32::try_from(id / PORTS_PER_ADDRESS).unwrap_or(0) % ADDRESSES;
    let host = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 1, 0, 1)) + host);
    let port = u16::try_from(FIRST_PORT + id % PORTS_PER_ADDRESS).expect("it is below 24 096");
    let _ = socket.bind(&SocketAddr::from((host, port)).into());
    if let Some(size) = unread_max {
        socket.set_recv_buffer_size(size)?;
    }
    socket.connect_timeout(&addr.into(), PATIENCE)?;
    socket.set_nonblocking(true)?;
    Ok(TcpStream::from_std(socket.into()))
}
