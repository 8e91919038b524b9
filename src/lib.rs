//! A lightweight chat server on one hand-written poll loop, and the loop by itself.
#![warn(missing_docs)]

pub mod chat;
mod conn;
mod hub;
mod lanes;
mod limits;
mod line;
mod listen;
mod outbox;
mod server;
mod service;
mod telnet;
mod timeouts;

pub use chat::Chat;
pub use conn::{CloseReason, ConnId};
pub use hub::{Hub, Stream};
pub use lanes::Lane;
pub use limits::Limits;
pub use line::{Ending, LineSplitter, Piece};
pub use outbox::Outbox;
pub use server::{Config, Handle, Listen, Server};
pub use service::{Limit, Peer, Refusal, Service};
pub use telnet::{Telnet, Token};
pub use timeouts::Now;
