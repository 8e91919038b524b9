//! A browser's connection to the loop, in memory: what it says in, what it is answered out.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Instant, SystemTime};

use chinwag::{ConnId, Hub, Limits, Now, Outbox, Peer, Service, Transport, Web};

/// A request that becomes a WebSocket.
pub const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[derive(Default)]
struct Pipes {
    to_read: VecDeque<u8>,
    written: Vec<u8>,
}

struct Wire(Rc<RefCell<Pipes>>);

impl Read for Wire {
    fn read(&mut self, chunk: &mut [u8]) -> io::Result<usize> {
        let count = self.0.borrow_mut().to_read.read(chunk)?;
        if count == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(count) }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().written.write(bytes)
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

/// Writes down the lines that it hears.
#[derive(Default)]
struct Recorder(Vec<Vec<u8>>);

impl Service for Recorder {
    fn on_line(&mut self, _: ConnId, line: &[u8], _: &mut Outbox) {
        self.0.push(line.to_vec());
    }
}

/// What has come of a connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What the service has heard.
    pub lines: Vec<Vec<u8>>,
    /// What the browser was sent.
    pub answer: Vec<u8>,
}

/// Says these pieces, each in a turn of its own, to a listener for browsers.
#[must_use]
pub fn converse(pieces: &[&[u8]]) -> Outcome {
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let limits = Limits { rate: None, line_max: 1 << 20, ..Limits::default() };
    let mut hub = Hub::new(Recorder::default(), &limits, now);
    let proxy = "192.0.2.1".parse().expect("it is an address");
    hub.serve_web(Web { page: "the page".to_owned(), proxies: vec![proxy], ..Web::default() });
    let pipes = Rc::new(RefCell::new(Pipes::default()));
    let slot = hub.next_slot();
    let origin = SocketAddr::from(([192, 0, 2, 1], 4000)).into();
    hub.open_web(Wire(pipes.clone()), &Peer::new(origin, ""), false);
    for piece in pieces {
        pipes.borrow_mut().to_read.extend(*piece);
        hub.mark_readable(slot);
        hub.turn(now);
        while hub.timeout(now).is_some_and(|time| time.is_zero()) {
            hub.turn(now);
        }
    }
    let answer = std::mem::take(&mut pipes.borrow_mut().written);
    Outcome { lines: hub.into_service().0, answer }
}
