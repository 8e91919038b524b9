#!/usr/bin/env bash
# Software: async-broadcast 0.7.2 (crate), against tokio 1.54.1 (crate), broadcast channels
# Guess: When the last receiver has left, a message to the channel goes nowhere, or is refused, and somebody who
#   subscribes later gets what comes from then on: a room is empty now and then.
# Behaviour: The channel is closed for ever with its last receiver, though the sender is kept: new_receiver() still
#   gives a receiver, which only hears that the channel is closed, and each later message is refused. Who keeps a
#   sender for each room has to keep an inactive receiver beside it.
# Output seen:
#   tokio:           the last one left; then a new receiver: sent Ok(1), received Ok("two")
#   async-broadcast: the last one left; then a new receiver: sent Err(Closed(..)), received Err(Closed)

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
fn main() {
    let (sender, receiver) = tokio::sync::broadcast::channel(4);
    drop(receiver);
    let mut late = sender.subscribe();
    let sent = sender.send("two");
    println!("tokio:           the last one left; then a new receiver: sent {sent:?}, received {:?}", late.try_recv());

    let (sender, receiver) = async_broadcast::broadcast(4);
    drop(receiver);
    let mut late = sender.new_receiver();
    let sent = sender.try_broadcast("two").map(|_| 1);
    println!("async-broadcast: the last one left; then a new receiver: sent {sent:?}, received {:?}", late.try_recv());
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: async-broadcast =0.7.2 tokio =1.54.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='tokio:           the last one left; then a new receiver: sent Ok(1), received Ok("two")
async-broadcast: the last one left; then a new receiver: sent Err(Closed(..)), received Err(Closed)'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
