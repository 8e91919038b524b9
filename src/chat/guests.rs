//! Guest numbers: each guest gets the lowest free one.

use crate::pack::{Damaged, Pack, Packer, Unpacker};
use std::collections::BTreeSet;

/// Which guest has which number.
#[derive(Default)]
pub(super) struct Guests {
    /// The holders of numbers 1, 2 and so on, by their index among the users; the last is never
    /// `None`.
    holders: Vec<Option<u32>>,
    /// The free numbers among them.
    free: BTreeSet<u32>,
}

impl Guests {
    /// Gives a user the lowest free number.
    pub(super) fn add(&mut self, user: u32) -> u32 {
        let number = self.free.pop_first().unwrap_or_else(|| {
            self.holders.push(None);
            u32::try_from(self.holders.len()).expect("there are fewer guests than slots")
        });
        self.holders[number as usize - 1] = Some(user);
        number
    }

    pub(super) fn remove(&mut self, number: u32) {
        self.holders[number as usize - 1] = None;
        self.free.insert(number);
        while let Some(None) = self.holders.last() {
            let last = u32::try_from(self.holders.len()).expect("the numbers fit u32");
            self.free.remove(&last);
            self.holders.pop();
        }
    }

    pub(super) fn holder(&self, number: u32) -> Option<u32> {
        *self.holders.get(number as usize - 1)?
    }
}

impl Pack for Guests {
    fn pack(&self, to: &mut Packer) {
        let Guests { holders, free: _ } = self;
        to.put(holders);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Guests, Damaged> {
        let holders: Vec<Option<u32>> = from.get()?;
        let free = (1..).zip(&holders).filter(|(_, holder)| holder.is_none());
        Ok(Guests { free: free.map(|(number, _)| number).collect(), holders })
    }
}
