//! Two clients among many: one says a numbered line each millisecond, the other hears them, and
//! notes how long it heard nothing.

use crate::common::ask::Ask;
use crate::common::crowd::Crowd;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const PACE: Duration = Duration::from_millis(1);

/// When nothing has come for so long, what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

const TALKER: usize = 0;
const LISTENER: usize = 1;

pub(crate) struct Talker {
    crowd: Crowd,
    said: u64,
    next: Instant,
    heard: Heard,
}

/// What the listener has heard.
struct Heard {
    unfinished: Vec<u8>,
    lines: u64,
    disordered: u64,
    last: Instant,
    silence: Duration,
}

impl Talker {
    /// So many clients connect, and `enter`.
    pub(crate) fn new(
        addr: SocketAddr,
        clients: usize,
        enter: impl Fn(usize) -> Vec<Ask>,
    ) -> io::Result<Talker> {
        let mut crowd = Crowd::new()?;
        crowd.connect(addr, clients, enter)?;
        let now = Instant::now();
        let (unfinished, silence) = (Vec::new(), Duration::ZERO);
        Ok(Talker {
            crowd,
            said: 0,
            next: now,
            heard: Heard { unfinished, lines: 0, disordered: 0, last: now, silence },
        })
    }

    /// Has both go to a room of their own.
    pub(crate) fn go_aside(&mut self) -> io::Result<()> {
        self.crowd.ask(TALKER..LISTENER + 1, |_| vec![Ask::join("aside")])?;
        // The one has heard of the other.
        self.crowd.forget_unread()
    }

    /// Talks for so long.
    pub(crate) fn talk_for(&mut self, duration: Duration) -> io::Result<()> {
        let end = Instant::now() + duration;
        self.next = self.next.max(Instant::now());
        while Instant::now() < end {
            if Instant::now() >= self.next {
                self.crowd.send(TALKER, format!("{:09}\n", self.said).as_bytes())?;
                self.said += 1;
                self.next += PACE;
            }
            self.listen()?;
        }
        Ok(())
    }

    /// What has been heard so far was only to begin with.
    pub(crate) fn forget_silence(&mut self) {
        self.heard.silence = Duration::ZERO;
    }

    /// Waits for what was said last, and tells the longest time between two lines.
    pub(crate) fn finish(&mut self) -> io::Result<Duration> {
        let start = Instant::now();
        while self.heard.lines < self.said && start.elapsed() < PATIENCE {
            self.listen()?;
        }
        Ok(self.heard.silence)
    }

    /// How many clients there are, all of them connected.
    pub(crate) fn clients(&self) -> usize {
        self.crowd.len()
    }

    pub(crate) fn lost(&self) -> u64 {
        self.said.abs_diff(self.heard.lines)
    }

    pub(crate) fn disordered(&self) -> u64 {
        self.heard.disordered
    }

    /// Whoever is cut off makes that an error.
    fn listen(&mut self) -> io::Result<()> {
        let heard = &mut self.heard;
        let enter = |id, bytes: &[u8]| {
            if id == LISTENER {
                heard.enter(bytes);
            }
        };
        self.crowd.receive(enter).map(drop)
    }
}

impl Heard {
    fn enter(&mut self, bytes: &[u8]) {
        self.silence = self.silence.max(self.last.elapsed());
        self.last = Instant::now();
        self.unfinished.extend_from_slice(bytes);
        while let Some(end) = memchr::memchr(b'\n', &self.unfinished) {
            let line: Vec<u8> = self.unfinished.drain(..=end).collect();
            let wanted = format!("{:09}\n", self.lines);
            self.disordered += u64::from(!line.ends_with(wanted.as_bytes()));
            self.lines += 1;
        }
    }
}
