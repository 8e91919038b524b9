//! The chat with its worker, without a server.

use std::collections::VecDeque;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use super::*;
use crate::chat::{Bus, OPERATORS, Settings};
use crate::cluster::{Action, Entry, Event, NodeId, Outcome, Report};
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

/// A log of one node, which appends nothing, and what the node has asked of it.
struct Alone {
    reports: VecDeque<Report>,
    has_left: mpsc::Sender<()>,
}

impl Carrier for Alone {
    fn append(&mut self, entry: Entry) {
        if entry.action == Action::LeaseGuests {
            self.reports.push_back(event(entry.number, Outcome::Block(0)));
        }
    }

    fn take(&mut self) -> Option<Report> {
        self.reports.pop_front()
    }

    fn stop(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn go_on(&mut self) {}

    fn leave(&mut self, _: Duration) {
        self.has_left.send(()).expect("the test waits");
    }

    fn write_metrics(&self, _: &mut Exposition) {}
}

fn event(number: u64, outcome: Outcome) -> Report {
    Report::Event(Event { id: 1, at: 0, node: NodeId(1), number, outcome, payload: Vec::new() })
}

#[test]
fn a_node_leaves_when_its_shutdown_begins() {
    let chat = Chat::new(Settings { bus: Bus::Log(NodeId(1)), ..Settings::default() });
    let app = ChatWithWorker::start(chat, Handle::detached(), |_| Answer::Reloaded(None));
    let (has_left, leaves) = mpsc::channel();
    let reports = [event(0, Outcome::Entered)].into();
    let mut app = app.unwrap().with_link(Alone { reports, has_left });
    let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
    let mut out = Outbox::new(&Limits::default(), now);
    app.on_start(&mut out);
    let id = out.open(0);
    app.on_open(id, &Peer::new(Origin::Unix, "native"), &mut out);
    assert!(leaves.try_recv().is_err());
    app.on_shutdown(&mut out);
    assert!(leaves.try_recv().is_err(), "the goodbye comes first");
    app.on_tick(&mut out);
    assert!(leaves.try_recv().is_ok(), "nobody has closed yet, and may never");
    drop(app);
    assert!(leaves.try_recv().is_err(), "once is enough");
}
