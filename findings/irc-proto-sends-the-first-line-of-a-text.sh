#!/usr/bin/env bash
# Software: irc-proto 1.1.0 (crate), IrcCodec, with tokio-util 0.7.20
# Guess: To send a text with an LF in it is an error, since a message of IRC is one line; or each line becomes a
#   message, as in irc-framework.
# Behaviour: The encoder cuts the message behind the first CR or LF and returns Ok: the first line is sent and the rest
#   is gone. After a CR not even an LF follows, so a server that ends lines at LF takes the next message for more of
#   this one. A bot that passes on what was pasted seems to work. Whoever sends text of several lines has to split it
#   before.
# Output seen:
#   "one":        Ok, PRIVMSG #tea one\r\n
#   "one\ntwo":   Ok, PRIVMSG #tea one\n
#   "one\rtwo":   Ok, PRIVMSG #tea one\r

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
irc-proto = { version = "=1.1.0", features = ["bytes", "tokio", "tokio-util"] }
tokio-util = { version = "=0.7.20", features = ["codec"] }

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use irc_proto::{Command, IrcCodec};
use tokio_util::bytes::BytesMut;
use tokio_util::codec::Encoder;

fn main() {
    for text in ["one", "one\ntwo", "one\rtwo"] {
        let mut codec = IrcCodec::new("utf8").unwrap();
        let mut wire = BytesMut::new();
        let command = Command::PRIVMSG("#tea".to_owned(), text.to_owned());
        let result = codec.encode(command.into(), &mut wire);
        let sent = String::from_utf8(wire.to_vec()).unwrap();
        let step = format!("{text:?}:");
        println!("{step:<13} {}, {}", if result.is_ok() { "Ok" } else { "Err" }, sent.escape_debug());
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: irc-proto =1.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
seen=$(timeout 20 "$work/target/debug/probe")
echo "$seen"
expected='"one":        Ok, PRIVMSG #tea one\r\n
"one\ntwo":   Ok, PRIVMSG #tea one\n
"one\rtwo":   Ok, PRIVMSG #tea one\r'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
