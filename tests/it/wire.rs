//! A loop that is driven by hand: streams in memory, and a clock that goes when it is told to.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use chinwag::chat::Settings;
use chinwag::{Chat, Hub, Limits, Now, Origin, Peer, Transport};

/// A request for a WebSocket, which ends where one more header could stand.
pub(crate) const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
                       Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// The other end of a [`Wire`].
#[derive(Clone, Default)]
pub(crate) struct End(pub(crate) Rc<RefCell<Pipes>>);

#[derive(Default)]
pub(crate) struct Pipes {
    pub(crate) to_read: VecDeque<u8>,
    pub(crate) written: Vec<u8>,
    /// What reading ends with, other than `WouldBlock`.
    pub(crate) end: Option<ErrorKind>,
    pub(crate) is_full: bool,
}

pub(crate) struct Wire(End);

impl Read for Wire {
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        let mut pipes = self.0.0.borrow_mut();
        if !pipes.to_read.is_empty() {
            return pipes.to_read.read(chunk);
        }
        match pipes.end {
            // Stands for an end in order.
            Some(ErrorKind::UnexpectedEof) => Ok(0),
            end => Err(end.unwrap_or(ErrorKind::WouldBlock).into()),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut pipes = self.0.0.borrow_mut();
        if pipes.is_full {
            return Err(ErrorKind::WouldBlock.into());
        }
        pipes.written.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Wire {
    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A chat, its loop, and a clock that goes when it is told to.
pub(crate) struct World {
    pub(crate) hub: Hub<Wire, Chat>,
    pub(crate) now: Now,
}

impl World {
    pub(crate) fn new(limits: &Limits) -> World {
        let now = Now { monotonic: Instant::now(), wall: SystemTime::now() };
        let settings = Settings { greet_after: None, ..Settings::default() };
        let mut hub = Hub::new(Chat::new(settings), limits, now);
        hub.serve_probes(1000);
        World { hub, now }
    }

    /// Connects to a listener of this label; `web`: as a browser, and `proxied`: as one behind a
    /// proxy.
    pub(crate) fn connect(&mut self, label: &str) -> End {
        let end = End::default();
        let stream = Wire(end.clone());
        let peer = Peer::new(Origin::Addr(SocketAddr::from(([192, 0, 2, 1], 4000))), label);
        match label {
            "metrics" => self.hub.open_probe(stream, peer.origin),
            "web" | "proxied" => drop(self.hub.open_web(stream, &peer, label == "proxied")),
            _ => drop(self.hub.open(stream, &peer)),
        }
        self.turn();
        end
    }

    /// A turn in which all there are may have something to read.
    pub(crate) fn turn(&mut self) {
        for slot in 0..64 {
            self.hub.mark_readable(slot);
        }
        self.hub.turn(self.now);
        self.hub.end_turn(self.now);
        self.hub.take_closed().for_each(drop);
    }

    pub(crate) fn say(&mut self, end: &End, bytes: impl AsRef<[u8]>) {
        end.0.borrow_mut().to_read.extend(bytes.as_ref());
        self.turn();
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.turn();
    }
}
