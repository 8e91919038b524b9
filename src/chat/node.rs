//! This server as a node of a cluster: what it has appended to the log and has not got back, and
//! the users of other nodes, who are users here like all others, but for their connections.
//!
//! What it appends is in `entries.rs`, what it is told in `reports.rs`; `elsewhere.rs` has the
//! users of other nodes, `roster.rs` who is here, `claims.rs` whose names are whose, `kept.rs`
//! what nobody of them has, `tokens.rs` and `resume.rs` who may come back,
//! `cut_off.rs` what holds while the log is out of reach, and `refresh.rs` when bans and accounts are
//! read again. What the log does is in [`cluster`](crate::cluster).

mod claims;
mod cut_off;
mod elsewhere;
mod entries;
mod hand_over;
mod kept;
mod message;
mod refresh;
mod reports;
mod resume;
mod roster;
mod tokens;
mod who;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Instant;

use super::operation::Operation;
use super::resumed::Resumed;
use super::user_id::UserId;
use crate::cluster::{Action, NodeId};
use tokens::Tokens;
use who::Who;

/// What a node knows of itself and of the others.
pub(super) struct Node {
    id: NodeId,
    /// What its operator calls it.
    name: String,
    stage: Stage,
    /// The number of the last entry.
    last_number: u64,
    /// What is appended before any operation.
    first: VecDeque<(Action, Vec<u8>, Sent)>,
    /// What was appended and is not back, by number.
    sent: VecDeque<(u64, Sent)>,
    /// Whether the others are to be told who is here, once all that was appended is back: then the
    /// roster is true at its place in the log.
    owes_roster: bool,
    /// Who was taken over, by which users of this node: the others are told then as well.
    taken_over: VecDeque<(Who, UserId)>,
    is_leasing: bool,
    alone: Alone,
    others: BTreeMap<NodeId, Other>,
    /// The numbers of the last entries of other nodes, also of those that are gone: a few bytes for
    /// each start of a server.
    seen: BTreeMap<NodeId, u64>,
    /// The users of other nodes, by their ids here.
    homes: HashMap<UserId, Who>,
    tokens: Tokens,
    /// The last event that it was told of.
    position: u64,
    /// Whether it may not know what the others keep, and the event since which it does know what
    /// becomes of that: its own entering. Until then it takes nothing of it.
    lacks_kept: bool,
    kept_since: Option<u64>,
    /// Who was taken over at another node: what they did just before may be under way, as may what
    /// is for them.
    moved: Resumed<Who>,
    refresh: Refresh,
    /// When nodes that have not said who is there are taken to be gone.
    rosters_due: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It has not entered yet.
    Entering,
    Inside,
    /// The log is out of reach.
    CutOff,
}

/// What was appended.
enum Sent {
    Operation(Operation),
    /// A user of this node keeps the name that they have.
    Claim(UserId, Box<str>),
    /// A user of this node has not got the name that was claimed for them.
    Release(UserId, Box<str>),
    /// What nobody here waits for.
    Other,
}

/// What happened while the log was out of reach.
#[derive(Default)]
struct Alone {
    /// Entries that took effect here alone, by number. Some may be in the log.
    uncertain: VecDeque<(u64, Uncertain)>,
    /// Lines said here that have not reached the others, as far as is known.
    unheard: u64,
    /// Whether the others were told that this node is gone.
    was_gone: bool,
    /// Names that the log has for users who were refused them.
    releases: Vec<(UserId, Box<str>)>,
}

enum Uncertain {
    Said,
    /// A user has not got the name that was claimed for them.
    Claimed(UserId, Box<str>),
    Other,
}

/// Whether what is persisted is to be read again.
#[derive(Default)]
struct Refresh {
    is_wanted: bool,
    /// The worker is reading. What changes meanwhile may not be in what it has read.
    is_reading: bool,
    /// What the servers share has been lost, and what this node knows was not put back yet.
    is_lost: bool,
}

/// Another node, with its users.
#[derive(Default)]
struct Other {
    name: String,
    /// By their ids there, their ids here.
    users: HashMap<UserId, UserId>,
    has_said_who: bool,
    /// Whether it has entered, perhaps again, since this node has: of what was before that, nothing
    /// that others say of it counts.
    is_newer: bool,
    /// The number of its newest user: who has a lower one and is not known has left. `None` until
    /// it has said who is there, as long as nothing of it was missed.
    newest: Option<u32>,
    /// Who was in its roster so far.
    listed: HashSet<UserId>,
}

impl Node {
    pub(super) fn new(id: NodeId) -> Node {
        Node {
            id,
            name: String::new(),
            stage: Stage::Entering,
            last_number: 0,
            first: VecDeque::new(),
            sent: VecDeque::new(),
            owes_roster: false,
            taken_over: VecDeque::new(),
            is_leasing: false,
            alone: Alone::default(),
            others: BTreeMap::new(),
            seen: BTreeMap::new(),
            homes: HashMap::new(),
            tokens: Tokens::default(),
            position: 0,
            lacks_kept: true,
            kept_since: None,
            moved: Resumed::default(),
            refresh: Refresh::default(),
            rosters_due: None,
        }
    }

    pub(super) fn id(&self) -> NodeId {
        self.id
    }

    /// A user of any node, for every server.
    fn who(&self, user: UserId) -> Who {
        self.homes.get(&user).copied().unwrap_or(Who { node: self.id, user })
    }

    /// The id here of a user of any node. One who is not known here has an id that is nobody's.
    fn local(&self, who: Who) -> UserId {
        let who = self.moved.now(who);
        if who.node == self.id {
            return who.user;
        }
        let other = self.others.get(&who.node);
        other.and_then(|other| other.users.get(&who.user)).copied().unwrap_or(UserId::NOBODY)
    }

    /// Whether a user of another node may not have been here before. Whoever is not known and not
    /// new has left, or is somebody else by now, and what is told of them was under way.
    fn may_be_new(&self, who: Who) -> bool {
        let newest = self.others.get(&who.node).and_then(|other| other.newest);
        let is_newer = newest.is_none_or(|newest| who.user.number > newest);
        who.node != self.id && is_newer && !self.moved.has(who)
    }
}
