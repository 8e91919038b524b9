#!/usr/bin/env bash
# Software: libmudtelnet 2.0.2 (crate), Parser, against telnet-stream 1.1.0 (npm)
# Guess: IAC IAC is how telnet sends the byte 255: it is received as one byte of the text, with what stands around it.
# Behaviour: The text ends in front of it: neither the 255 nor what follows it in the same read is told, up to the end
#   of the read, and nothing of it comes later.
# Output seen:
#   read:             "wait" 255 255 "now\r\n", then "next\r\n"
#   telnet-stream:    "wait" 255 "now\r\n" "next\r\n"
#   libmudtelnet:     "wait" "next\r\n"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    telnet-stream@1.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: telnet-stream@1.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.1.0"
edition = "2021"

[dependencies]
libmudtelnet = "=2.0.2"

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use libmudtelnet::{events::TelnetEvents, Parser};

fn main() {
    let mut parser = Parser::new();
    let events = [&b"wait\xff\xffnow\r\n"[..], b"next\r\n"].map(|read| parser.receive(read));
    let seen: Vec<_> = events
        .iter()
        .flatten()
        .map(|event| match event {
            TelnetEvents::DataReceive(text) => format!("{text:?}")[1..].replace("\\xff", "\" 255 \""),
            other => format!("{other:?}"),
        })
        .collect();
    println!("libmudtelnet:     {}", seen.join(" "));
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: libmudtelnet =2.0.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
cat >"$work/probe.js" <<'JS'
const { TelnetInput } = require("telnet-stream");

const input = new TelnetInput();
const seen = [];
input.on("data", (data) => seen.push(JSON.stringify(data.toString("latin1")).replace("\xff", '" 255 "')));
input.write(Buffer.from("wait\xff\xffnow\r\n", "latin1"));
input.end(Buffer.from("next\r\n"));
input.on("end", () => console.log(`telnet-stream:    ${seen.join(" ")}`));
JS
seen=$(echo 'read:             "wait" 255 255 "now\r\n", then "next\r\n"'
    timeout 20 node "$work/probe.js"; timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='read:             "wait" 255 255 "now\r\n", then "next\r\n"
telnet-stream:    "wait" 255 "now\r\n" "next\r\n"
libmudtelnet:     "wait" "next\r\n"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
