//! The chat: all that it knows. What it does is in the files that say `impl Chat`.

use std::collections::HashMap;
use std::fmt::Display;

use super::accounts::{Accounts, Attempt, Budget};
use super::ban::Meant;
use super::ban_list::Bans;
use super::mute::Mutes;
use super::node::Node;
use super::notice_batches::{BATCH_TIME, NoticeBatches};
use super::renderer::Renderer;
use super::reply::Reply;
use super::request_queue::RequestQueue;
use super::resumed::Resumed;
use super::room::{RoomNo, Rooms};
use super::sessions::Sessions;
use super::settings::{Bus, Settings};
use super::under_way::UnderWay;
use super::upgrades::Upgrades;
use super::user_id::UserId;
use super::users::Users;
use crate::net::conn::ConnId;
use crate::net::outbox::Outbox;
use crate::net::timeouts::Timeouts;

/// The chat service.
pub struct Chat {
    pub(super) settings: Settings,
    pub(super) users: Users,
    pub(super) rooms: Rooms,
    pub(super) batches: NoticeBatches,
    pub(super) sessions: Sessions,
    pub(super) resumed: Resumed,
    /// Newcomers of the native dialect, who are greeted when they stay silent.
    pub(super) newcomers: Timeouts<ConnId>,
    /// Rooms with a running second in which notices are batched.
    pub(super) batch_timeouts: Timeouts<RoomNo>,
    /// Detached sessions, which end when nobody resumes them.
    pub(super) resume_timeouts: Timeouts<u64>,
    pub(super) bans: Bans,
    pub(super) meant: Meant,
    pub(super) mutes: Mutes,
    pub(super) accounts: Accounts,
    /// Wrong or unchecked passwords. Below: changed passwords and newly protected names.
    pub(super) attempts: Budget,
    /// Passwords being checked: at most one for each connection, whose further lines wait.
    pub(super) tried: HashMap<ConnId, Attempt>,
    pub(super) changes: Budget,
    pub(super) made: Budget,
    pub(super) under_way: UnderWay,
    /// Where there are several servers.
    pub(super) node: Option<Box<Node>>,
    /// Requests for the worker.
    pub(super) request_queue: RequestQueue,
    pub(super) is_reload_wanted: bool,
    pub(super) is_shutdown_wanted: bool,
    pub(super) upgrades: Upgrades,
    /// The operator's reason for the shutdown, if there is one.
    pub(super) farewell: String,
    pub(super) lines_in: u64,
    /// Resident bytes before the first connection.
    pub(super) resident_at_start: u64,
    pub(super) is_shutting_down: bool,
    pub(super) renderer: Renderer,
}

impl Chat {
    /// An empty chat.
    #[must_use]
    pub fn new(settings: Settings) -> Chat {
        let mut users = Users::new(settings.keeps_addresses(), settings.operators);
        let node = match settings.bus {
            Bus::Log(id) => Some(id),
            Bus::AtOnce | Bus::Carried => None,
        };
        if let Some(id) = node {
            users.share_guests(id);
        }
        Chat {
            users,
            rooms: Rooms::new(),
            batches: NoticeBatches::default(),
            sessions: Sessions::default(),
            resumed: Resumed::default(),
            newcomers: Timeouts::new(settings.greet_after.unwrap_or_default()),
            batch_timeouts: Timeouts::new(BATCH_TIME),
            resume_timeouts: Timeouts::new(settings.resume_for),
            bans: Bans::default(),
            meant: Meant::default(),
            mutes: Mutes::default(),
            accounts: Accounts::default(),
            attempts: Budget::of_a_minute(),
            tried: HashMap::new(),
            changes: Budget::of_a_minute(),
            made: Budget::of_a_day(settings.accounts_per_addr),
            under_way: UnderWay::default(),
            node: node.map(|id| Box::new(Node::new(id))),
            request_queue: RequestQueue::new(settings.waiting_max),
            is_reload_wanted: false,
            is_shutdown_wanted: false,
            upgrades: Upgrades::default(),
            farewell: String::new(),
            lines_in: 0,
            resident_at_start: settings.resident.and_then(|resident| resident()).unwrap_or(0),
            is_shutting_down: false,
            renderer: Renderer::default(),
            settings,
        }
    }

    /// Sends a reply to one user.
    pub(super) fn reply<T: Display>(&mut self, id: ConnId, reply: Reply<T>, out: &mut Outbox) {
        if let Some(user) = self.users.get(id) {
            self.renderer.reply(user, reply, out);
        }
    }

    /// Sends a reply to a user, if they have a connection.
    pub(super) fn reply_to<T: Display>(&mut self, to: UserId, reply: Reply<T>, out: &mut Outbox) {
        if let Some(user) = self.users.by_id(to) {
            self.renderer.reply(user, reply, out);
        }
    }
}
