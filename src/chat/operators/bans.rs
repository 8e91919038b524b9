//! Bans by operators: asked for, put in force once they are kept, listed, lifted.

use std::collections::{BTreeMap, HashSet};
use std::mem;
use std::time::Duration;

use log::warn;

use super::reply::{OperatorReply, Why};
use super::{end, timestamp};
use crate::chat::Chat;
use crate::chat::ban::{Ban, Target};
use crate::chat::ban_list::Bans;
use crate::chat::name::listed;
use crate::chat::queries::LISTED_MAX;
use crate::chat::reply::Reply;
use crate::chat::request::{Persisted, Request};
use crate::chat::room::RoomNo;
use crate::chat::users::User;
use crate::net::conn::ConnId;
use crate::net::network::Network;
use crate::net::outbox::Outbox;

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
        let (why, is_sure) = match why.strip_suffix("yes") {
            Some(why) if why.is_empty() || why.ends_with(' ') => (why.trim_end(), true),
            _ => (why, false),
        };
        let bearer = self.users.find(text);
        if let Some(bearer) = bearer.filter(|bearer| self.is_operator(bearer)) {
            let name = bearer.shown().to_string();
            return self.reply(id, Reply::OperatorReply(OperatorReply::IsOperator(&name)), out);
        }
        let target = match bearer {
            Some(bearer) => self.target_of(bearer).ok_or(OperatorReply::Nowhere(text)),
            None => text.parse().ok().filter(is_plain).ok_or(OperatorReply::Unfit(text)),
        };
        let target = match target {
            Ok(target) => target,
            Err(act) => return self.reply(id, Reply::OperatorReply(act), out),
        };
        if let Some(holds) = self.holds_too_many(&target).filter(|_| !is_sure) {
            return self.reply(
                id,
                Reply::OperatorReply(OperatorReply::Unsure { target: &target, holds }),
                out,
            );
        }
        let bearer = bearer.map(|bearer| bearer.id);
        let now = timestamp(out.now());
        let max = self.settings.bans_max;
        if self.bans.in_force(now).count() >= max {
            return self.reply(id, Reply::OperatorReply(OperatorReply::Full(max)), out);
        }
        let until = time.and_then(|time| end(now, time));
        let by = self.operator_name(id);
        let ban = Ban { target, until, by, why: why.to_owned() };
        self.request(id, Request::Ban { ban, now }, out);
        if out.is_reading_paused(id) {
            self.meant.add(id, bearer);
        }
    }

    /// How somebody who is here is banned.
    fn target_of(&self, bearer: &User) -> Option<Target> {
        let addr = self.users.addr(bearer.id).map(|addr| addr.ip());
        let addr = addr.filter(|addr| !addr.is_loopback());
        Target::new(bearer.own_name(), addr.map(Network::of_one))
    }

    /// Whom a ban would keep out who can hardly be meant: all who are here, most of the
    /// internet, or an operator.
    fn holds_too_many(&self, target: &Target) -> Option<&'static str> {
        let network = target.network()?;
        let (mut here, mut held) = (0, 0);
        for user in self.users.all() {
            let Some(addr) = self.users.addr(user.id) else { continue };
            let is_reading_paused = network.contains(addr.ip());
            if self.is_operator(user) {
                if is_reading_paused {
                    return Some("an operator's own address");
                }
                continue;
            }
            here += 1;
            held += usize::from(is_reading_paused);
        }
        let is_all = here == held && held > usize::from(network.is_one());
        (is_all || network.is_vast()).then_some("everybody")
    }

    /// A ban is kept: from here on it holds, and whoever it is for has to go.
    pub(in crate::chat) fn put_in_force(&mut self, id: Option<ConnId>, ban: Ban, out: &mut Outbox) {
        let Ban { target, until, by, why } = &ban;
        let told = format!("{target}{}", self.term(*until));
        let logged_until = until.map(|until| until.to_string());
        warn!(by, target:%, until = logged_until, reason = why; "banned");
        self.tell_asker(id, OperatorReply::Banned(&told), out);
        let bearer = id.and_then(|id| self.meant.take(id));
        let bearer = bearer.map(|bearer| self.resumed.now(bearer));
        let only = Bans::from_iter([ban.clone()]);
        let banned = self.expel(id, &only, &Bans::default(), bearer, out);
        // Of who has gone already, only the name is known.
        let name = target.name().filter(|_| bearer.is_none()).unwrap_or("");
        self.withdraw(&banned, name);
        self.bans.forget_those_over(timestamp(out.now()));
        self.bans.add(ban);
    }

    /// Has everybody leave whom bans are for that were not there before, operators
    /// excepted: each by one of them. Whoever asked for it has read of it already. If it was
    /// for the bearer of a name, it is so whatever they are called by now, and whoever has the
    /// name.
    fn expel(
        &mut self,
        asker: Option<ConnId>,
        bans: &Bans,
        before: &Bans,
        bearer: Option<ConnId>,
        out: &mut Outbox,
    ) -> Vec<ConnId> {
        let mut told: BTreeMap<(usize, RoomNo), Vec<String>> = BTreeMap::new();
        let mut banned = Vec::new();
        let now = timestamp(out.now());
        for user in self.users.all().filter(|user| !self.is_operator(user)) {
            let addr = self.users.addr(user.id).map(|addr| addr.ip());
            let name = user.own_name().filter(|_| bearer.is_none());
            let is_meant = bearer == Some(user.id);
            let ban = bans.first_new(before, addr, name, now).or(is_meant.then_some(0));
            if let Some(at) = ban {
                banned.push(user.id);
                told.entry((at, user.room)).or_default().push(user.shown().to_string());
            }
        }
        for ((at, room), names) in told {
            let Ban { by, why, .. } = bans.get(at);
            let were = if names.len() == 1 { "was" } else { "were" };
            let names = format!("{} {were}", listed(&names, names.len()));
            let act = OperatorReply::Out { names: &names, by, why };
            self.tell_room(room, asker, act, out);
        }
        for id in &banned {
            self.disconnect(*id, out);
        }
        let is_banned = |name: &&str| bans.first_new(before, None, Some(name), now).is_some();
        let held = self.seats.held_names().filter(is_banned).map(str::to_owned);
        for name in held.collect::<Vec<_>>() {
            self.end_hold_of(&name, out);
        }
        banned
    }

    /// Nobody is shown again what these said, and what was said under this name.
    fn withdraw(&mut self, speakers: &[ConnId], name: &str) {
        if !speakers.is_empty() || !name.is_empty() {
            let speakers: HashSet<ConnId> = speakers.iter().copied().collect();
            let is_one = |speaker| speakers.contains(&self.resumed.now(speaker));
            for room in self.rooms.iter_mut() {
                room.withdraw(is_one, name);
            }
        }
    }

    /// What one who is banned reads at the door. His line ending is not known yet.
    pub(in crate::chat) fn door_notice(&self, ban: &Ban) -> String {
        format!("You are banned{}{}\n", self.until(ban.until), Why(&ban.why))
    }

    pub(super) fn unban(&mut self, id: ConnId, text: &str, out: &mut Outbox) {
        let target = text.parse::<Target>().ok();
        let now = timestamp(out.now());
        let is_meant =
            |target: &Target| self.bans.in_force(now).any(|ban| ban.target.is_meant_by(target));
        match target.filter(is_meant) {
            Some(target) => self.request(id, Request::Unban(target), out),
            None => self.reply(id, Reply::OperatorReply(OperatorReply::NoBan(text)), out),
        }
    }

    pub(super) fn list_bans(&mut self, id: ConnId, out: &mut Outbox) {
        let line = |ban: &Ban| {
            let term = self.term(ban.until);
            format!("{}{term} by {}{}", ban.target, ban.by, Why(&ban.why))
        };
        let in_force = self.bans.in_force(timestamp(out.now()));
        let lines: Vec<String> = in_force.take(LISTED_MAX).map(line).collect();
        for line in &lines {
            self.reply(id, Reply::OperatorReply(OperatorReply::Ban(line)), out);
        }
        match self.bans.in_force(timestamp(out.now())).count() {
            0 => self.reply(id, Reply::OperatorReply(OperatorReply::NoBans), out),
            count if count > LISTED_MAX => {
                self.reply(
                    id,
                    Reply::OperatorReply(OperatorReply::Extras(count - LISTED_MAX)),
                    out,
                );
            }
            _ => {}
        }
    }

    /// The same later, in place of what was in force. Whoever is banned only now has to go.
    pub(in crate::chat) fn reload(&mut self, kept: Persisted, out: &mut Outbox) {
        let before = mem::take(&mut self.bans);
        let banned = self.expel(None, &kept.bans, &before, None, out);
        self.withdraw(&banned, "");
        self.restore(kept);
    }
}

/// Not `127.1` or `10.0.0.1-9`: whoever types almost an address does not mean a name.
fn is_plain(target: &Target) -> bool {
    let is_part = |byte: u8| byte.is_ascii_digit() || b".-xX".contains(&byte);
    target.name().is_none_or(|name| !name.contains('.') || !name.bytes().all(is_part))
}
