//! An echo for browsers: a page of your own at `/`, and WebSocket at `/ws`.
//!
//! `cargo run --example websocket`, then open the address that it prints. A second argument is the
//! longest message, in bytes; `.ci/websocket` has Autobahn's test suite try all that RFC 6455 says.

use std::net::SocketAddr;

use chinwag::{Config, ConnId, Limits, Listen, Outbox, Server, Service, Web};

const PAGE: &str = "<!doctype html><title>echo</title><input autofocus><pre></pre><script>
    const socket = new WebSocket('ws://' + location.host + '/ws');
    const said = document.querySelector('pre');
    socket.onmessage = event => said.append(event.data + '\\n');
    document.querySelector('input').onchange = event => socket.send(event.target.value);
    </script>";

struct Echo;

impl Service for Echo {
    fn on_line(&mut self, id: ConnId, line: &[u8], out: &mut Outbox) {
        out.send_line(id, line);
    }
}

fn config(addr: SocketAddr, line_max: usize) -> Config {
    let policy = "default-src 'none'; script-src 'unsafe-inline'; connect-src 'self'".to_owned();
    Config {
        listen: Vec::new(),
        listen_web: vec![Listen { addr, label: String::new() }],
        web: Web { page: PAGE.to_owned(), policy, ..Web::default() },
        limits: Limits { line_max, queue_max: 2 * line_max.max(1 << 20), ..Limits::default() },
        ..Config::default()
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let addr = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned()).parse()?;
    let line_max = arguments.next().unwrap_or_else(|| "4096".to_owned()).parse()?;
    let server = Server::bind(config(addr, line_max))?;
    println!("echoing on http://{}/", server.local_addrs()[0]);
    server.run(Echo)?;
    Ok(())
}
