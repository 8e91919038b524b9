//! A lightweight chat server on one hand-written event loop, and the loop by itself:
//! how one thread serves many thousand clients without ever blocking.
//!
//! Three ways from here:
//!
//! - **To run a chat**, or talk in one, read [`docs::using`] and [`docs::operating`]; for bots there
//!   is [`docs::protocol`].
//! - **To embed the loop or the chat**, go on with this page, then [`docs::embedding`]; the types to
//!   start from are [`Service`], [`Outbox`], [`Server`] and [`Chat`].
//! - **To learn how it works**, read [`docs::architecture`]: the walk of one line, the theory, and
//!   which file and test go with which pattern. [The map](#the-map) below has every file.
//!
//! # A whole server
//!
//! A [`Service`] is told of lines and says what it likes into the [`Outbox`]; the rest
//! is done.
//!
//! ```
//! use chinwag::{Config, ConnId, Outbox, Server, Service};
//!
//! struct Echo;
//!
//! impl Service for Echo {
//!     fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
//!         out.send_line(id, line);
//!     }
//! }
//!
//! let server = Server::bind(Config::at("127.0.0.1:0".parse()?))?;
//! let (addr, handle) = (server.local_addrs()[0], server.handle());
//! let thread = std::thread::spawn(move || server.run(Echo));
//!
//! // Any client will do.
//! use std::io::{BufRead, BufReader, Write};
//! let mut client = std::net::TcpStream::connect(addr)?;
//! client.write_all(b"hello\n")?;
//! let mut answer = String::new();
//! BufReader::new(&client).read_line(&mut answer)?;
//! assert_eq!(answer, "hello\n");
//!
//! handle.shutdown();
//! drop(client);
//! thread.join().expect("the server did not panic")?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The idea
//!
//! Events only mark, the turn does the work:
//!
//! ```text
//! poll ─ mark readable/writable ─┐
//!                                ▼
//!   turn:  read ─▶ split lines ─▶ dispatch ─▶ peers' outbound queues ─▶ flush ─▶ close
//!          └ until WouldBlock                  (memory only)         one write per peer
//! ```
//!
//! Two halves make that fit Rust without shared ownership, channels, or copies of the
//! line: the [`Hub`] holds each connection's socket and input half, the [`Outbox`] holds
//! every output half, under the same slot. A line borrowed from the one is answered
//! into the other, for any peer, its own sender included.
//!
//! # The map
//!
//! | to change | open |
//! | --- | --- |
//! | what a line means, or to add a command | `chat/commands/table.rs`, `chat/commands/command.rs`, then `chat/dispatch.rs` |
//! | what the chat knows, and what it does at a line or a close | `chat.rs`, `chat/state.rs`, `chat/service.rs` |
//! | how a line is parsed | `chat/commands.rs`, `chat/commands/` |
//! | a sentence that the server says | `chat/reply.rs`, `chat/reply/` |
//! | rendering for one or for many | `chat/renderer.rs` |
//! | how a line looks: dialects, and their line endings | `chat/dialect.rs`, `chat/dialect/` |
//! | what others must know: decided first, then in force | `chat/bus.rs`, `chat/operation.rs`, `chat/under_way.rs` |
//! | several servers, one chat: what a node and the log say to each other | `cluster.rs` |
//! | a node: what it appends and is told, users of other nodes, the log out of reach | `chat/node.rs`, `chat/node/` |
//! | the log of a cluster in Redis: options, and what a node is told; addresses; checks at the start | `redis.rs`, `redis/link.rs`, `redis/stats.rs`, `redis/options.rs`, `redis/address.rs`, `redis/suitable.rs` |
//! | the log of a cluster in Redis: what is decided there, and how it is asked | `redis/script.lua`, `redis/script.rs`, `redis/keys.rs`, `redis/connection.rs`, `redis/dialer.rs` |
//! | the log of a cluster in Redis: its two threads, and patience | `redis/writer.rs`, `redis/reader.rs`, `redis/shared.rs`, `redis/hand_over.rs` |
//! | messages to rooms and to one user, and history | `chat/messages.rs`, `chat/history.rs` |
//! | users: who they are, and how they are found and reached | `chat/user.rs`, `chat/user_id.rs`, `chat/users.rs`, `chat/users/`, `chat/guests.rs` |
//! | names, rooms and membership | `chat/name.rs`, `chat/room.rs`, `chat/membership.rs` |
//! | presence: join and leave notices, batched | `chat/notices.rs`, `chat/notice_batches.rs`, `chat/notice_batches/` |
//! | detached users and resume tokens | `chat/resume.rs`, `chat/sessions.rs`, `chat/resumed.rs` |
//! | operators' commands, bans, mutes | `chat/operators.rs`, `chat/operators/`, `chat/ban.rs`, `chat/ban_list.rs`, `chat/mute.rs` |
//! | accounts: names with passwords, and the budget of attempts | `chat/accounts.rs`, `chat/accounts/`, `chat/password.rs` |
//! | requests of the chat that may block, and their order | `chat/request.rs`, `chat/requests.rs`, `chat/request_queue.rs` |
//! | users' preferences and queries | `chat/preferences.rs`, `chat/queries.rs` |
//! | the operator's settings | `chat/settings.rs` |
//! | the time of the turn, by clock and calendar | `chat/time.rs` |
//! | how bytes that are no text are sanitised | `chat/text.rs` |
//! | framing: which codec, and one of your own; lines and messages whose bytes are left alone | `net/codec.rs`, `net/codec/raw.rs` |
//! | framing: bytes become lines; telnet and editing keys | `net/decoder.rs`; `net/telnet.rs`, `net/escape.rs`, `net/line.rs` (`net/scan.rs` finds special bytes) |
//! | the read phase of a turn, and the rate limit | `net/hub/read.rs`, `net/hub/input.rs` |
//! | framing: WebSocket | `net/codec/websocket.rs`, `net/codec/websocket/` |
//! | HTTP heads and answers; pings; how a WebSocket closes | `net/http.rs`, `net/hub/web.rs` |
//! | the PROXY protocol, and what else comes before lines | `net/proxy_header.rs`, `net/hub/preface.rs` |
//! | metrics: what is counted, and its text; probes | `net/metrics.rs`, `net/metrics/`, `net/http/probe.rs`, `net/hub/probe.rs` |
//! | recognising other protocols | `net/sniff.rs`, `net/hub/foreign.rs` |
//! | the write phase of a turn: flushing queues | `net/hub/write.rs` |
//! | how connections drain and close | `net/hub/closing.rs` |
//! | what the log says of connections | `net/hub/logged.rs` |
//! | the turn itself; admission | `net/hub.rs`, `net/hub/conn.rs`; `net/hub/admission.rs` |
//! | outbound queues, slow consumers, backpressure | `net/outbox.rs`, `net/outbox/queue.rs`, `net/outbox/flush_queue.rs` |
//! | invariants, asserted after every turn | `net/hub/invariants.rs`, `net/outbox/invariants.rs` |
//! | counting work, for the tests | `work.rs` |
//! | shared logs: a line to many is kept once | `net/shared_log.rs` |
//! | limits and budgets | `net/limits.rs` |
//! | the token bucket; limits by address | `net/rate.rs`, `net/addresses.rs` |
//! | networks: a prefix of addresses | `net/network.rs` |
//! | deadlines and timers: idle timeout, write stall | `net/timeouts.rs`, `net/hub/timers.rs` |
//! | the poll, the clock, wake and shutdown | `net/server.rs`, `net/server/running.rs`, `net/server/clock.rs`, `net/server/handle.rs` |
//! | where a server listens, and what it is told to do | `net/server/config.rs` |
//! | what a connection runs over, and its origin | `net/transport.rs` |
//! | TLS, and certificates | `net/tls.rs`, `net/tls/`, `bin/chinwag/certificate.rs` |
//! | listening, accepting, running out of descriptors | `net/listen.rs`, `net/listen/socket.rs`, `net/listen/spare.rs` |
//! | connect floods | `net/listen/flood.rs` |
//! | what the loop tells a service, and what a service may do | `net/service.rs`, `net/conn.rs`; `net/outbox/hand.rs`, `net/outbox/service_timers.rs` |
//! | messages to a service from other threads; a thread for what may block | `net/mailbox.rs`; `net/worker.rs` |
//! | a network without sockets, for tests | `testing.rs`, `testing/stream.rs` |
//! | upgrades in place: the format; the server, its connections, the chat; the steps | `pack.rs`, `pack/`; `net/server/hand_over.rs`, `net/server/inherited.rs`, `net/descriptors.rs`, `net/hub/hand_over.rs`, `net/outbox/hand_over.rs`, `chat/hand_over.rs`, `chat/users/hand_over.rs`, `chat/notice_batches/hand_over.rs`, `chat/upgrades.rs`; `bin/chinwag/upgrade.rs`, `bin/chinwag/system.rs` |
//! | trimming memory | `net/hub/trim.rs`, `bin/chinwag/memory.rs` |
//! | the chat's worker, and its way to the log | `chat_with_worker.rs`, `chat_with_worker/` |
//! | files: bans, accounts, hashes of passwords | `store.rs`, `store/` |
//! | bans and accounts of a cluster, in Redis | `store/shared.rs`, `store/shared/accounts.rs`, `redis/hashes.rs` |
//! | the pages in the crate's documentation | `docs.rs` |
//! | options, log, signals, the limit of descriptors, start | `bin/chinwag/cli.rs`, `bin/chinwag/cli/`, `bin/chinwag/logger.rs`, `bin/chinwag/output.rs`, `bin/chinwag/start.rs`, `bin/chinwag/signals.rs`, `bin/chinwag/redis_link.rs`, `bin/chinwag/storage.rs`, `bin/chinwag/main.rs` |
//! | the page for browsers | `web/`, `bin/chinwag/page.rs` |
//! | `chinwag passwd`, `chinwag accounts` | `bin/chinwag/passwd.rs` |
//!
//! Which module may name which is a test, `tests/it/tidy.rs`:
//!
//! ```text
//! bin ─▶ server ─▶ hub ─▶ codec, http, metrics, decoder, sniff, timeouts, rate, addresses
//!  │       │        ├──▶ outbox ◀── service ◀── chat
//!  │       └▶ listen └──▶ service
//!  │            └▶ tls
//!  ├──▶ chat_with_worker ──▶ chat ──▶ cluster
//!  │                          ▲          ▲
//!  └──▶ store ────────────────┴──▶ redis ┘
//! ```
// The loop by itself has neither the chat nor the pages: they are where all features are.
#![cfg_attr(
    not(feature = "chat"),
    doc = "
