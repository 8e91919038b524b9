#!/usr/bin/env bash
# Software: prometheus_client 0.26.0 (Python), text_string_to_metric_families
# Guess: The parser gives the sample names that the text has, so that a test of an exporter can look
#   for them.
# Behaviour: A sample of a counter without _total comes out with _total, a name that is nowhere in the
#   text, and no name in the result tells the two texts apart. A test written with this parser passes
#   for an exporter whose metric, in Prometheus, has another name.
# Output seen:
#   text 'lines 1'        family lines, sample lines_total
#   text 'lines_total 1'  family lines, sample lines_total

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    prometheus_client==0.26.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: prometheus_client==0.26.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
from prometheus_client.parser import text_string_to_metric_families

def names(name):
    text = f"# HELP {name} Lines.\n# TYPE {name} counter\n{name} 1\n"
    (family,) = text_string_to_metric_families(text)
    return family.name, family.samples[0].name

bare, total = names("lines"), names("lines_total")
print("text 'lines 1'        family {}, sample {}".format(*bare))
print("text 'lines_total 1'  family {}, sample {}".format(*total))
assert total == ("lines", "lines_total"), "the comparison no longer holds"
assert bare == ("lines", "lines_total"), "the behaviour has changed"
PY
