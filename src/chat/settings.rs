//! Settings of a chat, and its message of the day.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::dialect::Dialect;
use super::text;
use crate::cluster::NodeId;

/// The label of listeners for operators. Their connections speak the native dialect and have
/// commands that no other connection has.
pub const OPERATORS: &str = "op";

/// Settings of a chat.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The time zone of the times that users see. UTC.
    pub zone: TimeZone,
    /// Clients that stay silent for so long are taken for people at a terminal, and greeted;
    /// `None` greets nobody. 2 s.
    pub greet_after: Option<Duration>,
    /// The greeting. Empty: `Welcome.`
    pub motd: Motd,
    /// Lines of history that each room keeps. 200.
    pub history_lines: usize,
    /// Bytes of names and texts in the history of each room. 64 KiB.
    pub history_bytes: usize,
    /// Rooms at a time, the lobby included. 1024.
    pub rooms_max: usize,
    /// Whether users need a name to speak to a room. No.
    pub require_name: bool,
    /// How long a user who was cut off can resume, if they asked for a resume token. Zero turns
    /// `/resume` off. 2 min.
    pub resume_for: Duration,
    /// Detached sessions at a time; beyond it the oldest ends. 1024.
    pub detached_max: usize,
    /// Detached sessions at a time of one IPv4 address, or one IPv6 /64; beyond it its oldest
    /// ends. 32.
    pub detached_per_addr: usize,
    /// Users that one user may ignore. 100.
    pub ignored_max: usize,
    /// Fills a resume token with secure random bytes. Without it `/resume` is off.
    pub random: Option<fn(&mut [u8; 24])>,
    /// The SHA-256 of a resume token, by which the other servers of a cluster can tell that it is
    /// the right one, and from which nobody can find out the token. Without it a token is only
    /// known to the server that gave it.
    pub digest: Option<TokenDigest>,
    /// Resident memory in bytes, for `/stats`.
    pub resident: Option<fn() -> Option<u64>>,
    /// Returns freed memory to the system after a spike. `None` where the allocator does so
    /// itself.
    pub give_back: Option<fn()>,
    /// Whether there are operators: on connections of a listener labelled
    /// [`OPERATORS`](super::OPERATORS). The chat's owner must then carry out its requests
    /// ([`Chat::next_request`](super::Chat::next_request)), as
    /// [`ChatWithWorker`](crate::ChatWithWorker) does. No.
    pub operators: bool,
    /// Whether names can be protected with passwords. The chat's owner must then carry out its
    /// requests: [`ChatWithWorker`](crate::ChatWithWorker) does, with a [`State`](crate::State)
    /// that has the feature `accounts`. No.
    pub accounts: bool,
    /// Names that may be protected at a time. 10 000.
    pub accounts_max: usize,
    /// Names that may be protected within a day from one IPv4 address, or one IPv6 /64. 20.
    pub accounts_per_addr: usize,
    /// An account that nobody logs in to within this time after it was made expires. 30 days.
    pub accounts_unused_for: Duration,
    /// Waiting requests of operators, and of each address; mostly passwords to be checked.
    /// Further ones are refused. 16.
    pub waiting_max: usize,
    /// Bans in force at a time. 4096.
    pub bans_max: usize,
    /// When what others must know takes effect. At once.
    pub bus: Bus,
    /// The dialects of the listeners. Dialects that show addresses are offered only if they are
    /// among them.
    pub dialects: Vec<Dialect>,
}

/// Calculates the digest of a resume token, by which a node knows it that does not know the token
/// itself.
pub type TokenDigest = fn(&[u8; 24]) -> [u8; 32];

/// When what a user does takes effect, if others must know of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bus {
    /// At once.
    #[default]
    AtOnce,
    /// Once the owner of the chat has carried it ([`Chat::next_operation`],
    /// [`Chat::apply`](super::Chat::apply)), so that several servers can agree on one order.
    /// [`ChatWithWorker`](crate::ChatWithWorker) carries none.
    ///
    /// [`Chat::next_operation`]: super::Chat::next_operation
    Carried,
    /// Once it is back from the log of a cluster, of which this chat is the node with this id
    /// ([`Chat::next_entry`](super::Chat::next_entry), [`Chat::report`](super::Chat::report)).
    Log(NodeId),
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
            detached_max: 1024,
            detached_per_addr: 32,
            ignored_max: 100,
            random: None,
            digest: None,
            resident: None,
            give_back: None,
            operators: false,
            accounts: false,
            accounts_max: 10_000,
            accounts_per_addr: 20,
            accounts_unused_for: Duration::from_hours(30 * 24),
            waiting_max: 16,
            bans_max: 4096,
            bus: Bus::AtOnce,
            dialects: vec![Dialect::Native],
        }
    }
}

impl Settings {
    /// Whether addresses are kept: to show them, or to count wrong passwords by them.
    pub(super) fn keeps_addresses(&self) -> bool {
        self.shows_addresses() || self.operators || self.accounts
    }

    /// Whether a dialect shows addresses to users.
    fn shows_addresses(&self) -> bool {
        self.dialects.iter().any(|dialect| dialect.shows_addresses())
    }

    /// Whether clients may choose a dialect: those that show addresses only where a listener has
    /// them.
    #[must_use]
    pub fn offers(&self, dialect: Dialect) -> bool {
        !dialect.shows_addresses() || self.dialects.contains(&dialect)
    }
}

/// The message of the day. Any thread that has a clone can replace it while the chat runs.
#[derive(Clone, Debug, Default)]
pub struct Motd(Arc<RwLock<Vec<String>>>);

impl Motd {
    /// Replaces the lines. Trailing spaces are removed, control characters are made visible.
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
