//! Guest numbers: each guest gets the lowest free one. Among several servers each has blocks of
//! numbers that no other has.

use crate::cluster::{GUEST_BLOCK, NodeId};
use crate::pack::{Damaged, Pack, Packer, Unpacker};
use std::collections::{BTreeSet, HashMap};

/// Numbers from here on are for guests of nodes that have used up their blocks and cannot get more.
/// They are divided into parts of this size. Each node takes the part that its id selects; most
/// likely no other node has the same.
const SPARE: u32 = 1_000_000_000;
const SPARE_EACH: u32 = 1_000_000;
const SPARE_PARTS: u64 = 3000;

/// How far above all others a number may be and still be in the dense list: other nodes choose
/// theirs.
const GAP_MAX: usize = 1 << 20;

/// No index of a user: the number is free.
const NOBODY: u32 = u32::MAX;

/// Which guest has which number.
#[derive(Default)]
pub(super) struct Guests {
    /// The holders of numbers 1, 2 and so on, by their index among the users; the last is never
    /// [`NOBODY`].
    holders: Vec<u32>,
    /// The holders of spare numbers, and of those far above all others.
    spare: HashMap<u32, u32>,
    /// The numbers that are free: of this node's blocks, or, without blocks, those below the
    /// highest one in use.
    free: BTreeSet<u32>,
    /// This node's part of the numbers, if there are others.
    part: Option<Part>,
}

/// The numbers of one node.
struct Part {
    node: NodeId,
    blocks: BTreeSet<u32>,
    /// How many spare numbers were given.
    spare: u32,
}

impl Guests {
    /// From now on guests only get numbers of this node's blocks.
    pub(super) fn share(&mut self, node: NodeId) {
        self.part = Some(Part { node, blocks: BTreeSet::new(), spare: 0 });
    }

    /// This node's blocks.
    pub(super) fn blocks(&self) -> Vec<u32> {
        self.part.iter().flat_map(|part| part.blocks.iter().copied()).collect()
    }

    /// This node has got a block.
    pub(super) fn lease(&mut self, block: u32) {
        let Some(part) = &mut self.part else { return };
        if block < SPARE / GUEST_BLOCK && part.blocks.insert(block) {
            let free = numbers(block).filter(|number| holder(&self.holders, *number).is_none());
            self.free.extend(free);
        }
    }

    /// Of its blocks this node still has only these.
    pub(super) fn keep(&mut self, blocks: &[u32]) {
        let Some(part) = &mut self.part else { return };
        part.blocks.retain(|block| blocks.contains(block));
        self.free.retain(|number| part.has(*number));
    }

    /// Whether this number may be given to another node's guest, too.
    pub(super) fn may_be_elsewhere(&self, number: u32) -> bool {
        self.part.as_ref().is_some_and(|part| number < SPARE && !part.has(number))
    }

    /// Whether there is a number for one more guest.
    pub(super) fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    /// Whether so few numbers are free that another block should be leased.
    pub(super) fn are_few(&self) -> bool {
        self.part.is_some() && self.free.len() < GUEST_BLOCK as usize / 2
    }

    /// Gives a user the lowest free number.
    pub(super) fn add(&mut self, user: u32) -> u32 {
        let number = self.next();
        self.put(number, user);
        number
    }

    fn next(&mut self) -> u32 {
        if let Some(number) = self.free.pop_first() {
            return number;
        }
        let Some(part) = &mut self.part else {
            return u32::try_from(self.holders.len() + 1).expect("there are fewer guests");
        };
        let first = u32::try_from(part.node.0 % SPARE_PARTS).expect("it is small") * SPARE_EACH;
        loop {
            let number = SPARE + first + part.spare % SPARE_EACH;
            part.spare += 1;
            if !self.spare.contains_key(&number) {
                return number;
            }
        }
    }

    /// A user has this number, perhaps because another node gave it. If two users have the same for
    /// a while, the first one counts as its holder.
    pub(super) fn put(&mut self, number: u32, user: u32) {
        self.free.remove(&number);
        if self.holder(number).is_some() {
            return;
        }
        let last = self.holders.len();
        if number >= SPARE || number as usize > last + GAP_MAX {
            self.spare.insert(number, user);
            return;
        }
        if last < number as usize {
            self.holders.resize(number as usize, NOBODY);
        }
        self.holders[number as usize - 1] = user;
    }

