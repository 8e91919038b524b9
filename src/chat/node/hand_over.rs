//! A node, as an upgrade hands it over. For the others it stays the same node.

use super::{Alone, Node, Other, Refresh, Sent, Stage, Uncertain};
use crate::chat::user_id::UserId;
use crate::pack::{Damaged, Pack, Packer, Unpacker, impl_pack};

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
            named_at,
            muted_at,
            position,
            lacks_kept,
            kept_since: _,
            moved,
            refresh,
            rosters_due,
        } = self;
        to.put(id).put(name).put(stage).put(last_number).put(alone).put(tokens).put(moved);
        to.put(position).put(lacks_kept).put(named_at).put(muted_at);
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
        (node.named_at, node.muted_at) = (from.get()?, from.get()?);
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

impl_pack! {
    enum Stage { 0 => Entering, 1 => Inside, 2 => CutOff }
    else "stage of a node"
}

impl_pack! {
    enum Sent {
        0 => Operation(operation),
        1 => Claim(user, name),
        2 => Other,
        3 => Release(user, name),
    }
    else "entry"
}

impl_pack! {
    struct Alone { uncertain, unheard, was_gone, releases }
}

// The next program reads the bans and accounts again in any case.
impl_pack! {
    struct Refresh { is_lost; is_wanted = true }
}

impl_pack! {
    enum Uncertain { 0 => Said { is_counted }, 1 => Claimed(user, name), 2 => Other }
    else "entry that took effect"
}

impl_pack! {
    struct Other { name, users, has_said_who, is_newer, newest, left_at, listed }
}
