//! The chat with a worker thread for what may block: blocking work leaves the loop as a request,
//! and comes back as an answer.
//!
//! The chat makes requests and takes answers, and knows no thread. This carries one request at a
//! time to the worker; the worker wakes the loop when it is done. Further requests wait in the
//! chat, which decides their order. Only users with a request wait.

mod link;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use log::error;

use crate::chat::{Answer, Chat, Request};
use crate::cluster::Carrier;
use crate::net::codec::Framing;
use crate::net::conn::{CloseReason, ConnId};
use crate::net::line::Ending;
use crate::net::metrics::Exposition;
use crate::net::outbox::Outbox;
use crate::net::server::Handle;
use crate::net::service::{HandOver, Limit, Peer, Refusal, Service, Upgraded};
use crate::net::timeouts::Now;
use crate::net::worker::Worker;
use crate::pack::Packer;
use link::Link;

/// A request and the user it is for; `None` is a reload that no user asked for.
type Job = (Option<ConnId>, Request);
type Done = (Option<ConnId>, Answer);

/// A chat whose requests are carried out: a [`Service`] like the chat, with a worker thread
/// beside it. Where there are operators or accounts, this is what to run instead of a bare
/// [`Chat`], which only asks.
///
/// ```
/// use chinwag::chat::Settings;
/// use chinwag::{ChatWithWorker, Chat, Config, Server, State};
///
/// # let dir = std::env::temp_dir().join(format!("chinwag-app-{}", std::process::id()));
/// # let config = Config::at("127.0.0.1:0".parse()?);
/// let mut state = State::open(&dir)?;
/// let settings = Settings { operators: true, accounts: true, ..Settings::default() };
/// let mut chat = Chat::new(settings);
/// // Before anybody comes: the bans and accounts that there are already.
/// chat.restore(state.persisted());
///
/// let server = Server::bind(config)?;
/// let app = ChatWithWorker::start(chat, server.handle(), move |request| state.perform(request))?;
/// # server.handle().shutdown();
/// server.run(app)?;
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ChatWithWorker<L: Carrier = Infallible> {
    chat: Chat,
    server: Handle,
    worker: Worker<Job, Done>,
    /// Whether the worker has a request that it has not answered.
    is_working: bool,
    /// The worker gets no further request, and the server is interrupted once it has none.
    is_quiescing: bool,
    /// Whether a [`Reloader`] has asked since the chat was last informed.
    reload_wanted: Arc<AtomicBool>,
    /// The way to the log, where there are several servers.
    link: Option<Link<L>>,
}

impl ChatWithWorker {
    /// Starts the worker, which calls `perform` for each request of the chat. `perform` may
    /// block; it is usually [`State::perform`](crate::State::perform). Put what is persisted
    /// already into the chat before, with [`Chat::restore`].
    ///
    /// # Errors
    ///
    /// If the system cannot start a thread.
    pub fn start(
        chat: Chat,
        server: Handle,
        mut perform: impl FnMut(Request) -> Answer + Send + 'static,
    ) -> io::Result<ChatWithWorker> {
        let worker = Worker::start(server.clone(), 1, move |(id, request)| {
            // One that panics is answered with an error, and the next one is carried out.
            let performed = catch_unwind(AssertUnwindSafe(|| perform(request)));
            let answer = performed.unwrap_or_else(|_| {
                error!("worker_panicked");
                Answer::NotSaved("something is wrong with this server".to_owned())
            });
            (id, answer)
        })?;
        let reload_wanted = Arc::new(AtomicBool::new(false));
        Ok(ChatWithWorker {
            chat,
            server,
            worker,
            is_working: false,
            is_quiescing: false,
            reload_wanted,
            link: None,
        })
    }

    /// Has the chat be a node of a cluster: its [`Bus`](crate::chat::Bus) is `Log`, and this is its
    /// way to the log.
    #[must_use]
    pub fn with_link<L: Carrier>(self, link: L) -> ChatWithWorker<L> {
        let ChatWithWorker {
            chat, server, worker, is_working, is_quiescing, reload_wanted, ..
        } = self;
        let link = Some(Link::new(link));
        ChatWithWorker { chat, server, worker, is_working, is_quiescing, reload_wanted, link }
    }
}

impl<L: Carrier> ChatWithWorker<L> {
    /// Asks for a reload from any thread.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader { wanted: Arc::clone(&self.reload_wanted), server: self.server.clone() }
    }

    /// Passes on what the chat has for others: entries for the log, and its next request. If the
    /// worker is busy, this is called again when it answers.
    fn carry(&mut self, out: &mut Outbox) {
        self.append(out);
        if self.chat.takes_shutdown() {
            out.shutdown();
        }
        if !self.is_working
            && let Some(job) = self.chat.next_request()
        {
            self.is_working = true;
            assert!(self.worker.give(job).is_ok(), "it waits for one job at a time");
        }
        if self.chat.wants_upgrade() || (self.is_quiescing && !self.is_working) {
            self.server.interrupt();
        }
    }

    fn append(&mut self, out: &Outbox) {
        if let Some(link) = &mut self.link {
            link.append(&mut self.chat, out);
        }
    }
}

