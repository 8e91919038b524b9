#!/usr/bin/env bash
# Software: aioprometheus 23.12.0 (Python) and promjs 0.4.2 (npm), read with the parser of prometheus_client 0.26.0
# Guess: A library that writes the text format of Prometheus escapes the quotes, backslashes and line feeds of label
#   values, as the format wants it: what is read back is what was counted.
# Behaviour: Both write the value as it is. A value with a quote, as the text of an error may have, makes the whole
#   answer one that cannot be read, so Prometheus takes the target for down. A backslash in front of an n comes back as
#   a line feed.
# Output seen:
#   label value        prometheus_client   aioprometheus       promjs
#   a room             a room              a room              a room
#   a "quiet" room     a "quiet" room      cannot be read      cannot be read
#   c:\new             c:\new              c:(LF)ew            c:(LF)ew

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    prometheus_client==0.26.0 aioprometheus==23.12.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: prometheus_client==0.26.0 aioprometheus==23.12.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    promjs@0.4.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: promjs@0.4.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { default: prom } = require(`${process.argv[2]}/promjs/index.js`);
const registry = prom();
registry.create("counter", "lines_total", "Lines said").inc({ room: process.argv[3] });
process.stdout.write(registry.metrics());
JS
cat >"$work/probe.py" <<'PY'
import subprocess, sys

import aioprometheus
import prometheus_client
from prometheus_client.parser import text_string_to_metric_families

def of_prometheus_client(room):
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.Counter("lines", "Lines said", ["room"], registry=registry).labels(room).inc()
    return prometheus_client.generate_latest(registry).decode()

def of_aioprometheus(room):
    registry = aioprometheus.collectors.Registry()
    aioprometheus.Counter("lines_total", "Lines said", registry=registry).inc({"room": room})
    return aioprometheus.render(registry, ["text/plain"])[0].decode()

def of_promjs(room):
    return subprocess.run(["node", *sys.argv[1:3], room], stdout=subprocess.PIPE, text=True, timeout=20,
                          check=True).stdout

def read_back(text):
    try:
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except ValueError:
        return "cannot be read"
    return next(sample.labels["room"] for sample in samples if sample.name == "lines_total").replace("\n", "(LF)")

print(f"{'label value':<18} {'prometheus_client':<19} {'aioprometheus':<19} promjs")
for room in ("a room", 'a "quiet" room', r"c:\new"):
    cells = [read_back(write(room)) for write in (of_prometheus_client, of_aioprometheus, of_promjs)]
    print(f"{room:<18} {cells[0]:<19} {cells[1]:<19} {cells[2]}")
PY
seen=$(timeout 60 python3 "$work/probe.py" "$work/probe.js" "$work/js/node_modules")
echo "$seen"
expected='label value        prometheus_client   aioprometheus       promjs
a room             a room              a room              a room
a "quiet" room     a "quiet" room      cannot be read      cannot be read
c:\new             c:\new              c:(LF)ew            c:(LF)ew'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
