//! The chat, and a thread that does for it what may block: blocking work leaves the loop
//! as a request, and comes back as an answer.
//!
//! The chat emits requests and takes answers, and knows no thread. This carries them: to
//! one worker through a bounded queue, and back through another when the worker has woken
//! the loop. Whoever waits for an answer waits alone.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, TrySendError};
use std::thread;
use std::time::Instant;

use log::error;

use crate::chat::{Answer, Chat, Request};
use crate::conn::{CloseReason, ConnId};
use crate::line::Ending;
use crate::outbox::Outbox;
use crate::server::Handle;
use crate::service::{Limit, Peer, Refusal, Service};
use crate::timeouts::Now;

/// Requests that wait for the worker; one more is answered [`Answer::Busy`].
const WAITING_MAX: usize = 16;

/// Something to be done, and for whom; `None` is nobody of the chat's.
type Job = (Option<ConnId>, Request);
type Done = (Option<ConnId>, Answer);

/// A chat whose requests are carried out: a [`Service`] like the chat, with a worker thread
/// beside it. Where there are operators or accounts, this is what to run instead of a bare
/// [`Chat`], which only asks.
///
/// ```
/// use chinwag::chat::Settings;
/// use chinwag::{App, Chat, Config, Server, State};
///
/// # let dir = std::env::temp_dir().join(format!("chinwag-app-{}", std::process::id()));
/// # let listen = vec![chinwag::Listen { addr: "127.0.0.1:0".parse()?, label: String::new() }];
/// # let config = Config { listen, ..Config::default() };
/// let mut state = State::open(&dir)?;
/// let settings = Settings { operators: true, accounts: true, ..Settings::default() };
/// let mut chat = Chat::new(settings);
/// // Before anybody comes: the bans and accounts that there are already.
/// chat.load(state.kept());
///
/// let server = Server::bind(config)?;
/// let app = App::start(chat, server.handle(), move |request| state.perform(request))?;
/// # server.handle().shutdown();
/// server.run(app)?;
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct App {
    chat: Chat,
    server: Handle,
    jobs: SyncSender<Job>,
    done: Receiver<Done>,
}

impl App {
    /// Starts the worker, which does with `perform` what the chat asks for. That is meant to
    /// be [`State::perform`](crate::State::perform); it may block. What is kept already goes
    /// into the chat before, with [`Chat::load`].
    ///
    /// # Errors
    ///
    /// If the system has no thread for it.
    pub fn start(
        chat: Chat,
        server: Handle,
        perform: impl FnMut(Request) -> Answer + Send + 'static,
    ) -> io::Result<App> {
        let (jobs, queue) = mpsc::sync_channel(WAITING_MAX);
        let (answers, done) = mpsc::channel();
        let loop_ = server.clone();
        thread::Builder::new()
            .name("worker".to_owned())
            .spawn(move || work(&queue, perform, &answers, &loop_))?;
        Ok(App { chat, server, jobs, done })
    }

    /// Asks for a reload from any thread.
    #[must_use]
    pub fn reloader(&self) -> Reloader {
        Reloader(self.jobs.clone())
    }

    /// Sends on what the chat has asked for.
    fn carry(&mut self, out: &mut Outbox) {
        for (id, request) in self.chat.take_requests() {
            if matches!(request, Request::Shutdown) {
                self.server.shutdown();
            } else if let Err(
                TrySendError::Full((id, request)) | TrySendError::Disconnected((id, request)),
            ) = self.jobs.try_send((Some(id), request))
            {
                self.chat.answer(id, Answer::Busy(request), out);
            }
        }
    }
}

/// Asks for what is kept to be read again.
#[derive(Clone)]
pub struct Reloader(SyncSender<Job>);

impl Reloader {
    /// Waits for its turn, if there is much to do. What comes of it is logged.
    pub fn reload(&self) {
        // It fails only once the server is gone.
        let _ = self.0.send((None, Request::Reload));
    }
}

/// The worker's whole life. If one request makes it panic, the next is none the worse.
fn work(
    queue: &Receiver<Job>,
    mut perform: impl FnMut(Request) -> Answer,
    answers: &Sender<Done>,
    server: &Handle,
) {
    for (id, request) in queue {
        let answer = catch_unwind(AssertUnwindSafe(|| perform(request))).unwrap_or_else(|_| {
            error!("the worker panicked");
            Answer::NotSaved("something is wrong with this server".to_owned())
        });
        if answers.send((id, answer)).is_err() {
            return;
        }
        server.wake();
    }
}

impl Service for App {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        self.chat.on_open(id, peer, out);
    }

    fn on_ending(&mut self, id: ConnId, ending: Ending, out: &mut Outbox) {
        self.chat.on_ending(id, ending, out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        self.chat.on_line(id, line, out);
        self.carry(out);
    }

    fn on_partial(&mut self, id: ConnId, partial: &[u8], out: &mut Outbox) {
        self.chat.on_partial(id, partial, out);
    }

    fn on_limit(&mut self, id: ConnId, limit: Limit, out: &mut Outbox) {
        self.chat.on_limit(id, limit, out);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        self.chat.on_close(id, why, out);
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        while let Ok((id, answer)) = self.done.try_recv() {
            self.chat.answer(id, answer, out);
        }
        self.chat.on_tick(out);
    }

    fn on_ebb(&mut self) {
        self.chat.on_ebb();
    }

    fn next_tick(&self) -> Option<Instant> {
        self.chat.next_tick()
    }

    fn is_banned(&self, peer: &Peer<'_>, now: Now) -> bool {
        self.chat.is_banned(peer, now)
    }

    fn refusal(&self, why: Refusal) -> &[u8] {
        self.chat.refusal(why)
    }

    fn on_shutdown(&mut self, out: &mut Outbox) {
        self.chat.on_shutdown(out);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::chat::{OPERATORS, Settings};
    use crate::limits::Limits;
    use crate::server::{Config, Listen, Server};

    /// However often the worker wakes the loop before it looks, it looks once.
    #[test]
    fn all_answers_that_are_there_are_given() {
        let listen = vec![Listen { addr: ([127, 0, 0, 1], 0).into(), label: String::new() }];
        let server = Server::bind(Config { listen, ..Config::default() }).unwrap();
        let chat = Chat::new(Settings { operators: true, ..Settings::default() });
        let (performed, requests) = mpsc::channel();
        let perform = move |_| {
            // It fails once the test is over.
            let _ = performed.send(());
            Answer::Reloaded(None)
        };
        let mut app = App::start(chat, server.handle(), perform).unwrap();
        let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        let mut out = Outbox::new(&Limits::default(), now);
        let peer = Peer { addr: ([127, 0, 0, 1], 1).into(), label: OPERATORS };
        let ids: Vec<ConnId> = (0..3).map(|slot| out.open(slot)).collect();
        for id in &ids {
            app.on_open(*id, &peer, &mut out);
            app.on_line(*id, b"/reload", &mut out);
            assert_eq!(out.take(*id), b"");
        }
        // With the third begun, the answers to the first two have been sent.
        for _ in &ids {
            requests.recv_timeout(Duration::from_secs(10)).expect("the worker works");
        }
        app.on_tick(&mut out);
        let answered = ids[..2].iter().filter(|id| !out.take(**id).is_empty()).count();
        assert_eq!(answered, 2);
    }
}
