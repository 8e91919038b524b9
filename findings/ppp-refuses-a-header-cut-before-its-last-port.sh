#!/usr/bin/env bash
# Software: ppp 2.3.0 (crate), PROXY protocol version 1
# Guess: Each beginning of a good header is incomplete, so that a server reads more and tries again; an
#   error is for what can never become a header.
# Behaviour: All are, but one: if what has been read ends with the space before the last port, the result
#   is complete, and an error. A server that closes at errors, as it should, loses the connections whose
#   header was cut there on its way.
# Output seen:
#   "PROXY TCP4 192.0.2.1 192.0.2.2 4000"           incomplete
#   "PROXY TCP4 192.0.2.1 192.0.2.2 4000 "          Err(Parse(InvalidDestinationPort(Some(ParseIntError { kind: Empty }))))
#   "PROXY TCP4 192.0.2.1 192.0.2.2 4000 1"         incomplete
#   "PROXY TCP4 192.0.2.1 192.0.2.2 4000 1337\r\n"  Ok
#   beginnings of the header that are not incomplete: 1 of 42

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
ppp = "=2.3.0"

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use ppp::{HeaderResult, PartialResult};

fn main() {
    let header = "PROXY TCP4 192.0.2.1 192.0.2.2 4000 1337\r\n";
    let space = header.rfind(' ').unwrap();
    for end in [space, space + 1, space + 2, header.len()] {
        let read = &header[..end];
        let result = match HeaderResult::parse(read.as_bytes()) {
            result if result.is_incomplete() => "incomplete".to_string(),
            HeaderResult::V1(Ok(_)) => "Ok".to_string(),
            HeaderResult::V1(Err(error)) => format!("Err({error:?})"),
            HeaderResult::V2(_) => "version 2".to_string(),
        };
        println!("{:<47} {result}", format!("{read:?}"));
    }
    let wrong = (0..header.len()).filter(|&end| !HeaderResult::parse(header[..end].as_bytes()).is_incomplete());
    println!("beginnings of the header that are not incomplete: {} of {}", wrong.count(), header.len());
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: ppp =2.3.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='"PROXY TCP4 192.0.2.1 192.0.2.2 4000"           incomplete
"PROXY TCP4 192.0.2.1 192.0.2.2 4000 "          Err(Parse(InvalidDestinationPort(Some(ParseIntError { kind: Empty }))))
"PROXY TCP4 192.0.2.1 192.0.2.2 4000 1"         incomplete
"PROXY TCP4 192.0.2.1 192.0.2.2 4000 1337\r\n"  Ok
beginnings of the header that are not incomplete: 1 of 42'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
