#!/usr/bin/env bash
# Software: tokio-util 0.7.18 (crate), FramedRead with LinesCodec::new_with_max_length
# Guess: After MaxLineLengthExceeded the stream goes on with the next line: the codec says that it drops
#   the rest of the long one.
# Behaviour: The next item is None, which ends every loop over the stream and every combinator, and only
#   then come the lines after it, for who asks again. So "log the error and go on" closes the connection
#   without another word, and the codec's dropping of the rest is never reached.
# Output seen:
#   Some(Ok("one"))
#   Some(Err(MaxLineLengthExceeded))
#   None
#   Some(Ok("two"))
#   Some(Ok("three"))
#   None

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
futures-util = { version = "=0.3.34", default-features = false }
tokio = { version = "=1.54.1", features = ["rt"] }
tokio-util = { version = "=0.7.18", features = ["codec"] }

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use futures_util::StreamExt;
use tokio_util::codec::{FramedRead, LinesCodec};

fn main() {
    let text = "one\nthis is longer than eight\ntwo\nthree\n";
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut lines = FramedRead::new(text.as_bytes(), LinesCodec::new_with_max_length(8));
        for _ in 0..6 {
            println!("{:?}", lines.next().await);
        }
    });
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: tokio-util =0.7.18" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='Some(Ok("one"))
Some(Err(MaxLineLengthExceeded))
None
Some(Ok("two"))
Some(Ok("three"))
None'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
