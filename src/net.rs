//! The event loop: connections, bytes, limits and time. Knows no chat.

pub(crate) mod addresses;
pub(crate) mod codec;
pub(crate) mod conn;
pub(crate) mod decoder;
#[cfg(unix)]
pub(crate) mod descriptors;
pub(crate) mod escape;
#[cfg_attr(not(feature = "web"), expect(dead_code))]
pub(crate) mod http;
pub(crate) mod hub;
pub(crate) mod limits;
pub(crate) mod line;
pub(crate) mod listen;
pub(crate) mod mailbox;
pub(crate) mod metrics;
pub(crate) mod network;
pub(crate) mod outbox;
pub(crate) mod proxy_header;
pub(crate) mod rate;
pub(crate) mod scan;
pub(crate) mod server;
pub(crate) mod service;
pub(crate) mod shared_log;
pub(crate) mod sniff;
pub(crate) mod telnet;
pub(crate) mod timeouts;
pub(crate) mod tls;
pub(crate) mod transport;
pub(crate) mod worker;
