//! The oracle of detached sessions: who may come back, and as whom.

use std::mem;
use std::net::IpAddr;
use std::time::Duration;

use super::bus::Effect;
use super::rooms::{LOBBY, NOWHERE};
use super::{Arrival, Member, Model};
use crate::sim::rules::token;

/// What a token is good for.
pub(super) struct Session {
    token: String,
    /// The connection that it was given to.
    pub(super) who: usize,
    pub(super) detached: Option<Detached>,
}

/// One who was cut off.
pub(super) struct Detached {
    pub(super) member: Member,
    pub(super) room: String,
    pub(super) until: Duration,
}

impl Model<'_> {
    pub(super) fn give_token(&mut self, who: usize) {
        let resume_for = self.given.rules.resume_for;
        if resume_for.is_zero() {
            self.saw("names are not kept");
            return self.reply(who, "no_resume", "This server holds no names.");
        }
        self.sessions.retain(|session| session.who != who);
        self.tokens += 1;
        let token = token(self.tokens);
        let text = format!("To come back within {}: /resume {token}", span(resume_for));
        self.sessions.push(Session { token, who, detached: None });
        self.reply(who, "resume", &text);
    }

    /// The name as its bearer spells it, of one who is detached.
    pub(super) fn detached_name(&mut self, name: &str) -> Option<String> {
        let detached = self.sessions.iter();
        let detached = detached.filter_map(|it| it.detached.as_ref()?.member.name.clone());
        let leaving = self.leaving.iter().filter_map(|(member, _)| member.name.clone());
        let found = detached.chain(leaving).find(|detached| detached.eq_ignore_ascii_case(name));
        if found.is_some() {
            self.saw("a name is kept for who was cut off");
        }
        found
    }

    /// Keeps all that is somebody's for a while, if it has asked for that.
    pub(super) fn detach(&mut self, who: usize) -> bool {
        if !self.sessions.iter().any(|session| session.who == who) {
            return false;
        }
        self.make_room(who);
        let place =
            self.sessions.iter().position(|session| session.who == who).expect("it was there");
        let mut session = self.sessions.remove(place);
        let room = self.rooms.get(self.members[&who].room).name.clone();
        let member = self.take_out(who);
        let until = self.now.since + self.given.rules.resume_for;
        session.detached = Some(Detached { member, room, until });
        // The detached stand in the order in which they were cut off.
        self.sessions.push(session);
        self.saw("detached");
        true
    }

    /// Who was cut off first gives way: of those from the same address, if there are any.
    fn make_room(&mut self, who: usize) {
        let from = network(self.members[&who].addr.ip());
        let detached = self.sessions.iter().enumerate();
        let detached = detached
            .filter_map(|(place, session)| Some((place, &session.detached.as_ref()?.member)));
        let (all, detached): (Vec<_>, Vec<_>) =
            detached.map(|(place, member)| (place, (place, network(member.addr.ip())))).unzip();
        let own: Vec<_> = detached.into_iter().filter(|(_, other)| *other == from).collect();
        if own.len() >= self.given.rules.detached_per_addr {
            self.saw("a detached session gives way to one of its address");
            self.end_session(own[0].0);
        } else if all.len() >= self.given.rules.detached_max {
            self.saw("a detached session gives way to another");
            self.end_session(own.first().map_or(all[0], |(place, _)| *place));
        }
    }

    pub(super) fn end_late_sessions(&mut self, now: Duration) {
        while self.first_deadline().is_some_and(|until| until <= now) {
            self.saw("a detached session ends");
            let is_detached = |session: &Session| session.detached.is_some();
            self.end_session(
                self.sessions.iter().position(is_detached).expect("somebody is detached"),
            );
        }
    }

    fn first_deadline(&self) -> Option<Duration> {
        self.sessions.iter().find_map(|session| Some(session.detached.as_ref()?.until))
    }

    /// Somebody is not waited for any longer.
    fn end_session(&mut self, place: usize) {
        let Session { who, detached, .. } = self.sessions.remove(place);
        let Detached { member, room, .. } = detached.expect("it was looked for");
        self.leaving.push((member, room));
        self.publish(who, Effect::Leave);
    }

    pub(super) fn resume(
        &mut self,
        who: usize,
        token: String,
        seq: Option<u64>,
        epoch: Option<i64>,
    ) {
        let is_it =
            |session: &Session| session.token.eq_ignore_ascii_case(&token) && session.who != who;
        if self.sessions.iter().any(is_it) {
            return self.publish(who, Effect::Resume(token, seq, epoch));
        }
        self.saw("token unknown");
        self.reply(who, "token_unknown", "That token is not known, or no longer.");
    }

    pub(super) fn resumed(
        &mut self,
        who: usize,
        token: &str,
        seq: Option<u64>,
        epoch: Option<i64>,
    ) {
        let is_it =
            |session: &Session| session.token.eq_ignore_ascii_case(token) && session.who != who;
        let Some(place) = self.sessions.iter().position(is_it) else {
            self.saw("token unknown");
            return self.reply(who, "token_unknown", "That token is not known, or no longer.");
        };
        let Session { who: was, detached, .. } = self.sessions.remove(place);
        let (member, room) = if let Some(Detached { member, room, .. }) = detached {
            self.saw("back after being detached");
            (member, room)
        } else {
            self.saw("replaced");
            self.reply(was, "replaced", "You have been replaced by another connection.");
            self.close(was);
            let room = self.rooms.get(self.members[&was].room).name.clone();
            (self.take_out(was), room)
        };
        self.attach(who, member, &room);
        self.show_missed(who, seq, epoch);
    }

    fn attach(&mut self, who: usize, mut was: Member, room: &str) {
        self.tell_batched(who);
        if self.members[&who].arrival == Arrival::Announced {
            self.saw("back, and no longer who it was");
        }
        self.tell_departure(who);
        self.sessions.retain(|session| session.who != who);
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
