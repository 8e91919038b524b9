//! The oracle of detached sessions: who may come back, and as whom.

use std::time::Duration;

use super::{Member, Model};
use crate::sim::rules::token;

/// What a token is good for.
pub(super) struct Session {
    token: String,
    /// The connection that it was given to.
    pub(super) who: usize,
    /// Who was cut off, and until when it may come back.
    detached: Option<(Member, Duration)>,
}

impl Session {
    pub(super) fn is_attached(&self) -> bool {
        self.detached.is_none()
    }

    pub(super) fn until(&self) -> Option<Duration> {
        self.detached.as_ref().map(|(_, until)| *until)
    }

    pub(super) fn member_mut(&mut self) -> Option<&mut Member> {
        self.detached.as_mut().map(|(member, _)| member)
    }
}

impl Model<'_> {
    pub(super) fn give_token(&mut self, who: usize) {
        let resume_for = self.given.rules.resume_for;
        if resume_for.is_zero() {
            self.saw("names are not kept");
            return self.reply(who, "This server holds no names.");
        }
        self.sessions.retain(|session| session.who != who);
        self.tokens += 1;
        let token = token(self.tokens);
        self.reply(who, &format!("To come back within {}: /resume {token}", span(resume_for)));
        self.sessions.push(Session { token, who, detached: None });
    }

    /// The name as its bearer spells it, of one who is detached.
    pub(super) fn detached_name(&mut self, name: &str) -> Option<String> {
        let mut detached = self.sessions.iter_mut().filter_map(Session::member_mut);
        let is_it = |own: &String| own.eq_ignore_ascii_case(name);
        let found = detached.find_map(|member| member.name.clone().filter(is_it));
        if found.is_some() {
            self.saw("a name is kept for who was cut off");
        }
        found
    }

    /// Keeps all that is somebody's for a while, if it has asked for that.
    pub(super) fn detach(&mut self, who: usize) -> bool {
        let Some(place) = self.sessions.iter().position(|session| session.who == who) else {
            return false;
        };
        let mut session = self.sessions.remove(place);
        session.detached = Some((self.take_out(who), self.now.since + self.given.rules.resume_for));
        // The detached stand in the order in which they were cut off.
        self.sessions.push(session);
        self.saw("detached");
        true
    }

    pub(super) fn end_late_sessions(&mut self, now: Duration) {
        let is_late = |session: &mut Session| session.until().is_some_and(|until| until <= now);
        let late: Vec<Session> = self.sessions.extract_if(.., is_late).collect();
        for (member, _) in late.into_iter().filter_map(|session| session.detached) {
            self.saw("a detached session ends");
            if let Some(room) = self.rooms.find(&member.room) {
                self.tell_departure(&member, &room);
            }
        }
    }

    /// Through this connection speaks from now on whose token this is.
    pub(super) fn resume(&mut self, who: usize, token: &str, seq: Option<u64>) {
        let is_it =
            |session: &Session| session.token.eq_ignore_ascii_case(token) && session.who != who;
        let Some(place) = self.sessions.iter().position(is_it) else {
            self.saw("token unknown");
            return self.reply(who, "That token is not known, or no longer.");
        };
        let Session { who: was, detached, .. } = self.sessions.remove(place);
        let member = if let Some((member, _)) = detached {
            self.saw("back after being detached");
            member
        } else {
            self.saw("replaced");
            self.reply(was, "You have been replaced by another connection.");
            self.close(was);
            self.take_out(was)
        };
        self.attach(who, member);
        self.show_missed(who, seq);
    }

    fn attach(&mut self, who: usize, mut was: Member) {
        self.tell_batched(who);
        if self.members[&who].is_announced {
            self.saw("back, and no longer who it was");
        }
        self.sessions.retain(|session| session.who != who);
        let own = self.members.remove(&who).expect("it is here");
        self.tell_departure(&own, &own.room);
        self.drop_if_done_with(&own.room);
        let room = self.rooms.find_or_make(&was.room);
        self.pass_on(&mut was, who);
        let writer = was.writer.filter(|writer| *writer != who);
        let Member { name, guest, notices, ignores, is_announced, .. } = was;
        let member = Member { name, guest, room, notices, writer, ignores, is_announced, ..own };
        let name = member.shown();
        self.members.insert(who, member);
        self.reply(who, &format!("You are now {name}"));
    }

    /// From now on this connection is who `was` another: whoever ignores the one or the other
    /// ignores it, also in what was said before.
    fn pass_on(&mut self, was: &mut Member, who: usize) {
        was.ignores.retain(|one| *one != who);
        for member in self.everybody() {
            if member.ignores.contains(&was.who) {
                member.ignores.retain(|one| *one != was.who && *one != who);
                member.ignores.push(who);
            }
            member.writer = member.writer.map(|one| if one == was.who { who } else { one });
        }
        self.rooms.pass_on(was.who, who);
    }

    fn show_missed(&mut self, who: usize, seq: Option<u64>) {
        let room = self.rooms.get(&self.members[&who].room);
        let (first, next) = (room.first_kept(), room.next_seq());
        let from = match seq {
            Some(seq) => seq.saturating_add(1),
            None => first.max(next.saturating_sub(10)),
        };
        if seq.is_some() {
            self.saw("back with a number");
        }
        if from < first {
            self.saw("lines are gone");
            let gone = first - from;
            let lines = if gone == 1 { "1 line is" } else { &format!("{gone} lines are") };
            self.reply(who, &format!("-- {lines} no longer kept --"));
        }
        self.recall(who, from);
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
