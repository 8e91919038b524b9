//! The hub in a mio loop of your own, beside what else that has to do: here a UDP socket, whose
//! datagrams are told to everybody who is connected over TCP.
//!
//! `cargo run --example own_poll`, then `nc 127.0.0.1 4000` in one terminal, and
//! `echo hello | nc -uN 127.0.0.1 4000` in another; `stop` ends it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::{Instant, SystemTime};

use chinwag::{ConnId, Handle, Hub, Limits, Mailbox, Now, Outbox, Peer, Post, Service, Transport};
use mio::net::{TcpListener, TcpStream, UdpSocket};
use mio::{Events, Interest, Poll, Token};

/// Tokens below are connections' slots.
const LISTENER: Token = Token(usize::MAX);
const DATAGRAMS: Token = Token(usize::MAX - 1);

const CLIENTS_MAX: usize = 1000;

struct Relay(Mailbox<Vec<u8>>);

impl Service for Relay {
    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        match line {
            b"stop" => out.shutdown(),
            line => out.send_line(id, line),
        }
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        while let Some(datagram) = self.0.take() {
            out.broadcast(datagram.trim_ascii_end());
        }
    }
}

/// The seam to the hub: a non-blocking stream.
struct Socket(TcpStream);

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Socket {
    fn shutdown_write(&mut self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }
}

fn now() -> Now {
    Now { monotonic: Instant::now(), wall: SystemTime::now() }
}

fn serve(mut listener: TcpListener, mut datagrams: UdpSocket) -> io::Result<()> {
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(256));
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    poll.registry().register(&mut datagrams, DATAGRAMS, Interest::READABLE)?;
    // Nobody has to be woken: what is posted comes from this thread.
    let (post, mailbox) = Mailbox::new(Handle::detached(), 64);
    let mut hub = Hub::new(Relay(mailbox), &Limits::default(), now());
    let mut is_stopping = false;
    while !is_stopping || !hub.is_empty() {
        match poll.poll(&mut events, hub.timeout(now())) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            match event.token() {
                LISTENER if !is_stopping => accept(&poll, &listener, &mut hub)?,
                LISTENER => {}
                DATAGRAMS => take_in(&datagrams, &post, &mut hub)?,
                Token(slot) => {
                    hub.mark_readable(slot);
                    hub.mark_writable(slot);
                }
            }
        }
        hub.turn(now());
        // Only now are their slots free.
        hub.take_closed().for_each(drop);
        if hub.take_shutdown() {
            is_stopping = true;
            hub.shutdown();
        }
    }
    Ok(())
}

/// Until nobody waits: no other edge tells of those who did.
fn accept(poll: &Poll, listener: &TcpListener, hub: &mut Hub<Socket, Relay>) -> io::Result<()> {
    loop {
        let (mut stream, addr) = match listener.accept() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            accepted => accepted?,
        };
        let peer = Peer::new(addr.into(), "");
        let refusal = hub.admission(&peer, CLIENTS_MAX);
        // One that was closing may have made room.
        hub.take_closed().for_each(drop);
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(hub.next_slot()), interest)?;
        match refusal {
            Some(why) => hub.refuse(Socket(stream), why),
            None => drop(hub.open(Socket(stream), &peer)),
        }
    }
}

fn take_in(
    datagrams: &UdpSocket,
    post: &Post<Vec<u8>>,
    hub: &mut Hub<Socket, Relay>,
) -> io::Result<()> {
    let mut buffer = [0; 1500];
    loop {
        match datagrams.recv(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            // What finds no room is lost, as datagrams are.
            count => drop(post.post(buffer[..count?].to_vec())),
        }
        hub.wake();
    }
}

fn main() -> io::Result<()> {
    let addr = SocketAddr::from(([127, 0, 0, 1], 4000));
    println!("relaying at {addr}");
    serve(TcpListener::bind(addr)?, UdpSocket::bind(addr)?)
}

#[test]
fn datagrams_reach_whoever_is_connected_and_lines_come_back() -> io::Result<()> {
    use std::io::{BufRead, BufReader};

    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let (listener, datagrams) = (TcpListener::bind(any)?, UdpSocket::bind(any)?);
    let (addr, beside) = (listener.local_addr()?, datagrams.local_addr()?);
    let serving = std::thread::spawn(move || serve(listener, datagrams));
    let mut ann = std::net::TcpStream::connect(addr)?;
    ann.set_read_timeout(Some(std::time::Duration::from_mins(1)))?;
    let mut lines = BufReader::new(ann.try_clone()?).lines();
    ann.write_all(b"one\ntwo\n")?;
    assert_eq!((lines.next().unwrap()?, lines.next().unwrap()?), ("one".into(), "two".into()));
    std::net::UdpSocket::bind(any)?.send_to(b"from beside\n", beside)?;
    assert_eq!(lines.next().unwrap()?, "from beside");
    ann.write_all(b"stop\n")?;
    assert!(lines.next().is_none());
    drop((ann, lines));
    serving.join().expect("no panic")
}
