//! Who is where: a lobby of some hundreds, talkative rooms with stalled readers, and
//! rooms of a hundred, of twenty and of four.

use std::ops::Range;

/// One client in so many never reads.
const STALLED_SHARE: usize = 20;

/// Stalled readers in a talkative room, and as many who read. They sit where so much is
/// said that their queues fill long before the soak ends.
const STALLED_IN_ROOM: usize = 50;

/// One client in so many stays in the lobby: three hundred of ten thousand, which is a
/// crowd to the chat, where nobody is told who comes and goes.
const LOBBY_SHARE: usize = 33;

/// The other rooms, over and over until all have one. Nearly half of the clients are in
/// large ones, and most of the rooms are small.
const SIZES: [usize; 15] = [100, 20, 4, 4, 4, 20, 4, 4, 20, 4, 4, 4, 20, 4, 4];

/// The lobby is the first of the rooms.
pub(crate) const LOBBY: usize = 0;

/// The name of a client.
pub(crate) fn client_name(id: usize) -> String {
    format!("u{id:05}")
}

/// A room, and who is at home there.
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) members: Range<usize>,
    /// Who of them never reads.
    stalled: Range<usize>,
}

/// All rooms. It never changes: who has left comes back to the same.
pub(crate) struct Plan {
    pub(crate) places: Vec<Place>,
    homes: Vec<usize>,
    talkative: usize,
}

impl Place {
    pub(crate) fn is_talkative(&self) -> bool {
        !self.stalled.is_empty()
    }

    /// Somebody who reads, and whose past the room can be given by.
    pub(crate) fn founder(&self) -> usize {
        self.members.end - 1
    }
}

impl Plan {
    pub(crate) fn new(clients: usize) -> Plan {
        let mut plan = Plan { places: Vec::new(), homes: Vec::new(), talkative: 0 };
        plan.add("lobby", clients.div_ceil(LOBBY_SHARE), 0);
        let stalled = clients / STALLED_SHARE;
        plan.talkative = stalled.div_ceil(STALLED_IN_ROOM).max(1);
        for room in 0..plan.talkative {
            let here = stalled * (room + 1) / plan.talkative - stalled * room / plan.talkative;
            plan.add(&format!("loud-{room}"), 2 * here.max(1), here);
        }
        for (room, size) in SIZES.into_iter().cycle().enumerate() {
            let missing = clients - plan.homes.len();
            if missing == 0 {
                break;
            }
            plan.add(&format!("room-{room}"), size.min(missing), 0);
        }
        plan
    }

    fn add(&mut self, name: &str, size: usize, stalled: usize) {
        let first = self.homes.len();
        self.homes.resize(first + size, self.places.len());
        let (members, stalled) = (first..first + size, first..first + stalled);
        self.places.push(Place { name: name.to_owned(), members, stalled });
    }

    pub(crate) fn clients(&self) -> usize {
        self.homes.len()
    }

    /// The rooms that are talkative; they come first after the lobby.
    pub(crate) fn talkative(&self) -> Range<usize> {
        LOBBY + 1..LOBBY + 1 + self.talkative
    }

    pub(crate) fn home(&self, id: usize) -> usize {
        self.homes[id]
    }

    pub(crate) fn is_stalled(&self, id: usize) -> bool {
        self.places[self.homes[id]].stalled.contains(&id)
    }

    /// What a client says when it comes. What answers the last line ends the answer to
    /// the one before, which has as many lines as it likes.
    pub(crate) fn arrival(&self, id: usize) -> String {
        let name = client_name(id);
        match self.home(id) {
            LOBBY => format!("REGISTER {name}\n/join lobby\n/up done\n"),
            home => format!("REGISTER {name}\n/join {}\n/up done\n", self.places[home].name),
        }
    }
}
