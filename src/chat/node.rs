//! This server as a node of a cluster: what it has appended to the log and has not got back, and
//! the users of other nodes, who are users here like all others, but for their connections.
//!
//! What it appends is in `entries.rs`, what it is told in `reports.rs`; `elsewhere.rs` has the
//! users of other nodes, `roster.rs` who is at which node, `claims.rs` who has which name,
//! `kept.rs` what outlives its users' nodes, `tokens.rs` and `resume.rs` who may come back,
//! `cut_off.rs` what holds while the log is out of reach, and `refresh.rs` when bans and accounts
//! are read again. What the log does is in [`cluster`](crate::cluster).

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
    /// What is to be appended before any operation.
    first: VecDeque<(Action, Vec<u8>, Sent)>,
    /// What was appended and is not back yet, by number.
    sent: VecDeque<(u64, Sent)>,
    /// Whether the others are owed this node's roster. It is appended once everything before it is
    /// back: so it is true at its place in the log.
    owes_roster: bool,
    /// Users of any node as whom users of this node have resumed. The others are told of these
    /// together with the roster.
    taken_over: VecDeque<(Who, UserId)>,
    is_leasing: bool,
    alone: Alone,
    others: BTreeMap<NodeId, Other>,
    /// The numbers of the last entries of other nodes. Those of nodes that are gone stay: a few
    /// bytes for each start of a server.
    seen: BTreeMap<NodeId, u64>,
    /// The users of other nodes, by their ids here.
    homes: HashMap<UserId, Who>,
    tokens: Tokens,
    /// The events with which the log has given users of any node their names. A roster as of an
    /// earlier one does not know of it.
    named_at: HashMap<UserId, u64>,
    /// The events with which users of any node were last muted or unmuted. A roster as of an earlier
    /// one does not know of it.
    muted_at: HashMap<UserId, u64>,
    /// The last event that it was told of.
    position: u64,
    /// Whether this node lacks what the others keep (`kept.rs`); and, while it accepts that from
    /// them, the event of its own entering: what they tell as of an earlier event is not accepted.
    lacks_kept: bool,
    kept_since: Option<u64>,
    /// Users who have resumed as others at another node, and as whom: entries by them or about them
    /// may still be under way.
    moved: Resumed<Who>,
    refresh: Refresh,
    /// When nodes that have sent no roster by then count as gone.
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
    /// The name that a user of this node has, claimed for them again.
    Claim(UserId, Box<str>),
    /// A name that was claimed for a user of this node, who did not get it.
    Release(UserId, Box<str>),
    /// Something that needs nothing more done when it is back.
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
    /// Names that the log gives to users who were refused them here.
    releases: Vec<(UserId, Box<str>)>,
}

enum Uncertain {
    /// A line. It is counted as unheard, unless nobody heard it here either: its speaker had resumed
    /// elsewhere.
    Said {
        is_counted: bool,
    },
    /// A claim of a name, which the user was refused here.
    Claimed(UserId, Box<str>),
    Other,
}

/// Whether what is persisted is to be read again.
#[derive(Default)]
struct Refresh {
    is_wanted: bool,
    /// The shared state was lost, and this node has not put back yet what it knows of it.
    is_lost: bool,
}

/// Another node, with its users.
#[derive(Default)]
struct Other {
    name: String,
    /// Their ids here, by their ids there.
    users: HashMap<UserId, UserId>,
    has_said_who: bool,
    /// Whether it has entered later than this node. Then what others tell of its users is out of
    /// date.
    is_newer: bool,
    /// The number of its newest user: a user with a lower number who is not known has left. `None`
    /// from when something was missed until its next roster.
    newest: Option<u32>,
    /// The last event with which one of its users left, as far as this node knows.
    left_at: u64,
    /// The users in its roster, as far as that has come.
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
            named_at: HashMap::new(),
            muted_at: HashMap::new(),
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

    /// The id that every node knows this user by.
    fn who(&self, user: UserId) -> Who {
        self.homes.get(&user).copied().unwrap_or(Who { node: self.id, user })
    }

    /// The id here of a user of any node; [`UserId::NOBODY`] if they are not known here.
    fn local(&self, who: Who) -> UserId {
        let who = self.moved.now(who);
        if who.node == self.id {
            return who.user;
        }
        let other = self.others.get(&who.node);
        other.and_then(|other| other.users.get(&who.user)).copied().unwrap_or(UserId::NOBODY)
    }

    /// Another node, which is added if it is new. Who has left it before is not known then.
    fn other(&mut self, id: NodeId) -> &mut Other {
        let left_at = self.position;
        self.others.entry(id).or_insert_with(|| Other { left_at, ..Other::default() })
    }

    /// The event with which the log has given a user their name; 0 if that is not known.
    fn named_at(&self, user: UserId) -> u64 {
        self.named_at.get(&user).copied().unwrap_or(0)
    }

    /// Whether a user was muted or unmuted after this event.
    fn is_muted_since(&self, user: UserId, as_of: u64) -> bool {
        self.muted_at.get(&user).is_some_and(|at| *at > as_of)
    }

    /// A user of another node has left it, or has resumed as another.
    fn note_left(&mut self, node: NodeId) {
        if let Some(other) = self.others.get_mut(&node) {
            other.left_at = self.position;
        }
    }

    /// Whether a user whom another node lists as of this event is there: nobody has left it since.
    fn is_there(&self, who: Who, as_of: u64) -> bool {
        self.others.get(&who.node).is_some_and(|other| as_of >= other.left_at)
    }

    /// Whether a user of any node has resumed as one of another node, where connections have other
    /// numbers.
    fn has_moved_away(&self, who: Who) -> bool {
        self.moved.all_of(who).any(|now| now.node != who.node)
    }

    /// Whether a user of another node who is not known here may be new. If not, they have left or
    /// resumed as another, and what comes was still under way.
    fn may_be_new(&self, who: Who) -> bool {
        let newest = self.others.get(&who.node).and_then(|other| other.newest);
        let is_newer = newest.is_none_or(|newest| who.user.number > newest);
        who.node != self.id && is_newer && !self.moved.has(who)
    }
}