    /// Takes a number from a user, if it is theirs.
    pub(super) fn remove(&mut self, number: u32, user: u32) {
        if self.holder(number) != Some(user) {
            return;
        }
        if self.spare.remove(&number).is_none() {
            self.holders[number as usize - 1] = NOBODY;
        }
        if number < SPARE && self.part.as_ref().is_none_or(|part| part.has(number)) {
            self.free.insert(number);
        }
        while let Some(&NOBODY) = self.holders.last() {
            if self.part.is_none() {
                let last = u32::try_from(self.holders.len()).expect("the numbers fit u32");
                self.free.remove(&last);
            }
            self.holders.pop();
        }
    }

    pub(super) fn holder(&self, number: u32) -> Option<u32> {
        self.spare.get(&number).copied().or_else(|| holder(&self.holders, number))
    }
}

impl Part {
    fn has(&self, number: u32) -> bool {
        self.blocks.contains(&((number - 1) / GUEST_BLOCK))
    }
}

fn numbers(block: u32) -> impl Iterator<Item = u32> {
    let first = block * GUEST_BLOCK + 1;
    first..first + GUEST_BLOCK
}

fn holder(holders: &[u32], number: u32) -> Option<u32> {
    holders.get(number as usize - 1).copied().filter(|user| *user != NOBODY)
}

impl Pack for Guests {
    fn pack(&self, to: &mut Packer) {
        let Guests { holders, spare, free, part } = self;
        let free: Vec<u32> = free.iter().copied().collect();
        to.put(holders).put(spare).put(&free).put(part);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Guests, Damaged> {
        let (holders, spare) = (from.get()?, from.get()?);
        let free: Vec<u32> = from.get()?;
        Ok(Guests { holders, spare, free: free.into_iter().collect(), part: from.get()? })
    }
}

impl Pack for Part {
    fn pack(&self, to: &mut Packer) {
        let Part { node, blocks, spare } = self;
        let blocks: Vec<u32> = blocks.iter().copied().collect();
        to.put(node).put(&blocks).put(spare);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Part, Damaged> {
        let node = from.get()?;
        let blocks: Vec<u32> = from.get()?;
        Ok(Part { node, blocks: blocks.into_iter().collect(), spare: from.get()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_far_above_all_others_take_no_memory_in_between() {
        let mut guests = Guests::default();
        guests.share(NodeId(7));
        guests.put(SPARE - 1, 1);
        assert!(guests.holders.is_empty());
        assert_eq!(guests.holder(SPARE - 1), Some(1));
        guests.remove(SPARE - 1, 1);
        assert_eq!((guests.holder(SPARE - 1), guests.has_free()), (None, false));
        let last = SPARE / GUEST_BLOCK - 1;
        guests.lease(last);
        guests.lease(last + 1);
        guests.lease(u32::MAX);
        assert_eq!(guests.blocks(), [last]);
        let number = guests.add(2);
        guests.remove(number, 2);
        assert_eq!(guests.add(3), number);
    }

    #[test]
    fn each_node_gives_numbers_of_its_own_blocks() {
        let mut guests = Guests::default();
        guests.share(NodeId(7));
        assert!(guests.are_few());
        assert_eq!(guests.add(0), SPARE + 7 * SPARE_EACH, "there is no block yet");
        guests.put(65, 1);
        guests.lease(1);
        assert_eq!((guests.add(2), guests.add(3), guests.are_few()), (66, 67, false));
        guests.remove(66, 3);
        assert_eq!(guests.holder(66), Some(2), "it is another's");
        guests.remove(66, 2);
        guests.remove(65, 1);
        assert_eq!((guests.add(4), guests.holder(67)), (65, Some(3)));
        guests.put(65, 5);
        guests.remove(65, 5);
        assert_eq!((guests.holder(65), guests.add(6)), (Some(4), 66), "it is the first's still");
        assert_eq!([66, 65, SPARE].map(|number| guests.may_be_elsewhere(number)), [false; 3]);
        guests.keep(&[]);
        assert!(guests.may_be_elsewhere(65) && !guests.has_free());
        assert_eq!(guests.add(5), SPARE + 7 * SPARE_EACH + 1);
        assert_eq!(guests.blocks(), []);
    }
}
