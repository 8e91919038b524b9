//! What a link leaves to whoever goes on from there: the program that takes the place of this one,
//! or itself.

use std::time::{Instant, SystemTime};

use super::script::Place;
use crate::cluster::{Entry, NodeId};
use crate::net::timeouts::Now;
use crate::pack::{Damaged, Packer, Unpacker, impl_pack};

/// A link that has been stopped: with it the node stays there, and has lost nothing.
pub(super) struct Stopped {
    pub(super) node: NodeId,
    /// The epochs that the node has last entered with, and that the chat knows of.
    pub(super) epoch: u64,
    pub(super) known_epoch: u64,
    pub(super) era: u64,
    /// How far the chat has been told.
    pub(super) place: Place,
    pub(super) past: Option<(Place, Place)>,
    pub(super) must_enter: bool,
    pub(super) is_cut_off: bool,
    /// The chat has not been told yet that the node was cut off.
    pub(super) owes_cut_off: bool,
    /// What may not be in the log yet, each with its epoch.
    pub(super) queue: Vec<(u64, Entry)>,
}

impl Stopped {
    /// Without a head: what it becomes a part of says the format.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut packer = Packer::without_head(now());
        packer.put(self);
        packer.finish()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Stopped, Damaged> {
        let mut from = Unpacker::without_head(bytes, now());
        let stopped = from.get()?;
        from.finish()?;
        Ok(stopped)
    }
}

/// There are no times in it.
fn now() -> Now {
    Now { monotonic: Instant::now(), wall: SystemTime::now() }
}

impl_pack! {
    struct Stopped {
        node, epoch, known_epoch, era, place, past, must_enter, is_cut_off, owes_cut_off, queue,
    }
}

impl_pack! {
    struct Entry { number, action, payload }
}
