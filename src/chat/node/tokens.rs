//! The tokens with which users may come back at any node, whichever gave the token. Every node
//! knows the digests of all tokens, and only its own tokens themselves.

use std::collections::{HashMap, VecDeque};

use super::who::Who;
use crate::chat::mute::Mute;
use crate::chat::name::Name;
use crate::chat::user_id::UserId;
use crate::cluster::NodeId;
use crate::pack::{Damaged, Pack, Packer, Unpacker, impl_pack};

/// What is known of a token.
pub(in crate::chat) type Digest = [u8; 32];

/// All tokens, by their digests.
#[derive(Default)]
pub(super) struct Tokens {
    by_digest: HashMap<Digest, Token>,
    of: HashMap<Who, Digest>,
    /// The tokens of users whose node is gone, the oldest in front.
    held: VecDeque<Digest>,
    /// Tokens that were used before this node heard of them.
    taken: Vec<Taken>,
}

/// A token that was used. What other nodes tell as of an earlier event still calls it good.
pub(super) struct Taken {
    /// The event with which it was used.
    pub(super) at: u64,
    pub(super) digest: Digest,
    /// The name of the user who had it.
    pub(super) name: Option<Box<str>>,
    /// Who has used it.
    pub(super) by: Who,
}

/// How many are remembered.
const TAKEN_MAX: usize = 1 << 10;

#[derive(Clone)]
pub(in crate::chat) struct Token {
    pub(super) who: Who,
    /// What is kept of the user, if their node is gone.
    pub(super) held: Option<Held>,
}

/// What is kept of a user whose node is gone.
pub(in crate::chat) struct Held {
    /// Their id here; [`UserId::NOBODY`] if they were never known here.
    pub(super) user: UserId,
    pub(super) name: Name,
    pub(super) room: Box<str>,
    pub(super) away: Option<Box<str>>,
    pub(super) mute: Option<Mute>,
    pub(super) ignores: Vec<Who>,
    /// By the log's clock, in milliseconds since 1970: so it is the same for every node.
    pub(super) until: i64,
}

impl Clone for Held {
    fn clone(&self) -> Held {
        let (name, room, away) = (self.name.shown().into(), self.room.clone(), self.away.clone());
        Held { name, room, away, ignores: self.ignores.clone(), ..*self }
    }
}

impl Tokens {
    pub(super) fn get(&self, digest: &Digest) -> Option<&Token> {
        self.by_digest.get(digest)
    }

    /// The token of a user.
    pub(super) fn of(&self, who: Who) -> Option<Digest> {
        self.of.get(&who).copied()
    }

    /// A user has this token, or none any more. Returns whether they had one.
    pub(super) fn set(&mut self, who: Who, digest: Option<Digest>) -> bool {
        let had_one = self.forget(who);
        if let Some(digest) = digest {
            self.of.insert(who, digest);
            self.by_digest.insert(digest, Token { who, held: None });
        }
        had_one
    }

    fn forget(&mut self, who: Who) -> bool {
        let digest = self.of.remove(&who);
        if let Some(digest) = digest {
            self.by_digest.remove(&digest);
            self.held.retain(|held| *held != digest);
        }
        digest.is_some()
    }

    /// Forgets the tokens of the users of these nodes, also of nodes that are gone.
    pub(super) fn forget_of(&mut self, is_it: impl Fn(NodeId) -> bool) {
        let all: Vec<Who> = self.of.keys().filter(|who| is_it(who.node)).copied().collect();
        for who in all {
            self.forget(who);
        }
    }

    /// A user has left: their token is good no longer, unless it is their node that is gone.
    pub(super) fn leave(&mut self, who: Who) {
        let token = self.of.get(&who).and_then(|digest| self.by_digest.get(digest));
        if token.is_some_and(|token| token.held.is_none()) {
            self.forget(who);
        }
    }

    pub(super) fn hold(&mut self, who: Who, held: Held, most: usize) {
        let Some(digest) = self.of.get(&who) else { return };
        let Some(token) = self.by_digest.get_mut(digest) else { return };
        token.held = Some(held);
        self.held.push_back(*digest);
        while self.held.len() > most
            && let Some(oldest) = self.held.front().and_then(|oldest| self.by_digest.get(oldest))
        {
            self.forget(oldest.who);
        }
    }

    /// Those of users whose node is gone, the oldest in front.
    pub(super) fn held(&self) -> Vec<(Digest, Token)> {
        let token = |digest: &Digest| Some((*digest, self.by_digest.get(digest)?.clone()));
        self.held.iter().filter_map(token).collect()
    }

    pub(super) fn note_taken(&mut self, taken: Taken) {
        if self.taken.len() < TAKEN_MAX {
            self.taken.push(taken);
        }
    }

    /// Who has used the token of a user of this name since the event `as_of`.
    pub(super) fn taken(&self, digest: &Digest, name: Option<&str>, as_of: u64) -> Option<Who> {
        let name = name.map(str::to_lowercase);
        let is_it = |taken: &&Taken| {
            taken.at > as_of && taken.digest == *digest && taken.name.as_deref() == name.as_deref()
        };
        self.taken.iter().find(is_it).map(|taken| taken.by)
    }

    /// All rosters have come: no more news from before is expected.
    pub(super) fn forget_taken(&mut self) {
        self.taken.clear();
    }

    pub(super) fn take(&mut self, digest: &Digest, at: i64) -> Option<Token> {
        let who = self.by_digest.get(digest)?.who;
        let token = self.by_digest.remove(digest);
        self.of.remove(&who);
        self.held.retain(|held| held != digest);
        token.filter(|token| token.held.as_ref().is_none_or(|held| at <= held.until))
    }
}

impl Pack for Tokens {
    fn pack(&self, to: &mut Packer) {
        let Tokens { by_digest, of: _, held, taken } = self;
        to.put(by_digest).put(held).put(taken);
    }

    fn unpack(from: &mut Unpacker<'_>) -> Result<Tokens, Damaged> {
        let by_digest: HashMap<Digest, Token> = from.get()?;
        let of = by_digest.iter().map(|(digest, token)| (token.who, *digest)).collect();
        Ok(Tokens { by_digest, of, held: from.get()?, taken: from.get()? })
    }
}

impl_pack! {
    struct Taken { at, digest, name, by }
}

impl_pack! {
    struct Token { who, held }
}

impl_pack! {
    struct Held { user, name, room, away, mute, ignores, until }
}
