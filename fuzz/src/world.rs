//! The poll, the clock and the clients around a hub and a chat. Bytes decide what happens
//! next; what must hold is asked after every turn, and of every byte that was sent.

use std::cell::Cell;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant, UNIX_EPOCH};

use chinwag::chat::{Dialect, Settings};
use chinwag::testing::Stream;
use chinwag::{Chat, Ending, Hub, Limits, Now, Peer, Refusal};

use crate::decisions::Decisions;
use crate::output::take_apart;
use crate::stream::ServerEnd;
use crate::watched::Watched;

/// Friday 20th of November 2026 03:17:28 PM.
const WALL: Duration = Duration::from_secs(1_795_187_848);
/// A fatal TLS alert, unexpected message.
const NO_TLS: [u8; 7] = [21, 3, 3, 0, 2, 2, 10];
/// More decisions than that make the fuzzer slow and find no more.
const STEPS: usize = 400;
/// As many connections at a time, and as many in all.
const CLIENTS: usize = 6;
const CLIENTS_EVER: usize = 40;
/// More turns than the worst of inputs asks for on its way to rest.
const TURNS: usize = 200_000;

/// What people type. Tokens are those that [`random`] gives out.
const LINES: [&str; 56] = [
    "hello",
    "REGISTER ann",
    "/nick bob",
    "/nick Ann",
    "/nick guest-2",
    "/nick admin",
    "register",
    "SEND @ann psst",
    "SEND @guest-2 psst",
    "send @",
    "/msg bob psst",
    "/msg ann psst",
    "/msg guest psst",
    "/reply yes",
    "/r no",
    "/me waves",
    "//slash",
    "/say /say",
    "/join games",
    "/join GAMES",
    "/join b",
    "/join c",
    "/join lobby",
    "/leave",
    "/who",
    "/who games",
    "/rooms",
    "/topic",
    "/topic tea",
    "/history",
    "/history 2",
    "/away",
    "/away at lunch",
    "/ignore ann",
    "/ignore bob",
    "/unignore ann",
    "/notices on",
    "/notices off",
    "/echo on",
    "/echo off",
    "/dialect json",
    "/dialect fork",
    "/dialect tutorial",
    "/dialect native",
    "/resume",
    "/resume 010101010101010101010101010101010101010101010101",
    "/resume 020202020202020202020202020202020202020202020202 1",
    "/time",
    "/up stra\u{df}e",
    "/stats",
    "/help",
    "/nikc",
    "/exit",
    "quit",
    "GET / HTTP/1.1",
    "\u{16}\u{3}\u{1}",
];

/// Bytes that people do not type.
const BYTES: [&[u8]; 11] = [
    b"\xff\xf4\xff\xfd\x06",
    b"\xff\xfb\x1f\xff\xfd\x01",
    b"\xff\xfa\x18\x00",
    b"\xff\xf0\xff\xff",
    b"\x08\x7f",
    b"\x1b[2J\xe2\x80\xae\xff\xff\xfe",
    b"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    b" \t\r",
    b"PROXY TCP4 10.0.0.1 10.0.0.9 4005 5000\r\n",
    b"PROXY UNKNOWN\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\0\0\x02\x0a\0\0\x09\x0f\xa5\x13\x88",
];

const ADDRESSES: [SocketAddr; 4] = [
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 4001),
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 4002),
    SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::LOCALHOST), 4003),
    SocketAddr::new(std::net::IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 4004),
];

thread_local! {
    static TOKENS: Cell<u8> = const { Cell::new(0) };
}

/// Not random at all: the first token is all ones, the second all twos.
fn random(bytes: &mut [u8; 24]) {
    TOKENS.set(TOKENS.get().wrapping_add(1));
    bytes.fill(TOKENS.get());
}

struct Client {
    stream: Stream,
    /// What it has read.
    heard: Vec<u8>,
    has_ended: bool,
    slot: usize,
    /// What it is told and no more, if it was turned away.
    refused: Option<&'static [u8]>,
    /// Turned away among so many that one try to tell it had to do.
    is_hurried: bool,
    is_proxied: bool,
    /// The number of its connection.
    serial: u32,
}

impl Client {
    fn end(&mut self) {
        self.has_ended = true;
        self.stream.end();
    }

    /// Reads at most so many bytes of what has arrived.
    fn read(&mut self, most: usize) {
        self.heard.extend(self.stream.receive_some(most));
    }
}

/// Everything that there is.
pub struct World<'a> {
    decisions: Decisions<'a>,
    hub: Hub<ServerEnd, Watched>,
    clients: Vec<Client>,
    start: Instant,
    elapsed: Duration,
    is_shutting_down: bool,
    is_woken: bool,
    /// Turns in a row that were asked for at once and got nothing done.
    idle_turns: usize,
}

