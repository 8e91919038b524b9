#!/usr/bin/env bash
# Software: proxy-header 0.1.3 (crate)
# Guess: A PROXY protocol version 2 header with the command LOCAL is read whatever its family says:
#   the specification has the receiver ignore the family of LOCAL and discard the addresses.
# Behaviour: LOCAL with a family (here TCP over IPv4) and length 0, 16 bytes that are all of the
#   header, is Err(BufferTooShort), which means: read more and try again. A server that follows this
#   waits for bytes that never come, and the health check fails at its timeout. With family 0 the same
#   header is read.
# Output seen:
#   LOCAL, no family, length 0:  Ok, 16 bytes
#   LOCAL, TCP4, length 0:       Err(BufferTooShort)
#   LOCAL, TCP4, length 12:      Ok, 28 bytes

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
proxy-header = "=0.1.3"

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use proxy_header::{ParseConfig, ProxyHeader};

fn main() {
    for (name, family, length) in [("no family", 0x00, 0), ("TCP4", 0x11, 0), ("TCP4", 0x11, 12)] {
        let mut header = b"\r\n\r\n\0\r\nQUIT\n\x20".to_vec();
        header.extend([family, 0, length]);
        header.resize(16 + usize::from(length), 1);
        let result = match ProxyHeader::parse(&header, ParseConfig::default()) {
            Ok((_, used)) => format!("Ok, {used} bytes"),
            Err(error) => format!("Err({error:?})"),
        };
        println!("{:<28} {result}", format!("LOCAL, {name}, length {length}:"));
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: proxy-header =0.1.3" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected="LOCAL, no family, length 0:  Ok, 16 bytes
LOCAL, TCP4, length 0:       Err(BufferTooShort)
LOCAL, TCP4, length 12:      Ok, 28 bytes"
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
