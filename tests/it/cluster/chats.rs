//! Two chats over one log: whoever is at the other node is there like everybody else.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use chinwag::chat::{Answer, Bus, OPERATORS, Request, Settings};
use chinwag::cluster::NodeId;
use chinwag::testing::Network;
use chinwag::{Chat, CloseReason, ConnId, Limits, Outbox, Peer, Service};

use super::link::{Link, Times};
use super::log::Log;
use crate::sim::rng::Rng;

const TIMES: Times = Times { patience: 3000, beat: 1250, delay: 0 };

/// A chat with its way to the log.
pub(super) struct Node {
    chat: Chat,
    link: Rc<RefCell<Link>>,
    log: Rc<RefCell<Log>>,
    wants_shutdown: bool,
    worker: Worker,
}

/// What becomes of a node's requests to read again.
#[derive(Default)]
struct Worker {
    /// For each of them since this was asked last, how many bans were to be put back.
    refreshes: RefCell<Vec<Option<usize>>>,
    is_reading: Cell<bool>,
    is_slow: Cell<bool>,
}

impl Node {
    fn carry(&mut self, out: &mut Outbox) {
        let now = millis(out);
        let (log, link) = (&mut *self.log.borrow_mut(), &mut *self.link.borrow_mut());
        loop {
            while let Some(entry) = self.chat.next_entry(out.now()) {
                link.append(entry, now);
            }
            link.pass(log, now);
            link.read(log, now);
            let Some(report) = link.take(now) else { return };
            self.chat.report(report, out);
        }
    }
}

/// Another one each time.
pub(super) fn token(bytes: &mut [u8; 24]) {
    static GIVEN: AtomicU64 = AtomicU64::new(1);
    let number = GIVEN.fetch_add(1, Ordering::Relaxed);
    for part in bytes.chunks_mut(8) {
        part.copy_from_slice(&number.to_be_bytes());
    }
}

fn millis(out: &Outbox) -> u64 {
    let since = out.now().wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap()
}

impl Service for Node {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        self.chat.on_open(id, peer, out);
        self.carry(out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        self.chat.on_line(id, line, out);
        self.carry(out);
    }

    fn on_end_of_input(&mut self, id: ConnId, out: &mut Outbox) {
        self.chat.on_end_of_input(id, out);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        self.chat.on_close(id, why, out);
        self.carry(out);
    }

    /// All that is to be persisted is, and every password is right.
    fn on_tick(&mut self, out: &mut Outbox) {
        if self.worker.is_reading.get() && !self.worker.is_slow.get() {
            self.worker.is_reading.set(false);
            self.chat.answer(None, Answer::Refreshed(None), out);
        }
        while !self.worker.is_reading.get()
            && let Some((id, request)) = self.chat.next_request()
        {
            let answer = match request {
                Request::Ban { ban, .. } => Answer::Banned(ban),
                Request::Unban(target) => Answer::Unbanned(target),
                Request::LogIn { name, by, .. } => Answer::LoggedIn(name, by),
                Request::Refresh { put_back } => {
                    let bans = put_back.map(|bans| bans.len());
                    self.worker.refreshes.borrow_mut().push(bans);
                    self.worker.is_reading.set(true);
                    break;
                }
                _ => Answer::Reloaded(None),
            };
            self.chat.answer(id, answer, out);
        }
        self.chat.on_tick(out);
        self.carry(out);
        self.wants_shutdown |= self.chat.takes_shutdown();
    }

    fn next_tick(&self) -> Option<Instant> {
        self.chat.next_tick()
    }
}

/// Nodes, and the log that they share.
pub(super) struct Cluster {
    pub(super) nodes: Vec<Network<Node>>,
    log: Rc<RefCell<Log>>,
    /// Those that cannot reach the log.
    cut: BTreeSet<usize>,
}

impl Cluster {
    pub(super) fn new(count: u64) -> Cluster {
        Cluster::with(count, |_, _| {})
    }

