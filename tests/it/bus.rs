//! A chat with a bus between it and itself: whatever is slow on the way, it reads as on one server.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chinwag::chat::{Answer, Bus, OPERATORS, Operation, Request, Settings};
use chinwag::testing::Network;
use chinwag::{Chat, CloseReason, ConnId, Limits, Outbox, Peer, Service};

/// The chat, and what is on the bus until it is woken.
struct Slow {
    chat: Chat,
    bus: VecDeque<Operation>,
    /// How many come back at a time.
    each: usize,
}

impl Slow {
    fn post(&mut self) {
        self.bus.extend(std::iter::from_fn(|| self.chat.next_operation()));
    }
}

impl Service for Slow {
    fn on_open(&mut self, id: ConnId, peer: &Peer<'_>, out: &mut Outbox) {
        self.chat.on_open(id, peer, out);
        self.post();
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        self.chat.on_line(id, line, out);
        self.post();
    }

    fn on_end_of_input(&mut self, id: ConnId, out: &mut Outbox) {
        self.chat.on_end_of_input(id, out);
    }

    fn on_close(&mut self, id: ConnId, why: CloseReason, out: &mut Outbox) {
        self.chat.on_close(id, why, out);
        self.post();
    }

    /// Every password is right, and what is on the bus comes back.
    fn on_tick(&mut self, out: &mut Outbox) {
        if let Some((id, Request::LogIn { name, by, .. })) = self.chat.next_request() {
            self.chat.answer(id, Answer::LoggedIn(name, by), out);
        }
        let count = self.each.min(self.bus.len());
        for operation in self.bus.drain(..count) {
            self.chat.apply(operation, out);
        }
        self.chat.on_tick(out);
        self.post();
    }

    fn next_tick(&self) -> Option<Instant> {
        self.chat.next_tick()
    }
}

fn network() -> Network<Slow> {
    network_of(usize::MAX)
}

/// With a bus from which so many come back at a time.
fn network_of(each: usize) -> Network<Slow> {
    let settings = Settings {
        bus: Bus::Carried,
        require_name: true,
        operators: true,
        accounts: true,
        rooms_max: 2,
        random: Some(numbered),
        ..Settings::default()
    };
    let slow = Slow { chat: Chat::new(settings), bus: VecDeque::new(), each };
    let mut network = Network::new(slow, &Limits::default().with(|it| it.rate = None));
    network.wake();
    network
}

/// A token that no other is.
fn numbered(token: &mut [u8; 24]) {
    static LAST: AtomicU64 = AtomicU64::new(0);
    token[..8].copy_from_slice(&LAST.fetch_add(1, Ordering::Relaxed).to_be_bytes());
}

/// Until nothing is on the bus.
fn settle(network: &mut Network<Slow>) {
    network.wake();
    while !network.service().bus.is_empty() {
        network.wake();
    }
}

fn named(network: &mut Network<Slow>, name: &str) -> ConnId {
    let id = network.connect("native");
    network.send(id, format!("REGISTER {name}\n").as_bytes());
    settle(network);
    settle(network);
    assert_eq!(network.read(id), format!("Registered as {name}\n"));
    id
}

fn token_of(network: &mut Network<Slow>, id: ConnId) -> String {
    let answer = network.say(id, "/resume\n");
    answer.trim_end().rsplit(' ').next().expect("a token is last").to_owned()
}

#[test]
fn what_is_piped_in_is_answered_in_order_to_its_last_line() {
    let mut network = network();
    let erin = network.connect("native");
    network.send(erin, b"REGISTER erin\nhello\n/who\nlast");
    network.end(erin);
    assert_eq!(network.read(erin), "");
    assert!(!network.is_closed(erin));
    settle(&mut network);
    settle(&mut network);
    assert_eq!(
        network.read(erin),
        "Registered as erin\n[erin] hello\n1 in lobby: erin\n[erin] last\n"
    );
    assert!(network.is_closed(erin));
}

#[test]
fn speech_waits_for_the_name_that_it_needs() {
    let mut network = network();
    let erin = network.connect("native");
    settle(&mut network);
    network.send(erin, b"REGISTER erin\nhello\n");
    assert_eq!(network.service().bus.len(), 1, "only the name is asked for");
    settle(&mut network);
    settle(&mut network);
    assert_eq!(network.read(erin), "Registered as erin\n[erin] hello\n");
}

#[test]
fn speech_does_not_wait_for_speech() {
    let mut network = network();
    let ann = named(&mut network, "ann");
    network.send(ann, b"one\n/me two\n/topic three\n/topic\nfour\n");
    assert_eq!((network.read(ann), network.service().bus.len()), (String::new(), 3));
    settle(&mut network);
    assert_eq!(
        network.read(ann),
        "[ann] one\n* ann two\nann set the topic: three\nTopic: three\n[ann] four\n"
    );
}

