//! A lightweight chat server on one hand-written poll loop, and the loop by itself:
//! how one thread serves many thousand clients without ever blocking.
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
//!   turn:  receive ─▶ split lines ─▶ dispatch ─▶ peers' outbound queues ─▶ flush ─▶ close
//!          └ read until WouldBlock                 (memory only)          one write a peer
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
//! | what a line means, or to add a command | `chat/command.rs`, then `Chat::act` in `chat/mod.rs` |
//! | a sentence that the server says | `chat/reply.rs`, `chat/operators/reply.rs`, `chat/accounts/reply.rs` |
//! | how a line looks, in which dialect, with which ending | `chat/dialect/` |
//! | what is said to whom, and kept | `chat/talk.rs`, `chat/history.rs` |
//! | what a name may be, who bears it, who is in a room | `chat/name.rs`, `chat/users.rs`, `chat/room.rs`, `chat/places.rs` |
//! | who is told of comings and goings; who comes back | `chat/notices.rs`, `chat/gathered.rs`, `chat/resume.rs`, `chat/resumed.rs` |
//! | what operators may do; who is banned, who is muted | `chat/operators.rs`, `chat/operators/`, `chat/ban.rs`, `chat/ban_list.rs` |
//! | names with passwords; how often one may be tried | `chat/accounts.rs`, `chat/accounts/`, `chat/password.rs` |
//! | what the chat wants of somebody who may block, and what goes first | `chat/request.rs`, `chat/waiting.rs` |
//! | what a user may choose, what it may ask for | `chat/courtesy.rs`, `chat/lists.rs` |
//! | what whoever runs it may choose | `chat/settings.rs` |
//! | what becomes of bytes that are no text | `chat/text.rs` |
//! | how bytes become lines; what telnet and terminals add | `decoder.rs`; `telnet.rs`, `escape.rs`, `line.rs` (`scan.rs` finds what is special) |
//! | how sockets are read | `hub/receive.rs` |
//! | for whom a proxy connects | `proxy_header.rs`, `hub/proxied.rs` |
//! | who is turned away for speaking another protocol | `sniff.rs`, `hub/foreign.rs` |
//! | how they are written | `hub/settle.rs` |
//! | how they end | `hub/closing.rs` |
//! | what the log says of connections | `hub/logged.rs` |
//! | what a turn consists of | `hub.rs` |
//! | what waits for whom; the rounds in which it is written | `outbox.rs`, `outbox/rounds.rs` |
//! | how a line to many is kept once | `lanes.rs` |
//! | what is allowed, and how much is done in one go | `limits.rs` |
//! | how fast one may speak; how many may come from where | `rate.rs`, `addresses.rs` |
//! | deadlines, and what happens when they pass | `timeouts.rs`, `hub/watch.rs` |
//! | the poll, the clock, wake and shutdown | `server.rs` |
//! | listening, accepting, running out of descriptors | `listen.rs` |
//! | what is listened with: ports, Unix sockets | `listen/socket.rs` |
//! | blocking work: who does it, and how it comes back | `app.rs` |
//! | what outlives the process, and how it is written | `state.rs`, `state/` |
//! | what the loop tells a protocol | `service.rs`, `conn.rs` |
//! | when memory is given back, and how | `hub/ebb.rs`, `memory.rs` |
//! | options, log, signals | `cli.rs`, `cli/`, `logger.rs`, `output.rs`, `start.rs`, `main.rs` |
//! | `chinwag passwd`, `chinwag accounts` | `passwd.rs` |
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
//!
//! # One line's way, socket to socket
//!
//! 1. `Server::run` sleeps in poll; an event carries a slot.
//! 2. `Server::mark` calls [`Hub::mark_readable`], which lists the connection.
//! 3. [`Hub::turn`] reads from it into the one buffer that serves all.
//! 4. [`Telnet`] and [`LineSplitter`] find complete lines, borrowed from that buffer; only
//!    an unfinished tail is copied into the connection.
//! 5. [`Service::on_line`] of the [`Chat`] parses, acts, and renders what is to be said,
//!    once for each wording in use (a dialect and a line ending).
//! 6. [`Outbox::send_all`] writes it down once, in a lane; each member's span of that
//!    lane grows, and who was not yet in line to be written to is put there.
//! 7. The connection is read until `WouldBlock`, its budget, the brake, or a hold.
//! 8. `settle` makes one `write` of all it has for each of the next 128 that are behind,
//!    and takes leave of those that have closed. If any are still behind, the next poll
//!    does not wait.
//! 9. What a socket did not take waits; a writable edge puts it in line again.

mod addresses;
mod app;
pub mod chat;
mod conn;
mod decoder;
mod escape;
mod hub;
mod lanes;
mod limits;
mod line;
mod listen;
mod outbox;
mod proxy_header;
mod rate;
mod scan;
mod server;
mod service;
mod sniff;
mod state;
mod telnet;
mod timeouts;

pub use addresses::{Network, NotANetwork};
pub use app::{App, Reloader};
pub use chat::Chat;
pub use conn::{CloseReason, ConnId};
pub use decoder::{Decoder, Item};
pub use hub::{Hub, Stream};
pub use lanes::Lane;
pub use limits::Limits;
pub use line::Ending;
pub use outbox::{Outbox, Traffic};
pub use server::{Config, Handle, Listen, ListenUnix, Server};
pub use service::{Limit, Peer, Refusal, Service};
pub use sniff::Protocol;
pub use state::State;
pub use timeouts::Now;
