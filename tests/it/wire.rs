//! A loop that is driven by hand: streams in memory, and a clock that goes when it is told to.

use std::collections::BTreeMap;
use std::mem;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

#[cfg(feature = "tls")]
use chinwag::Certificate;
use chinwag::chat::Settings;
use chinwag::testing::Stream;
use chinwag::{Chat, Hub, Limits, Now, Origin, Packer, Peer, Tls, Unpacker};

/// A request for a WebSocket, which ends where one more header could stand.
pub(crate) const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
                       Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A chat, its loop, and a clock that goes when it is told to.
pub(crate) struct World {
    pub(crate) hub: Hub<Tls<Stream>, Chat>,
    pub(crate) now: Now,
    limits: Limits,
}

impl World {
    pub(crate) fn new(limits: &Limits) -> World {
        World::at(Now { monotonic: Instant::now(), wall: SystemTime::now() }, limits)
    }

    pub(crate) fn at(now: Now, limits: &Limits) -> World {
        let settings = Settings { greet_after: None, ..Settings::default() };
        let mut hub = Hub::new(Chat::new(settings), limits, now);
        hub.serve_probes(1000);
        World { hub, now, limits: limits.clone() }
    }

    /// Connects to a listener of this label; `web`: as a browser, and `proxied`: as one behind a
    /// proxy.
    pub(crate) fn connect(&mut self, label: &str) -> Stream {
        let end = Stream::default();
        let stream = Tls::plain(end.clone());
        let peer = Peer::new(Origin::Addr(SocketAddr::from(([192, 0, 2, 1], 4000))), label);
        match label {
            "metrics" => self.hub.open_probe(stream, peer.origin),
            "web" | "proxied" => drop(self.hub.open_web(stream, &peer, label == "proxied")),
            _ => drop(self.hub.open(stream, &peer)),
        }
        self.turn();
        end
    }

    /// Connects to a listener for TLS.
    #[cfg(feature = "tls")]
    pub(crate) fn connect_encrypted(&mut self, certificate: &Certificate) -> Stream {
        let end = Stream::default();
        let origin = Origin::Addr(SocketAddr::from(([192, 0, 2, 1], 4000)));
        let stream = Tls::encrypted(end.clone(), certificate);
        self.hub.open(stream, &Peer::new(origin, "native"));
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

    /// Another loop takes over, as at an upgrade.
    pub(crate) fn hand_over(&mut self) {
        let World { hub, now, limits } = self;
        let mut packer = Packer::new(*now);
        hub.flush_all();
        hub.take_closed().for_each(drop);
        hub.pack(&mut packer);
        let bytes = packer.finish();
        let nobody = Hub::new(Chat::new(Settings::default()), limits, *now);
        let (chat, streams) = mem::replace(hub, nobody).into_parts();
        let mut streams: BTreeMap<_, _> = streams.collect();
        let mut from = Unpacker::new(&bytes, *now).expect("it is packed here");
        let thawed = Hub::thaw(chat, limits, *now, &mut from, |slot| streams.remove(&slot));
        *hub = thawed.expect("it is packed here");
        from.finish().expect("all of it is unpacked");
        hub.serve_probes(1000);
    }

    pub(crate) fn say(&mut self, end: &Stream, bytes: impl AsRef<[u8]>) {
        end.send(bytes.as_ref());
        self.turn();
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.turn();
    }
}
