#!/usr/bin/env bash
# Software: tokio 1.54.1 (crate), sync::broadcast, against async-broadcast 0.7.2 (crate)
# Guess: channel(5) keeps five messages for a slow receiver: at the sixth that is unread the oldest is gone, and recv()
#   says Lagged(1).
# Behaviour: The capacity is rounded up to a power of two: eight are kept, and of channel(1000) it is 1024,
#   channel(1025) keeps 2048. A limit for slow consumers that is tested at its edge fails, and one that was computed
#   from the memory there is can cost twice as much. Powers of two are kept as they are.
# Output seen:
#   async-broadcast(5), of 9 sent:   5 can be read
#   channel(5), of 9 sent:           8 can be read
#   channel(8), of 9 sent:           8 can be read
#   channel(1025), of 3000 sent:     2048 can be read

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
async-broadcast = "=0.7.2"
tokio = { version = "=1.54.1", features = ["sync"] }

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use tokio::sync::broadcast;

fn readable(capacity: usize, sent: usize) -> usize {
    let (sender, mut receiver) = broadcast::channel(capacity);
    for number in 0..sent {
        sender.send(number).unwrap();
    }
    let mut read = 0;
    loop {
        match receiver.try_recv() {
            Ok(_) => read += 1,
            Err(broadcast::error::TryRecvError::Lagged(_)) => {}
            Err(_) => return read,
        }
    }
}

fn main() {
    let (mut sender, mut receiver) = async_broadcast::broadcast(5);
    sender.set_overflow(true);
    for number in 0..9 {
        sender.try_broadcast(number).unwrap();
    }
    let mut read = 0;
    loop {
        match receiver.try_recv() {
            Ok(_) => read += 1,
            Err(async_broadcast::TryRecvError::Overflowed(_)) => {}
            Err(_) => break,
        }
    }
    println!("async-broadcast(5), of 9 sent:   {read} can be read");
    for (capacity, sent) in [(5, 9), (8, 9), (1025, 3000)] {
        let step = format!("channel({capacity}), of {sent} sent:");
        println!("{step:<32} {} can be read", readable(capacity, sent));
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: async-broadcast =0.7.2 tokio =1.54.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='async-broadcast(5), of 9 sent:   5 can be read
channel(5), of 9 sent:           8 can be read
channel(8), of 9 sent:           8 can be read
channel(1025), of 3000 sent:     2048 can be read'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
