//! Several servers, one chat: what a node and the log say to each other.
//!
//! A chat that is a node of a cluster (its [`Bus`](crate::chat::Bus)) appends [`Entry`]s to one
//! log, and each comes back as an [`Event`], to every node, in one order. What has come back is in
//! force, and nothing else. The log decides what only one place can decide: the number of a line in
//! its room, whose a name is, which guest numbers are whose, and who is still there.
//!
//! Nothing here knows Redis, or a socket. Whoever carries entries has to keep these promises:
//!
//! - An entry comes back at most once. It never comes back only if the node has been fenced
//!   ([fencing](Outcome::Entered)) or was [cut off](Report::CutOff) meanwhile. Entries of one node
//!   come back in their order.
//! - All nodes get the same events in the same order. What one of them misses is counted
//!   ([`Report::Lost`]).
//! - After [`Outcome::Gone`] nothing comes of that node until it has entered again.
//! - A node that was cut off or fenced enters again by itself, as soon as it can: it gets every
//!   event up to its own [`Outcome::Entered`], and nothing that it appended before comes after that.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use crate::net::metrics::Exposition;
use crate::pack::impl_pack;

/// Carries a node's entries to the log and reports back, for
/// [`ChatWithWorker::with_link`](crate::ChatWithWorker::with_link). Nothing here may block but what
/// says so.
pub trait Carrier: Send {
    /// Appends an entry.
    fn append(&mut self, entry: Entry);

    /// The next report, if there is one now. Whenever there is, the server is to be woken.
    fn take(&mut self) -> Option<Report>;

    /// Stops for an upgrade in place, and packs what the next program's carrier goes on from.
    /// Nothing else is called before [`Carrier::go_on`]. May block for a moment.
    fn stop(&mut self) -> Vec<u8>;

    /// There was no upgrade.
    fn go_on(&mut self);

    /// The node leaves for good: what was appended is sent, and the others are told. May block for
    /// so long.
    fn leave(&mut self, within: Duration);

    /// What a monitor is told of it.
    fn write_metrics(&self, metrics: &mut Exposition);
}

/// For a chat without a link.
impl Carrier for Infallible {
    fn append(&mut self, _: Entry) {
        match *self {}
    }

    fn take(&mut self) -> Option<Report> {
        match *self {}
    }

    fn stop(&mut self) -> Vec<u8> {
        match *self {}
    }

    fn go_on(&mut self) {
        match *self {}
    }

    fn leave(&mut self, _: Duration) {
        match *self {}
    }

    fn write_metrics(&self, _: &mut Exposition) {
        match *self {}
    }
}

/// Guest numbers in a block, of which the log leases one at a time: block 0 has the numbers 1 to 64.
pub const GUEST_BLOCK: u32 = 64;

/// Which node: a number by chance that a server takes when it starts, and keeps through upgrades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// As 16 hexadecimal digits.
impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What a node appends to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Counts the node's entries, from 1. An entry whose number is not above one that the log has
    /// of this node is not appended again.
    pub number: u64,
    /// What the log is to decide.
    pub action: Action,
    /// The rest, which the log only keeps. May be empty.
    pub payload: Vec<u8>,
}

/// What the log decides when it appends an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing. Comes back as [`Outcome::Told`].
    Tell,
    /// The next number of a line in this room, whose name is in lower case. Comes back as
    /// [`Outcome::Said`], and is kept for nodes that enter later.
    Say {
        /// The room's name, in lower case.
        room: String,
    },
    /// Whether a user gets this name: they do if nobody has it, if they have it themselves, if the
    /// node of its user is gone, or with `takes_over`. Then it comes back as [`Outcome::Claimed`],
    /// and their earlier name is free; else as [`Outcome::Taken`].
    Claim {
        /// The name, in lower case.
        name: String,
        /// The user's number at their node.
        user: u64,
        /// The name that they had until now, in lower case.
        releases: Option<String>,
        /// Whether they get it even if somebody else has it.
        takes_over: bool,
    },
    /// That this user does not have this name, if they do. Comes back as [`Outcome::Told`].
    Release {
        /// The name, in lower case.
        name: String,
        /// The user's number at their node.
        user: u64,
        /// Who has it then: a node, and the user's number there. With `None`, or if that node is
        /// gone, the name is free.
        heir: Option<(NodeId, u64)>,
    },
    /// That lines of a room get numbers above this one. Comes back as [`Outcome::Told`].
    ///
    /// Once the log has lost something its rooms get new epochs: other nodes may have shown lines
    /// with higher numbers than this one knows of.
    Raise {
        /// The room's name, in lower case.
        room: String,
        /// The number of its last line, as far as the node knows.
        seq: u64,
    },
    /// One more block of guest numbers for this node: the lowest one that no other node in the
    /// cluster has. Comes back as [`Outcome::Block`].
    LeaseGuests,
    /// Which of these blocks this node keeps after it has entered again: those that no other node
    /// has. Comes back as [`Outcome::Kept`].
    KeepGuests {
        /// The blocks.
        blocks: Vec<u32>,
    },
}

/// What is in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The position in the log. Dense within an era: 1, 2, 3 and so on.
    pub id: u64,
    /// When it was appended, in milliseconds since 1970, by the log's clock.
    pub at: i64,
    /// Whose entry it is; or who has entered, or is gone.
    pub node: NodeId,
    /// The entry's number. 0 if it is none.
    pub number: u64,
    /// What was decided.
    pub outcome: Outcome,
    /// The entry's payload; or, of [`Outcome::Entered`], what the node is called by its operator.
    pub payload: Vec<u8>,
}

/// What the log has decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everybody knows.
    Told,
    /// The line has this number.
    Said {
        /// Its number in its room, from 1.
        seq: u64,
        /// When the numbering began, in milliseconds since 1970.
        epoch: i64,
    },
    /// The user has the name.
    Claimed,
    /// Somebody else has it.
    Taken,
    /// The block is the node's.
    Block(u32),
    /// The blocks that the node keeps.
    Kept(Vec<u32>),
    /// A node has entered, perhaps again: it may have been away, and what it knows may be less than
    /// what others know.
    Entered,
    /// A node's lease has run out: none of its users are here.
    Gone,
}

/// What a node is told, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A line that was said before this node first entered: [`Outcome::Said`]. Oldest first.
    Past(Event),
    /// The next event.
    Event(Event),
    /// So many events in between are lost to this node.
    Lost(u64),
    /// The log has been out of reach for longer than the node's patience. Of the entries that have
    /// not come back some may still come, before the node's own [`Outcome::Entered`].
    CutOff,
    /// The log has lost what it knew, or some of it. What comes next is the log as it is now; the
    /// node's own [`Outcome::Entered`] will be in it.
    NewEra,
}

impl_pack! {
    struct NodeId(number)
}

impl_pack! {
    enum Action {
        0 => Tell,
        1 => Say { room },
        2 => Claim { name, user, releases, takes_over },
        3 => Release { name, user, heir },
        4 => Raise { room, seq },
        5 => LeaseGuests,
        6 => KeepGuests { blocks },
    }
    else "action"
}
