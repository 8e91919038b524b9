#!/usr/bin/env bash
# Software: tokio-websockets 0.13.3 (crate), its server, against tokio-tungstenite 0.30.0 (crate)
# Guess: A connection that ends without a close frame is an error, as RFC 6455 has it a failed connection (1006): the
#   stream gives Some(Err) before it ends. So None alone, or a loop that runs out, means an orderly end.
# Behaviour: The stream just ends, as after a goodbye. Who matches on errors to tell who was lost sees none: what tells
#   it is only that no close message came before.
# Output seen:
#   goodbye:  tokio-tungstenite: a close message, the end    tokio-websockets: a close message, the end
#   lost:     tokio-tungstenite: an error, the end           tokio-websockets: the end

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
futures-util = "0.3"
tokio = { version = "1", features = ["io-util", "macros", "net", "rt", "time"] }
tokio-tungstenite = "=0.30.0"
tokio-websockets = { version = "=0.13.3", features = ["server", "sha1_smol"] }

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: chat\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const GOODBYE: &[u8] = &[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]; // a close frame with 1000

/// A client that shakes hands, says goodbye or does not, and ends the connection.
async fn come_and_go(server: std::net::SocketAddr, last: &'static [u8]) {
    let mut socket = TcpStream::connect(server).await.unwrap();
    socket.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(socket.read_u8().await.unwrap());
    }
    socket.write_all(last).await.unwrap();
    socket.shutdown().await.unwrap();
    socket.read_to_end(&mut answer).await.unwrap();
}

async fn told<M, E>(stream: impl Stream<Item = Result<M, E>>, is_close: fn(&M) -> bool) -> String {
    let items = stream.map(|item| match item {
        Ok(message) if is_close(&message) => "a close message",
        Ok(_) => "another message",
        Err(_) => "an error",
    });
    let mut items: Vec<_> = items.take(9).collect().await;
    items.push("the end");
    items.join(", ")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for (name, last) in [("goodbye:", GOODBYE), ("lost:", b"")] {
        tokio::spawn(come_and_go(address, last));
        let socket = listener.accept().await.unwrap().0;
        let stream = tokio_tungstenite::accept_async(socket).await.unwrap();
        let theirs = told(stream, |message| message.is_close()).await;

        tokio::spawn(come_and_go(address, last));
        let socket = listener.accept().await.unwrap().0;
        let (_, stream) = tokio_websockets::ServerBuilder::new().accept(socket).await.unwrap();
        let seen = told(stream, |message| message.is_close()).await;
        println!("{name:<9} tokio-tungstenite: {theirs:<27} tokio-websockets: {seen}");
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: tokio-websockets =0.13.3, tokio-tungstenite =0.30.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 30 "$work/target/debug/probe")
echo "$seen"
expected='goodbye:  tokio-tungstenite: a close message, the end    tokio-websockets: a close message, the end
lost:     tokio-tungstenite: an error, the end           tokio-websockets: the end'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