impl<'a> World<'a> {
    /// Limits and settings are the first decisions.
    ///
    /// # Panics
    ///
    /// Never, as long as the limits below agree with one another.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> World<'a> {
        TOKENS.set(0);
        let mut decisions = Decisions::new(bytes);
        let limits = limits(&mut decisions);
        limits.check().expect("they agree with one another");
        let greet_after = decisions.pick(&[Some(2), None, Some(0)]).map(Duration::from_secs);
        let settings = Settings {
            greet_after,
            history_lines: 10,
            history_bytes: decisions.pick(&[1000, 10]),
            rooms_max: decisions.pick(&[3, 2, 1]),
            require_name: decisions.pick(&[false, false, true]),
            detached_max: decisions.pick(&[2, 1, 0]),
            ignored_max: 1,
            random: Some(random),
            dialects: Dialect::ALL.into(),
            ..Settings::default()
        };
        let service = Watched::new(Chat::new(settings), limits.line_max);
        let start = Instant::now();
        let now = Now { monotonic: start, wall: UNIX_EPOCH + WALL };
        World {
            decisions,
            hub: Hub::new(service, &limits, now),
            clients: Vec::new(),
            start,
            elapsed: Duration::ZERO,
            is_shutting_down: false,
            is_woken: false,
            idle_turns: 0,
        }
    }

    /// Lives through all that is decided, and lets it come to rest.
    ///
    /// # Panics
    ///
    /// If anything is not as it is promised.
    pub fn run(mut self) {
        for _ in 0..STEPS {
            if self.decisions.is_over() {
                break;
            }
            let step = self.decisions.byte();
            self.step(step & 0x7f);
            // Several things can happen before the next turn.
            if step & 0x80 == 0 {
                self.poll();
            }
        }
        self.finish();
    }

    fn now(&self) -> Now {
        Now { monotonic: self.start + self.elapsed, wall: UNIX_EPOCH + WALL + self.elapsed }
    }
}

/// What one is told of whose address there are too many.
const ADDRESS_FULL: &[u8] = b"Too many connections from your address.\n";

/// Limits so small that a handful of clients runs into all of them.
fn limits(decisions: &mut Decisions<'_>) -> Limits {
    let queue_soft = decisions.pick(&[300, 0, 30, 100]);
    let queue_park = queue_soft + decisions.pick(&[600, 0, 1, 50_000]);
    Limits::default().with(|it| {
        it.line_max = decisions.pick(&[60, 24, 1, 200]);
        it.queue_soft = queue_soft;
        it.queue_park = queue_park;
        it.queue_max = queue_park + decisions.pick(&[3000, 0, 100]);
        it.log_max = decisions.pick(&[1000, 1, 100, 100_000]);
        it.line_budget = decisions.pick(&[128, 1, 5]);
        it.delivery_budget = decisions.pick(&[1_000_000, 1, 10, 100]);
        it.fresh_max = decisions.pick(&[1000, 1, 100, 100_000]);
        it.queue_total = decisions.pick(&[100_000, 1000, 0]);
        it.chunk = decisions.pick(&[64, 1, 7, 1024]);
        it.read_budget = decisions.pick(&[4, 1]);
        it.write_budget = decisions.pick(&[128, 1, 2]);
        it.drain_time = Duration::from_secs(5);
        it.stall_time = Duration::from_secs(decisions.pick(&[60, 1]));
        it.rate = decisions.pick(&[None, Some(10), Some(1)]);
        it.idle_time = decisions.pick(&[None, Some(Duration::from_secs(3))]);
        it.refused_max = decisions.pick(&[1, 0]);
        it.draining_max = decisions.pick(&[256, 1, 0]);
        it.per_ip_max = decisions.pick(&[32, 1, 2]);
        it.limit_loopback = decisions.pick(&[false, true]);
    })
}

