//! The offsets into a log are 32 bits long and wrap. No simulated chat says that much,
//! so this one service does: four gigabytes, to two readers of whom one is always behind.

use std::cell::Cell;
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;
use std::time::{Instant, SystemTime};

use chinwag::{ConnId, Hub, Limits, LogId, Now, Origin, Outbox, Peer, Service, Transport};

/// Of no size that divides four gigabytes, so that a line stands across the wrap.
const LINE: usize = 1_000_003;

/// Everything that is said repeats this many bytes, so that each place has its own.
const PERIOD: usize = 251;

/// Says the next line to everybody at each tick.
struct Loud {
    members: Vec<ConnId>,
    said: usize,
    text: Vec<u8>,
}

impl Service for Loud {
    fn on_open(&mut self, id: ConnId, _: &Peer<'_>, _: &mut Outbox) {
        self.members.push(id);
    }

    fn on_line(&mut self, _: ConnId, _: &[u8], _: &mut Outbox) {}

    fn on_tick(&mut self, out: &mut Outbox) {
        let line = &self.text[self.said % PERIOD..][..LINE];
        out.send_all(LogId::of(0), self.members.iter().copied(), line);
        self.said += LINE;
    }
}

/// Takes everything, and compares it with what is to come next.
struct Checked {
    taken: Rc<Cell<usize>>,
    text: Vec<u8>,
}

impl Read for Checked {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::WouldBlock.into())
    }
}

impl Write for Checked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = &bytes[..bytes.len().min(LINE)];
        let expected = &self.text[self.taken.get() % PERIOD..][..bytes.len()];
        assert!(bytes == expected, "something else came at {}", self.taken.get());
        self.taken.set(self.taken.get() + bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Checked {
    fn shutdown_write(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_shared_log_goes_on_where_its_offsets_wrap() {
    let text: Vec<u8> = (0..=u8::MAX).take(PERIOD).cycle().take(LINE + PERIOD).collect();
    let limits = Limits::default().with(|it| it.write_budget = 1);
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let service = Loud { members: Vec::new(), said: 0, text: text.clone() };
    let mut hub = Hub::new(service, &limits, now);
    let peer = Peer::new(Origin::Unix, "native");
    let readers = [Rc::new(Cell::new(0)), Rc::new(Cell::new(0))];
    for taken in &readers {
        hub.open(Checked { taken: taken.clone(), text: text.clone() }, &peer);
    }
    let lines = (1 << 32) / LINE + 2;
    for _ in 0..lines {
        hub.wake();
        hub.turn(now);
    }
    while hub.timeout(now).is_some() {
        hub.turn(now);
    }
    for taken in readers {
        assert_eq!(taken.get(), lines * LINE);
    }
}
