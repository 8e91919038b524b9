#!/usr/bin/env bash
# Software: backon 1.6.0 (crate), ExponentialBuilder with with_max_delay() and with_jitter()
# Guess: No wait is longer than the maximum: jitter spreads what lies below it, or is cut there.
# Behaviour: The jitter, up to the wait itself, is added to what has been cut already: with a maximum of 30 s the waits
#   go up to a minute. Who tells people "back within 30 s", or has something else wait just as long (a lease, a
#   seat that is kept), is too early for half of them or more.
# Output seen:
#   minimum 1 s, maximum 30 s:               longest wait 30 s
#   minimum 1 s, maximum 30 s, with jitter:  longest wait 60 s

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

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::Duration;

// The longest of many waits of many clients, in seconds (each has its own seed).
fn longest(jitter: bool) -> f64 {
    let waits = (0..200).flat_map(|seed| {
        let builder = ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs(1))
            .with_max_delay(Duration::from_secs(30))
            .with_max_times(20)
            .with_jitter_seed(seed);
        if jitter { builder.with_jitter().build() } else { builder.build() }
    });
    waits.max().unwrap().as_secs_f64()
}

fn main() {
    println!("minimum 1 s, maximum 30 s:               longest wait {:.0} s", longest(false));
    println!("minimum 1 s, maximum 30 s, with jitter:  longest wait {:.0} s", longest(true));
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: backon =1.6.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='minimum 1 s, maximum 30 s:               longest wait 30 s
minimum 1 s, maximum 30 s, with jitter:  longest wait 60 s'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
