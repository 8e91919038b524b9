#!/usr/bin/env bash
# Software: asynchronous-codec 0.7.0 (crate), FramedRead with LinesCodec
# Guess: At the end of the stream the last line is delivered, with or without its LF, as the lines of the
#   standard library and tokio-util's codec of that name do.
# Behaviour: A last line without LF is an error, "bytes remaining in stream", and its text is not to be had:
#   printf "one\ntwo" into a server loses "two". (Lines keep their ends, too.)
# Output seen:
#   one\ntwo\n: Ok("one\n") Ok("two\n")
#   one\ntwo: Ok("one\n") Err("bytes remaining in stream")

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
asynchronous-codec = "=0.7.0"
futures-util = { version = "=0.3.34", features = ["io"] }

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use asynchronous_codec::{FramedRead, LinesCodec};
use futures_util::io::Cursor;
use futures_util::{FutureExt, StreamExt};

fn main() {
    for text in ["one\ntwo\n", "one\ntwo"] {
        let mut lines = FramedRead::new(Cursor::new(text), LinesCodec);
        print!("{}:", text.escape_debug());
        for _ in 0..2 {
            // The text is in memory: nothing has to be waited for.
            let line = lines.next().now_or_never().flatten().expect("a line");
            print!(" {:?}", line.map_err(|error| error.to_string()));
        }
        println!();
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: asynchronous-codec =0.7.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='one\ntwo\n: Ok("one\n") Ok("two\n")
one\ntwo: Ok("one\n") Err("bytes remaining in stream")'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
