//! A lightweight chat server on one hand-written poll loop, and the loop by itself:
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
//! use chinwag::{Config, ConnId, Listen, Outbox, Server, Service};
//!
//! struct Echo;
//!
//! impl Service for Echo {
//!     fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
//!         out.send(id, line);
//!         out.send(id, b"\n");
//!     }
//! }
//!
//! let listen = vec![Listen { addr: "127.0.0.1:0".parse()?, label: String::new() }];
//! let server = Server::bind(Config { listen, ..Config::default() })?;
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
//!          └ until WouldBlock                  (memory only)         one write a peer
//! ```
//!
//! Two halves make that fit Rust without shared ownership, channels, or copies of the
//! line: a slab holds each connection's socket and input half, the [`Outbox`] holds
//! every output half, under the same slot. A line borrowed from the one is answered
//! into the other, for any peer, its own sender included.
//!
//! # The map
//!
//! | to change | open |
//! | --- | --- |
//! | what a line means, or to add a command | `chat/command.rs`, then `Chat::act` in `chat.rs` |
//! | a sentence that the server says | `chat/reply.rs`, `chat/operators/reply.rs`, `chat/accounts/reply.rs` |
//! | how a line looks, in which dialect, with which ending | `chat/dialect.rs`, `chat/dialect/` |
//! | what is said to whom, and kept | `chat/messages.rs`, `chat/history.rs` |
//! | what a name may be, who bears it, who is in a room | `chat/name.rs`, `chat/users.rs`, `chat/room.rs`, `chat/membership.rs` |
//! | who is told of comings and goings; who comes back | `chat/notices.rs`, `chat/notice_batches.rs`, `chat/resume.rs`, `chat/resumed.rs` |
//! | what operators may do; who is banned, who is muted | `chat/operators.rs`, `chat/operators/`, `chat/ban.rs`, `chat/ban_list.rs` |
//! | names with passwords; how often one may be tried | `chat/accounts.rs`, `chat/accounts/`, `chat/password.rs` |
//! | what the chat wants of somebody who may block, and what goes first | `chat/request.rs`, `chat/waiting.rs` |
//! | what a user may choose, what it may ask for | `chat/preferences.rs`, `chat/queries.rs` |
//! | what whoever runs it may choose | `chat/settings.rs` |
//! | what becomes of bytes that are no text | `chat/text.rs` |
//! | how bytes become lines; what telnet and terminals add | `net/decoder.rs`; `net/telnet.rs`, `net/escape.rs`, `net/line.rs` (`net/scan.rs` finds what is special) |
//! | how sockets are read | `net/hub/read.rs` |
//! | for whom a proxy connects | `net/proxy_header.rs`, `net/hub/proxied.rs` |
//! | who is turned away for speaking another protocol | `net/sniff.rs`, `net/hub/foreign.rs` |
//! | how they are written | `net/hub/write.rs` |
//! | how they end | `net/hub/closing.rs` |
//! | what the log says of connections | `net/hub/logged.rs` |
//! | what a turn consists of | `net/hub.rs` |
//! | what waits for whom; the rounds in which it is written | `net/outbox.rs`, `net/outbox/flush_queue.rs` |
//! | how a line to many is kept once | `net/shared_log.rs` |
//! | what is allowed, and how much is done in one go | `net/limits.rs` |
//! | how fast one may speak; how many may come from where | `net/rate.rs`, `net/addresses.rs` |
//! | deadlines, and what happens when they pass | `net/timeouts.rs`, `net/hub/timers.rs` |
//! | the poll, the clock, wake and shutdown | `net/server.rs` |
//! | what a connection runs over, and where it comes from | `net/transport.rs` |
//! | listening, accepting, running out of descriptors | `net/listen.rs` |
//! | what is listened with: ports, Unix sockets | `net/listen/socket.rs` |
//! | blocking work: who does it, and how it comes back | `chat_with_worker.rs` |
//! | what outlives the process, and how it is written | `store.rs`, `store/` |
//! | what the loop tells a protocol | `net/service.rs`, `net/conn.rs` |
//! | when memory is given back, and how | `net/hub/trim.rs`, `bin/chinwag/memory.rs` |
//! | which pages stand beside these in the documentation | `docs.rs` |
//! | options, log, signals | `bin/chinwag/cli.rs`, `bin/chinwag/cli/`, `bin/chinwag/logger.rs`, `bin/chinwag/output.rs`, `bin/chinwag/start.rs`, `bin/chinwag/main.rs` |
//! | `chinwag passwd`, `chinwag accounts` | `bin/chinwag/passwd.rs` |
//!
//! Nobody may know more than they need; `tests/it/tidy.rs` has the arrows:
//!
//! ```text
//! main ─▶ server ─▶ hub ─▶ decoder, sniff, timeouts, rate, addresses
//!   │       │        ├──▶ outbox ◀── service ◀── chat
//!   │       └▶ listen └──▶ service
//!   ├────▶ app ──▶ chat ◀─┐
//!   └────▶ state ─────────┘
//! ```

pub mod chat;
mod chat_with_worker;
#[cfg(doc)]
pub mod docs;
mod net;
mod store;

pub use chat::Chat;
pub use chat_with_worker::{ChatWithWorker, Reloader};
pub use net::addresses::{Network, NotANetwork};
pub use net::conn::{CloseReason, ConnId};
pub use net::decoder::{Decoder, Item};
pub use net::hub::Hub;
pub use net::limits::Limits;
pub use net::line::Ending;
pub use net::outbox::{Outbox, Traffic};
pub use net::server::{Config, Handle, Listen, ListenUnix, Server};
pub use net::service::{Limit, Peer, Refusal, Service};
pub use net::shared_log::LogId;
pub use net::sniff::Protocol;
pub use net::timeouts::Now;
pub use net::transport::{Origin, Transport};
pub use store::State;
