#!/usr/bin/env bash
# Software: leaky-bucket 1.1.2 and ratelimit 2.0.0 (crates), against governor 0.10.4 (crate)
# A reader would guess: A token bucket starts full: somebody new has their whole burst, and max says how large it is.
# Behaviour: It starts empty: the first line of everybody who connects has to wait, or is refused, and a limiter that
#   is made for each connection never lets a burst pass before it could have been saved up. initial(5), or
#   initial_available(5), does what was meant; governor's starts full.
# Output seen:
#   governor, 5 a second:       5 of 5 granted at once
#   leaky-bucket, max(5):       0 of 5 granted at once
#   the same, initial(5):       5 of 5 granted at once
#   ratelimit, max_tokens(5):   0 of 5 granted at once

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
governor = { version = "=0.10.4", default-features = false, features = ["std"] }
leaky-bucket = "=1.1.2"
ratelimit = "=2.0.0"
tokio = { version = "=1.54.1", features = ["rt", "time"] }

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;

fn tell(what: &str, grant: impl Fn() -> bool) {
    let granted = (0..5).filter(|_| grant()).count();
    println!("{what:<27} {granted} of 5 granted at once");
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _guard = runtime.enter();
    let governor = RateLimiter::direct(Quota::per_second(NonZeroU32::new(5).unwrap()));
    tell("governor, 5 a second:", || governor.check().is_ok());
    // A token each ten seconds, so that none comes while this runs.
    let mut builder = leaky_bucket::RateLimiter::builder();
    let empty = builder.max(5).interval(std::time::Duration::from_secs(10)).build();
    tell("leaky-bucket, max(5):", || empty.try_acquire(1));
    let full = builder.initial(5).build();
    tell("the same, initial(5):", || full.try_acquire(1));
    let other = ratelimit::Ratelimiter::builder(1).max_tokens(5).build().unwrap();
    tell("ratelimit, max_tokens(5):", || other.try_wait().is_ok());
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: governor leaky-bucket =1.1.2 ratelimit =2.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='governor, 5 a second:       5 of 5 granted at once
leaky-bucket, max(5):       0 of 5 granted at once
the same, initial(5):       5 of 5 granted at once
ratelimit, max_tokens(5):   0 of 5 granted at once'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
