#!/usr/bin/env bash
# Software: tungstenite 0.30.0 (crate), WebSocket::read(), on a blocking socket
# Guess: Pings are answered by the library: when read() has returned one, the pong is on its way.
# Behaviour: The pong is only queued, and goes out with the next read, write or flush. A server that reads one message
#   and then works, or waits for something else to happen (a query, a channel, its turn), leaves the ping unanswered
#   that long, and clients with a keepalive close the connection of a server that is well. flush() after each ping
#   answers it at once.
# Output seen:
#   read() has returned Ping(b"are you there"):   the client has got nothing
#   flush():                                      the client has got Pong(b"are you there")

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT


echo "Output now:"
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.1.0"
edition = "2021"

[dependencies]
tungstenite = "=0.30.0"

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;
use tungstenite::{accept, client, Message};

fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (done, waits) = mpsc::channel();
    let (next, go_on) = mpsc::channel();
    let server = std::thread::spawn(move || {
        let mut socket = accept(listener.accept().unwrap().0).unwrap();
        let message = socket.read().unwrap();
        done.send(format!("{message:?}")).unwrap();
        go_on.recv().unwrap();
        socket.flush().unwrap();
        go_on.recv().unwrap();
    });
    let url = format!("ws://{address}/");
    let (mut socket, _) = client(url, TcpStream::connect(address).unwrap()).unwrap();
    socket.send(Message::Ping("are you there".into())).unwrap();
    let mut got = |patience| {
        socket.get_ref().set_read_timeout(Some(Duration::from_secs(patience))).unwrap();
        match socket.read() {
            Ok(message) => format!("{message:?}"),
            Err(tungstenite::Error::Io(_)) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        }
    };
    let step = format!("read() has returned {}:", waits.recv().unwrap());
    println!("{step:<45} the client has got {}", got(1));
    next.send(()).unwrap();
    println!("{:<45} the client has got {}", "flush():", got(10));
    next.send(()).unwrap();
    server.join().unwrap();
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: tungstenite =0.30.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='read() has returned Ping(b"are you there"):   the client has got nothing
flush():                                      the client has got Pong(b"are you there")'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
