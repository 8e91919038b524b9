#!/usr/bin/env bash
# Software: tokio-retry 0.3.2 (crate), ExponentialBackoff, against backon 1.6.0 (crate)
# A reader would guess: ExponentialBackoff::from_millis(1000) waits one second, then two, then four: the name says in
#   which unit the first wait is given.
# Behaviour: The number is the base of the powers as well as the first wait: one second, then 1000 seconds, then eleven
#   days. A client that reconnects with it tries twice and is not heard of again. from_millis(2).factor(500) is
#   the wanted row; without max_delay() nothing limits it.
# Output seen:
#   backon, minimum 1 s:             [1s, 2s, 4s]
#   tokio-retry, from_millis(1000):  [1s, 1000s, 1000000s]

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
backon = { version = "=1.6.0", default-features = false }
tokio-retry = "=0.3.2"

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::Duration;
use tokio_retry::strategy::ExponentialBackoff;

fn main() {
    let waits: Vec<_> = ExponentialBuilder::default().with_min_delay(Duration::from_millis(1000)).build().collect();
    println!("backon, minimum 1 s:             {waits:?}");
    let waits: Vec<_> = ExponentialBackoff::from_millis(1000).take(3).collect();
    println!("tokio-retry, from_millis(1000):  {waits:?}");
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: backon =1.6.0 tokio-retry =0.3.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='backon, minimum 1 s:             [1s, 2s, 4s]
tokio-retry, from_millis(1000):  [1s, 1000s, 1000000s]'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
