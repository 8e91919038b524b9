//! Seats: the tokens with which somebody may come back at any node, whichever has given it. Every
//! node knows the digests of all, and nobody's token.

use std::collections::{HashMap, VecDeque};

use super::message::Who;
use crate::chat::name::Name;
use crate::pack::{Damaged, Pack, Packer, Unpacker};

/// What is known of a token.
pub(super) type Digest = [u8; 32];

/// All seats, by the digests of their tokens.
#[derive(Default)]
pub(super) struct Seats {
    by_digest: HashMap<Digest, Seat>,
    of: HashMap<Who, Digest>,
    /// Those of users whose node is gone, the oldest in front.
    held: VecDeque<Digest>,
}

pub(super) struct Seat {
    pub(super) who: Who,
    /// What they had, if their node is gone.
    pub(super) held: Option<Held>,
}

/// A user whose node is gone.
pub(super) struct Held {
    pub(super) name: Name,
    pub(super) room: Box<str>,
    /// By the log's clock, in milliseconds since 1970: so it is the same for every node.
    pub(super) until: i64,
}

impl Seats {
    pub(super) fn get(&self, digest: &Digest) -> Option<&Seat> {
        self.by_digest.get(digest)
    }

    /// A user has this token, or none any more.
    pub(super) fn set(&mut self, who: Who, digest: Option<Digest>) {
        self.forget(who);
        if let Some(digest) = digest {
            self.of.insert(who, digest);
            self.by_digest.insert(digest, Seat { who, held: None });
        }
    }

    pub(super) fn forget(&mut self, who: Who) {
        if let Some(digest) = self.of.remove(&who) {
            self.by_digest.remove(&digest);
            self.held.retain(|held| *held != digest);
        }
    }

    /// A user has left: the seat is lost, unless it is held for them.
    pub(super) fn leave(&mut self, who: Who) {
        let seat = self.of.get(&who).and_then(|digest| self.by_digest.get(digest));
        if seat.is_some_and(|seat| seat.held.is_none()) {
            self.forget(who);
        }
    }

    pub(super) fn hold(&mut self, who: Who, held: Held, most: usize) {
        let Some(digest) = self.of.get(&who) else { return };
        let Some(seat) = self.by_digest.get_mut(digest) else { return };
        seat.held = Some(held);
        self.held.push_back(*digest);
        while self.held.len() > most
            && let Some(oldest) = self.held.front().and_then(|oldest| self.by_digest.get(oldest))
        {
            self.forget(oldest.who);
        }
    }

    pub(super) fn take(&mut self, digest: &Digest, at: i64) -> Option<Seat> {
        let who = self.by_digest.get(digest)?.who;
        let seat = self.by_digest.remove(digest);
        self.of.remove(&who);
        self.held.retain(|held| held != digest);
        seat.filter(|seat| seat.held.as_ref().is_none_or(|held| at <= held.until))
    }
}

impl Pack for Seats {
    fn pack(&self, to: &mut Packer) {
        let Seats { by_digest, of: _, held } = self;
        to.put(by_digest).put(held);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Seats, Damaged> {
        let by_digest: HashMap<Digest, Seat> = from.get()?;
        let of = by_digest.iter().map(|(digest, seat)| (seat.who, *digest)).collect();
        Ok(Seats { by_digest, of, held: from.get()? })
    }
}

impl Pack for Seat {
    fn pack(&self, to: &mut Packer) {
        let Seat { who, held } = self;
        to.put(who).put(held);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Seat, Damaged> {
        Ok(Seat { who: from.get()?, held: from.get()? })
    }
}

impl Pack for Held {
    fn pack(&self, to: &mut Packer) {
        let Held { name, room, until } = self;
        to.put(name).put(room).put(until);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Held, Damaged> {
        Ok(Held { name: from.get()?, room: from.get()?, until: from.get()? })
    }
}
