//! The oracle of users' preferences: what they see, and how.

use super::bus::Effect;
use super::format::{DIALECTS, Dialect};
use super::{Member, Model, Sort};

impl Model<'_> {
    pub(super) fn ignore(&mut self, who: usize, name: &str) {
        let Some(target) = self.find(name) else { return self.no_one(who, name) };
        if target == who {
            self.saw("ignores itself");
            return self.reply(who, "ignoring_self", "You cannot ignore yourself.");
        }
        let shown = self.members[&target].shown();
        let most = self.given.rules.ignored_max;
        let mut ignores = self.members[&who].ignores.clone();
        if ignores.len() >= most && !ignores.contains(&target) {
            let Some(gone) = ignores.iter().position(|one| !self.members.contains_key(one)) else {
                self.saw("ignores too many");
                let text = format!("You ignore {most} already, as many as you may.");
                return self.reply(who, "ignoring_too_many", &text);
            };
            self.saw("ignores another instead of one who is gone");
            ignores.remove(gone);
        }
        if !ignores.contains(&target) {
            ignores.push(target);
        }
        self.member(who).ignores = ignores;
        self.reply(who, "ignoring", &format!("Ignoring {shown}."));
    }

    pub(super) fn unignore(&mut self, who: usize, name: &str) {
        let Some(target) = self.find(name) else { return self.no_one(who, name) };
        let shown = self.members[&target].shown();
        if self.members[&who].ignores.contains(&target) {
            self.saw("ignores no longer");
        }
        self.member(who).ignores.retain(|one| *one != target);
        self.reply(who, "not_ignoring", &format!("No longer ignoring {shown}."));
    }

    /// From now on this connection is who `was` another: whoever ignores the one or the other
    /// ignores it, also in what was said before.
    pub(super) fn pass_on(&mut self, was: &mut Member, who: usize) {
        was.ignores.retain(|one| *one != who);
        for member in self.everybody().filter(|member| member.ignores.contains(&was.who)) {
            member.ignores.retain(|one| *one != was.who && *one != who);
            member.ignores.push(who);
        }
        for writer in self.everybody().map(|member| &mut member.writer) {
            *writer = writer.map(|writer| if writer == was.who { who } else { writer });
        }
        self.rooms.pass_on(was.who, who);
        for operation in &mut self.under_way {
            if let Effect::Whisper { to, .. } = &mut operation.effect
                && *to == was.who
            {
                *to = who;
            }
            if operation.by == was.who {
                operation.by = who;
            }
        }
    }

    /// Those who are here and those who are detached.
    pub(super) fn everybody(&mut self) -> impl Iterator<Item = &mut Member> {
        let detached = self.sessions.iter_mut().filter_map(|session| session.detached.as_mut());
        let detached = detached.map(|detached| &mut detached.member);
        let leaving = self.leaving.iter_mut().map(|(member, _)| member);
        self.members.values_mut().chain(detached).chain(leaving)
    }

    pub(super) fn notices(&mut self, who: usize, on: bool) {
        if !has_notices(self.members[&who].dialect) {
            self.saw("no notices in this dialect");
            return self.reply(who, "no_notices", "This dialect has no notices.");
        }
        self.take_notices(who, on);
        self.reply(who, "notices", if on { "Notices on." } else { "Notices off." });
    }

    pub(super) fn choose_dialect(&mut self, who: usize, name: &str) {
        let known = DIALECTS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let Some((known, dialect)) = known else {
            return self.send_text(who, "", Sort::Line);
        };
        self.take_notices(who, false);
        self.member(who).dialect = dialect;
        self.take_notices(who, has_notices(dialect));
        self.member(who).echo = dialect != Dialect::Fork;
        self.saw(match dialect {
            Dialect::Native => "chooses native",
            Dialect::Recipe => "chooses recipe",
            Dialect::Tutorial => "chooses tutorial",
            Dialect::Fork => "chooses fork",
            Dialect::Json => "chooses json",
        });
        self.reply(who, "dialect", &format!("Dialect: {known}"));
    }
}

fn has_notices(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Native | Dialect::Tutorial | Dialect::Json)
}