[`Chat`]: https://docs.rs/chinwag/latest/chinwag/struct.Chat.html
[`docs::architecture`]: https://docs.rs/chinwag/latest/chinwag/docs/architecture/
[`docs::embedding`]: https://docs.rs/chinwag/latest/chinwag/docs/embedding/
[`docs::operating`]: https://docs.rs/chinwag/latest/chinwag/docs/operating/
[`docs::protocol`]: https://docs.rs/chinwag/latest/chinwag/docs/protocol/
[`docs::using`]: https://docs.rs/chinwag/latest/chinwag/docs/using/"
)]

#[cfg(feature = "chat")]
pub mod chat;
#[cfg(feature = "chat")]
mod chat_with_worker;
#[cfg(feature = "chat")]
pub mod cluster;
#[cfg(all(doc, feature = "chat"))]
pub mod docs;
mod net;
mod pack;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "chat")]
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod work;

#[cfg(feature = "chat")]
pub use chat::Chat;
#[cfg(feature = "chat")]
pub use chat_with_worker::{ChatWithWorker, Reloader};
pub use net::codec::{Codec, Framing};
pub use net::conn::{CloseReason, ConnId};
pub use net::decoder::{Decoder, Item};
#[cfg(unix)]
pub use net::descriptors::memory_file;
pub use net::http::Web;
pub use net::hub::Hub;
pub use net::limits::{Limits, ListenerLimits};
pub use net::line::Ending;
pub use net::mailbox::{Mailbox, Post};
pub use net::metrics::Exposition;
pub use net::network::{Network, NotANetwork};
pub use net::outbox::{Outbox, Traffic, Writer};
#[cfg(unix)]
pub use net::server::Inherited;
pub use net::server::{Config, Handle, Listen, ListenUnix, Pause, Running, Server};
pub use net::service::{HandOver, Limit, Peer, Refusal, Service, Upgraded};
pub use net::shared_log::LogId;
pub use net::sniff::Protocol;
pub use net::timeouts::Now;
pub use net::tls::{BadCertificate, Certificate, Tls};
pub use net::transport::{Origin, Transport};
pub use net::worker::Worker;
pub use pack::{Damaged, Pack, Packer, Unpacker};
#[cfg(feature = "redis")]
pub use store::SharedState;
#[cfg(feature = "chat")]
pub use store::State;
