//! A room with one who says something and one listener for each dialect, over a bare
//! [`Outbox`]: no loop, no streams, every byte at once.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use chinwag::chat::{Dialect, Settings};
use chinwag::{Chat, ConnId, Ending, Limits, Now, Outbox, Peer, Service, testing};

/// Who says it.
pub const SPEAKER: &str = "mallory";

/// The chat, and those in it.
pub struct Room {
    chat: Chat,
    out: Outbox,
    now: Now,
    speaker: ConnId,
    /// In the order of [`Dialect::ALL`]; each bears its dialect's name.
    listeners: Vec<ConnId>,
}

impl Room {
    /// Everybody is there and known by name, and nothing is left to be told.
    #[must_use]
    pub fn new(ending: Ending) -> Room {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_187_848);
        let now = Now { monotonic: Instant::now(), wall };
        let mut out = Outbox::new(&Limits::default(), now);
        let settings =
            Settings { greet_after: None, dialects: Dialect::ALL.into(), ..Settings::default() };
        let mut chat = Chat::new(settings);
        let mut slot = 0;
        let mut connect = |name: &str, label| {
            let id = testing::open(&mut out, slot);
            slot += 1;
            let addr = SocketAddr::from(([127, 0, 0, 1], 4000));
            chat.on_open(id, &Peer::new(addr.into(), label), &mut out);
            chat.on_ending(id, ending, &mut out);
            chat.on_line(id, format!("REGISTER {name}").as_bytes(), &mut out);
            id
        };
        let speaker = connect(SPEAKER, "native");
        let listeners =
            Dialect::ALL.iter().map(|dialect| connect(dialect.name(), dialect.name())).collect();
        let mut room = Room { chat, out, now, speaker, listeners };
        room.wait();
        room.heard_by_speaker();
        for index in 0..room.listeners.len() {
            room.heard(index);
        }
        room
    }

    /// The speaker types a line.
    pub fn say(&mut self, line: &[u8]) {
        self.chat.on_line(self.speaker, line, &mut self.out);
    }

    /// A listener types a line.
    pub fn ask(&mut self, listener: usize, line: &[u8]) {
        self.chat.on_line(self.listeners[listener], line, &mut self.out);
    }

    /// Whatever is told only after a while is told now.
    pub fn wait(&mut self) {
        while let Some(due) = self.chat.next_tick() {
            self.now.wall += due.saturating_duration_since(self.now.monotonic);
            self.now.monotonic = due.max(self.now.monotonic);
            testing::pass(&mut self.out, self.now);
            self.chat.on_tick(&mut self.out);
        }
    }

    /// What a listener has got since it was last asked.
    pub fn heard(&mut self, listener: usize) -> Vec<u8> {
        testing::take(&mut self.out, self.listeners[listener])
    }

    /// What the speaker has got since it was last asked.
    pub fn heard_by_speaker(&mut self) -> Vec<u8> {
        testing::take(&mut self.out, self.speaker)
    }
}
