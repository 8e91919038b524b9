//! A cluster in memory: the log that its nodes share, and each node's way to it.
//!
//! `log.rs` decides what the log has to decide; `link.rs` carries entries there and reports back,
//! with delays and faults. Together they keep the promises of `chinwag::cluster`. `chats.rs`,
//! `alike.rs`, `alone.rs`, `losses.rs`, `races.rs`, `tokens.rs` and the simulation in `sim/` run
//! chats over it; `damaged.rs` tells them what no log would say.

mod alike;
mod alone;
mod chats;
mod damaged;
mod link;
mod log;
mod losses;
mod races;
mod sim;
mod tokens;
