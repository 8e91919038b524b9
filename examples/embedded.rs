//! A service with commands of its own: a counter that everybody shares and watches.
//!
//! `cargo run --example embedded -- 127.0.0.1:4000`, then `nc 127.0.0.1 4000` and type
//! `+5`, `-2`, `show` or `bye`. It needs no more of the crate than
//! `default-features = false` gives.

use chinwag::{Config, ConnId, Outbox, Peer, Server, Service};

#[derive(Default)]
struct Counter {
    value: i64,
}

impl Service for Counter {
    fn on_open(&mut self, id: ConnId, _: &Peer<'_>, out: &mut Outbox) {
        self.show(id, out);
    }

    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        match str::from_utf8(line).unwrap_or("").trim() {
            "" => {}
            "show" => self.show(id, out),
            "bye" => out.close(id),
            change => match change.parse::<i64>().ok().and_then(|by| self.value.checked_add(by)) {
                Some(value) => self.set(value, out),
                None => out.send_line(id, b"+N, -N, show or bye"),
            },
        }
    }
}

impl Counter {
    fn set(&mut self, value: i64, out: &mut Outbox) {
        self.value = value;
        out.broadcast(value.to_string().as_bytes());
    }

    fn show(&self, id: ConnId, out: &mut Outbox) {
        out.send_line(id, self.value.to_string().as_bytes());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let addr = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4000".to_owned()).parse()?;
    let server = Server::bind(Config::at(addr))?;
    println!("counting on {}", server.local_addrs()[0]);
    server.run(Counter::default())?;
    Ok(())
}

#[test]
fn a_change_is_seen_by_all() {
    let mut network =
        chinwag::testing::Network::new(Counter::default(), &chinwag::Limits::default());
    let ann = network.connect("");
    network.send(ann, b"+5\n");
    let bob = network.connect("");
    network.send(bob, b"-2\r\nnonsense\r\n");
    network.end(bob);
    network.send(ann, b"9223372036854775807\nbye\n+1\n");
    assert_eq!(network.read(ann), "0\n5\n3\n+N, -N, show or bye\n");
    assert_eq!(network.read(bob), "5\n3\r\n+N, -N, show or bye\r\n");
    assert!(network.is_closed(ann) && network.is_closed(bob));
}
