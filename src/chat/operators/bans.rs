//! Operators' bans: requested, in force once they are persisted, listed, lifted.

use std::collections::{BTreeMap, HashSet};
use std::mem;
use std::time::Duration;

use log::warn;

use crate::chat::ban::{Ban, Target};
use crate::chat::ban_list::Bans;
use crate::chat::name::listed;
use crate::chat::operation::Effect;
use crate::chat::queries::LISTED_MAX;
use crate::chat::reply::{self, Why};
use crate::chat::request::{Persisted, Request};
use crate::chat::room::RoomNo;
use crate::chat::state::Chat;
use crate::chat::time::{end, timestamp};
use crate::chat::user::User;
use crate::chat::user_id::UserId;
use crate::net::conn::ConnId;
use crate::net::network::Network;
use crate::net::outbox::Outbox;

impl Chat {
    /// Requests a ban. A connected user is banned by name and by address, unless it is a loopback
    /// address, which many users may share.
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
        let target_user = self.users.find(text);
        if let Some((_, user)) = target_user.filter(|(_, user)| self.is_operator(user)) {
            let name = user.shown().to_string();
            return self.reply(id, reply::is_operator(&name), out);
        }
        let target = match target_user {
            Some((conn, user)) => self.target_of(conn, user),
            None => text.parse().ok().filter(is_plain),
        };
        let target = match (target, target_user) {
            (Some(target), _) => target,
            (None, Some(_)) => return self.reply(id, reply::nothing_to_ban(text), out),
            (None, None) => return self.reply(id, reply::ban_unfit(text), out),
        };
        if let Some(covers) = self.covers_too_many(&target).filter(|_| !is_sure) {
            return self.reply(id, reply::ban_unsure(&target, covers), out);
        }
        let target_user = target_user.and_then(|(conn, _)| self.users.id(conn));
        let now = timestamp(out.now());
        let max = self.settings.bans_max;
        if self.bans.in_force(now).count() >= max {
            return self.reply(id, reply::bans_full(max), out);
        }
        let until = time.and_then(|time| end(now, time));
        let by = self.operator_name(id);
        let ban = Ban { target, until, by, why: why.to_owned() };
        self.request(id, Request::Ban { ban, now }, out);
        if out.is_reading_paused(id) {
            self.meant.add(id, target_user);
        }
    }

    /// The name and address to ban a connected user by.
    fn target_of(&self, conn: ConnId, user: &User) -> Option<Target> {
        let addr = self.users.addr(conn).map(|addr| addr.ip());
        let addr = addr.filter(|addr| !addr.is_loopback());
        Target::new(user.own_name(), addr.map(Network::of_one))
    }

    /// Whom a ban would keep out by mistake: all users, most of the internet, or an operator.
    fn covers_too_many(&self, target: &Target) -> Option<&'static str> {
        let network = target.network()?;
        let (mut here, mut covered) = (0, 0);
        for (conn, user) in self.users.all() {
            let Some(addr) = self.users.addr(conn) else { continue };
            let is_covered = network.contains(addr.ip());
            if self.is_operator(user) {
                if is_covered {
                    return Some("an operator's own address");
                }
                continue;
            }
            here += 1;
            covered += usize::from(is_covered);
        }
        let is_all = here == covered && covered > usize::from(network.is_one());
        (is_all || network.is_vast()).then_some("everybody")
    }

    /// A ban was persisted, and all are told.
    pub(in crate::chat) fn put_in_force(&mut self, id: Option<ConnId>, ban: Ban, out: &mut Outbox) {
        let Ban { target, until, by, why } = &ban;
        let text = format!("{target}{}", self.term(*until));
        let logged_until = until.map(|until| until.to_string());
        warn!(by, target:%, until = logged_until, reason = why; "banned");
        self.reply_to_requester(id, reply::banned(&text), out);
        let target_user = id.and_then(|id| self.meant.take(id));
        let by = id.and_then(|id| self.users.id(id)).unwrap_or(UserId::NOBODY);
        self.publish_by(by, Effect::Ban(ban, target_user), out);
    }

    /// A ban is in force, and those it applies to are disconnected.
    pub(in crate::chat) fn banned(
        &mut self,
        by: UserId,
        ban: Ban,
        target_user: Option<UserId>,
        out: &mut Outbox,
    ) {
        let asker = self.users.conn(by);
        let target_user = target_user.map(|target_user| self.resumed.now(target_user));
        let only = Bans::from_iter([ban.clone()]);
        let banned = self.expel_banned(asker, &only, &Bans::default(), target_user, out);
        // If the user has left, only their name is known.
        let name = ban.target.name().filter(|_| target_user.is_none()).unwrap_or("");
        self.withdraw(&banned, name);
        self.bans.forget_those_over(timestamp(out.now()));
        self.bans.add(ban);
    }

    /// Disconnects the users that new bans apply to, except operators. Each room gets one notice
    /// for each ban; the requester has got a reply already. `target_user` is the user a ban by name
    /// was meant for: only they are matched by name then, whatever their name is by now.
    fn expel_banned(
        &mut self,
        asker: Option<ConnId>,
        bans: &Bans,
        before: &Bans,
        target_user: Option<UserId>,
        out: &mut Outbox,
    ) -> Vec<UserId> {
        let mut notices: BTreeMap<(usize, RoomNo), Vec<String>> = BTreeMap::new();
        let mut banned = Vec::new();
        let now = timestamp(out.now());
        for (conn, user) in self.users.anywhere().filter(|(_, user)| !self.is_operator(user)) {
            let addr = self.users.addr(conn).map(|addr| addr.ip());
            let name = user.own_name().filter(|_| target_user.is_none());
            let is_meant = target_user.is_some_and(|meant| user.is(meant));
            let ban = bans.first_new(before, addr, name, now).or(is_meant.then_some(0));
            if let Some(at) = ban {
                banned.push((conn, at));
                notices.entry((at, user.room)).or_default().push(user.shown().to_string());
            }
        }
        for ((at, room), names) in notices {
            let Ban { by, why, .. } = bans.get(at);
            let were = if names.len() == 1 { "was" } else { "were" };
            let names = format!("{} {were}", listed(&names, names.len()));
            let reply = reply::were_banned(&names, by, why);
            self.notify_room(room, asker, reply, out);
        }
        for (id, at) in &banned {
            let why = self.ban_notice(bans.get(*at));
            self.expel(*id, why.trim_end(), out);
        }
        let is_banned = |name: &&str| bans.first_new(before, None, Some(name), now).is_some();
        let detached = self.users.detached().filter_map(|(_, user)| user.own_name());
        let mut detached: Vec<_> = detached.filter(is_banned).map(str::to_lowercase).collect();
        detached.sort_unstable();
        for name in detached {
            self.end_session_of(&name, out);
        }
        banned.into_iter().filter_map(|(id, _)| self.users.id(id)).collect()
    }

    /// Withdraws from history what these users said, and what was said under this name. Rooms that
    /// they alone have spoken in go.
    fn withdraw(&mut self, speakers: &[UserId], name: &str) {
        if !speakers.is_empty() || !name.is_empty() {
            let speakers: HashSet<UserId> = speakers.iter().copied().collect();
            let is_one = |speaker| speakers.contains(&self.resumed.now(speaker));
            for room in self.rooms.iter_mut() {
                room.withdraw(is_one, name);
            }
            let rooms: Vec<RoomNo> = self.rooms.numbers().collect();
            for room in rooms {
                self.rooms.drop_if_done_with(room);
            }
        }
    }

    /// What a banned peer is sent before the connection is closed. Their line ending is not known
    /// yet.
    pub(in crate::chat) fn ban_notice(&self, ban: &Ban) -> String {
        format!("You are banned{}{}\n", self.until(ban.until), Why(&ban.why))
    }

    pub(super) fn unban(&mut self, id: ConnId, text: &str, out: &mut Outbox) {
        let target = text.parse::<Target>().ok();
        let now = timestamp(out.now());
        let is_meant =
            |target: &Target| self.bans.in_force(now).any(|ban| ban.target.is_meant_by(target));
        match target.filter(is_meant) {
            Some(target) => self.request(id, Request::Unban(target), out),
            None => self.reply(id, reply::no_ban(text), out),
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
            self.reply(id, reply::ban(line), out);
        }
        match self.bans.in_force(timestamp(out.now())).count() {
            0 => self.reply(id, reply::no_bans(), out),
            count if count > LISTED_MAX => {
                self.reply(id, reply::more_bans(count - LISTED_MAX), out);
            }
            _ => {}
        }
    }

    /// Replaces the bans and accounts after a reload. Users who are newly banned are
    /// disconnected.
    pub(in crate::chat) fn reload(&mut self, persisted: Persisted, out: &mut Outbox) {
        let before = mem::take(&mut self.bans);
        let banned = self.expel_banned(None, &persisted.bans, &before, None, out);
        self.withdraw(&banned, "");
        self.forget_log_ins(&persisted.new_passwords, out);
        self.restore(persisted);
    }
}

/// Refuses `127.1` or `10.0.0.1-9`: almost an address, and hardly meant as a name.
fn is_plain(target: &Target) -> bool {
    let is_part = |byte: u8| byte.is_ascii_digit() || b".-xX".contains(&byte);
    target.name().is_none_or(|name| !name.contains('.') || !name.bytes().all(is_part))
}