#[test]
fn the_last_words_of_who_is_cut_off_are_said_before_they_leave() {
    let mut network = network();
    let (ann, bob) = (named(&mut network, "ann"), named(&mut network, "bob"));
    network.say(bob, "/notices on\n");
    network.read(bob);
    network.send(ann, b"last words\n");
    network.reset(ann);
    let next = network.connect("native");
    network.send(next, b"REGISTER ann\n");
    settle(&mut network);
    network.pass(Duration::from_secs(2));
    assert_eq!(network.read(bob), "[ann] last words\nann left the chat.\nann joined the chat.\n");
    assert_eq!(network.read(next), "[ann] last words\nRegistered as ann\n");
}

#[test]
fn for_last_words_there_is_no_room_beyond_the_limit() {
    let mut network = network_of(1);
    let (ann, bob) = (named(&mut network, "ann"), named(&mut network, "bob"));
    network.send(ann, b"/join x\n");
    network.send(bob, b"/join tea\n");
    network.wake();
    assert_eq!(network.read(ann), "1 in x: ann\n");
    network.send(ann, b"last words\n");
    network.reset(ann);
    settle(&mut network);
    assert_eq!(network.read(bob), "1 in tea: bob\n");
    network.send(bob, b"/join x\n");
    settle(&mut network);
    let full = "There are 2 rooms already, as many as there may be.\n";
    assert_eq!(network.read(bob), full);
}

#[test]
fn a_name_is_whose_claim_comes_first() {
    let mut network = network();
    let (one, two) = (network.connect("native"), network.connect("native"));
    network.send(one, b"REGISTER ann\nhi\n");
    network.send(two, b"REGISTER ann\n");
    settle(&mut network);
    assert_eq!(network.read(one), "Registered as ann\n[ann] hi\n");
    assert_eq!(network.read(two), "Name ann is taken.\n[ann] hi\n");
}

#[test]
fn a_line_to_one_who_has_left_meanwhile_reaches_nobody_else() {
    let mut network = network();
    let (ann, bob) = (named(&mut network, "ann"), named(&mut network, "bob"));
    network.send(ann, b"/msg bob psst\n");
    network.send(bob, b"quit\n");
    let other = network.connect("native");
    network.send(other, b"REGISTER bob\n");
    settle(&mut network);
    assert_eq!(network.read(ann), "No one is called bob.\n");
    assert_eq!(network.read(other), "Registered as bob\n");
}

/// Two clients have one user's token, and the one in front has asked to be another user.
#[test]
fn a_resume_is_for_the_connection_that_asked_or_for_none() {
    let mut network = network_of(1);
    let (ann, bob) = (named(&mut network, "ann"), named(&mut network, "bob"));
    let (as_ann, as_bob) = (token_of(&mut network, ann), token_of(&mut network, bob));
    let next = network.connect("native");
    network.send(next, format!("/resume {as_ann}\nhello\n/join tea\nhere\n").as_bytes());
    // It is known to have connected, and asks to be ann.
    network.wake();
    network.send(ann, format!("/resume {as_bob}\n").as_bytes());
    settle(&mut network);
    assert_eq!(network.read(next), "You are now ann\n[ann] hello\n1 in tea: ann\n[ann] here\n");
    assert!(network.is_closed(ann) && !network.is_closed(bob));
    // The token has not been used.
    let again = network.connect("native");
    network.send(again, format!("/resume {as_bob}\n").as_bytes());
    settle(&mut network);
    assert!(network.read(again).starts_with("You are now bob\n") && network.is_closed(bob));
}

#[test]
fn what_operators_do_and_who_logs_in_waits_too() {
    let mut network = network();
    let (op, ann) = (network.connect(OPERATORS), named(&mut network, "ann"));
    settle(&mut network);
    network.send(op, b"/mute ann 1m\n/announce tea\n/unmute ann\n/kick ann why\n");
    assert_eq!((network.read(op), network.read(ann)), (String::new(), String::new()));
    settle(&mut network);
    let answers = network.read(op);
    assert_eq!(
        answers,
        "Muted ann until 1970-01-01 00:01 UTC.\nAnnouncement by op: tea\nNo longer muted: ann\n\
         ann was kicked by op: why\n"
    );
    assert!(network.is_closed(ann));
    let cat = network.connect("native");
    network.send(cat, b"/nick Cat password-of-cat\nmeow\n");
    settle(&mut network);
    settle(&mut network);
    assert_eq!(network.read(cat), "You are now Cat\n[Cat] meow\n");
}
