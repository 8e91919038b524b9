//! The log of a cluster, in memory: it decides what is asked of it, keeps what it has decided, and
//! can lose it. Knows no node's way to it (`link.rs`). Times are milliseconds of one clock.

mod tests;

use std::collections::{BTreeMap, VecDeque};

use chinwag::cluster::{Action, Entry, Event, NodeId, Outcome};

/// What its clock shows when it begins: another time than the nodes' clocks do.
const CLOCK: i64 = 1_000_000_000_000;

/// Events that can be rolled back.
const UNDO_MAX: usize = 64;

/// The entry is of an epoch that is over, or the node's lease has run out: it has to enter again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fenced;

pub(super) struct Log {
    lease: u64,
    /// Kept events, oldest first, each with the epoch that begins with it if a node has entered.
    events: VecDeque<(Event, u64)>,
    /// Lines for nodes that enter later.
    said: VecDeque<Event>,
    said_max: usize,
    state: State,
    /// What the state was before each of the last events.
    earlier: VecDeque<State>,
    /// Counts how often the log has lost something.
    era: u64,
    /// The last event that was there when the era began.
    era_begin: u64,
    epochs: u64,
}

/// What has been decided.
#[derive(Clone, Default)]
struct State {
    last: u64,
    /// The number of the last line of each room, and the epoch of the numbering.
    seqs: BTreeMap<String, (u64, i64)>,
    names: BTreeMap<String, Owner>,
    guests: BTreeMap<u32, NodeId>,
    nodes: BTreeMap<NodeId, Lease>,
}

/// Whose a name is: the user's number at their node, and the epoch that it was claimed in.
#[derive(Clone, Copy)]
struct Owner {
    node: NodeId,
    user: u64,
    epoch: u64,
}

#[derive(Clone)]
struct Lease {
    epoch: u64,
    entered: u64,
    until: u64,
    /// The number of the last entry.
    number: u64,
}

impl Log {
    pub(super) fn new(lease: u64, said_max: usize) -> Log {
        Log {
            lease,
            events: VecDeque::new(),
            said: VecDeque::new(),
            said_max,
            state: State::default(),
            earlier: VecDeque::new(),
            era: 1,
            era_begin: 0,
            epochs: 0,
        }
    }

    /// Which era it is, and the event that it begins behind.
    pub(super) fn era(&self) -> (u64, u64) {
        (self.era, self.era_begin)
    }

    /// The last event.
    pub(super) fn last(&self) -> u64 {
        self.state.last
    }

    /// The first event that is kept, or the next one.
    pub(super) fn first(&self) -> u64 {
        self.state.last + 1 - self.events.len() as u64
    }

    /// A kept event, and the epoch that begins with it if a node has entered.
    pub(super) fn event(&self, id: u64) -> Option<&(Event, u64)> {
        self.events.get(usize::try_from(id.checked_sub(self.first())?).ok()?)
    }

    /// The lines for a node that enters now.
    pub(super) fn said(&self) -> impl Iterator<Item = &Event> {
        self.said.iter()
    }

    /// A node enters, perhaps again. Returns its epoch; earlier ones are fenced.
    pub(super) fn enter(&mut self, node: NodeId, called: &str, now: u64) -> u64 {
        self.epochs += 1;
        let (epoch, until) = (self.epochs, now + self.lease);
        let lease = Lease { epoch, entered: now, until, number: 0 };
        self.push(node, 0, Outcome::Entered, called.into(), now);
        self.state.nodes.insert(node, lease);
        self.epochs
    }

    /// A node is still there. It notices nodes that are not.
    pub(super) fn beat(&mut self, node: NodeId, epoch: u64, now: u64) -> Result<(), Fenced> {
        self.renew(node, epoch, now)?;
        let nodes = self.state.nodes.iter();
        let gone: Vec<NodeId> =
            nodes.filter(|(_, lease)| lease.until <= now).map(|(node, _)| *node).collect();
        for node in gone {
            self.end(node, now);
        }
        Ok(())
    }

    /// A node leaves for good.
    pub(super) fn leave(&mut self, node: NodeId, epoch: u64, now: u64) -> Result<(), Fenced> {
        self.renew(node, epoch, now)?;
        self.end(node, now);
        Ok(())
    }

    /// Appends an entry, unless it is there already.
    pub(super) fn append(
        &mut self,
        node: NodeId,
        epoch: u64,
        entry: Entry,
        now: u64,
    ) -> Result<(), Fenced> {
        let lease = self.renew(node, epoch, now)?;
        if entry.number <= lease.number {
            return Ok(());
        }
        let Entry { number, action, payload } = entry;
        // Whatever is decided is undone together with the event.
        let before = self.state.clone();
        let outcome = self.decide(node, action, now);
        self.push(node, number, outcome, payload, now);
        if let Some(undo) = self.earlier.back_mut() {
            *undo = before;
        }
        if let Some(lease) = self.state.nodes.get_mut(&node) {
            lease.number = number;
        }
        Ok(())
    }

