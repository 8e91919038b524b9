//! Who is in which room, and who speaks there.

/// Clients, dealt out to rooms like cards: neighbours come one after the other, so
/// that those who share a room lie apart in the server's memory.
#[derive(Clone, Copy)]
pub(crate) struct Rooms {
    clients: usize,
    count: usize,
}

/// The name of a room.
pub(crate) fn name(room: usize) -> String {
    format!("room-{room}")
}

impl Rooms {
    /// At most as many rooms as clients, so that nobody speaks to an empty one.
    pub(crate) fn new(clients: usize, count: usize) -> Rooms {
        Rooms { clients, count: count.clamp(1, clients) }
    }

    pub(crate) fn clients(self) -> usize {
        self.clients
    }

    pub(crate) fn count(self) -> usize {
        self.count
    }

    /// The room of a client.
    pub(crate) fn of(self, id: usize) -> usize {
        id % self.count
    }

    /// How many clients are in a room.
    pub(crate) fn members(self, room: usize) -> usize {
        (self.clients - room).div_ceil(self.count)
    }

    /// Those who speak, equally many in each room: `wanted` of them altogether, but
    /// at least one a room, and nobody twice.
    ///
    /// They are spread over all clients: side by side they would all be served at
    /// once, and whether a server happens to come round to that place earlier would
    /// decide how many lines share a send.
    pub(crate) fn speakers(self, wanted: usize) -> Vec<usize> {
        let mut speakers = Vec::new();
        for room in 0..self.count {
            let members = self.members(room);
            let here = wanted.div_ceil(self.count).min(members);
            let apart = members / here;
            let place = |speaker| (room + speaker * apart) % members;
            speakers.extend((0..here).map(|speaker| room + place(speaker) * self.count));
        }
        speakers
    }
}
