//! A user: who they are, where, and how they are reached.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;

use super::dialect::{Dialect, Format};
use super::mute::Mute;
use super::name::{Name, Shown};
use super::room::{Group, RoomNo};
use super::user_id::UserId;
use crate::net::conn::ConnId;
use crate::net::network::Network;
use crate::net::transport::Origin;
use crate::pack::impl_pack;

/// A user, connected or detached. There are many, so the record is small: what only few have is in
/// [`Extras`], and the table of users knows under which index a record is.
pub(super) struct User {
    /// The number of their id.
    number: u32,
    /// How they are reached; the slot is [`NOWHERE`] while they are detached.
    conn: ConnId,
    pub(super) name: Name,
    pub(super) room: RoomNo,
    /// Member index: their position among the room's members of the same group.
    pub(super) member_index: u32,
    pub(super) format: Format,
    /// Whether they get a copy of what they say.
    pub(super) echo: bool,
    /// Whether they get join, leave and rename notices.
    pub(super) notices: bool,
    pub(super) stage: Stage,
    pub(super) arrival: Arrival,
    /// The address that limits are counted by.
    pub(super) from: AddressKey,
    /// Their key in the table of [`Extras`], or [`NOWHERE`].
    pub(super) extras_key: u32,
}

// There is one for each connection.
const _: () = assert!(size_of::<User>() <= 48);

/// No slot, and no key.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Users of other nodes have their connection there. Here they have a stand-in, whose slot is this
/// one or higher: no socket has it, so what is sent to it is dropped, as for a closed connection.
const ELSEWHERE: u32 = 1 << 31;

/// A 16-bit hash of an address (of the /64 for IPv6). Every user has one, so it is small; one in
/// 65 536 pairs collides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct AddressKey(u16);

impl AddressKey {
    pub(super) fn of(origin: Origin) -> AddressKey {
        let mut hasher = DefaultHasher::new();
        origin.ip().map(Network::of_one).hash(&mut hasher);
        #[expect(clippy::cast_possible_truncation)] // It is a part that is wanted.
        AddressKey(hasher.finish() as u16)
    }
}

/// The stage of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// They have not sent a line yet.
    Silent {
        /// Whether the line ending in their format is the one they use themselves.
        ending_seen: bool,
    },
    Speaking,
    /// They leave on purpose, or are disconnected for good: no session is kept.
    Leaving,
}

impl Stage {
    pub(super) fn is_silent(self) -> bool {
        matches!(self, Stage::Silent { .. })
    }
}

/// Who got a notice of this user's arrival. Only they get one when the user leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Unannounced,
    /// The dialects that announce connections.
    Connected,
    /// Everybody who takes notices, even if there was nobody: the user has sent a line that
    /// others can see.
    Announced,
}

/// What few users have.
#[derive(Default)]
pub(super) struct Extras {
    /// The sender of the last private line to them, for `/reply`.
    pub(super) writer: Option<UserId>,
    pub(super) away: Option<Box<str>>,
    /// The users they ignore, and the users who ignore them.
    pub(super) ignores: Vec<UserId>,
    pub(super) ignored_by: HashSet<UserId>,
    /// The lookup key of their resume token.
    pub(super) token_key: Option<u64>,
    pub(super) mute: Option<Mute>,
    /// Whether they connected to an operators' listener.
    pub(super) is_operator: bool,
    /// Whether they logged in with their name's password.
    pub(super) has_account: bool,
    /// What is to be known of them while they have no connection.
    pub(super) detached: Option<Box<Detached>>,
}

/// A user who was cut off, and may come back.
pub(super) struct Detached {
    /// The name of their room, which may be dropped meanwhile.
    pub(super) room: Box<str>,
    /// `None` where addresses are not kept.
    pub(super) addr: Option<SocketAddr>,
}

impl User {
    /// A user who is not connected yet.
    pub(super) fn new(number: u32, name: Name, from: AddressKey, format: Format) -> User {
        User {
            number,
            conn: ConnId { slot: NOWHERE, serial: 0 },
            name,
            room: RoomNo::LOBBY,
            member_index: 0,
            format,
            echo: format.dialect.echoes(),
            notices: format.dialect.has_notices() && format.dialect != Dialect::Native,
            stage: Stage::Silent { ending_seen: false },
            arrival: Arrival::Unannounced,
            from,
            extras_key: NOWHERE,
        }
    }

    /// The connection that they are reached by.
    pub(super) fn conn(&self) -> Option<ConnId> {
        Some(self.conn).filter(|conn| conn.slot != NOWHERE)
    }

    /// Gives them another connection, or none.
    pub(super) fn set_conn(&mut self, conn: Option<ConnId>) {
        self.conn = conn.unwrap_or(ConnId { slot: NOWHERE, ..self.conn });
    }

    /// The user of another node, under their own index, gets the connection of this number there.
    pub(super) fn connect_elsewhere(&mut self, index: u32, serial: u32) {
        self.conn = ConnId { slot: ELSEWHERE + index, serial };
    }

    /// Whether their connection is at another node.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.conn().is_some_and(|conn| elsewhere_index(conn).is_some())
    }

    /// The number of the connection that they have, or had.
    pub(super) fn conn_number(&self) -> u32 {
        self.conn.serial
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    pub(super) fn is(&self, id: UserId) -> bool {
        self.number == id.number
    }

    pub(super) fn shown(&self) -> Shown<'_> {
        self.name.shown()
    }

    /// Their name, unless they are a guest.
    pub(super) fn own_name(&self) -> Option<&str> {
        self.name.as_own()
    }

    pub(super) fn is_named(&self) -> bool {
        self.own_name().is_some()
    }

    pub(super) fn is_announced(&self) -> bool {
        self.arrival == Arrival::Announced
    }

    /// Whether others may have noted their id: by being shown a line of theirs, by ignoring them,
    /// or by getting a private line.
    pub(super) fn is_known_to_others(&self) -> bool {
        self.is_announced() || self.extras_key != NOWHERE
    }

    pub(super) fn group(&self) -> Group {
        Group {
            format: self.format,
            is_announced: self.is_announced(),
            is_elsewhere: self.is_elsewhere(),
        }
    }
}

/// The index of a user whose connection is at another node.
pub(super) fn elsewhere_index(conn: ConnId) -> Option<u32> {
    conn.slot.checked_sub(ELSEWHERE).filter(|index| *index < ELSEWHERE - 1)
}

impl_pack! {
    struct User {
        number, conn, name, room, member_index, format, echo, notices, stage, arrival, from,
        extras_key,
    }
}

impl_pack! {
    struct AddressKey(network)
}

impl_pack! {
    enum Stage { 0 => Silent { ending_seen }, 1 => Speaking, 2 => Leaving }
    else "stage of a user"
}

impl_pack! {
    enum Arrival { 0 => Unannounced, 1 => Connected, 2 => Announced }
    else "arrival"
}

impl_pack! {
    struct Extras {
        writer, away, ignores, ignored_by, token_key, mute, is_operator, has_account, detached,
    }
}

impl_pack! {
    struct Detached { room, addr }
}
