#!/usr/bin/env bash
# Software: openmetrics-parser 0.5.1 (crate), parse_prometheus(), against prometheus_client 0.26.0 (Python)
# A reader would guess: It reads what Prometheus reads: in its text format the series of one name may have different
#   labels, as when a server counts some refusals by reason and others by reason and room.
# Behaviour: The whole text is refused, with an error that names labels, but neither the metric nor the line. The same
#   label with another value is fine, and so is an order of its own. A tab between name and value, which the format
#   allows, is refused too.
# Output seen:
#   other values:   prometheus_client 2 samples, openmetrics-parser 2 samples
#   other order:    prometheus_client 2 samples, openmetrics-parser 2 samples
#   a label more:   prometheus_client 2 samples, openmetrics-parser "Metrics in family have different label sets"
#   a tab:          prometheus_client 1 samples, openmetrics-parser "expected labels"

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
openmetrics-parser = "=0.5.1"

[workspace]
TOML
cat >"$work/src/main.rs" <<'RUST'
use openmetrics_parser::{prometheus::parse_prometheus, ParseError};

fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    match parse_prometheus(&text) {
        Ok(metrics) => {
            let samples = metrics.families.values().map(|family| family.iter_samples().count());
            println!("{} samples", samples.sum::<usize>());
        }
        Err(ParseError::InvalidMetric(text)) => println!("{:?}", text.split(':').next().unwrap()),
        Err(ParseError::ParseError(text)) => println!("{:?}", text.rsplit("= ").next().unwrap()),
        Err(error) => println!("{error:?}"),
    }
}
RUST
CARGO_TARGET_DIR=$work/target timeout 400 cargo build --quiet --manifest-path "$work/Cargo.toml" >"$work/install.log" 2>&1 ||
    { echo "cannot be had: openmetrics-parser =0.5.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
cat >"$work/texts.py" <<'PY'
import pathlib, subprocess, sys
from prometheus_client.parser import text_string_to_metric_families

work = pathlib.Path(sys.argv[1])
texts = {
    "other values:": 'refused{reason="full"} 1\nrefused{reason="banned"} 2\n',
    "other order:": 'refused{reason="full",room="a"} 1\nrefused{room="b",reason="full"} 2\n',
    "a label more:": 'refused{reason="full"} 1\nrefused{reason="full",room="a"} 2\n',
    "a tab:": "refused\t1\n",
}
for name, text in texts.items():
    (work / "text").write_text(text)
    samples = sum(len(family.samples) for family in text_string_to_metric_families(text))
    theirs = subprocess.run([work / "target/debug/probe", work / "text"], capture_output=True, text=True, timeout=20)
    print(name.ljust(15), f"prometheus_client {samples} samples, openmetrics-parser {theirs.stdout.strip()}")
PY
seen=$(timeout 60 python3 "$work/texts.py" "$work")
echo "$seen"
expected='other values:   prometheus_client 2 samples, openmetrics-parser 2 samples
other order:    prometheus_client 2 samples, openmetrics-parser 2 samples
a label more:   prometheus_client 2 samples, openmetrics-parser "Metrics in family have different label sets"
a tab:          prometheus_client 1 samples, openmetrics-parser "expected labels"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