/// Asks for the persisted state to be read again.
#[derive(Clone)]
pub struct Reloader {
    wanted: Arc<AtomicBool>,
    server: Handle,
}

impl Reloader {
    /// Asks, and never blocks. Further calls before the reload has begun do nothing. The result
    /// is logged.
    pub fn reload(&self) {
        self.wanted.store(true, Ordering::Release);
        self.server.wake();
    }
}

impl<L: Carrier> Service for ChatWithWorker<L> {
    fn on_start(&mut self, out: &mut Outbox) {
        self.chat.on_start(out);
        if let Some(link) = &mut self.link {
            link.enter(&mut self.chat, out);
        }
    }

    fn framing(&self, peer: &Peer<'_>) -> Framing {
        self.chat.framing(peer)
    }

    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        self.chat.on_open(id, peer, out);
        self.append(out);
    }

    fn on_ending(&mut self, id: ConnId, ending: Ending, out: &mut Outbox) {
        self.chat.on_ending(id, ending, out);
    }

    fn on_are_you_there(&mut self, id: ConnId, out: &mut Outbox) {
        self.chat.on_are_you_there(id, out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        self.chat.on_line(id, line, out);
        self.carry(out);
    }

    fn on_end_of_input(&mut self, id: ConnId, out: &mut Outbox) {
        self.chat.on_end_of_input(id, out);
    }

    fn on_drained(&mut self, id: ConnId, out: &mut Outbox) {
        self.chat.on_drained(id, out);
    }

    fn on_limit(&mut self, id: ConnId, limit: Limit, out: &mut Outbox) {
        self.chat.on_limit(id, limit, out);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        self.chat.on_close(id, why, out);
        self.append(out);
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        if let Some((id, answer)) = self.worker.take() {
            self.is_working = false;
            self.chat.answer(id, answer, out);
        }
        if self.reload_wanted.swap(false, Ordering::AcqRel) {
            self.chat.want_reload();
        }
        if let Some(link) = &mut self.link
            && link.report(&mut self.chat, out)
        {
            self.server.wake();
        }
        self.chat.on_tick(out);
        self.carry(out);
        if let Some(link) = &mut self.link {
            link.leave_at_shutdown(&self.chat);
        }
    }

    fn on_timer(&mut self, key: u64, out: &mut Outbox) {
        self.chat.on_timer(key, out);
    }

    fn on_trim_memory(&mut self) {
        self.chat.on_trim_memory();
    }

    fn next_tick(&self) -> Option<Instant> {
        self.chat.next_tick()
    }

    fn log_name(&self, id: ConnId) -> Option<String> {
        self.chat.log_name(id)
    }

    fn is_banned(&self, peer: &Peer<'_>, now: Now) -> bool {
        self.chat.is_banned(peer, now)
    }

    fn turns_away_protocols(&self, peer: &Peer<'_>) -> bool {
        self.chat.turns_away_protocols(peer)
    }

    fn refusal(&self, why: Refusal) -> &[u8] {
        self.chat.refusal(why)
    }

    fn on_scrape(&self, metrics: &mut Exposition) {
        self.chat.on_scrape(metrics);
        let help = "Whether the worker has a request.";
        metrics.gauge("chinwag_worker_busy", help, u64::from(self.is_working));
        if let Some(link) = &self.link {
            link.write_metrics(metrics);
        }
    }

    fn on_shutdown(&mut self, out: &mut Outbox) {
        self.chat.on_shutdown(out);
        if let Some(link) = &mut self.link {
            link.shut_down();
            // In the next turn, as the goodbye is to be written first.
            self.server.wake();
        }
    }
}

impl<L: Carrier> HandOver for ChatWithWorker<L> {
    fn pack(&self, to: &mut Packer) {
        self.chat.pack(to);
        if let Some(link) = &self.link {
            link.pack(to);
        }
    }

    fn quiesce(&mut self) -> bool {
        self.is_quiescing = true;
        self.chat.quiesce();
        if let Some(link) = &mut self.link {
            link.stop();
        }
        !self.is_working
    }

    fn on_left_behind(&mut self, id: ConnId, out: &mut Outbox) {
        self.chat.on_left_behind(id, out);
    }

    fn takes_upgrade(&mut self) -> bool {
        self.chat.takes_upgrade()
    }

    fn on_upgraded(&mut self, upgraded: &Upgraded, out: &mut Outbox) {
        self.chat.on_upgraded(upgraded, out);
    }

    fn on_not_upgraded(&mut self, why: &str, out: &mut Outbox) {
        self.is_quiescing = false;
        if let Some(link) = &mut self.link {
            link.go_on();
        }
        self.chat.on_not_upgraded(why, out);
    }
}
