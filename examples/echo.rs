//! The smallest service: every line comes back, to any number of clients at once.
//!
//! `cargo run --example echo`, then `nc 127.0.0.1 1337` in as many terminals as you like.

use chinwag::{Config, ConnId, Outbox, Server, Service};

struct Echo;

impl Service for Echo {
    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        out.send(id, line);
        out.send(id, b"\n");
    }
}

fn main() -> std::io::Result<()> {
    let server = Server::bind(Config::default())?;
    println!("echoing on {}", server.local_addrs()[0]);
    server.run(Echo)?;
    Ok(())
}

#[test]
fn a_line_comes_back_to_whoever_sent_it() {
    let now = chinwag::Now { monotonic: std::time::Instant::now(), wall: std::time::UNIX_EPOCH };
    let mut out = Outbox::new(&chinwag::Limits::default(), now);
    let (ann, bob) = (out.open(0), out.open(1));
    Echo.on_line(bob, b"hello", &mut out);
    Echo.on_line(ann, b"", &mut out);
    assert_eq!((out.take(ann), out.take(bob)), (b"\n".to_vec(), b"hello\n".to_vec()));
}