    /// Fault: it begins anew, without anything.
    pub(super) fn empty(&mut self) {
        self.events.clear();
        self.said.clear();
        self.earlier.clear();
        self.state = State::default();
        self.era += 1;
        self.era_begin = 0;
    }

    /// Fault: the last events never happened. Returns how many that were.
    pub(super) fn roll_back(&mut self, count: usize) -> usize {
        let count = count.min(self.events.len()).min(self.earlier.len());
        for _ in 0..count {
            self.events.pop_back();
            self.state = self.earlier.pop_back().expect("that many are kept");
        }
        self.said.retain(|event| event.id <= self.state.last);
        self.earlier.clear();
        // Some nodes may have shown lines with numbers that would be given again.
        self.state.seqs.clear();
        self.era += 1;
        self.era_begin = self.state.last;
        count
    }

    /// Fault: only so many events are kept.
    pub(super) fn trim(&mut self, keep: usize) {
        self.events.drain(..self.events.len().saturating_sub(keep));
    }

    /// The node's lease, renewed.
    fn renew(&mut self, node: NodeId, epoch: u64, now: u64) -> Result<&Lease, Fenced> {
        let lease = self.state.nodes.get_mut(&node).ok_or(Fenced)?;
        if lease.epoch != epoch || lease.until <= now {
            return Err(Fenced);
        }
        lease.until = now + self.lease;
        Ok(lease)
    }

    fn end(&mut self, node: NodeId, now: u64) {
        self.push(node, 0, Outcome::Gone, Vec::new(), now);
        self.state.nodes.remove(&node);
        self.state.guests.retain(|_, owner| *owner != node);
    }

    fn decide(&mut self, node: NodeId, action: Action, now: u64) -> Outcome {
        let seqs = &mut self.state.seqs;
        match action {
            Action::Tell => Outcome::Told,
            Action::Say { room } => {
                let (seq, epoch) = seqs.entry(room).or_insert((0, at(now)));
                *seq += 1;
                Outcome::Said { seq: *seq, epoch: *epoch }
            }
            Action::Claim { name, user, releases, takes_over } => {
                let owner = self.owner(&name, now);
                if owner.is_some_and(|owner| owner != (node, user)) && !takes_over {
                    return Outcome::Taken;
                }
                if let Some(name) = releases {
                    self.release(&name, (node, user), now);
                }
                let epoch = self.state.nodes.get(&node).map_or(0, |lease| lease.epoch);
                self.state.names.insert(name, Owner { node, user, epoch });
                Outcome::Claimed
            }
            Action::Release { name, user, heir } => {
                if self.release(&name, (node, user), now)
                    && let Some((node, user)) = heir
                    && let Some(Lease { epoch, .. }) = self.state.nodes.get(&node)
                {
                    self.state.names.insert(name, Owner { node, user, epoch: *epoch });
                }
                Outcome::Told
            }
            Action::Raise { room, seq } => {
                let (last, _) = seqs.entry(room).or_insert((0, at(now)));
                *last = seq.max(*last);
                Outcome::Told
            }
            Action::LeaseGuests => {
                let guests = &mut self.state.guests;
                let block = (0..=u32::MAX).find(|block| !guests.contains_key(block));
                let block = block.expect("there are more numbers than nodes");
                guests.insert(block, node);
                Outcome::Block(block)
            }
            Action::KeepGuests { blocks } => Outcome::Kept(self.keep_guests(node, blocks)),
        }
    }

    /// Whose a name is: nobody's if their node is gone, or has entered anew and has not claimed it
    /// again within two leases.
    fn owner(&self, name: &str, now: u64) -> Option<(NodeId, u64)> {
        let Owner { node, user, epoch } = *self.state.names.get(name)?;
        let lease = self.state.nodes.get(&node)?;
        let is_held = epoch == lease.epoch || now <= lease.entered + 2 * self.lease;
        is_held.then_some((node, user))
    }

    /// Frees a name if this is its owner. Returns whether it is.
    fn release(&mut self, name: &str, owner: (NodeId, u64), now: u64) -> bool {
        let is_theirs = self.owner(name, now) == Some(owner);
        if is_theirs {
            self.state.names.remove(name);
        }
        is_theirs
    }

    fn keep_guests(&mut self, node: NodeId, mut blocks: Vec<u32>) -> Vec<u32> {
        blocks.retain(|block| *self.state.guests.entry(*block).or_insert(node) == node);
        blocks
    }

    fn push(&mut self, node: NodeId, number: u64, outcome: Outcome, payload: Vec<u8>, now: u64) {
        self.earlier.push_back(self.state.clone());
        if self.earlier.len() > UNDO_MAX {
            self.earlier.pop_front();
        }
        self.state.last += 1;
        let epoch = if outcome == Outcome::Entered { self.epochs } else { 0 };
        let event = Event { id: self.state.last, at: at(now), node, number, outcome, payload };
        if let Outcome::Said { .. } = event.outcome {
            self.said.push_back(event.clone());
            if self.said.len() > self.said_max {
                self.said.pop_front();
            }
        }
        self.events.push_back((event, epoch));
    }
}

fn at(now: u64) -> i64 {
    CLOCK + i64::try_from(now).expect("runs are short")
}
