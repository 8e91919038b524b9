//! What stands in the log may be damaged, or somebody else's: a chat goes on whatever it is told.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use arbtest::arbitrary::{Result, Unstructured};
use chinwag::chat::{Answer, Bus, OPERATORS, Settings};
use chinwag::cluster::{Action, Event, NodeId, Outcome, Report};
use chinwag::testing::Network;
use chinwag::{Chat, CloseReason, ConnId, Limits, Outbox, Peer, Service};

use super::chats::token;

/// What the two nodes are told, in their order, and all events so far.
#[derive(Default)]
struct Log {
    reports: [VecDeque<Report>; 2],
    events: Vec<Event>,
}

impl Log {
    fn append(&mut self, node: u64, number: u64, outcome: Outcome, payload: Vec<u8>) {
        let id = self.events.len() as u64 + 1;
        let event =
            Event { id, at: 1_700_000_000_000, node: NodeId(node), number, outcome, payload };
        self.events.push(event.clone());
        for reports in &mut self.reports {
            reports.push_back(Report::Event(event.clone()));
        }
    }
}

struct Node {
    chat: Chat,
    id: u64,
    log: Rc<RefCell<Log>>,
}

impl Node {
    /// Whatever it appends is decided as it wishes.
    fn carry(&mut self, out: &mut Outbox) {
        loop {
            let mut log = self.log.borrow_mut();
            while let Some(entry) = self.chat.next_entry(out.now()) {
                let seq = log.events.len() as u64;
                let outcome = match entry.action {
                    Action::Tell | Action::Release { .. } | Action::Raise { .. } => Outcome::Told,
                    Action::Say { .. } => Outcome::Said { seq, epoch: 1 },
                    Action::Claim { .. } => Outcome::Claimed,
                    Action::LeaseGuests => Outcome::Block(u32::try_from(self.id).unwrap()),
                    Action::KeepGuests { blocks } => Outcome::Kept(blocks),
                };
                log.append(self.id, entry.number, outcome, entry.payload);
            }
            let report = log.reports[usize::from(self.id == 2)].pop_front();
            drop(log);
            let Some(report) = report else { return };
            self.chat.report(report, out);
        }
    }
}

impl Service for Node {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        self.chat.on_open(id, peer, out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        self.chat.on_line(id, line, out);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        self.chat.on_close(id, why, out);
    }

    fn on_tick(&mut self, out: &mut Outbox) {
        while let Some((id, _)) = self.chat.next_request() {
            self.chat.answer(id, Answer::Refreshed(None), out);
        }
        self.chat.on_tick(out);
        self.carry(out);
    }

    fn next_tick(&self) -> Option<Instant> {
        self.chat.next_tick()
    }
}

fn node(id: u64, log: &Rc<RefCell<Log>>) -> Network<Node> {
    let settings = Settings {
        bus: Bus::Log(NodeId(id)),
        operators: true,
        random: Some(token),
        digest: Some(|token| std::array::from_fn(|at| token[at % token.len()])),
        ..Settings::default()
    };
    let node = Node { chat: Chat::new(settings), id, log: Rc::clone(log) };
    log.borrow_mut().append(id, 0, Outcome::Entered, b"node".to_vec());
    Network::new(node, &Limits::default().with(|it| it.rate = None))
}

/// An event as another might have written it.
fn damage(u: &mut Unstructured<'_>, event: &Event) -> Result<Event> {
    let mut event = event.clone();
    let number = |u: &mut Unstructured<'_>| {
        // Of more digits none is read.
        u.choose(&[0, 1, 2, 63, 64, 1 << 32, 99_999_999_999_999]).copied()
    };
    for _ in 0..u.int_in_range(0..=3)? {
        if !event.payload.is_empty() {
            let at = u.choose_index(event.payload.len())?;
            event.payload[at] = u.arbitrary()?;
        }
    }
    if u.ratio(1, 4)? {
        event.payload.truncate(u.int_in_range(0..=event.payload.len())?);
    }
    event.node = NodeId(u.int_in_range(1..=3)?);
    event.number = if u.arbitrary()? { event.number } else { number(u)? };
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    event.outcome = match u.int_in_range(0..=12)? {
        0 => Outcome::Told,
        1 => Outcome::Said { seq: number(u)?, epoch: number(u)?.cast_signed() },
        2 => Outcome::Claimed,
        3 => Outcome::Taken,
        4 => Outcome::Block(small(number(u)?)),
        5 => Outcome::Kept(vec![small(number(u)?), small(number(u)?)]),
        6 => Outcome::Entered,
        7 => Outcome::Gone,
        _ => event.outcome,
    };
    event.at = if u.arbitrary()? { event.at } else { number(u)?.cast_signed() };
    Ok(event)
}

fn line(u: &mut Unstructured<'_>) -> Result<&'static str> {
    u.choose(&[
        "hello",
        "/me waves",
        "/nick erin",
        "/nick finn",
        "/join tea",
        "/join lobby",
        "/topic Earl Grey",
        "/msg erin psst",
        "/who",
        "/rooms",
        "/away lunch",
        "/ignore erin",
        "/resume",
        "/mute finn",
        "/kick finn",
        "/ban finn",
        "/announce tea",
        "/whois erin",
        "/stats",
    ])
    .copied()
}

#[test]
fn whatever_the_log_says_a_chat_goes_on() {
    arbtest::arbtest(|u| {
        let log = Rc::<RefCell<Log>>::default();
        let mut nodes = [node(1, &log), node(2, &log)];
        let pass = |nodes: &mut [Network<Node>; 2]| {
            for node in nodes {
                node.pass(Duration::from_millis(10));
                node.wake();
            }
        };
        pass(&mut nodes);
        pass(&mut nodes);
        let mut people = Vec::new();
        for (at, node) in nodes.iter_mut().enumerate() {
            for label in ["native", "json", OPERATORS] {
                people.push((at, node.connect(label)));
            }
        }
        for _ in 0..u.int_in_range(1..=60)? {
            let (at, id) = *u.choose(&people)?;
            if u.arbitrary()? {
                nodes[at].send(id, format!("{}\n", line(u)?).as_bytes());
                pass(&mut nodes);
                continue;
            }
            let event = u.choose(&log.borrow().events)?.clone();
            let report = match u.int_in_range(0..=9)? {
                0 => Report::CutOff,
                1 => Report::NewEra,
                2 => Report::Lost(*u.choose(&[1, 1 << 40])?),
                3 | 4 => Report::Past(damage(u, &event)?),
                _ => Report::Event(damage(u, &event)?),
            };
            log.borrow_mut().reports[at].push_back(report);
            pass(&mut nodes);
        }
        Ok(())
    })
    .budget_ms(2000);
}
