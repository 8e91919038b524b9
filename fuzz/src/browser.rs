//! A browser's connection to the loop, in memory: what it says in, what it is answered out.

use std::net::{IpAddr, SocketAddr};
use std::time::{Instant, SystemTime};

use chinwag::testing::{Stream, run_until_idle};
use chinwag::{ConnId, Hub, Limits, Network, Now, Outbox, Peer, Service, Web};

/// A request that becomes a WebSocket.
pub const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

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
    let limits = Limits::default().with(|it| {
        it.rate = None;
        it.line_max = 1 << 20;
    });
    let mut hub = Hub::new(Recorder::default(), &limits, now);
    let proxy = Network::of_one(IpAddr::from([192, 0, 2, 1]));
    hub.serve_web(Web { page: "the page".to_owned(), proxies: vec![proxy], ..Web::default() });
    let browser = Stream::default();
    let slot = hub.next_slot();
    let origin = SocketAddr::from(([192, 0, 2, 1], 4000)).into();
    hub.open_web(browser.clone(), &Peer::new(origin, ""), false);
    for piece in pieces {
        browser.send(piece);
        hub.mark_readable(slot);
        run_until_idle(&mut hub, now);
    }
    Outcome { answer: browser.receive(), lines: hub.into_service().0 }
}
