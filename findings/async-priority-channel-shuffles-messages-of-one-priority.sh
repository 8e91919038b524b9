#!/usr/bin/env bash
# Software: async-priority-channel 0.2.0 (crate), against async-channel 2.5.0 (crate)
# Guess: A channel with priorities is a channel: messages of the same priority are received in the order in which they
#   were sent.
# Behaviour: They are received in the order in which a heap gives them up: the first is the first, and then the others
#   come as it happens. What one sender says with one priority is out of order, so lines of a conversation cannot be
#   sent through it unless a counter is part of the priority.
# Output seen:
#   async-channel:                            a b c d e f
#   async-priority-channel, one priority:     a c f e b d
#   the same, priorities from 6 down to 1:    a b c d e f

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
async-channel = "=2.5.0"
async-priority-channel = "=0.2.0"

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
const WORDS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn tell(what: &str, receive: impl Fn() -> &'static str) {
    let received: Vec<_> = WORDS.iter().map(|_| receive()).collect();
    println!("{what:<41} {}", received.join(" "));
}

fn prioritised(what: &str, priority: fn(usize) -> usize) {
    let (sender, receiver) = async_priority_channel::bounded(10);
    for (at, word) in WORDS.into_iter().enumerate() {
        sender.try_send(word, priority(at)).unwrap();
    }
    tell(what, || receiver.try_recv().unwrap().0);
}

fn main() {
    let (sender, receiver) = async_channel::bounded(10);
    for word in WORDS {
        sender.try_send(word).unwrap();
    }
    tell("async-channel:", || receiver.try_recv().unwrap());
    prioritised("async-priority-channel, one priority:", |_| 1);
    prioritised("the same, priorities from 6 down to 1:", |at| WORDS.len() - at);
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: async-channel =2.5.0 async-priority-channel =0.2.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='async-channel:                            a b c d e f
async-priority-channel, one priority:     a c f e b d
the same, priorities from 6 down to 1:    a b c d e f'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
