#!/usr/bin/env bash
# Software: nectar 0.4.0 (crate), TelnetCodec, with tokio-util 0.7.20
# Guess: A subnegotiation in the middle of a line, such as the size of a window that changes while somebody types, is
#   told as an event, and is no part of the line.
# Behaviour: It is told, and two of its bytes stay in the line: the last of the size (24) and SE (240), which is no
#   UTF-8, so that the message has a control character and a replacement character there. In front of a line it leaves
#   nothing, and WILL leaves nothing anywhere.
# Output seen:
#   WILL ECHO inside:   Will(Echo) Message("hello")
#   size in front:      Subnegotiate(WindowSize(80, 24)) Message("hello")
#   size inside:        Subnegotiate(WindowSize(80, 24)) Message("hel\u{18}\u{fffd}lo")

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

const WILL_ECHO: &[u8] = &[255, 251, 1];
const SIZE: &[u8] = &[255, 250, 31, 0, 80, 0, 24, 255, 240];

fn main() {
    for (name, pieces) in [
        ("WILL ECHO inside:", [b"hel", WILL_ECHO, b"lo\r\n"]),
        ("size in front:", [b"", SIZE, b"hello\r\n"]),
        ("size inside:", [b"hel", SIZE, b"lo\r\n"]),
    ] {
        let mut read = BytesMut::from(&pieces.concat()[..]);
        let mut codec = TelnetCodec::new(1024);
        let mut seen = Vec::new();
        while let Some(event) = codec.decode(&mut read).unwrap() {
            seen.push(format!("{event:?}").replace('\u{fffd}', "\\u{fffd}"));
        }
        println!("{name:<19} {}", seen.join(" "));
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: nectar =0.4.0, tokio-util =0.7.20" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='WILL ECHO inside:   Will(Echo) Message("hello")
size in front:      Subnegotiate(WindowSize(80, 24)) Message("hello")
size inside:        Subnegotiate(WindowSize(80, 24)) Message("hel\u{18}\u{fffd}lo")'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
