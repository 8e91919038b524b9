#!/usr/bin/env bash
# Software: prometheus-parse 0.2.5 (crate), against prometheus_client 0.26.0 (Python)
# Guess: A label's value is what stands between the quotes: the text format allows any character there, and asks for
#   a backslash only before quotes, backslashes and newlines.
# Behaviour: The labels are split at each comma, and each of them at its equals sign, also within quotes: a value is cut
#   at its first comma, and one with an equals sign in it is dropped together with its name. The sample counts as
#   read. So a test of an exporter sees two series as one, or a series without its label.
# Output seen:
#   joined{room="tea"} 1        prometheus_client {room: tea}, prometheus-parse {room: tea}
#   joined{room="tea, hot"} 1   prometheus_client {room: tea, hot}, prometheus-parse {room: tea}
#   joined{room="a=b"} 1        prometheus_client {room: a=b}, prometheus-parse {}

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    prometheus_client==0.26.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: prometheus_client==0.26.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
mkdir "$work/src"
cat >"$work/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.1.0"
edition = "2021"

[dependencies]
prometheus-parse = "=0.2.5"

[profile.dev]
debug = false

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
fn main() {
    let lines = std::io::stdin().lines();
    for line in lines {
        let scrape = prometheus_parse::Scrape::parse([line].into_iter()).unwrap();
        let labels = scrape.samples[0].labels.iter().map(|(name, value)| format!("{name}: {value}"));
        println!("{{{}}}", labels.collect::<Vec<_>>().join(", "));
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: prometheus-parse =0.2.5" >&2; tail -3 "$work/install.log" >&2; exit 2; }
timeout 60 python3 - "$work/target/debug/probe" <<'PY'
import subprocess, sys
from prometheus_client.parser import text_string_to_metric_families

lines = ['joined{room="tea"} 1', 'joined{room="tea, hot"} 1', 'joined{room="a=b"} 1']
crate = subprocess.run(sys.argv[1], input="\n".join(lines), capture_output=True, text=True, check=True).stdout.splitlines()
client = []
for line, labels in zip(lines, crate, strict=True):
    [family] = text_string_to_metric_families(line + "\n")
    client.append("{" + ", ".join(f"{name}: {value}" for name, value in family.samples[0].labels.items()) + "}")
    print(f"{line:<27} prometheus_client {client[-1]}, prometheus-parse {labels}")
assert client == ["{room: tea}", "{room: tea, hot}", "{room: a=b}"], "the comparison no longer holds"
assert crate == ["{room: tea}", "{room: tea}", "{}"], "the behaviour has changed"
PY
