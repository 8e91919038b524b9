//! A service with commands of its own: a counter that everybody shares and watches.
//!
//! `cargo run --example embedded -- 127.0.0.1:4000`, then `nc 127.0.0.1 4000` and type
//! `+5`, `-2`, `show` or `bye`. It needs no more of the crate than
//! `default-features = false` gives.

use chinwag::{CloseReason, Config, ConnId, Listen, LogId, Outbox, Peer, Server, Service};

#[derive(Default)]
struct Counter {
    value: i64,
    watchers: Vec<ConnId>,
}

impl Service for Counter {
    fn on_open(&mut self, id: ConnId, _: &Peer<'_>, out: &mut Outbox) {
        self.watchers.push(id);
        out.send(id, format!("{}\n", self.value).as_bytes());
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        match str::from_utf8(line).unwrap_or("").trim() {
            "" => {}
            "show" => out.send(id, format!("{}\n", self.value).as_bytes()),
            "bye" => out.close(id),
            change => match change.parse::<i64>().ok().and_then(|by| self.value.checked_add(by)) {
                Some(value) => self.set(value, out),
                None => out.send(id, b"+N, -N, show or bye\n"),
            },
        }
    }

    fn on_close(&mut self, id: ConnId, _: CloseReason, _: &mut Outbox) {
        self.watchers.retain(|watcher| *watcher != id);
    }
}

impl Counter {
    fn set(&mut self, value: i64, out: &mut Outbox) {
        self.value = value;
        let line = format!("{value}\n");
        out.send_all(LogId::of(0), self.watchers.iter().copied(), line.as_bytes());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned()).parse()?;
    let listen = vec![Listen { addr, label: String::new() }];
    let server = Server::bind(Config { listen, ..Config::default() })?;
    println!("counting on {}", server.local_addrs()[0]);
    server.run(Counter::default())?;
    Ok(())
}

#[test]
fn a_change_is_seen_by_all() {
    let now = chinwag::Now { monotonic: std::time::Instant::now(), wall: std::time::UNIX_EPOCH };
    let mut out = Outbox::new(&chinwag::Limits::default(), now);
    let mut counter = Counter::default();
    let peer = Peer::new(chinwag::Origin::Unix, "");
    let (ann, bob) = (out.open(0), out.open(1));
    counter.on_open(ann, &peer, &mut out);
    counter.on_line(ann, b"+5", &mut out);
    counter.on_open(bob, &peer, &mut out);
    counter.on_line(bob, b"-2\r", &mut out);
    counter.on_line(bob, b"nonsense", &mut out);
    counter.on_close(bob, CloseReason::Asked, &mut out);
    counter.on_line(ann, b"9223372036854775807", &mut out);
    counter.on_line(ann, b"bye", &mut out);
    assert_eq!(out.take(ann), b"0\n5\n3\n+N, -N, show or bye\n");
    assert_eq!(out.take(bob), b"5\n3\n+N, -N, show or bye\n");
    assert!(!out.is_open(ann));
}
