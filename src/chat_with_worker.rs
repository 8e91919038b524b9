//! The chat with a worker thread for what may block: blocking work leaves the loop as a request,
//! and comes back as an answer.
//!
//! The chat makes requests and takes answers, and knows no thread. This carries one request at a
//! time to the worker; the worker wakes the loop when it is done. Further requests wait in the
//! chat, which decides their order. Only users with a request wait.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use log::error;

use crate::chat::{Answer, Chat, Request};
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
/// # let listen = vec![chinwag::Listen { addr: "127.0.0.1:0".parse()?, label: String::new() }];
/// # let config = Config::default().with(|config| config.listen = listen);
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
pub struct ChatWithWorker {
    chat: Chat,
    server: Handle,
    worker: Worker<Job, Done>,
    /// Whether the worker has a request that it has not answered.
    is_working: bool,
    /// Nothing more is to be asked, and the server is interrupted once nothing is under way.
    is_quiescing: bool,
    /// Whether a [`Reloader`] has asked since the chat was last informed.
    reload_wanted: Arc<AtomicBool>,
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
        })
    }

    /// Asks for a reload from any thread.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader { wanted: Arc::clone(&self.reload_wanted), server: self.server.clone() }
    }

    /// Passes on the chat's next request. If the worker is busy, its answer will bring the next
    /// occasion.
    fn carry(&mut self, out: &mut Outbox) {
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

impl Service for ChatWithWorker {
    fn on_start(&mut self, out: &mut Outbox) {
        self.chat.on_start(out);
    }

    fn framing(&self, peer: &Peer<'_>) -> Framing {
        self.chat.framing(peer)
    }

    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        self.chat.on_open(id, peer, out);
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
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        if let Some((id, answer)) = self.worker.take() {
            self.is_working = false;
            self.chat.answer(id, answer, out);
        }
        if self.reload_wanted.swap(false, Ordering::AcqRel) {
            self.chat.want_reload();
        }
        self.carry(out);
        self.chat.on_tick(out);
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
    }

    fn on_shutdown(&mut self, out: &mut Outbox) {
        self.chat.on_shutdown(out);
    }
}

impl HandOver for ChatWithWorker {
    fn pack(&self, to: &mut Packer) {
        self.chat.pack(to);
    }

    fn quiesce(&mut self) -> bool {
        self.is_quiescing = true;
        self.chat.quiesce();
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
        self.chat.on_not_upgraded(why, out);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::chat::{OPERATORS, Settings};
    use crate::net::limits::Limits;
    use crate::net::transport::Origin;

    const PATIENCE: Duration = Duration::from_mins(1);

    /// An app that only the test runs, and what its loop would have.
    fn start(perform: impl FnMut(Request) -> Answer + Send + 'static) -> (ChatWithWorker, Outbox) {
        let chat = Chat::new(Settings { operators: true, ..Settings::default() });
        let app = ChatWithWorker::start(chat, Handle::detached(), perform).unwrap();
        let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        (app, Outbox::new(&Limits::default(), now))
    }

    fn operator(slot: usize, app: &mut ChatWithWorker, out: &mut Outbox) -> ConnId {
        let id = out.open(slot);
        app.on_open(id, &Peer::new(Origin::Unix, OPERATORS), out);
        id
    }

    /// Waits for a time, as the loop would, until all that was asked for is answered.
    fn wait(app: &mut ChatWithWorker, out: &mut Outbox, is_done: impl Fn(&mut Outbox) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_done(out) {
            assert!(Instant::now() < deadline, "it is not done in time");
            app.on_tick(out);
            thread::yield_now();
        }
    }

    #[test]
    fn each_answer_brings_the_next_request() {
        let (mut app, mut out) = start(|_| Answer::Reloaded(None));
        let ids: Vec<ConnId> = (0..3).map(|slot| operator(slot, &mut app, &mut out)).collect();
        for id in &ids {
            app.on_line(*id, b"/reload", &mut out);
            assert!(out.is_reading_paused(*id));
        }
        wait(&mut app, &mut out, |out| ids.iter().all(|id| !out.is_reading_paused(*id)));
    }

    #[test]
    fn of_many_reloads_one_waits() {
        let (begun, begins) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let (mut app, mut out) = start(move |_| {
            // Both fail once the test is over.
            let _ = begun.send(());
            let _ = gate.recv();
            Answer::Reloaded(None)
        });
        let reloader = app.reloader();
        let ask_often = |app: &mut ChatWithWorker, out: &mut Outbox| {
            for _ in 0..48 {
                reloader.reload();
                app.on_tick(out);
            }
        };
        ask_often(&mut app, &mut out);
        begins.recv_timeout(PATIENCE).expect("the worker works");
        ask_often(&mut app, &mut out);
        let id = operator(0, &mut app, &mut out);
        app.on_line(id, b"/reload", &mut out);
        // Two by the signal, since the second may have come too late for the first, and one more.
        for _ in 0..3 {
            go.send(()).expect("the worker waits");
        }
        wait(&mut app, &mut out, |out| !out.is_reading_paused(id));
        assert_eq!(begins.try_iter().count(), 2);
        assert!(!app.is_working && app.chat.next_request().is_none());
    }
}
