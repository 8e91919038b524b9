#!/usr/bin/env bash
# Software: socket2 0.6.5 (crate), Socket::set_linger() on Linux
# Guess: set_linger(Some(500 ms)) lets close() wait up to half a second, or a second, for what is still to be sent.
# Behaviour: The fraction is cut off: it is a linger of 0 seconds, which has close() throw away what is not yet sent
#   and reset the connection. So a short time to say goodbye becomes none, and the last lines are lost for
#   whoever reads slowly. The documentation says that it is cut to seconds, not what 0 does.
# Output seen:
#   no linger:       the peer read all, then Ok(0)
#   1500 ms:         the peer read all, then Ok(0)
#   500 ms:          the peer read less than all, then Err(ConnectionReset)

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
socket2 = "=0.6.5"

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// Sends as much as the kernel takes, closes, and only then reads it at the other end.
fn close_with(linger: Option<u64>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    socket2::SockRef::from(&stream).set_linger(linger.map(Duration::from_millis)).unwrap();
    stream.set_nonblocking(true).unwrap();
    let mut sent = 0;
    while let Ok(taken) = stream.write(&[b'x'; 4096]) {
        sent += taken;
    }
    let closing = std::thread::spawn(move || drop(stream));
    if linger == Some(500) {
        closing.join().unwrap();        // it does not wait for the peer
    }
    peer.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (mut read, mut buffer) = (0, [0; 4096]);
    loop {
        match peer.read(&mut buffer) {
            Ok(length) if length > 0 => read += length,
            end => {
                let much = if read == sent { "all" } else { "less than all" };
                return format!("the peer read {much}, then {:?}", end.map_err(|error| error.kind()));
            }
        }
    }
}

fn main() {
    for (name, linger) in [("no linger:", None), ("1500 ms:", Some(1500)), ("500 ms:", Some(500))] {
        println!("{name:<16} {}", close_with(linger));
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" \
    >"$work/install.log" 2>&1 ||
    { echo "cannot be had: socket2 =0.6.5" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 60 "$work/target/debug/probe")
echo "$seen"
expected='no linger:       the peer read all, then Ok(0)
1500 ms:         the peer read all, then Ok(0)
500 ms:          the peer read less than all, then Err(ConnectionReset)'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
