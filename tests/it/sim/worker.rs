//! The worker's part: accounts and operators over the streams of the simulation, and a
//! worker that is slow and fails. It has a run of its own, since
//! what matters here is not what everybody hears but who waits, for whom, and for how long.
//!
//! Whatever happens, each line has its one verdict, in order, and nobody else's; operators go
//! first, and no address waits for more than one request of any other; what the
//! worker was asked for and what the chat believes agree in the end; and no password shows
//! in any stream, in the log, or in what `Debug` says of requests and answers.

mod desk;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use chinwag::chat::Settings;
use chinwag::{Chat, Hub, Limits, Now, Peer};
use desk::{Desk, Turns};

use super::journal::Journal;
use super::rng::Rng;
use super::stream::{Reset, SimStream, Wire};
use super::{NamesSeed, number_in};

/// A part of every password, and of nothing else.
const SECRET: &str = "sekret";

const NAMES: [&str; 4] = ["ann", "Bob", "cat", "DAN"];

/// Whether a password was logged by anything at all in this process.
static LEAKED: AtomicBool = AtomicBool::new(false);

struct Listener;

thread_local! {
    /// Whether what runs in this thread is to take the log for switched on. That changes when the
    /// server wakes up, and so what other simulations come to, which run at the same time.
    static IS_LOGGED: Cell<bool> = const { Cell::new(false) };
}

