//! Bans by operators: asked for, put in force once they are kept, listed, lifted.

use std::time::Duration;

use log::warn;

use super::reply::{Act, Why};
use super::{end, timestamp};
use crate::addresses::Network;
use crate::chat::Chat;
use crate::chat::ban::{Ban, Target};
use crate::chat::lists::LISTED_MAX;
use crate::chat::name::listed;
use crate::chat::reply::Reply;
use crate::chat::request::{Kept, Request};
use crate::chat::room::RoomNo;
use crate::conn::ConnId;
use crate::outbox::Outbox;

impl Chat {
    /// Asks for a ban. A name is banned with the address that its bearer is from, unless
    /// that is this machine's own and could be everybody's.
    pub(super) fn ban(
        &mut self,
        id: ConnId,
        text: &str,
        time: Option<Duration>,
        why: &str,
        out: &mut Outbox,
    ) {
        let bearer = self.users.find(text);
        if let Some(bearer) = bearer.filter(|bearer| self.is_operator(bearer)) {
            let name = bearer.shown().to_string();
            return self.reply(id, Reply::Act(Act::IsOperator(&name)), out);
        }
        let target = match bearer {
            Some(bearer) => {
                let addr = self.users.addr(bearer.id).map(|addr| addr.ip());
                let addr = addr.filter(|addr| !addr.is_loopback() && !addr.is_unspecified());
                let name = bearer.shown().to_string();
                let own = bearer.is_named().then_some(name.as_str());
                match Target::new(own, addr.map(Network::of_one)) {
                    Some(target) => target,
                    None => return self.reply(id, Reply::Act(Act::Nowhere(&name)), out),
                }
            }
            None => match text.parse() {
                Ok(target) => target,
                Err(_) => return self.reply(id, Reply::Act(Act::Unfit(text)), out),
            },
        };
        let now = timestamp(out.now());
        let max = self.settings.bans_max;
        if self.bans.in_force(now).count() >= max {
            return self.reply(id, Reply::Act(Act::Full(max)), out);
        }
        let until = time.and_then(|time| end(now, time));
        let by = self.operator_name(id);
        let ban = Ban { target, until, by, why: why.to_owned() };
        self.request(id, Request::Ban { ban, now }, out);
    }

    /// A ban is kept: from here on it holds, and whoever it is for has to go.
    pub(in crate::chat) fn put_in_force(&mut self, id: Option<ConnId>, ban: Ban, out: &mut Outbox) {
        let Ban { target, until, by, why } = &ban;
        let told = format!("{target}{}", self.until(*until));
        let logged_until = until.map(|until| until.to_string());
        warn!(by, target:%, until = logged_until, reason = why; "banned");
        self.tell_asker(id, Act::Banned(&told), out);
        self.expel(id, &ban, out);
        let notice = self.door_notice(&ban);
        self.bans.forget_those_over(timestamp(out.now()));
        self.bans.add(ban, notice);
    }

    /// Has everybody leave whom a ban is for, operators excepted. Whoever asked for it
    /// has read of it already.
    fn expel(&mut self, asker: Option<ConnId>, ban: &Ban, out: &mut Outbox) {
        let Ban { target, by, why, .. } = ban;
        let mut rooms: Vec<(RoomNo, Vec<String>)> = Vec::new();
        let mut banned = Vec::new();
        for user in self.users.all().filter(|user| !self.is_operator(user)) {
            let is_from_there =
                self.users.addr(user.id).is_some_and(|addr| target.has_addr(addr.ip()));
            let name = user.shown().to_string();
            let is_called_so = user.is_named() && target.has_name(&name);
            if !(is_from_there || is_called_so) {
                continue;
            }
            banned.push(user.id);
            match rooms.iter_mut().find(|(room, _)| *room == user.room) {
                Some((_, names)) => names.push(name),
                None => rooms.push((user.room, vec![name])),
            }
        }
        for (room, names) in rooms {
            let were = if names.len() == 1 { "was" } else { "were" };
            let names = format!("{} {were}", listed(&names, names.len()));
            let act = Act::Out { names: &names, by, why };
            self.tell_room(room, asker, act, out);
        }
        for id in banned {
            self.let_go(id, out);
        }
        if let Some(name) = target.name() {
            self.end_hold_of(name, out);
        }
    }

    /// What one who is banned reads at the door. His line ending is not known yet.
    pub(super) fn door_notice(&self, ban: &Ban) -> String {
        format!("You are banned{}{}\n", self.until(ban.until), Why(&ban.why))
    }

    pub(super) fn unban(&mut self, id: ConnId, text: &str, out: &mut Outbox) {
        let target = text.parse::<Target>().ok();
        let now = timestamp(out.now());
        let is_meant =
            |target: &Target| self.bans.in_force(now).any(|ban| ban.target.is_meant_by(target));
        match target.filter(is_meant) {
            Some(target) => self.request(id, Request::Unban(target), out),
            None => self.reply(id, Reply::Act(Act::NoBan(text)), out),
        }
    }

    pub(super) fn list_bans(&mut self, id: ConnId, out: &mut Outbox) {
        let line = |ban: &Ban| {
            let until = ban.until.map_or(" for good".to_owned(), |until| self.until(Some(until)));
            format!("{}{until} by {}{}", ban.target, ban.by, Why(&ban.why))
        };
        let lines: Vec<String> = self.bans.in_force(timestamp(out.now())).map(line).collect();
        for line in lines.iter().take(LISTED_MAX) {
            self.reply(id, Reply::Act(Act::Ban(line)), out);
        }
        match lines.len() {
            0 => self.reply(id, Reply::Act(Act::NoBans), out),
            count if count > LISTED_MAX => {
                self.reply(id, Reply::Act(Act::More(count - LISTED_MAX)), out);
            }
            _ => {}
        }
    }

    /// The same later, in place of what was in force. Whoever is banned only now has to go.
    pub(in crate::chat) fn reload(&mut self, kept: Kept, out: &mut Outbox) {
        let before = self.bans.take();
        let now = timestamp(out.now());
        for ban in kept.bans.iter().filter(|ban| !before.contains(ban) && !ban.is_over(now)) {
            self.expel(None, ban, out);
        }
        self.load(kept);
    }
}
