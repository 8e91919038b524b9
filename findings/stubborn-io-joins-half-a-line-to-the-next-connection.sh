#!/usr/bin/env bash
# Software: stubborn-io 0.3.6 (crate), StubbornTcpStream, read by lines with tokio 1.54.1
# Guess: The stream connects again by itself, and whoever reads is told in between, by an error or an end of file:
#   what was read of an unfinished line is dropped, and one knows to log in again.
# Behaviour: Nothing is told: the bytes of the new connection follow those of the old one, as if they were one. Half a
#   line that was lost and the first line of the new connection become a line that nobody has sent, and a
#   session that has to log in, or to say hello, does not notice that it has to.
# Output seen:
#   the server said: "one\ntw", was lost, and "three\nfour\n"
#   lines that were read: "one" "twthree" "four"

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
stubborn-io = "=0.3.6"
tokio = { version = "=1.54.1", features = ["io-util", "macros", "net", "rt", "time"] }

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use std::time::Duration;
use stubborn_io::{ReconnectOptions, StubbornTcpStream};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

const SAID: [&str; 2] = ["one\ntw", "three\nfour\n"];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for text in SAID {
            let (mut client, _) = listener.accept().await.unwrap();
            client.write_all(text.as_bytes()).await.unwrap();
        }
        std::future::pending::<()>().await
    });
    println!("the server said: {:?}, was lost, and {:?}", SAID[0], SAID[1]);
    let options = ReconnectOptions::new().with_retries_generator(|| vec![Duration::from_millis(200); 5]);
    let stream = StubbornTcpStream::connect_with_options(address, options).await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    print!("lines that were read:");
    for _ in 0..3 {
        match tokio::time::timeout(Duration::from_secs(10), lines.next_line()).await {
            Ok(Ok(Some(line))) => print!(" {line:?}"),
            Ok(Ok(None)) => print!(" end of file"),
            Ok(Err(error)) => print!(" error: {error}"),
            Err(_) => print!(" nothing"),
        }
    }
    println!();
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: stubborn-io =0.3.6" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 50 "$work/target/debug/probe")
echo "$seen"
expected='the server said: "one\ntw", was lost, and "three\nfour\n"
lines that were read: "one" "twthree" "four"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
