//! Framings and timers, whatever happens: random bytes in random pieces, with pauses, rates and small
//! buffers, beside what is to be expected.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use arbtest::arbitrary::{Result, Unstructured};
use chinwag::testing::Network;
use chinwag::{Codec, ConnId, Framing, Item, Limit, Limits, Outbox, Peer, Service};

const LINE_MAX: usize = 20;

const PAUSE: Duration = Duration::from_millis(7);

/// `None` for what is too long.
type Heard = Vec<Option<Vec<u8>>>;

/// Notes what it hears, and pauses its client after some lines.
#[derive(Default)]
struct Listener {
    heard: Heard,
    paused: Option<ConnId>,
}

impl Service for Listener {
    fn framing(&self, peer: &Peer<'_>) -> Framing {
        match peer.label {
            "plain" => Framing::Plain,
            "prefixed" => Framing::LengthPrefix,
            _ => Framing::Own(Box::new(Pairs::default())),
        }
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        assert_eq!(self.paused, None, "a line while reading is paused");
        self.heard.push(Some(line.to_vec()));
        if line.len() % 3 == 2 {
            out.pause_reading(id);
            out.set_timer(0, PAUSE);
            self.paused = Some(id);
        }
    }

    fn on_timer(&mut self, _: u64, out: &mut Outbox) {
        let id = self.paused.take().expect("nothing else has set it");
        out.resume_reading(id);
    }

    fn on_limit(&mut self, _: ConnId, limit: Limit, _: &mut Outbox) {
        if let Limit::LineTooLong { max } = limit {
            assert_eq!(max, LINE_MAX);
            self.heard.push(None);
        }
    }
}

/// Two bytes are a line, and the last one may be alone.
#[derive(Default)]
struct Pairs {
    pair: Vec<u8>,
    is_given: bool,
}

impl Codec for Pairs {
    fn next<'a, 'b: 'a>(&'a mut self, bytes: &mut &'b [u8]) -> Option<Item<'a>> {
        if std::mem::take(&mut self.is_given) {
            self.pair.clear();
        }
        while self.pair.len() < 2 {
            self.pair.push(*bytes.split_off_first()?);
        }
        self.is_given = true;
        Some(Item::Line(&self.pair, None))
    }

    fn finish(&mut self) -> Option<Item<'_>> {
        (self.pair.len() == 1).then_some(Item::Line(&self.pair, None))
    }

    fn held(&self) -> usize {
        self.pair.len()
    }
}

/// What a client sends, and what is to be heard of it.
fn said(label: &str, u: &mut Unstructured<'_>) -> Result<(Vec<u8>, Heard)> {
    let (mut bytes, mut heard) = (Vec::new(), Vec::new());
    for _ in 0..u.int_in_range(0..=30)? {
        let len = u.int_in_range(0..=LINE_MAX + 5)?;
        let mut text = u.bytes(len)?.to_vec();
        if label == "plain" {
            for byte in &mut text {
                *byte ^= u8::from(matches!(*byte, b'\n' | b'\r'));
            }
            bytes.extend([&text[..], u.choose(&[&b"\n"[..], b"\r\n"])?].concat());
        } else {
            bytes.extend(u32::try_from(len).unwrap().to_be_bytes());
            bytes.extend(&text);
        }
        heard.push((len <= LINE_MAX).then_some(text));
    }
    if label == "pairs" {
        heard = bytes.chunks(2).map(|pair| Some(pair.to_vec())).collect();
    } else if label == "plain" && u.arbitrary()? {
        bytes.extend(b"the end");
        heard.push(Some(b"the end".to_vec()));
    }
    Ok((bytes, heard))
}

#[test]
fn lines_and_messages_come_whole_and_in_order_whatever_the_pieces_and_pauses() {
    arbtest::arbtest(|u| {
        let mut limits = Limits::default();
        limits.line_max = LINE_MAX;
        limits.chunk = u.int_in_range(1..=100)?;
        limits.line_budget = u.int_in_range(1..=10)?;
        limits.rate = *u.choose(&[None, Some(3), Some(100)])?;
        limits.input_total = *u.choose(&[0, 1 << 20])?;
        let label = *u.choose(&["plain", "prefixed", "pairs"])?;
        let (bytes, expected) = said(label, u)?;
        let mut network = Network::new(Listener::default(), &limits);
        let id = network.connect(label);
        let mut left = &bytes[..];
        while !left.is_empty() {
            let (piece, rest) = left.split_at(u.int_in_range(1..=left.len().min(60))?);
            network.send(id, piece);
            network.pass(Duration::from_millis(u.int_in_range(0..=20)?));
            left = rest;
        }
        network.end(id);
        network.pass(Duration::from_mins(10));
        assert_eq!(network.service().heard, expected, "{label}");
        assert!(network.is_closed(id));
        Ok(())
    });
}

/// Sets timers and cancels them as it is told, and notes when which fires.
#[derive(Default)]
struct Clockwork {
    started: Option<Instant>,
    fired: Vec<(u128, u64)>,
}

impl Service for Clockwork {
    fn on_start(&mut self, out: &mut Outbox) {
        self.started = Some(out.now().monotonic);
    }

    fn on_line(&mut self, _: ConnId, line: &[u8], out: &mut Outbox) {
        let (key, millis) = str::from_utf8(line).unwrap().split_once(' ').unwrap();
        match millis.parse() {
            Ok(millis) => out.set_timer(key.parse().unwrap(), Duration::from_millis(millis)),
            Err(_) => out.cancel_timer(key.parse().unwrap()),
        }
    }

    fn on_timer(&mut self, key: u64, out: &mut Outbox) {
        let at = out.now().monotonic - self.started.expect("it has begun");
        self.fired.push((at.as_millis(), key));
    }
}

#[test]
fn each_timer_fires_at_the_time_it_was_set_to_last_and_once() {
    arbtest::arbtest(|u| {
        let mut network = Network::new(Clockwork::default(), &Limits::default());
        let id = network.connect("");
        let (mut set, mut expected, mut now) = (BTreeMap::new(), Vec::new(), 0);
        for _ in 0..u.int_in_range(0..=60)? {
            let (key, millis): (u64, u128) = (u.int_in_range(0..=5)?, u.int_in_range(0..=30)?);
            match u.int_in_range(0..=5)? {
                0 => {
                    network.send(id, format!("{key} never\n").as_bytes());
                    set.remove(&key);
                }
                1..=3 => {
                    network.send(id, format!("{key} {millis}\n").as_bytes());
                    set.insert(key, now + millis);
                }
                _ => {
                    network.pass(Duration::from_millis(u64::try_from(millis).unwrap()));
                    now += millis;
                }
            }
            let due = set.iter().filter(|(_, at)| **at <= now).map(|(key, at)| (*at, *key));
            let mut due: Vec<_> = due.collect();
            due.sort_unstable();
            set.retain(|_, at| *at > now);
            expected.extend(due);
            // Of those of one moment some may have fired a step earlier.
            expected.sort_unstable();
            let mut fired = network.service().fired.clone();
            fired.sort_unstable();
            assert_eq!(fired, expected);
        }
        Ok(())
    });
}
