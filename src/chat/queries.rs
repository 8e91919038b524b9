//! Queries: `/who`, `/rooms`, `/time`, `/stats`.

use std::cmp::Reverse;
use std::fmt::Write;

use super::name::Shown;
use super::reply::{self, Span};
use super::room::RoomNo;
use super::state::Chat;
use super::time::timestamp;
use super::user::User;
use crate::net::conn::ConnId;
use crate::net::metrics::Exposition;
use crate::net::outbox::Outbox;

/// The most names that `/who` lists, and the most rooms that `/rooms` lists.
pub(super) const LISTED_MAX: usize = 100;

/// With fewer connections, memory for each cannot be told from other memory.
const FEW: usize = 100;

impl Chat {
    pub(super) fn who(&mut self, id: ConnId, room: Option<&str>, out: &mut Outbox) {
        let own = self.users.get(id).map(|user| user.room);
        let Some(number) = room.map_or(own, |name| self.rooms.find(name)) else {
            return self.reply(id, reply::no_room_called(room.unwrap_or("")), out);
        };
        let room = self.rooms.get(number);
        let asker = self.silent_in(number, id);
        let count = self.count_in(number, id);
        let mut list = format!("{count} in {}", room.name());
        let mut separator = ": ";
        let announced = room.announced().flatten().filter_map(|id| self.users.get(*id));
        // Of a crowd not all are looked at: only some are listed.
        let most = if room.is_crowd() { LISTED_MAX } else { count };
        let mut users: Vec<&User> = announced.chain(asker).take(most).collect();
        users.sort_by_cached_key(|user| place(user.shown()));
        for user in users.into_iter().take(LISTED_MAX) {
            write!(list, "{separator}{}", user.shown()).expect("a String takes everything");
            separator = ", ";
        }
        if count > LISTED_MAX {
            write!(list, " and {} more", count - LISTED_MAX).expect("a String takes everything");
        }
        if room.len() > count {
            let silent = room.len() - count;
            write!(list, " (and {silent} silent)").expect("a String takes everything");
        }
        self.reply(id, reply::who(&list), out);
    }

    /// How many users of a room are counted: those who were announced, and the asker.
    fn count_in(&self, room: RoomNo, asker: ConnId) -> usize {
        let announced: usize = self.rooms.get(room).announced().map(<[_]>::len).sum();
        announced + usize::from(self.silent_in(room, asker).is_some())
    }

    /// The asker, if they are in this room and not announced.
    fn silent_in(&self, room: RoomNo, asker: ConnId) -> Option<&User> {
        self.users.get(asker).filter(|user| user.room == room && !user.is_announced())
    }

    pub(super) fn list_rooms(&mut self, id: ConnId, out: &mut Outbox) {
        let counted = |room| (Reverse(self.count_in(room, id)), self.rooms.get(room).name());
        let mut rooms: Vec<_> = self.rooms.numbers().map(counted).collect();
        // Sorts only what is listed.
        if rooms.len() > LISTED_MAX {
            rooms.select_nth_unstable(LISTED_MAX);
            rooms.truncate(LISTED_MAX);
        }
        rooms.sort_unstable();
        let rooms: Vec<_> =
            rooms.into_iter().map(|(count, name)| (count, name.to_owned())).collect();
        for (Reverse(count), name) in &rooms {
            self.reply(id, reply::room(name, *count), out);
        }
    }

    /// `Friday 20th of November 2026 03:17:28 PM`
    pub(super) fn show_time(&mut self, id: ConnId, out: &mut Outbox) {
        let now = timestamp(out.now()).to_zoned(self.settings.zone.clone());
        let suffix = match now.day() {
            1 | 21 | 31 => "st",
            2 | 22 => "nd",
            3 | 23 => "rd",
            _ => "th",
        };
        let (weekday, day) = (now.strftime("%A"), now.day());
        let rest = now.strftime("of %B %Y %I:%M:%S %p");
        self.reply(id, reply::time(&format!("{weekday} {day}{suffix} {rest}")), out);
    }

    /// What a monitor is told.
    pub(super) fn write_metrics(&self, metrics: &mut Exposition) {
        let gauges = [
            ("chinwag_users", "Users, guests among them.", self.users.counts().0),
            ("chinwag_rooms", "Rooms, quiet ones among them.", self.rooms.numbers().count()),
            (
                "chinwag_detached_sessions",
                "Users who were cut off, and may resume.",
                self.sessions.detached(),
            ),
            (
                "chinwag_worker_waiting",
                "Requests that wait for the worker.",
                self.request_queue.len(),
            ),
        ];
        for (name, help, value) in gauges {
            metrics.gauge(name, help, value as u64);
        }
    }

    pub(super) fn stats(&mut self, id: ConnId, out: &mut Outbox) {
        let traffic = out.traffic();
        let (count, most) = self.users.counts();
        let lines = [
            format!("Connections: {count} now, {most} at most"),
            format!(
                "Lines: {} in, {} out, {} skipped",
                self.lines_in, traffic.lines_sent, traffic.lines_shed
            ),
            format!("Queued: {} bytes", traffic.bytes_queued),
            format!("Up: {}", Span(std::time::Duration::from_secs(traffic.uptime.as_secs()))),
        ];
        for line in lines.into_iter().chain(self.upgrades.line()).chain(self.cluster_line()) {
            self.reply(id, reply::stats(&line), out);
        }
        if let Some(bytes) = self.settings.resident.and_then(|resident| resident()) {
            // Most of the memory is the program's own, however many are connected.
            let more = bytes.saturating_sub(self.resident_at_start);
            let each = match count {
                0..FEW => String::new(),
                _ => format!(", {} a connection", more / count as u64),
            };
            let line =
                format!("Memory: {bytes} bytes resident, {more} more than at the start{each}");
            self.reply(id, reply::stats(&line), out);
        }
    }
}

/// Where a user stands in lists: names in order, whatever their spelling, then guests by number.
fn place(name: Shown<'_>) -> (u32, String) {
    match name {
        Shown::Named(name) => (0, name.to_ascii_lowercase()),
        Shown::Guest(number) => (number, String::new()),
    }
}
