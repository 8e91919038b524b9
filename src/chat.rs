//! The chat: a [`Service`](crate::Service). It cannot fail or block, and sees no socket: lines
//! come in through `service.rs`, and its output goes into the [`Outbox`](crate::Outbox).
//!
//! What it knows is in `state.rs`; each of the files that say `impl Chat` has some of what it does.
//! To add a command: a row in `commands/table.rs`, a variant in `commands/command.rs`, an arm in
//! `dispatch.rs`, its sentences in `reply/`. How an event is worded is in `dialect/`. Operators'
//! commands are in `operators/`, those with passwords in `accounts/`; what could block is a
//! `Request`. No file here names one that names it, by whatever way: a test looks.

mod accounts;
mod ban;
mod ban_list;
mod bus;
mod commands;
mod dialect;
mod dispatch;
mod guests;
mod hand_over;
mod history;
mod membership;
mod messages;
mod mute;
mod name;
mod node;
mod notice_batches;
mod notices;
mod operation;
mod operators;
mod password;
mod preferences;
mod queries;
mod renderer;
mod reply;
mod request;
mod request_queue;
mod requests;
mod resume;
mod resumed;
mod room;
mod service;
mod sessions;
mod settings;
mod state;
mod text;
mod time;
mod under_way;
mod upgrades;
mod user;
mod user_id;
mod users;

pub use ban::{Ban, NoTarget, Target};
pub use ban_list::Bans;
pub use dialect::{Dialect, UnknownDialect};
pub use operation::Operation;
pub use password::Password;
pub use request::{Account, Answer, Naming, Persisted, Request};
pub use settings::{Bus, Motd, OPERATORS, Settings, TokenDigest};
pub use state::Chat;
