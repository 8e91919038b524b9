//! A node, as an upgrade hands it over. For the others it stays the same node.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{Alone, Node, Other, Refresh, Sent, Stage, Uncertain};
use crate::chat::operation::Operation;
use crate::chat::user_id::UserId;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

impl Pack for Node {
    fn pack(&self, to: &mut Packer) {
        let Node {
            id,
            name,
            stage,
            last_number,
            first,
            sent,
            owes_roster,
            taken_over,
            is_leasing,
            alone,
            others,
            seen,
            homes: _,
            tokens,
            position,
            lacks_kept,
            kept_since: _,
            moved,
            refresh,
            rosters_due,
        } = self;
        to.put(id).put(name).put(stage).put(last_number).put(alone).put(tokens).put(moved);
        to.put(position).put(lacks_kept);
        to.put(rosters_due).put(owes_roster).put(taken_over).put(is_leasing).put(refresh);
        to.put(&first.len());
        for (action, payload, sent) in first {
            to.put(action).put(payload).put(sent);
        }
        to.put(&sent.len());
        for (number, sent) in sent {
            to.put(number).put(sent);
        }
        to.put(&seen.len());
        for (id, number) in seen {
            to.put(id).put(number);
        }
        to.put(&others.len());
        for (id, other) in others {
            to.put(id).put(other);
        }
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Node, Damaged> {
        let mut node = Node::new(from.get()?);
        node.name = from.get()?;
        node.stage = from.get()?;
        node.last_number = from.get()?;
        node.alone = from.get()?;
        node.tokens = from.get()?;
        node.moved = from.get()?;
        (node.position, node.lacks_kept) = (from.get()?, from.get()?);
        node.rosters_due = from.get()?;
        node.owes_roster = from.get()?;
        (node.taken_over, node.is_leasing) = (from.get()?, from.get()?);
        node.refresh = from.get()?;
        for _ in 0..from.get::<usize>()? {
            node.first.push_back((from.get()?, from.get()?, from.get()?));
        }
        for _ in 0..from.get::<usize>()? {
            node.sent.push_back((from.get()?, from.get()?));
        }
        for _ in 0..from.get::<usize>()? {
            node.seen.insert(from.get()?, from.get()?);
        }
        for _ in 0..from.get::<usize>()? {
            node.others.insert(from.get()?, from.get()?);
        }
        for (id, other) in &node.others {
            let who = |user: &UserId| super::who::Who { node: *id, user: *user };
            node.homes.extend(other.users.iter().map(|(there, here)| (*here, who(there))));
        }
        Ok(node)
    }
}

impl Pack for Stage {
    fn pack(&self, to: &mut Packer) {
        to.tag(match self {
            Stage::Entering => 0,
            Stage::Inside => 1,
            Stage::CutOff => 2,
        });
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Stage, Damaged> {
        Ok(match from.tag()? {
            0 => Stage::Entering,
            1 => Stage::Inside,
            2 => Stage::CutOff,
            _ => return Err(from.wrong("stage of a node")),
        })
    }
}

impl Pack for Sent {
    fn pack(&self, to: &mut Packer) {
        match self {
            Sent::Operation(operation) => to.tag(0).put(operation),
            Sent::Claim(user, name) => to.tag(1).put(user).put(name),
            Sent::Other => to.tag(2),
            Sent::Release(user, name) => to.tag(3).put(user).put(name),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Sent, Damaged> {
        Ok(match from.tag()? {
            0 => Sent::Operation(from.get::<Operation>()?),
            1 => Sent::Claim(from.get()?, from.get()?),
            2 => Sent::Other,
            3 => Sent::Release(from.get()?, from.get()?),
            _ => return Err(from.wrong("entry")),
        })
    }
}

impl Pack for Alone {
    fn pack(&self, to: &mut Packer) {
        let Alone { uncertain, unheard, was_gone, releases } = self;
        to.put(uncertain).put(unheard).put(was_gone).put(releases);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Alone, Damaged> {
        let uncertain: VecDeque<(u64, Uncertain)> = from.get()?;
        let (unheard, was_gone) = (from.get()?, from.get()?);
        Ok(Alone { uncertain, unheard, was_gone, releases: from.get()? })
    }
}

/// The next program reads the bans and accounts again in any case.
impl Pack for Refresh {
    fn pack(&self, to: &mut Packer) {
        to.put(&self.is_lost);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Refresh, Damaged> {
        Ok(Refresh { is_wanted: true, is_reading: false, is_lost: from.get()? })
    }
}

impl Pack for Uncertain {
    fn pack(&self, to: &mut Packer) {
        match self {
            Uncertain::Said { is_counted } => to.tag(0).put(is_counted),
            Uncertain::Claimed(user, name) => to.tag(1).put(user).put(name),
            Uncertain::Other => to.tag(2),
        };
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Uncertain, Damaged> {
        Ok(match from.tag()? {
            0 => Uncertain::Said { is_counted: from.get()? },
            1 => Uncertain::Claimed(from.get()?, from.get()?),
            2 => Uncertain::Other,
            _ => return Err(from.wrong("entry that took effect")),
        })
    }
}

impl Pack for Other {
    fn pack(&self, to: &mut Packer) {
        let Other { name, users, has_said_who, is_newer, newest, listed } = self;
        to.put(name).put(users).put(has_said_who).put(is_newer).put(newest).put(listed);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Other, Damaged> {
        let (name, users): (String, HashMap<UserId, UserId>) = (from.get()?, from.get()?);
        let (has_said_who, is_newer, newest) = (from.get()?, from.get()?, from.get()?);
        let listed: HashSet<UserId> = from.get()?;
        Ok(Other { name, users, has_said_who, is_newer, newest, listed })
    }
}
