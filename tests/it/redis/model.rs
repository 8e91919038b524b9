//! Random entries of three nodes beside a model of what the log decides: whatever order they come
//! in, each outcome is the one that the model has in that order.

use std::collections::{BTreeMap, BTreeSet};

use arbtest::arbitrary::{Result, Unstructured};
use chinwag::cluster::{Action, Carrier, NodeId, Outcome};

use super::links::{Node, events};
use super::server::{MINUTE, Redis};

/// What the log knows, told as simply as can be.
#[derive(Default)]
struct Model {
    rooms: BTreeMap<String, (u64, Option<i64>)>,
    names: BTreeMap<String, (NodeId, u64)>,
    blocks: BTreeMap<u32, NodeId>,
}

impl Model {
    fn decide(&mut self, node: NodeId, action: &Action, now: i64) -> Outcome {
        match action {
            Action::Tell => Outcome::Told,
            Action::Say { room } => {
                let (seq, epoch) = self.rooms.entry(room.clone()).or_default();
                *seq += 1;
                Outcome::Said { seq: *seq, epoch: *epoch.get_or_insert(now) }
            }
            Action::Claim { name, user, releases, takes_over } => {
                let own = (node, *user);
                if !takes_over && self.names.get(name).is_some_and(|owner| *owner != own) {
                    return Outcome::Taken;
                }
                if let Some(name) = releases.as_ref().filter(|it| self.names.get(*it) == Some(&own))
                {
                    self.names.remove(name);
                }
                self.names.insert(name.clone(), own);
                Outcome::Claimed
            }
            Action::Release { name, user, heir } => {
                if self.names.get(name) == Some(&(node, *user)) {
                    self.names.remove(name);
                    self.names.extend(heir.map(|heir| (name.clone(), heir)));
                }
                Outcome::Told
            }
            Action::Raise { room, seq } => {
                let room = self.rooms.entry(room.clone()).or_default();
                room.0 = room.0.max(*seq);
                room.1.get_or_insert(now);
                Outcome::Told
            }
            Action::LeaseGuests => {
                let block = (0..1000).find(|block| !self.blocks.contains_key(block)).unwrap();
                self.blocks.insert(block, node);
                Outcome::Block(block)
            }
            Action::KeepGuests { blocks } => {
                let is_free = |block: &&u32| self.blocks.get(*block).is_none_or(|it| *it == node);
                let kept: Vec<u32> = blocks.iter().filter(is_free).copied().collect();
                self.blocks.extend(kept.iter().map(|block| (*block, node)));
                Outcome::Kept(kept)
            }
        }
    }
}

fn action(u: &mut Unstructured<'_>, nodes: &[NodeId]) -> Result<Action> {
    let name = |u: &mut Unstructured<'_>| {
        u.choose(&["erin", "finn", "greta", "håns", "a b"]).map(|it| (*it).to_owned())
    };
    Ok(match u.int_in_range(0..=9)? {
        0 => Action::Tell,
        1 | 2 => Action::Say { room: name(u)? },
        3..=5 => Action::Claim {
            name: name(u)?,
            user: u.int_in_range(1..=2)?,
            releases: if u.arbitrary()? { Some(name(u)?) } else { None },
            takes_over: u.ratio(1, 5)?,
        },
        6 => {
            let heir = if u.arbitrary()? {
                Some((*u.choose(nodes)?, u.int_in_range(1..=2)?))
            } else {
                None
            };
            Action::Release { name: name(u)?, user: u.int_in_range(1..=2)?, heir }
        }
        7 => Action::Raise { room: name(u)?, seq: u.int_in_range(0..=50)? },
        8 => Action::LeaseGuests,
        _ => {
            let blocks: BTreeSet<u32> = (0..u.int_in_range(0..=4)?)
                .map(|_| u.int_in_range(0..=9))
                .collect::<Result<_>>()?;
            Action::KeepGuests { blocks: blocks.into_iter().collect() }
        }
    })
}

#[test]
fn the_log_decides_as_the_model_does() {
    let redis = Redis::start();
    let mut run = 0;
    arbtest::arbtest(|u| {
        run += 1;
        let cluster = super::links::patient(&redis).with(|it| it.cluster = format!("run{run}"));
        let mut nodes: Vec<Node> = (0..3).map(|_| Node::with(&cluster)).collect();
        let mut asked = BTreeMap::new();
        for _ in 0..u.int_in_range(0..=200)? {
            let node = u.choose_index(nodes.len())?;
            let ids: Vec<NodeId> = nodes.iter().map(Node::id).collect();
            let (action, length) = (action(u, &ids)?, u.int_in_range(0..=3000)?);
            let number = nodes[node].append_with(action.clone(), &"x".repeat(length));
            asked.insert((nodes[node].id(), number), (action, length));
            if u.ratio(1, 50)? {
                redis.ask("CLIENT KILL TYPE normal");
            }
        }
        // The first has entered first, and reads all.
        let first = &mut nodes[0];
        let count = asked.len();
        first.wait("all", |told| events(told).filter(|it| it.number > 0).count() >= count);
        let mut model = Model::default();
        for event in events(&first.told).filter(|it| it.number > 0) {
            let known = asked.remove(&(event.node, event.number));
            let (action, length) = known.expect("each comes back once");
            assert_eq!(event.outcome, model.decide(event.node, &action, event.at), "{action:?}");
            assert_eq!(event.payload.len(), length);
        }
        assert!(asked.is_empty());
        for mut node in nodes {
            node.link.leave(MINUTE);
        }
        Ok(())
    })
    .budget_ms(3000);
}