    /// The same with other settings for some of them.
    pub(super) fn with(count: u64, change: impl Fn(u64, &mut Settings)) -> Cluster {
        let log = Rc::new(RefCell::new(Log::new(5000, 1000)));
        let mut cluster = Cluster { nodes: Vec::new(), log, cut: BTreeSet::new() };
        for number in 0..count {
            cluster.start(|settings| change(number, settings));
        }
        cluster.settle();
        cluster
    }

    /// One more node, which has not entered yet. Returns its number.
    pub(super) fn start(&mut self, change: impl FnOnce(&mut Settings)) -> usize {
        let number = self.nodes.len() as u64;
        let now = self.nodes.first().map_or(0, |node| millis(node.outbox()));
        let id = NodeId(number + 1);
        let link = Link::new(id, &format!("node-{}", number + 1), TIMES, Rng::new(number), now);
        let mut settings = Settings {
            bus: Bus::Log(id),
            operators: true,
            random: Some(token),
            digest: Some(|token| std::array::from_fn(|at| token[at % token.len()])),
            ..Settings::default()
        };
        change(&mut settings);
        let node = Node {
            chat: Chat::new(settings),
            link: Rc::new(RefCell::new(link)),
            log: Rc::clone(&self.log),
            wants_shutdown: false,
            worker: Worker::default(),
        };
        let mut node = Network::new(node, &Limits::default().with(|it| it.rate = None));
        node.pass(Duration::from_millis(now));
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// All that is under way arrives everywhere.
    pub(super) fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 100, "something is under way for ever");
            for node in &mut self.nodes {
                node.pass(Duration::from_millis(1));
                node.wake();
            }
            let is_quiet = |node: &Network<Node>| {
                let Node { link, log, .. } = node.service();
                link.borrow().is_quiet(&log.borrow())
            };
            let mut rest = (0..).zip(&self.nodes).filter(|(node, _)| !self.cut.contains(node));
            if rest.all(|(_, node)| is_quiet(node)) {
                return;
            }
        }
    }

    pub(super) fn connect(&mut self, node: usize, label: &str) -> ConnId {
        let id = self.nodes[node].connect(label);
        self.settle();
        id
    }

    pub(super) fn named(&mut self, node: usize, name: &str) -> ConnId {
        let id = self.connect(node, "native");
        assert_eq!(
            self.say(node, id, &format!("REGISTER {name}")),
            format!("Registered as {name}\n")
        );
        id
    }

    /// What the client reads once everybody has heard the line.
    pub(super) fn say(&mut self, node: usize, id: ConnId, line: &str) -> String {
        self.nodes[node].send(id, format!("{line}\n").as_bytes());
        self.settle();
        self.nodes[node].read(id)
    }

    pub(super) fn read(&mut self, node: usize, id: ConnId) -> String {
        self.nodes[node].read(id)
    }

    /// So many milliseconds go by.
    pub(super) fn pass(&mut self, millis: u64) {
        for _ in 0..millis / 100 {
            for node in &mut self.nodes {
                node.pass(Duration::from_millis(100));
                node.wake();
            }
        }
        self.settle();
    }

    /// The log loses all that it knows.
    pub(super) fn empty(&mut self) {
        self.nodes[0].service().log.borrow_mut().empty();
    }

    /// The log is out of reach for a node.
    pub(super) fn cut(&mut self, node: usize) {
        let now = millis(self.nodes[node].outbox());
        self.nodes[node].service().link.borrow_mut().cut(now);
        self.cut.insert(node);
    }

    /// What a node appends gets to the log, and nothing comes back.
    pub(super) fn deafen(&mut self, node: usize) {
        self.cut(node);
        self.nodes[node].service().link.borrow_mut().let_through();
    }

    /// A node is told that the log is out of reach.
    pub(super) fn tell_cut_off(&mut self, node: usize) {
        let now = millis(self.nodes[node].outbox());
        self.nodes[node].service().link.borrow_mut().cut_off(now);
    }

    /// What a node has not read by now is lost to it.
    pub(super) fn trim(&mut self) {
        self.log.borrow_mut().trim(0);
    }

    pub(super) fn mend(&mut self, node: usize) {
        let now = millis(self.nodes[node].outbox());
        self.nodes[node].service().link.borrow_mut().mend(now);
        self.cut.remove(&node);
        self.settle();
    }
}

