//! Links to a real redis-server, and what is persisted there, each test with one of its own:
//! `cargo test --features redis redis`.
//! Debian's package `redis-server` is enough.

mod damage;
mod decisions;
mod failures;
mod leases;
mod links;
mod model;
pub(crate) mod server;
mod start;
mod state;
