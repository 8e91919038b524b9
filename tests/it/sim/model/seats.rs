//! The oracle of seats: who may come back, and as whom.

use std::mem;
use std::net::IpAddr;
use std::time::Duration;

use super::rooms::{LOBBY, NOWHERE};
use super::{Arrival, Member, Model};
use crate::sim::rules::token;

/// What a token is good for.
pub(super) struct Seat {
    token: String,
    /// The connection that it was given to.
    pub(super) who: usize,
    pub(super) held: Option<Held>,
}

/// One who was cut off.
pub(super) struct Held {
    pub(super) member: Member,
    room: String,
    pub(super) until: Duration,
}

impl Model<'_> {
    pub(super) fn give_seat(&mut self, who: usize) {
        let held_for = self.given.rules.resume_for;
        if held_for.is_zero() {
            self.saw("names are not held");
            return self.reply(who, "no_resume", "This server holds no names.");
        }
        self.seats.retain(|seat| seat.who != who);
        self.tokens += 1;
        let token = token(self.tokens);
        let text = format!("To come back within {}: /resume {token}", span(held_for));
        self.seats.push(Seat { token, who, held: None });
        self.reply(who, "resume", &text);
    }

    pub(super) fn name_of_held(&self, name: &str) -> Option<String> {
        let mut held = self.seats.iter().filter_map(|seat| seat.held.as_ref()?.member.name.clone());
        held.find(|held| held.eq_ignore_ascii_case(name))
    }

    /// The name as its bearer spells it, of one who is held.
    pub(super) fn held_name(&mut self, name: &str) -> Option<String> {
        let found = self.name_of_held(name);
        if found.is_some() {
            self.saw("a name is held");
        }
        found
    }

    /// Holds all that is somebody's, if it has asked for that.
    pub(super) fn hold(&mut self, who: usize) -> bool {
        if !self.seats.iter().any(|seat| seat.who == who) {
            return false;
        }
        self.make_room(who);
        let place = self.seats.iter().position(|seat| seat.who == who).expect("it was there");
        let mut seat = self.seats.remove(place);
        let room = self.rooms.get(self.members[&who].room).name.clone();
        let member = self.take_out(who);
        let until = self.now.since + self.given.rules.resume_for;
        seat.held = Some(Held { member, room, until });
        // The held stand in the order in which they were cut off.
        self.seats.push(seat);
        self.saw("held");
        true
    }

    /// Who was cut off first gives way: of those from the same address, if there are any.
    fn make_room(&mut self, who: usize) {
        let from = network(self.members[&who].addr.ip());
        let held = self.seats.iter().enumerate();
        let held = held.filter_map(|(place, seat)| Some((place, &seat.held.as_ref()?.member)));
        let (all, held): (Vec<_>, Vec<_>) =
            held.map(|(place, member)| (place, (place, network(member.addr.ip())))).unzip();
        let own: Vec<_> = held.into_iter().filter(|(_, other)| *other == from).collect();
        if own.len() >= self.given.rules.held_per_addr {
            self.saw("a hold ends for one of its address");
            self.end_hold(own[0].0);
        } else if all.len() >= self.given.rules.held_max {
            self.saw("a hold ends for another");
            self.end_hold(own.first().map_or(all[0], |(place, _)| *place));
        }
    }

    pub(super) fn end_holds(&mut self, now: Duration) {
        while self.first_hold().is_some_and(|until| until <= now) {
            self.saw("a hold ends");
            let is_held = |seat: &Seat| seat.held.is_some();
            self.end_hold(self.seats.iter().position(is_held).expect("somebody is held"));
        }
    }

    fn first_hold(&self) -> Option<Duration> {
        self.seats.iter().find_map(|seat| Some(seat.held.as_ref()?.until))
    }

    /// Somebody is not waited for any longer.
    fn end_hold(&mut self, place: usize) {
        let Seat { who, held, .. } = self.seats.remove(place);
        let Held { member, room, .. } = held.expect("it was looked for");
        if let Some(room) = self.rooms.find(&room) {
            self.tell_departure_of(who, room, (&member.person(), member.arrival));
        }
    }

    pub(super) fn resume(&mut self, who: usize, token: &str, seq: Option<u64>, epoch: Option<i64>) {
        let is_it = |seat: &Seat| seat.token.eq_ignore_ascii_case(token) && seat.who != who;
        let Some(place) = self.seats.iter().position(is_it) else {
            self.saw("token unknown");
            return self.reply(who, "token_unknown", "That token is not known, or no longer.");
        };
        let Seat { who: was, held, .. } = self.seats.remove(place);
        let (member, room) = if let Some(Held { member, room, .. }) = held {
            self.saw("back after a hold");
            (member, room)
        } else {
            self.saw("replaced");
            self.reply(was, "replaced", "You have been replaced by another connection.");
            self.close(was);
            let room = self.rooms.get(self.members[&was].room).name.clone();
            (self.take_out(was), room)
        };
        self.set_down(who, member, &room);
        self.show_missed(who, seq, epoch);
    }

    fn set_down(&mut self, who: usize, mut was: Member, room: &str) {
        self.settle(who);
        if self.members[&who].arrival == Arrival::Announced {
            self.saw("back, and no longer who it was");
        }
        self.tell_departure(who);
        self.seats.retain(|seat| seat.who != who);
        let old = mem::replace(&mut self.member(who).room, NOWHERE);
        self.drop_if_done_with(old);
        let room = self.room_called(room).unwrap_or_else(|| {
            self.saw("back, and its room is gone");
            LOBBY
        });
        self.pass_on(&mut was, who);
        let member = self.member(who);
        (member.name, member.guest) = (was.name, was.guest);
        member.dialect = was.dialect;
        member.echo = was.echo;
        member.notices = was.notices;
        member.away = was.away;
        member.writer = was.writer.filter(|writer| *writer != who);
        member.ignores = was.ignores;
        member.arrival = was.arrival;
        member.room = room;
        let name = member.shown();
        self.reply(who, "renamed", &format!("You are now {name}"));
    }

    fn show_missed(&mut self, who: usize, seq: Option<u64>, epoch: Option<i64>) {
        let room = self.rooms.get(self.members[&who].room);
        let (first, next) = (room.first_kept(), room.next_seq());
        let is_stale = epoch.is_some() && epoch != room.epoch;
        let seq = seq.filter(|_| !is_stale);
        let from = match seq {
            Some(seq) => seq.saturating_add(1),
            None => first.max(next.saturating_sub(10)),
        };
        if seq.is_some() {
            self.saw("back with a number");
        }
        if is_stale {
            self.saw("back with a number of another epoch");
        }
        if from < first {
            self.saw("lines are gone");
            let gone = first - from;
            let lines = if gone == 1 { "1 line is" } else { &format!("{gone} lines are") };
            self.reply(who, "lines_gone", &format!("-- {lines} no longer kept --"));
        }
        self.recall(who, from);
    }
}

/// One address, or the first half of an IPv6 one.
fn network(addr: IpAddr) -> (bool, u128) {
    match addr {
        IpAddr::V4(addr) => (false, addr.to_bits().into()),
        IpAddr::V6(addr) => (true, addr.to_bits() >> 64),
    }
}

/// `2 m`, `1.5 s`
fn span(time: Duration) -> String {
    let millis = time.as_millis();
    match millis {
        _ if !millis.is_multiple_of(1000) => format!("{} s", time.as_secs_f64()),
        _ if millis.is_multiple_of(60_000) => format!("{} m", millis / 60_000),
        _ => format!("{} s", millis / 1000),
    }
}