/// What happens.
impl World<'_> {
    fn step(&mut self, step: u8) {
        match step % 16 {
            0 => self.connect(step >= 0x40),
            1..=4 => self.type_line(),
            5 => self.send_bytes(),
            6 => self.send_literally(),
            7 => self.with_client(|client, _| client.end()),
            8 => self.with_client(|client, choice| match choice {
                128.. => client.stream.reset_in(usize::from(choice - 128)),
                _ if choice.is_multiple_of(2) => client.stream.reset(),
                _ => client.stream.break_off(),
            }),
            9 => self.with_client(|client, choice| client.stream.narrow(usize::from(choice))),
            10 => self.with_client(|client, choice| client.read(usize::from(choice) * 16)),
            11 => {
                let millis = self.decisions.byte();
                self.pass(Duration::from_millis(millis.into()));
            }
            12 => {
                let seconds = self.decisions.byte();
                self.pass(Duration::from_secs(seconds.into()));
            }
            13 => self.pass_until_due(),
            14 => self.mark_for_nothing(),
            _ => self.call_the_hub(),
        }
    }

    /// Somebody connects, perhaps by way of a proxy, and is let in or turned away.
    fn connect(&mut self, is_proxied: bool) {
        let label = self.decisions.pick(&Dialect::ALL).name();
        let addr = self.decisions.pick(&ADDRESSES);
        let grain = self.decisions.pick(&[usize::MAX, 1, 7]);
        let stream = Stream::default();
        stream.limit(grain);
        stream.narrow(self.decisions.pick(&[1_000_000, 1, 10, 100]));
        stream.interrupt(self.decisions.pick(&[0, 2, 5]));
        if self.is_shutting_down || self.clients.len() >= CLIENTS_EVER {
            return;
        }
        self.hub.pass(self.now());
        let end = ServerEnd::new(&stream, if grain == 7 { 20 } else { 0 });
        let slot = self.hub.next_slot();
        let is_in_use = self.live().any(|client| client.slot == slot);
        assert!(!is_in_use, "slot {slot} is given out while it is in use");
        let refusal = if self.hub.open_count() >= CLIENTS {
            Some((Refusal::Full, &b"Server is full.\n"[..]))
        } else if !is_proxied && self.hub.is_full_for(addr.into()) {
            Some((Refusal::Address, ADDRESS_FULL))
        } else {
            None
        };
        let refused = refusal.map(|(_, text)| text);
        let mut client = Client {
            stream,
            heard: Vec::new(),
            has_ended: false,
            slot,
            refused,
            is_hurried: false,
            is_proxied,
            serial: 0,
        };
        if let Some((why, _)) = refusal {
            self.hub.refuse(end, why);
            self.drop_closed();
            client.is_hurried = client.stream.is_closed();
        } else {
            let peer = Peer::new(addr.into(), label);
            let id = if is_proxied {
                self.hub.open_proxied(end, &peer)
            } else {
                self.hub.open(end, &peer)
            };
            assert_eq!(id.slot(), slot, "a connection gets the slot that it was told");
            client.serial = id.serial();
        }
        self.clients.push(client);
    }

    fn type_line(&mut self) {
        let line = self.decisions.pick(&LINES);
        // Nearly everybody uses LF.
        let ending = match self.decisions.byte() {
            0..=199 => "\n",
            200..=219 => "\r\n",
            220..=229 => "\r\0",
            230..=239 => "\0",
            _ => "",
        };
        self.send(&[line.as_bytes(), ending.as_bytes()].concat());
    }

    fn send_bytes(&mut self) {
        let bytes = self.decisions.pick(&BYTES);
        let times = 1 + self.decisions.below(16);
        self.send(&bytes.repeat(times));
    }

    fn send_literally(&mut self) {
        let count = self.decisions.below(64);
        let bytes = self.decisions.take(count);
        self.send(bytes);
    }

    /// Somebody sends this, unless they have ended.
    fn send(&mut self, bytes: &[u8]) {
        self.with_client(|client, _| {
            if !client.has_ended && !client.stream.is_reset() {
                client.stream.send(bytes);
            }
        });
    }

    fn with_client(&mut self, act: impl FnOnce(&mut Client, u8)) {
        let who = usize::from(self.decisions.byte());
        let choice = self.decisions.byte();
        let live = self.clients.iter_mut().filter(|client| !client.stream.is_closed());
        let mut live: Vec<&mut Client> = live.collect();
        if !live.is_empty() {
            let who = who % live.len();
            act(live[who], choice);
        }
    }

    fn pass_until_due(&mut self) {
        if let Some(left) = self.hub.timeout(self.now()) {
            self.pass(left);
            assert_eq!(self.hub.timeout(self.now()), Some(Duration::ZERO), "time is up");
        }
    }

    /// Who wakes up later does not spin, even if there is nothing to wake up for.
    fn pass(&mut self, time: Duration) {
        if !time.is_zero() {
            self.elapsed += time;
            self.idle_turns = 0;
        }
    }

    /// Events that mean nothing: of any slot, even one that never was.
    fn mark_for_nothing(&mut self) {
        self.idle_turns = 0;
        let slot = self.decisions.below(2 * CLIENTS);
        self.hub.mark_readable(slot);
        self.hub.mark_writable(slot);
    }

    fn call_the_hub(&mut self) {
        // A shutdown ends what can be decided, so it should be rare.
        if self.decisions.byte() == 255 && !self.is_shutting_down {
            self.is_shutting_down = true;
            self.hub.pass(self.now());
            self.hub.shutdown();
        } else {
            self.is_woken = true;
            self.hub.wake();
        }
    }

    /// Clients whose stream the hub has.
    fn live(&self) -> impl Iterator<Item = &Client> {
        self.clients.iter().filter(|client| !client.stream.is_closed())
    }
}

