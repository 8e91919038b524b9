//! The log of a cluster, in Redis or Valkey (6.2 or newer): how a node's [`Entry`]s get there, and
//! its [`Report`]s back.
//!
//! A [`Link`] has two threads, each with a connection of its own: one writes, the other waits for
//! events. The server's thread never waits for them. What is decided is decided in Redis, by one
//! script, which is atomic; [`cluster`](crate::cluster) says what each entry asks for.
//!
//! ```no_run
//! use chinwag::chat::{Bus, Settings};
//! use chinwag::redis::{Link, Options};
//! use chinwag::{Chat, ChatWithWorker, Config, Server, SharedState};
//!
//! let server = Server::bind(Config::default())?;
//! let options = Options::new("redis://127.0.0.1".parse()?);
//! let link = Link::start(&options, server.handle())?;
//! let mut state = SharedState::new(&options)?;
//! let mut chat = Chat::new(Settings { bus: Bus::Log(link.node()), ..Settings::default() });
//! chat.restore(state.read()?);
//! let app = ChatWithWorker::start(chat, server.handle(), move |request| state.perform(request))?;
//! server.run(app.with_link(link))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What Redis has to be
//!
//! With `appendonly yes` a crash of Redis loses at most what its `appendfsync` allows; without, all
//! that was said since the last snapshot, and [`Report::NewEra`] says so. With any `maxmemory-policy`
//! but `noeviction` it may throw names or the log away. Both are warned of at the start. Once memory
//! is used up, entries wait, as if Redis were out of reach.
//!
//! # How it fails
//!
//! | what happens | what is reported |
//! | --- | --- |
//! | Redis is out of reach for less than [`Options::patience`] | nothing; entries come late |
//! | for longer | [`Report::CutOff`], and once it is back the node's own [`Outcome::Entered`] |
//! | it was emptied, or has lost the newest events | [`Report::NewEra`], and [`Outcome::Entered`] |
//! | it has trimmed away what the node had not read | [`Report::Lost`], and [`Outcome::Entered`] |
//! | the node was silent for longer than its lease | [`Outcome::Gone`], and [`Outcome::Entered`] |
//!
//! Patience counts from the start of the first call that has not succeeded. A host name is looked up
//! for each connection, which may take longer than the patience: then it goes on aside.
//!
//! [`Entry`]: crate::cluster::Entry
//! [`Report`]: crate::cluster::Report
//! [`Report::CutOff`]: crate::cluster::Report::CutOff
//! [`Report::Lost`]: crate::cluster::Report::Lost
//! [`Report::NewEra`]: crate::cluster::Report::NewEra
//! [`Outcome::Entered`]: crate::cluster::Outcome::Entered
//! [`Outcome::Gone`]: crate::cluster::Outcome::Gone

mod address;
mod connection;
mod dialer;
mod hand_over;
pub(crate) mod hashes;
mod keys;
mod link;
mod options;
mod reader;
mod script;
mod shared;
mod stats;
mod suitable;
mod writer;

pub use address::{Address, BadAddress};
pub use link::Link;
pub use options::{LinkError, Options};
pub use stats::Stats;
