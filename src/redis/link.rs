//! A node's link to the log: what the server's thread has of it.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::vec;

use log::{error, warn};

use super::connection::Failure;
use super::dialer::Dialer;
use super::hand_over::Stopped;
use super::options::{LinkError, Options};
use super::reader::Reader;
use super::script::{Answer, Caller, Log, Place};
use super::shared::{Message, Shared, Side, State};
use super::stats::Stats;
use super::suitable;
use super::writer::Writer;
use crate::cluster::{Carrier, Entry, NodeId, Report};
use crate::net::mailbox::{Mailbox, Post};
use crate::net::metrics::Exposition;
use crate::net::server::Handle;

/// Pages of reports that wait for the server's thread; then nothing more is read from Redis.
const PAGES: usize = 4;

/// A node's link to the log. When it is dropped its threads end, and the node is gone for others
/// once its lease has run out; [`Carrier::leave`] tells them at once.
///
/// Entries wait in memory until Redis has taken those before, so whoever appends has to bound how
/// many are under way. Those that were appended before the node's newest
/// [`Outcome::Entered`](crate::cluster::Outcome::Entered) was taken come to nothing, if they were
/// not in the log before it.
pub struct Link {
    options: Options,
    server: Handle,
    node: NodeId,
    shared: Arc<Shared>,
    /// They end when this is dropped.
    threads: Threads,
    /// There is none once it is stopped.
    mailbox: Option<Mailbox<Vec<Message>>>,
    page: vec::IntoIter<Message>,
    /// How far the chat has been told: the node's epoch, the place in the log, which past lines are
    /// left, and how often it was cut off.
    epoch: u64,
    place: Place,
    past: Option<(Place, Place)>,
    cut_offs: u64,
    stopped: Option<Vec<u8>>,
}

struct Threads {
    shared: Arc<Shared>,
    handles: Vec<JoinHandle<()>>,
}

impl Link {
    /// Connects to Redis, checks whether it can keep the log, and enters: the log's lines come as
    /// [`Report::Past`], then the node's own entering, then whatever happens. `server` is woken
    /// whenever there is something to [take](Carrier::take). It blocks, for at most
    /// [`Options::patience`].
    ///
    /// # Errors
    ///
    /// One line: what is wrong with the options, or where Redis should be and what it said, or why
    /// it cannot keep the log.
    pub fn start(options: &Options, server: Handle) -> Result<Link, LinkError> {
        options.check()?;
        let (stopped, log) = enter(options).map_err(|why| at(options, &why))?;
        Link::begin(stopped, options, server, Some(log))
    }

    /// Goes on where another link has been [stopped](Carrier::stop), usually another program's.
    /// Connects later, as after a lost connection.
    ///
    /// # Errors
    ///
    /// One line: what is wrong with the options, that it is not what a link has packed, or that
    /// the system cannot start a thread.
    pub fn resume(stopped: &[u8], options: &Options, server: Handle) -> Result<Link, LinkError> {
        options.check()?;
        let stopped = Stopped::from_bytes(stopped).map_err(|error| LinkError(error.to_string()))?;
        Link::begin(stopped, options, server, None)
    }

    /// The node's number.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// What it has done so far, and how it is.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let failing = self.shared.failing_for();
        let state = self.shared.lock();
        let counts = &state.counts;
        Stats {
            entries: counts.entries,
            batches: counts.batches,
            events: counts.events,
            lost: counts.lost,
            cut_offs: counts.cut_offs,
            waiting: state.queue.len(),
            round_trip: counts.round_trip,
            failing,
            is_cut_off: state.is_cut_off,
        }
    }

    /// Starts the threads. With `log` the writer has a connection already.
    fn begin(
        mut stopped: Stopped,
        options: &Options,
        server: Handle,
        log: Option<Log>,
    ) -> Result<Link, LinkError> {
        let dialer = Dialer::new(options).map_err(|why| at(options, &why))?;
        let shared = Arc::new(Shared::new(state(&mut stopped), options.patience));
        let (post, mailbox) = Mailbox::new(server.clone(), PAGES);
        if let Some(Ok(breaker)) = log.as_ref().map(Log::breaker) {
            shared.connected(Side::Writer, breaker);
        }
        let reader = reader(&shared, &stopped, post.clone(), dialer.clone(), options);
        let writer = writer(&shared, &stopped, post, dialer, options, log);
        let threads = Threads::start(&shared, || reader.run(), || writer.run())?;
        let page = if stopped.owes_cut_off { vec![Message::cut_off()] } else { Vec::new() };
        if stopped.owes_cut_off {
            shared.lock().counts.cut_offs = 1;
            server.wake();
        }
        Ok(Link {
            options: options.clone(),
            server,
            node: stopped.node,
            shared,
            threads,
            mailbox: Some(mailbox),
            page: page.into_iter(),
            epoch: stopped.known_epoch,
            place: stopped.place,
            past: stopped.past,
            cut_offs: 0,
            stopped: None,
        })
    }
}

impl Carrier for Link {
    fn append(&mut self, entry: Entry) {
        // Without threads nobody would ever send it.
        if self.mailbox.is_some() {
            self.shared.append(self.epoch, entry);
        }
    }

    fn take(&mut self) -> Option<Report> {
        let message = loop {
            if let Some(message) = self.page.next() {
                break message;
            }
            self.page = self.mailbox.as_mut()?.take()?.into_iter();
        };
        let Message { report, place, epoch } = message;
        match &report {
            Report::Past(_) => {
                if let Some((after, _)) = &mut self.past {
                    *after = place;
                }
            }
            Report::CutOff => self.cut_offs += 1,
            Report::Event(_) | Report::Lost(_) | Report::NewEra => {
                (self.past, self.place) = (None, place);
            }
        }
        self.epoch = self.epoch.max(epoch);
        Some(report)
    }

