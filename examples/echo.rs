//! The smallest service: every line comes back, to any number of clients at once.
//!
//! `cargo run --example echo`, then `nc 127.0.0.1 1337` in as many terminals as you like.

use chinwag::{Config, ConnId, Outbox, Server, Service};

struct Echo;

impl Service for Echo {
    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        out.send_line(id, line);
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
    let mut network = chinwag::testing::Network::new(Echo, &chinwag::Limits::default());
    let (ann, bob) = (network.connect(""), network.connect(""));
    assert_eq!(network.say(bob, "hello\r\n"), "hello\r\n");
    assert_eq!(network.say(ann, "\n"), "\n");
}
