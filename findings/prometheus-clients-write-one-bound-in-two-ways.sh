#!/usr/bin/env bash
# Software: prometheus_client 0.26.0 (Python) and prom-client 15.1.3 (npm), histograms
# Guess: Two services with the same histogram and the same bounds have the same series, so that the buckets of both can
#   be added up by le.
# Behaviour: The bound of one second is le="1.0" in the one (as in the crate prometheus-client) and le="1" in the
#   other. The label is text: sum by (le) has two series for that bound, each with its own part of the counts, and an
#   alert or a recording rule on le="1" sees one service only, without an error. Bounds that are no whole numbers are
#   the same in both. (Prometheus makes them one on scraping since 3.0; others that read the format need not.)
# Output seen:
#   prometheus_client:  le="0.5" le="1.0" le="2.5" le="10.0" le="+Inf"
#   prom-client:        le="0.5" le="1" le="2.5" le="10" le="+Inf"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    prometheus_client==0.26.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: prometheus_client==0.26.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    prom-client@15.1.3 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: prom-client@15.1.3" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import re

from prometheus_client import CollectorRegistry, Histogram, generate_latest

registry = CollectorRegistry()
Histogram("turn_seconds", "How long a turn takes.", buckets=(0.5, 1, 2.5, 10), registry=registry)
print("prometheus_client: ", *re.findall(r'le="[^"]*"', generate_latest(registry).decode()))
PY
cat >"$work/probe.js" <<'JS'
const { Histogram, register } = require("prom-client");

const histogram = new Histogram({ name: "turn_seconds", help: "How long a turn takes.", buckets: [0.5, 1, 2.5, 10] });
histogram.zero({});
register.metrics().then((text) => console.log("prom-client:       ", ...text.match(/le="[^"]*"/g)));
JS
seen=$(timeout 30 python3 "$work/probe.py"; timeout 30 node "$work/probe.js")
echo "$seen"
expected='prometheus_client:  le="0.5" le="1.0" le="2.5" le="10.0" le="+Inf"
prom-client:        le="0.5" le="1" le="2.5" le="10" le="+Inf"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