    /// The lease goes on. It breaks calls off that are under way.
    fn stop(&mut self) -> Vec<u8> {
        if let Some(stopped) = &self.stopped {
            return stopped.clone();
        }
        self.shared.stop();
        // A thread may be waiting for room in it. What is in it is read again.
        (self.mailbox, self.page) = (None, Vec::new().into_iter());
        for thread in self.threads.handles.drain(..) {
            // If it has panicked, what it knew is with the others.
            let _ = thread.join();
        }
        let mut state = self.shared.lock();
        let stopped = Stopped {
            node: self.node,
            epoch: state.epoch,
            known_epoch: self.epoch,
            era: state.era,
            place: self.place.clone(),
            past: self.past.clone(),
            must_enter: state.must_enter,
            is_cut_off: state.is_cut_off,
            owes_cut_off: state.counts.cut_offs > self.cut_offs,
            queue: std::mem::take(&mut state.queue).into(),
        };
        drop(state);
        self.stopped.insert(stopped.to_bytes()).clone()
    }

    fn go_on(&mut self) {
        let Some(stopped) = self.stopped.take() else { return };
        match Link::resume(&stopped, &self.options, self.server.clone()) {
            Ok(link) => *self = link,
            // The system has no thread left, for example. Others will see that the node is gone.
            Err(reason) => {
                error!(reason:%; "link_not_resumed");
                let mut state = self.shared.lock();
                state.is_cut_off = true;
                state.counts.cut_offs += 1;
                drop(state);
                self.page = vec![Message::cut_off()].into_iter();
                self.server.wake();
            }
        }
    }

    fn leave(&mut self, within: Duration) {
        // A thread that waits for room in it goes on once it is gone.
        self.mailbox = None;
        if !self.shared.leave(Instant::now() + within) {
            warn!("left_without_telling");
        }
        self.shared.stop();
    }

    fn write_metrics(&self, metrics: &mut Exposition) {
        self.stats().write(metrics);
    }
}

impl Threads {
    fn start(
        shared: &Arc<Shared>,
        read: impl FnOnce() + Send + 'static,
        write: impl FnOnce() + Send + 'static,
    ) -> Result<Threads, LinkError> {
        let no_thread = |error: std::io::Error| LinkError(error.to_string());
        let mut threads = Threads { shared: Arc::clone(shared), handles: Vec::new() };
        let reader = thread::Builder::new().name("redis-read".to_owned()).spawn(read);
        threads.handles.push(reader.map_err(no_thread)?);
        let writer = thread::Builder::new().name("redis-write".to_owned()).spawn(write);
        threads.handles.push(writer.map_err(no_thread)?);
        Ok(threads)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.stop();
    }
}

/// What the threads have between them.
fn state(stopped: &mut Stopped) -> State {
    State {
        queue: std::mem::take(&mut stopped.queue).into(),
        place: stopped.place.clone(),
        epoch: stopped.epoch,
        era: stopped.era,
        must_enter: stopped.must_enter,
        is_cut_off: stopped.is_cut_off,
        ..State::default()
    }
}

fn reader(
    shared: &Arc<Shared>,
    stopped: &Stopped,
    post: Post<Vec<Message>>,
    dialer: Dialer,
    options: &Options,
) -> Reader {
    Reader {
        shared: Arc::clone(shared),
        post,
        dialer,
        options: options.clone(),
        node: stopped.node,
        log: None,
        past: stopped.past.clone(),
        place: stopped.place.clone(),
        last: stopped.place.clone(),
        is_checked: false,
        newest: 0,
    }
}

fn writer(
    shared: &Arc<Shared>,
    stopped: &Stopped,
    post: Post<Vec<Message>>,
    dialer: Dialer,
    options: &Options,
    log: Option<Log>,
) -> Writer {
    Writer {
        shared: Arc::clone(shared),
        post,
        dialer,
        options: options.clone(),
        node: stopped.node,
        log,
        batch: Vec::new(),
        beat: Instant::now(),
        is_checked: false,
        newest: 0,
        untrimmed: 0,
    }
}

/// The first commands: checks, and enters. Lines from before are to come first then, and the
/// node's own event next.
fn enter(options: &Options) -> Result<(Stopped, Log), String> {
    let by = Instant::now() + options.patience;
    let told = |failure: Failure| failure.to_string();
    let mut dialer = Dialer::new(options)?;
    let mut log = Log::open(&mut dialer, &options.cluster, by, |_| {}).map_err(told)?;
    match log.info(by) {
        Ok(info) => suitable::check(&info)?,
        Err(Failure::Refused(reason)) => warn!(reason; "redis_not_checked"),
        Err(failure) => return Err(told(failure)),
    }
    let node = NodeId(getrandom::u64().map_err(|error| error.to_string())?);
    let (lease, place) = (options.lease, Place::default());
    let caller = Caller { node, epoch: 0, lease, place: &place, newest: 0 };
    let answer = log.enter(&caller, &options.node, by).map_err(told)?;
    let Answer::Done(numbers) = answer else {
        return Err("it does not let the node enter".to_owned());
    };
    let [era, before, epoch] = numbers[..] else {
        return Err("it answers otherwise than Redis does".to_owned());
    };
    let place = Place { era, id: before, header: String::new() };
    let stopped = Stopped {
        node,
        epoch,
        known_epoch: 0,
        era,
        past: Some((Place::default(), place.clone())),
        place,
        must_enter: false,
        is_cut_off: false,
        owes_cut_off: false,
        queue: Vec::new(),
    };
    Ok((stopped, log))
}

fn at(options: &Options, why: &str) -> LinkError {
    LinkError(format!("{}: {why}", options.address))
}