#[test]
fn a_conversation_reads_the_same_on_two_nodes() {
    let mut cluster = Cluster::new(2);
    let ann = cluster.named(0, "ann");
    let bob = cluster.named(1, "bob");
    cluster.read(0, ann);
    assert_eq!(cluster.say(0, ann, "/notices on"), "Notices on.\n");
    assert_eq!(cluster.say(1, bob, "hello"), "[bob] hello\n");
    assert_eq!(cluster.read(0, ann), "[bob] hello\n");
    assert_eq!(cluster.say(0, ann, "/me waves"), "* ann waves\n");
    assert_eq!(cluster.read(1, bob), "* ann waves\n");
    assert_eq!(cluster.say(0, ann, "/who"), "2 in lobby: ann, bob\n");
    assert_eq!(cluster.say(1, bob, "/who"), "2 in lobby: ann, bob\n");
    assert_eq!(cluster.say(0, ann, "/msg bob psst"), "[ann → bob] psst\n");
    assert_eq!(cluster.read(1, bob), "[ann → bob] psst\n");
    assert_eq!(cluster.say(1, bob, "/reply yes"), "[bob → ann] yes\n");
    assert_eq!(cluster.read(0, ann), "[bob → ann] yes\n");
    let eve = cluster.connect(1, "native");
    assert_eq!(cluster.say(1, eve, "/nick Ann"), "Name ann is taken.\n");
}

#[test]
fn what_is_piped_in_is_answered_to_its_last_line() {
    let mut cluster = Cluster::new(2);
    for (node, name) in ["erin", "faye"].iter().enumerate() {
        let id = cluster.nodes[node].connect("native");
        let lines = format!("REGISTER {name}\nhello\nquit\n");
        cluster.nodes[node].send(id, lines.as_bytes());
        cluster.nodes[node].end(id);
        cluster.settle();
        let read = cluster.read(node, id);
        assert_eq!(read, format!("Registered as {name}\n[{name}] hello\nGoodbye!\n"));
        assert!(cluster.nodes[node].is_closed(id));
    }
}

#[test]
fn guests_of_two_nodes_have_numbers_of_their_own() {
    let mut cluster = Cluster::new(2);
    let (one, other) = (cluster.connect(0, "native"), cluster.connect(1, "native"));
    assert_eq!(cluster.say(0, one, "hi"), "[guest] hi\n");
    cluster.read(1, other);
    assert_eq!(cluster.say(1, other, "ho"), "[guest-65] ho\n");
    assert_eq!(cluster.read(0, one), "[guest-65] ho\n");
    assert_eq!(cluster.say(0, one, "/msg guest-65 psst"), "[guest → guest-65] psst\n");
}

#[test]
fn rooms_topics_and_history_are_the_clusters() {
    let mut cluster = Cluster::new(2);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    cluster.say(0, ann, "/join tea");
    cluster.say(0, ann, "/topic Earl Grey");
    cluster.say(0, ann, "anybody?");
    assert_eq!(cluster.say(1, bob, "/rooms"), "lobby 1\ntea 1\n");
    let read = cluster.say(1, bob, "/join tea");
    let lines: Vec<&str> = read.lines().collect();
    assert_eq!(lines[0], "2 in tea: ann, bob");
    assert!(lines[1].ends_with("ann set the topic: Earl Grey"), "{read}");
    assert!(lines[2].ends_with("[ann] anybody?"), "{read}");
    assert_eq!(cluster.say(1, bob, "/topic"), "Topic: Earl Grey\n");
    let program = cluster.connect(1, "json");
    cluster.read(1, program);
    let read = cluster.say(1, program, "/join tea");
    assert!(read.contains("\"seq\":2,"), "{read}");
    cluster.say(0, ann, "/leave");
    cluster.read(1, bob);
    let read = cluster.say(1, bob, "/who");
    assert_eq!(read, "2 in tea: bob, guest-65\n");
}

