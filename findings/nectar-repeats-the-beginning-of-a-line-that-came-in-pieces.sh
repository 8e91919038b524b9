#!/usr/bin/env bash
# Software: nectar 0.4.0 (crate), TelnetCodec, with tokio-util 0.7.20
# Guess: A line is what stands in front of its CR LF, however many reads it took to come: the codec keeps what it has.
# Behaviour: Each time that the codec is asked before the line is whole, it puts what is there into the message, and
#   leaves it to be read again. So a line in two pieces begins twice: "hel" and "lo" are "helhello". Whoever types
#   character by character, as telnet does once an option has it so, says much more than they typed.
# Output seen:
#   hello       Message("hello")
#   hel|lo      Message("helhello")
#   he|l|lo     Message("hehelhello")

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
nectar = "=0.4.0"
bytes = "1"
tokio-util = { version = "=0.7.20", features = ["codec"] }

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use bytes::BytesMut;
use nectar::TelnetCodec;
use tokio_util::codec::Decoder;

fn main() {
    for pieces in [&["hello\r\n"][..], &["hel", "lo\r\n"], &["he", "l", "lo\r\n"]] {
        let (mut codec, mut read) = (TelnetCodec::new(1024), BytesMut::new());
        let mut seen = Vec::new();
        for piece in pieces {
            read.extend_from_slice(piece.as_bytes());
            while let Some(event) = codec.decode(&mut read).unwrap() {
                seen.push(format!("{event:?}"));
            }
        }
        println!("{:<11} {}", pieces.join("|").trim_end(), seen.join(" "));
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: nectar =0.4.0, tokio-util =0.7.20" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='hello       Message("hello")
hel|lo      Message("helhello")
he|l|lo     Message("hehelhello")'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
