//! What whoever runs a chat decides, and the words it greets with.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::dialect::Dialect;
use super::text;

/// What a chat is like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The zone that times are told in. UTC.
    pub zone: TimeZone,
    /// Who has said nothing for so long is taken for a person, and greeted; `None`
    /// greets nobody. 2 s.
    pub greet_after: Option<Duration>,
    /// What people are greeted with. Empty: `Welcome.`
    pub motd: Motd,
    /// Lines that each room keeps. 200.
    pub history_lines: usize,
    /// Bytes of names and texts that each room keeps. 64 KiB.
    pub history_bytes: usize,
    /// Rooms at a time, the lobby included. 1024.
    pub rooms_max: usize,
    /// Whether only the named may speak to a room. No.
    pub require_name: bool,
    /// How long a name is held for who asked for it and was cut off. Zero turns `/resume`
    /// off. 2 min.
    pub resume_for: Duration,
    /// Those who are held at a time; beyond it the first is let go. 1024.
    pub held_max: usize,
    /// Those who are held at a time of one IPv4 address, or one IPv6 /64; likewise. 32.
    pub held_per_addr: usize,
    /// Users whom one user may ignore. 100.
    pub ignored_max: usize,
    /// Fills a token with bytes that nobody can guess. Without it no names are held.
    pub random: Option<fn(&mut [u8; 24])>,
    /// Resident memory in bytes, for `/stats`.
    pub resident: Option<fn() -> Option<u64>>,
    /// Gives freed memory back to the system, after a spike. An allocator that keeps none
    /// needs none.
    pub give_back: Option<fn()>,
    /// Whether there are operators: on connections of a listener labelled
    /// [`OPERATORS`](super::OPERATORS). Whoever runs the chat then takes its requests
    /// ([`Chat::next_request`](super::Chat::next_request)), as [`ChatWithWorker`](crate::ChatWithWorker) does. No.
    pub operators: bool,
    /// Whether names can be protected with passwords. Requests are then to be taken as
    /// well: [`ChatWithWorker`](crate::ChatWithWorker) does, with a [`State`](crate::State) that has the feature
    /// `accounts`. No.
    pub accounts: bool,
    /// Names that may be protected at a time. 10 000.
    pub accounts_max: usize,
    /// Names that may be protected within a day from one IPv4 address, or one IPv6 /64. 20.
    pub accounts_per_addr: usize,
    /// An account that nobody logs in to for so long after it was made goes. 30 days.
    pub accounts_unused_for: Duration,
    /// Requests that wait at a time for operators, and as many for each address: passwords that
    /// are to be checked, mostly. Further ones come to nothing. 16.
    pub waiting_max: usize,
    /// Bans in force at a time. 4096.
    pub bans_max: usize,
    /// The dialects that listeners have. Those that show addresses can be spoken
    /// nowhere else.
    pub dialects: Vec<Dialect>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            zone: TimeZone::UTC,
            greet_after: Some(Duration::from_secs(2)),
            motd: Motd::default(),
            history_lines: 200,
            history_bytes: 64 << 10,
            rooms_max: 1024,
            require_name: false,
            resume_for: Duration::from_mins(2),
            held_max: 1024,
            held_per_addr: 32,
            ignored_max: 100,
            random: None,
            resident: None,
            give_back: None,
            operators: false,
            accounts: false,
            accounts_max: 10_000,
            accounts_per_addr: 20,
            accounts_unused_for: Duration::from_hours(30 * 24),
            waiting_max: 16,
            bans_max: 4096,
            dialects: vec![Dialect::Native],
        }
    }
}

impl Settings {
    /// Whether addresses are kept: to be shown, or to count failures by.
    pub(super) fn keeps_addresses(&self) -> bool {
        self.shows_addresses() || self.operators || self.accounts
    }

    /// Whether anybody may be shown an address.
    fn shows_addresses(&self) -> bool {
        self.dialects.iter().any(|dialect| dialect.shows_addresses())
    }

    pub(super) fn offers(&self, dialect: Dialect) -> bool {
        !dialect.shows_addresses() || self.dialects.contains(&dialect)
    }
}

/// The message of the day: lines that can be replaced while the chat runs, from any
/// thread that has a clone of it.
#[derive(Clone, Debug, Default)]
pub struct Motd(Arc<RwLock<Vec<String>>>);

impl Motd {
    /// Replaces the lines. Trailing space goes, controls become what can be read.
    pub fn set(&self, text: &[u8]) {
        let lines = text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n');
        let lines: Vec<String> = match text {
            b"" => Vec::new(),
            _ => lines.map(|line| text::sanitise(line.trim_ascii_end()).into_owned()).collect(),
        };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = lines;
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