/// The loop.
impl World<'_> {
    /// Marks what is ready, and makes a turn. Returns whether anything was.
    fn poll(&mut self) -> bool {
        let mut marked = false;
        let edges: Vec<_> =
            self.live().map(|client| (client.slot, client.stream.take_edges())).collect();
        for (slot, (readable, writable)) in edges {
            if readable {
                self.hub.mark_readable(slot);
            }
            if writable {
                self.hub.mark_writable(slot);
            }
            marked |= readable || writable;
        }
        self.turn(marked);
        marked
    }

    fn turn(&mut self, marked: bool) {
        let now = self.now();
        let was_due = self.hub.timeout(now) == Some(Duration::ZERO);
        let (work, ticks) = (self.work(), self.hub.service().ticks());
        self.hub.turn(now);
        self.drop_closed();
        let wasted = was_due && !marked && self.work() == work;
        self.idle_turns = if wasted { self.idle_turns + 1 } else { 0 };
        assert!(self.idle_turns <= 2 * CLIENTS, "the hub spins, and gets nothing done");
        let is_ticked = self.hub.service().ticks() > ticks;
        assert!(is_ticked || !self.is_woken, "the service was not woken");
        self.is_woken = false;
        let open = self.hub.service().open_count();
        let counted = self.hub.open_count();
        assert!(counted >= open, "those whom the service knows are counted, and a proxy's");
        // Refused and closing ones come on top of those that are open.
        assert!(self.live().count() >= open, "somebody is open whose stream is gone");
    }

    /// Grows with whatever gets done.
    fn work(&self) -> u64 {
        let closed = self.clients.len() - self.live().count();
        let streams = self.clients.iter().map(|client| client.stream.progress());
        self.hub.service().calls() + closed as u64 + streams.sum::<u64>()
    }

    fn drop_closed(&mut self) {
        self.hub.take_closed().for_each(drop);
    }
}

/// The end.
impl World<'_> {
    /// Nothing fails any more, everybody reads all, and leaves; only who has read the
    /// server's last word never does, and must not be waited for.
    fn finish(mut self) {
        for client in &self.clients {
            client.stream.smooth();
            if !client.stream.is_shut() {
                client.stream.end();
            }
        }
        self.come_to_rest();
        assert!(self.hub.is_empty(), "nobody is waited for in vain for ever");
        assert_eq!(self.hub.open_count(), 0, "nobody is counted who is gone");
        for client in &mut self.clients {
            client.read(usize::MAX);
            check(client, self.hub.service().ending(client.serial));
        }
    }

    /// Goes on until nothing is left to wait for.
    fn come_to_rest(&mut self) {
        for _ in 0..TURNS {
            self.clients.iter_mut().for_each(|client| client.read(usize::MAX));
            let marked = self.poll();
            match self.hub.timeout(self.now()) {
                None if !marked => return,
                Some(left) if !marked => self.pass(left),
                _ => {}
            }
        }
        panic!("it never comes to rest");
    }
}

/// Everybody's stream was closed, and everybody was sent lines of text and telnet answers
/// between them; whole ones, if its connection was not cut off.
fn check(client: &Client, ending: Option<Ending>) {
    let (stream, heard) = (&client.stream, &client.heard[..]);
    assert!(stream.is_closed(), "a stream was not closed");
    if let Some(text) = client.refused {
        assert!(text.starts_with(heard), "turned away with other words");
        let is_cut_off = stream.is_reset() || !stream.is_shut() || client.is_hurried;
        assert!(is_cut_off || heard == text, "turned away without a word");
        return;
    }
    // Known only once its proxy has said for whom it is; and then told in one go, perhaps,
    // of which its socket may take a part.
    if client.is_proxied && ADDRESS_FULL.starts_with(heard) {
        return;
    }
    // A TLS client is told so at the end, in its own words, or as much of them as was taken.
    let mut alerts = (1..=NO_TLS.len()).rev().map(|count| &NO_TLS[..count]);
    let text = alerts.find_map(|alert| heard.strip_suffix(alert));
    let sent = take_apart(text.unwrap_or(heard));
    assert!(!stream.is_shut() || sent.unfinished.is_empty(), "half a line before the end");
    // CR LF is a guess, for who speaks telnet or is greeted; and then it is known.
    let ending = ending.unwrap_or(Ending::CrLf);
    let is = |ending: Ending| move |(_, how): &&(&str, Ending)| *how == ending;
    let later = sent.lines.iter().skip_while(is(Ending::Lf)).skip_while(is(Ending::CrLf));
    // Refusals are the same for everybody.
    let said = later.filter(|(line, _)| *line != "This is a chat server, not a web server.");
    for (line, how) in said {
        assert_eq!(*how, ending, "of {line:?}");
    }
}