#[test]
fn who_is_ignored_away_muted_or_kicked_is_so_on_every_node() {
    let mut cluster = Cluster::new(2);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    cluster.say(0, ann, "/ignore bob");
    cluster.say(1, bob, "hello");
    assert_eq!(cluster.read(0, ann), "");
    cluster.say(0, ann, "/unignore bob");
    cluster.say(0, ann, "/away lunch");
    assert_eq!(cluster.say(1, bob, "/msg ann psst"), "[bob → ann] psst\nann is away: lunch\n");
    let op = cluster.connect(0, OPERATORS);
    assert_eq!(cluster.say(0, op, "/whois bob"), "bob: at node node-2, in lobby\n");
    assert_eq!(cluster.say(0, op, "/mute bob"), "Muted bob for good.\n");
    assert_eq!(cluster.read(1, bob), "You were muted by op.\n");
    assert!(cluster.say(1, bob, "hello").starts_with("You are muted"));
    cluster.read(0, ann);
    assert_eq!(cluster.say(0, op, "/kick bob rude"), "bob was kicked by op: rude\n");
    assert!(cluster.nodes[1].is_closed(bob));
    cluster.read(0, ann);
    assert_eq!(cluster.say(0, ann, "/who"), "1 in lobby: ann (and 1 silent)\n");
}

#[test]
fn an_outage_is_told_and_what_was_said_meanwhile_is_counted() {
    let mut cluster = Cluster::new(2);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    let eve = cluster.named(0, "eve");
    cluster.read(0, ann);
    cluster.cut(0);
    assert_eq!(cluster.say(0, ann, "one"), "", "it may come back in time");
    cluster.pass(3200);
    let cut_off = "Cut off from the other servers: until they are back, only this one hears you.\n";
    assert_eq!(cluster.read(0, ann), format!("{cut_off}[ann] one\n"));
    assert_eq!(cluster.say(0, ann, "two"), "[ann] two\n");
    let read = cluster.say(0, ann, "/nick anna");
    assert_eq!(read, "Name anna cannot be had now: the other servers are out of reach.\n");
    let read = cluster.say(0, ann, "/msg bob psst");
    assert_eq!(read, "bob is at another server, which is out of reach.\n");
    cluster.say(1, bob, "are you there?");
    cluster.mend(0);
    let read = cluster.read(0, ann);
    let lines: Vec<&str> = read.lines().collect();
    assert_eq!(lines[0], "[bob] are you there?");
    assert!(lines[1].starts_with("Back with the other servers. "), "{read}");
    assert_eq!(cluster.say(0, ann, "three"), "[ann] three\n");
    assert!(cluster.read(1, bob).ends_with("[ann] three\n"));
    cluster.read(0, eve);
    assert_eq!(cluster.say(0, eve, "/who"), "3 in lobby: ann, bob, eve\n");
    assert_eq!(cluster.say(1, bob, "/who"), "3 in lobby: ann, bob, eve\n");
}

#[test]
fn nobody_has_more_under_way_than_the_log_takes() {
    let mut cluster = Cluster::new(2);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    cluster.cut(0);
    assert_eq!(cluster.say(0, ann, "/away lunch"), "You are away.\n");
    for text in ["tea", "dinner"] {
        assert_eq!(cluster.say(0, ann, &format!("/away {text}")), "", "the first is not back");
    }
    cluster.mend(0);
    assert_eq!(cluster.read(0, ann), "You are away.\nYou are away.\n");
    let read = cluster.say(1, bob, "/msg ann psst");
    assert_eq!(read, "[bob → ann] psst\nann is away: dinner\n");
}

#[test]
fn a_node_that_is_gone_takes_its_people_along_and_brings_them_back() {
    let mut cluster = Cluster::new(2);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    cluster.say(1, bob, "/notices on");
    cluster.say(0, ann, "hi");
    cluster.read(1, bob);
    cluster.cut(0);
    cluster.pass(7000);
    assert_eq!(cluster.read(1, bob), "ann left the chat.\n");
    assert_eq!(cluster.say(1, bob, "/nick Ann"), "You are now Ann\n");
    cluster.mend(0);
    let read = cluster.read(0, ann);
    assert!(read.ends_with("You have been replaced by another connection.\n"), "{read}");
    assert!(cluster.nodes[0].is_closed(ann));
}

