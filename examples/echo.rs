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