impl log::Log for Listener {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        IS_LOGGED.get()
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.args().to_string().contains(SECRET) {
            LEAKED.store(true, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

fn listen_to_the_log() {
    static ONCE: Once = Once::new();
    IS_LOGGED.set(true);
    ONCE.call_once(|| {
        log::set_logger(&Listener).expect("nobody else logs in the tests");
        log::set_max_level(log::LevelFilter::Trace);
    });
}

thread_local! {
    static TOKENS: Cell<u64> = const { Cell::new(0) };
}

fn token(bytes: &mut [u8; 24]) {
    TOKENS.set(TOKENS.get() + 1);
    bytes[..8].copy_from_slice(&TOKENS.get().to_be_bytes());
}

/// Somebody who types commands, and behind each asks for something that comes at once.
struct Client {
    wire: Rc<RefCell<Wire>>,
    slot: usize,
    is_operator: bool,
    asked: usize,
}

impl Client {
    fn say(&mut self, line: &str) {
        let who = self.wire.borrow().who();
        let both = format!("{line}\n/up p{who}x{}\n", self.asked);
        self.wire.borrow_mut().send(both.into_bytes());
        self.asked += 1;
    }

    fn text(&self) -> String {
        String::from_utf8(self.wire.borrow().accepted().to_vec()).expect("UTF-8")
    }

    /// The lines between one answered question and the next. What others caused is left out.
    fn verdicts(&self) -> Vec<Vec<String>> {
        let who = self.wire.borrow().who();
        let (mut verdicts, mut now) = (Vec::new(), Vec::new());
        for line in self.text().split_inclusive('\n') {
            if line == format!("P{who}X{}\n", verdicts.len()) {
                verdicts.push(std::mem::take(&mut now));
            } else if !OF_OTHERS.iter().any(|part| line.contains(part)) {
                now.push(line.to_owned());
            }
        }
        verdicts
    }

    /// Whether the server closed it although it had more to say.
    fn was_sent_away(&self) -> bool {
        let ends = [
            "You have been replaced by another connection.",
            " kicked by ",
            " banned by ",
            "You are banned",
        ];
        let text = self.text();
        let last = text.lines().last().unwrap_or("");
        ends.iter().any(|end| last.contains(end))
    }
}

const OF_OTHERS: [&str; 5] = [
    " was kicked by ",
    " were banned by ",
    " was banned by ",
    "You were muted",
    "no longer muted.",
];

struct World {
    hub: Hub<SimStream, Desk>,
    clients: Vec<Client>,
    journal: Journal,
    rng: Rng,
    now: Now,
    banned: usize,
}

impl World {
    fn new(seed: u64) -> World {
        let mut rng = Rng::new(seed);
        let journal = Journal::new(false);
        let now = Now { monotonic: Instant::now(), wall: SystemTime::UNIX_EPOCH };
        let settings = Settings {
            accounts: true,
            operators: true,
            greet_after: None,
            waiting_max: rng.between(1, 3),
            accounts_per_addr: rng.between(1, 4),
            random: Some(token),
            ..Settings::default()
        };
        let limits = Limits::default().with(|it| {
            it.rate = None;
            it.chunk = rng.between(1, 64);
            it.read_budget = rng.between(1, 4);
            it.write_budget = rng.between(1, 4);
        });
        let desk = Desk {
            chat: Chat::new(settings),
            rng: rng.fork(),
            journal: journal.clone(),
            turns: Turns::default(),
            passwords: BTreeMap::new(),
            bans: Vec::new(),
            seen: BTreeSet::new(),
        };
        World {
            hub: Hub::new(desk, &limits, now),
            clients: Vec::new(),
            journal,
            rng,
            now,
            banned: 0,
        }
    }

    fn connect(&mut self, is_operator: bool) {
        let who = self.clients.len();
        let wire = Wire::new(who, self.journal.clone(), self.rng.fork());
        let wire = Rc::new(RefCell::new(wire));
        let slot = self.hub.next_slot();
        let host = u8::try_from(who % 4).expect("it is less");
        let addr = if is_operator { [0, 0, 0, 0] } else { [192, 0, 2, host] };
        let label = if is_operator { "op" } else { "native" };
        let peer = Peer::new(SocketAddr::from((addr, 0)).into(), label);
        let stream = SimStream::new(&wire);
        self.clients.push(Client { wire, slot, is_operator, asked: 0 });
        match self.hub.admission(&peer, self.now) {
            Some(why) => {
                self.banned += 1;
                self.hub.refuse(stream, why);
            }
            None => drop(self.hub.open(stream, &peer)),
        }
    }

    fn act(&mut self) {
        if self.clients.len() < 14 && self.rng.one_in(4) {
            let is_operator = self.rng.one_in(5);
            return self.connect(is_operator);
        }
        let who = self.rng.below(self.clients.len());
        let line = line(&mut self.rng, self.clients[who].is_operator);
        let client = &mut self.clients[who];
        if !client.wire.borrow().may_send() || client.wire.borrow().is_closed() {
            return;
        }
        match self.rng.below(40) {
            0 => client.wire.borrow_mut().end(),
            1 => client.wire.borrow_mut().reset(Reset::KeepsData),
            2 => client.wire.borrow_mut().light_fuse(self.rng.below(20)),
            _ => client.say(&line),
        }
    }

    fn turn(&mut self) {
        for client in &self.clients {
            let mut wire = client.wire.borrow_mut();
            wire.read(usize::MAX);
            if wire.is_closed() {
                continue;
            }
            if wire.readable_due() {
                wire.fire_readable();
                self.hub.mark_readable(client.slot);
            }
            if wire.writable_due() {
                wire.fire_writable();
                self.hub.mark_writable(client.slot);
            }
        }
        if !self.hub.service().turns.is_empty() && (self.journal.is_calm() || self.rng.one_in(3)) {
            self.hub.wake();
        }
        self.now.monotonic += Duration::from_millis(self.rng.below(40) as u64);
        self.hub.turn(self.now);
        self.hub.take_closed().for_each(drop);
    }

    /// Nothing fails any more, and all that was asked for is answered.
    fn come_to_rest(&mut self) {
        self.journal.calm_down();
        for client in &self.clients {
            client.wire.borrow_mut().smooth();
        }
        for _ in 0..2000 {
            self.turn();
        }
        assert!(self.hub.service().turns.is_empty(), "a request is never answered");
    }
}

/// What somebody types. Each has one line of an answer.
fn line(rng: &mut Rng, is_operator: bool) -> String {
    let name = *rng.pick(&NAMES);
    let secret = format!("{SECRET}-{}-word", rng.below(3));
    match rng.below(if is_operator { 20 } else { 14 }) {
        0 | 1 => format!("/nick {name}"),
        2..5 => format!("/nick {name} {secret}"),
        5 => format!("REGISTER {name} {secret}"),
        6..9 => format!("/protect {secret}"),
        9 => format!("/passwd {secret}"),
        10 => format!("/unprotect {secret}"),
        11 => format!("passwd {secret}"),
        12 => format!("nick {name} {secret}"),
        13 => "/resume".to_owned(),
        14 => format!("/ban {name}"),
        15 => format!("/unban {name}"),
        16 => format!("/kick {name}"),
        17 => "/reload".to_owned(),
        18 => format!("/mute {name} 1m"),
        _ => format!("/whois {name}"),
    }
}

fn simulate(seed: u64) -> BTreeSet<&'static str> {
    let failure = NamesSeed(seed);
    let mut world = World::new(seed);
    world.connect(false);
    for _ in 0..world.rng.between(50, 200) {
        for _ in 0..world.rng.below(4) {
            world.act();
        }
        world.turn();
    }
    world.come_to_rest();
    for client in &world.clients {
        check_verdicts(client);
    }
    check_end(&mut world);
    for client in &world.clients {
        let text = client.text();
        assert!(!text.contains(SECRET) && !text.contains(&SECRET.to_uppercase()), "{text}");
    }
    assert!(!LEAKED.load(Ordering::Relaxed), "a password was logged");
    std::mem::forget(failure);
    let mut seen = world.hub.service().seen.clone();
    seen.extend((world.banned > 0).then_some("banned"));
    for (kind, said) in [("busy", "Busy;"), ("too many accounts", "Too many names were")] {
        let is_said = world.clients.iter().any(|client| client.text().contains(said));
        seen.extend(is_said.then_some(kind));
    }
    seen
}

/// Each line had one answer, and all had one who were not cut off.
fn check_verdicts(client: &Client) {
    let wire = client.wire.borrow();
    let verdicts = client.verdicts();
    if !wire.was_reset() && !wire.is_destroyed() && !client.was_sent_away() {
        assert_eq!(verdicts.len(), client.asked, "#{}: {}", wire.who(), client.text());
    }
    for verdict in verdicts.iter().filter(|_| !client.is_operator) {
        let count = verdict.len();
        let is_warned = verdict.last().is_some_and(|line| line.contains("was not encrypted"));
        assert_eq!(count, 1 + usize::from(is_warned), "#{}: {verdict:?}", wire.who());
    }
}

/// The chat protects what the worker keeps, and nothing else.
fn check_end(world: &mut World) {
    world.connect(true);
    let op = world.clients.len() - 1;
    world.clients[op].say("/who");
    for _ in 0..200 {
        world.turn();
    }
    let list = world.clients[op].verdicts().concat().concat();
    let mut names: Vec<&str> = list.trim().split(": ").nth(1).unwrap_or("").split(", ").collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two have one name: {list}");
    // Whoever has tried too often has waited.
    world.now.monotonic += Duration::from_mins(2);
    let desk = world.hub.service();
    let passwords = desk.passwords.clone();
    let banned = |name: &str| {
        desk.bans.iter().any(|ban| ban.target.to_string().to_lowercase().starts_with(name))
    };
    let names: Vec<String> = NAMES.map(str::to_lowercase).into();
    let free: Vec<String> = names.into_iter().filter(|name| !banned(name)).collect();
    for name in free {
        world.connect(false);
        let who = world.clients.len() - 1;
        world.clients[who].say(&format!("/nick {name}"));
        let password = passwords.get(&name).map(|own| String::from_utf8(own.clone()).unwrap());
        if let Some(password) = &password {
            world.clients[who].say(&format!("/nick {name} {password}"));
        }
        for _ in 0..200 {
            world.turn();
        }
        if world.clients[who].text().starts_with("You are banned") {
            continue;
        }
        let said: Vec<String> = world.clients[who].verdicts().concat();
        if password.is_some() {
            let protected =
                said[0].to_lowercase().starts_with(&format!("name {name} is protected"));
            assert!(protected && said[1] == format!("You are now {name}\n"), "{said:?}");
        } else {
            assert!(!said[0].contains("protected"), "{said:?}");
        }
    }
}

#[test]
fn clients_that_wait_for_the_worker_hold_nobody_up_and_no_password_shows() {
    listen_to_the_log();
    if let Some(seed) = number_in("SIM_SEED") {
        simulate(seed);
        return;
    }
    let mut seen = BTreeSet::new();
    for seed in 0..number_in("SIM_SEEDS").unwrap_or(super::SEEDS) {
        seen.extend(simulate(seed));
    }
    for kind in
        ["busy", "too many accounts", "worker fails", "verdict for one who has gone", "banned"]
    {
        assert!(seen.contains(kind), "never happened: {kind}");
    }
}