/// The token that a client gets.
pub(super) fn token_of(reply: &str) -> String {
    reply.trim().rsplit(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn a_room_is_there_for_users_of_other_nodes_if_there_are_too_many() {
    let mut cluster =
        Cluster::with(2, |node, settings| settings.rooms_max = if node == 0 { 9 } else { 1 });
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    cluster.say(0, ann, "/join tea");
    let token = token_of(&cluster.say(0, ann, "/resume"));
    cluster.nodes[0].end(ann);
    cluster.settle();
    assert_eq!(cluster.say(1, bob, "/rooms"), "lobby 1\n");
    let ann = cluster.connect(0, "native");
    cluster.say(0, ann, &format!("/resume {token}"));
    cluster.read(1, bob);
    assert_eq!(cluster.say(0, ann, "psst"), "[ann] psst\n");
    assert_eq!(cluster.read(1, bob), "", "they are in the lobby");
    assert_eq!(cluster.say(1, bob, "/rooms"), "lobby 1\ntea 1\n");
}

#[test]
fn a_ban_holds_at_every_node() {
    let mut cluster = Cluster::new(2);
    let (ann, bob) = (cluster.named(0, "ann"), cluster.named(1, "bob"));
    cluster.say(1, bob, "rubbish");
    let op = cluster.connect(0, OPERATORS);
    cluster.read(0, ann);
    cluster.say(0, op, "/ban bob rude");
    assert_eq!(cluster.read(0, ann), "bob was banned by op: rude\n");
    assert!(cluster.nodes[1].is_closed(bob));
    for node in 0..2 {
        let next = cluster.connect(node, "native");
        assert_eq!(cluster.say(node, next, "/history"), "", "what they have said is withdrawn");
        assert_eq!(cluster.say(node, next, "/nick Bob"), "Name Bob is banned.\n");
    }
    cluster.say(0, op, "/unban bob");
    let next = cluster.connect(1, "native");
    assert_eq!(cluster.say(1, next, "/nick bob"), "You are now bob\n");
}

#[test]
fn an_operator_ends_every_server() {
    let mut cluster = Cluster::new(2);
    let op = cluster.connect(0, OPERATORS);
    cluster.say(0, op, "/shutdownall upgrade");
    assert!(cluster.nodes.iter().all(|node| node.service().wants_shutdown));
}

#[test]
fn what_is_persisted_is_read_again_when_somebody_may_have_missed_something() {
    let mut cluster = Cluster::new(2);
    let op = cluster.connect(0, OPERATORS);
    let take = |cluster: &mut Cluster| {
        cluster.settle();
        [0, 1].map(|node| cluster.nodes[node].service().worker.refreshes.take())
    };
    // Each has seen the second one enter.
    let [first, second] = take(&mut cluster);
    assert!(!first.is_empty() && !second.is_empty(), "{first:?} {second:?}");
    assert_eq!(cluster.say(0, op, "/ban eve"), "Banned eve for good.\n");
    assert_eq!(take(&mut cluster), [vec![None], vec![None]]);
    cluster.cut(1);
    cluster.pass(4000);
    let op_there = cluster.connect(1, OPERATORS);
    let refused = "Not saved: the other servers are out of reach.\n";
    assert_eq!(cluster.say(1, op_there, "/ban bob"), refused);
    cluster.mend(1);
    assert_eq!(take(&mut cluster), [vec![None], vec![None]]);
    // A ban that is told while a worker reads may have come too late for it.
    cluster.nodes[1].service().worker.is_slow.set(true);
    cluster.cut(0);
    cluster.pass(4000);
    cluster.mend(0);
    cluster.read(0, op);
    assert_eq!(cluster.say(0, op, "/ban bob"), "Banned bob for good.\n");
    cluster.nodes[1].service().worker.is_slow.set(false);
    cluster.settle();
    assert_eq!(take(&mut cluster), [vec![None, None], vec![None, None]]);
}
