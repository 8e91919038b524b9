//! What the benches share: servers, clients, what they say, and what becomes of figures.
#![allow(dead_code, reason = "each bench needs a part of it")]

pub(crate) mod arrivals;
pub(crate) mod ask;
pub(crate) mod book;
pub(crate) mod chart;
pub(crate) mod crowd;
pub(crate) mod driver;
pub(crate) mod figures;
pub(crate) mod floor;
#[cfg(all(feature = "tls", feature = "web"))]
pub(crate) mod front;
#[cfg(all(feature = "tls", feature = "web"))]
pub(crate) mod hellos;
pub(crate) mod ledger;
pub(crate) mod load;
pub(crate) mod machine;
pub(crate) mod million;
pub(crate) mod options;
pub(crate) mod peers;
pub(crate) mod rooms;
pub(crate) mod server;
pub(crate) mod stats;
pub(crate) mod stream;
pub(crate) mod table;
pub(crate) mod wire;
