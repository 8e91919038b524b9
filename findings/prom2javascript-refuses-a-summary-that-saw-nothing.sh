#!/usr/bin/env bash
# Software: prom2javascript 0.2.0 (npm), against the parser of prometheus_client 0.26.0 (Python)
# Guess: A reader of Prometheus's text format takes NaN, which is what the quantiles of a summary are while nothing has
#   been observed, and -Inf, as it takes +Inf.
# Behaviour: It knows digits and +Inf. At any other number it throws, and the whole text is lost, not that line alone:
#   the metrics of a server that has just started cannot be read. A number without a digit in front of its point, as
#   some clients write it, is refused too.
# Output seen:
#   wait_seconds{quantile="0.9"} 2     prometheus_client reads it, prom2javascript reads it
#   wait_seconds{quantile="0.9"} NaN   prometheus_client reads it, prom2javascript refuses all
#   depth +Inf                         prometheus_client reads it, prom2javascript reads it
#   depth -Inf                         prometheus_client reads it, prom2javascript refuses all
#   share .5                           prometheus_client reads it, prom2javascript refuses all

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    prometheus_client==0.26.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: prometheus_client==0.26.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    prom2javascript@0.2.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: prom2javascript@0.2.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { getMetricsFromIterator } = require("prom2javascript");
const lines = process.argv[2].split("\n");
getMetricsFromIterator(lines[Symbol.iterator]())
  .then((metrics) => console.log(Object.keys(metrics).length === 2 ? "reads it" : "reads a part"))
  .catch(() => console.log("refuses all"));
JS
cat >"$work/probe.py" <<'PY'
import subprocess, sys

from prometheus_client.parser import text_string_to_metric_families

wait = 'wait_seconds{quantile="0.9"} '
for line in (wait + "2", wait + "NaN", "depth +Inf", "depth -Inf", "share .5"):
    text = f"lines_total 7\n{line}\n"
    assert len(list(text_string_to_metric_families(text))) == 2, "the comparison no longer holds"
    theirs = subprocess.run(["node", sys.argv[1], text], stdout=subprocess.PIPE, text=True, timeout=20, check=True)
    print(f"{line:<34} prometheus_client reads it, prom2javascript {theirs.stdout.strip()}")
PY
seen=$(timeout 60 python3 "$work/probe.py" "$work/probe.js")
echo "$seen"
expected='wait_seconds{quantile="0.9"} 2     prometheus_client reads it, prom2javascript reads it
wait_seconds{quantile="0.9"} NaN   prometheus_client reads it, prom2javascript refuses all
depth +Inf                         prometheus_client reads it, prom2javascript reads it
depth -Inf                         prometheus_client reads it, prom2javascript refuses all
share .5                           prometheus_client reads it, prom2javascript refuses all'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
