//! The worker's part: accounts and operators, and a worker that is slow and fails. It has a run of
//! its own, over [`Network`], since what matters here is not what everybody hears but who waits,
//! and for what.
//!
//! Whatever happens, each line has its one verdict, in order, and nobody else's; what the worker
//! was asked for and what the chat believes agree in the end; and no password shows in any stream,
//! in the log, or in what `Debug` says of requests and answers.

mod desk;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chinwag::chat::Settings;
use chinwag::testing::Network;
use chinwag::{ConnId, Limits, Peer};
use desk::Desk;

use super::rng::Rng;
use super::rules::fill_token;
use super::{SEEDS, SIM};

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

/// Somebody who types commands, and behind each asks for something that comes at once.
struct Client {
    id: ConnId,
    is_operator: bool,
    asked: usize,
    text: String,
    /// It says no more; it was cut off.
    has_ended: bool,
    was_reset: bool,
}

impl Client {
    /// The lines between one answered question and the next. What others caused is left out.
    fn verdicts(&self) -> Vec<Vec<String>> {
        let (mut verdicts, mut now) = (Vec::new(), Vec::new());
        for line in self.text.split_inclusive('\n') {
            if line == format!("P{}\n", verdicts.len()) {
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
        let last = self.text.lines().last().unwrap_or("");
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
    network: Network<Desk>,
    clients: Vec<Client>,
    /// Nothing fails any more.
    is_calm: Rc<Cell<bool>>,
    rng: Rng,
    come: usize,
    banned: usize,
}

impl World {
    fn new(seed: u64) -> World {
        let mut rng = Rng::new(seed);
        let settings = Settings {
            accounts: true,
            operators: true,
            greet_after: None,
            waiting_max: rng.between(1, 3),
            accounts_per_addr: rng.between(1, 4),
            random: Some(fill_token),
            ..Settings::default()
        };
        let limits = Limits::default().with(|it| {
            it.rate = None;
            it.chunk = rng.between(1, 64);
            it.read_budget = rng.between(1, 4);
        });
        let is_calm = Rc::default();
        let desk = Desk::new(settings, rng.fork(), Rc::clone(&is_calm));
        let network = Network::new(desk, &limits);
        World { network, clients: Vec::new(), is_calm, rng, come: 0, banned: 0 }
    }

    /// Returns whether it is let in.
    fn connect(&mut self, is_operator: bool) -> bool {
        let host = u8::try_from(self.come % 4).expect("it is less");
        self.come += 1;
        let addr = if is_operator { [0, 0, 0, 0] } else { [192, 0, 2, host] };
        let label = if is_operator { "op" } else { "native" };
        let peer = Peer::new(SocketAddr::from((addr, 0)).into(), label);
        let Ok(id) = self.network.connect_as(&peer) else {
            self.banned += 1;
            return false;
        };
        let (asked, text, has_ended, was_reset) = (0, String::new(), false, false);
        self.clients.push(Client { id, is_operator, asked, text, has_ended, was_reset });
        true
    }

    fn act(&mut self) {
        if self.clients.is_empty() || (self.come < 14 && self.rng.one_in(4)) {
            let is_operator = self.rng.one_in(5);
            self.connect(is_operator);
            return;
        }
        let who = self.rng.below(self.clients.len());
        let line = line(&mut self.rng, self.clients[who].is_operator);
        let client = &mut self.clients[who];
        if client.has_ended || client.was_reset || self.network.is_closed(client.id) {
            return;
        }
        match self.rng.below(40) {
            0 => {
                client.has_ended = true;
                self.network.end(client.id);
            }
            1 | 2 => {
                client.was_reset = true;
                self.network.reset(client.id);
            }
            _ => self.say(who, &line),
        }
    }

    fn say(&mut self, who: usize, line: &str) {
        let client = &mut self.clients[who];
        let both = format!("{line}\n/up p{}\n", client.asked);
        client.asked += 1;
        self.network.send(client.id, both.as_bytes());
    }

    /// The worker has answered some, and time passes.
    fn turn(&mut self) {
        if self.is_calm.get() || self.rng.one_in(3) {
            self.network.wake();
        }
        self.network.pass(Duration::from_millis(self.rng.below(40) as u64));
        for client in &mut self.clients {
            client.text += &self.network.read(client.id);
        }
    }

    /// Until all that was asked for is answered.
    fn settle(&mut self) {
        for _ in 0..100 {
            self.turn();
        }
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

fn simulate(seed: u64, seen: &mut BTreeSet<&'static str>) {
    listen_to_the_log();
    let mut world = World::new(seed);
    for _ in 0..world.rng.between(50, 200) {
        for _ in 0..world.rng.below(4) {
            world.act();
        }
        world.turn();
    }
    world.is_calm.set(true);
    world.settle();
    for client in &world.clients {
        check_verdicts(client);
    }
    check_end(&mut world);
    for Client { text, .. } in &world.clients {
        assert!(!text.contains(SECRET) && !text.contains(&SECRET.to_uppercase()), "{text}");
    }
    assert!(!LEAKED.load(Ordering::Relaxed), "a password was logged");
    seen.extend(&world.network.service().seen);
    seen.extend((world.banned > 0).then_some("banned"));
    for (kind, said) in [("busy", "Busy;"), ("too many accounts", "Too many names were")] {
        let is_said = world.clients.iter().any(|client| client.text.contains(said));
        seen.extend(is_said.then_some(kind));
    }
}

/// Each line had one answer, and all had one who were not cut off.
fn check_verdicts(client: &Client) {
    let verdicts = client.verdicts();
    if !client.was_reset && !client.was_sent_away() {
        assert_eq!(verdicts.len(), client.asked, "{}", client.text);
    }
    for verdict in verdicts.iter().filter(|_| !client.is_operator) {
        let is_warned = verdict.last().is_some_and(|line| line.contains("was not encrypted"));
        assert_eq!(verdict.len(), 1 + usize::from(is_warned), "{verdict:?}");
    }
}

/// The chat protects what the worker keeps, and nothing else.
fn check_end(world: &mut World) {
    world.connect(true);
    let op = world.clients.len() - 1;
    world.say(op, "/who");
    world.settle();
    let list = world.clients[op].verdicts().concat().concat();
    let mut names: Vec<&str> = list.trim().split(": ").nth(1).unwrap_or("").split(", ").collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "two have one name: {list}");
    // Whoever has tried too often has waited.
    world.network.pass(Duration::from_mins(2));
    for name in NAMES.map(str::to_lowercase) {
        if world.network.service().has_banned(&name) || !world.connect(false) {
            continue;
        }
        let who = world.clients.len() - 1;
        world.say(who, &format!("/nick {name}"));
        let password = world.network.service().password(&name);
        if let Some(password) = &password {
            world.say(who, &format!("/nick {name} {password}"));
        }
        world.settle();
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
    let seen = SIM.run(SEEDS, |seed, _, seen: &mut BTreeSet<&'static str>| simulate(seed, seen));
    let Some(seen) = seen.map(|seen| seen.into_iter().flatten().collect::<BTreeSet<_>>()) else {
        return;
    };
    let kinds =
        ["busy", "too many accounts", "worker fails", "verdict for one who has gone", "banned"];
    for kind in kinds {
        assert!(seen.contains(kind), "never happened: {kind}");
    }
}
