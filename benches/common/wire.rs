//! Connections without a kernel: streams that are a number, and what passes through them.
//! So a bench can have more of them than there are descriptors, and see the loop's work and memory
//! alone: a `testing::Stream` has a lock, and buffers of its own.

use chinwag::chat::Settings;
use chinwag::testing::run_until_idle;
use chinwag::{Chat, Hub, Limits, Now, Peer, Transport};
use std::cell::RefCell;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

/// The server's end of a connection; the other end of all is in one place.
pub(crate) struct Wire(u32);

/// What is typed, and what has been written.
#[derive(Default)]
struct World {
    typist: u32,
    typed: Vec<u8>,
    writes: u64,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        WORLD.with_borrow_mut(|world| {
            let count = world.typed.len().min(buffer.len());
            if count == 0 || world.typist != self.0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            buffer[..count].copy_from_slice(&world.typed[..count]);
            world.typed.drain(..count);
            Ok(count)
        })
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        WORLD.with_borrow_mut(|world| world.writes += 1);
        Ok(bytes.len())
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

/// A chat, and connections to it that take whatever is sent.
pub(crate) struct Network {
    pub(crate) hub: Hub<Wire, Chat>,
    pub(crate) now: Now,
}

impl Network {
    /// Nobody yet. Nobody is held to a rate, or greeted.
    pub(crate) fn new() -> Network {
        let now = Now { monotonic: Instant::now(), wall: SystemTime::now() };
        let settings = Settings { rooms_max: usize::MAX, greet_after: None, ..Settings::default() };
        let limits = Limits::default().with(|it| it.rate = None);
        WORLD.with_borrow_mut(|world| *world = World::default());
        Network { hub: Hub::new(Chat::new(settings), &limits, now), now }
    }

    /// One more connects, each from an address of its own.
    pub(crate) fn connect(&mut self) -> usize {
        let slot = self.hub.next_slot();
        let number = u32::try_from(slot).expect("there are few");
        let host = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + number);
        let peer = Peer::new(SocketAddr::from((host, 4000)).into(), "native");
        self.hub.open(Wire(number), &peer);
        slot
    }

    /// Somebody types this, and all that comes of it is written.
    pub(crate) fn types(&mut self, slot: usize, typed: &[u8]) {
        WORLD.with_borrow_mut(|world| {
            world.typist = u32::try_from(slot).expect("there are few");
            world.typed.extend_from_slice(typed);
        });
        self.hub.mark_readable(slot);
        run_until_idle(&mut self.hub, self.now);
    }

    /// Time passes, and what is due then happens.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now.monotonic += time;
        self.now.wall += time;
        run_until_idle(&mut self.hub, self.now);
    }
}

/// How many writes there have been since this was last asked.
pub(crate) fn take_writes() -> u64 {
    WORLD.with_borrow_mut(|world| std::mem::take(&mut world.writes))
}
