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
    Config::default().with(|it| {
        it.listen = Vec::new();
        it.listen_web = vec![Listen { addr, label: String::new() }];
        it.web = Web { page: PAGE.to_owned(), policy, ..Web::default() };
        it.limits = Limits::default().with(|it| {
            it.line_max = line_max;
            it.queue_max = 2 * line_max.max(1 << 20);
        });
    })
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
