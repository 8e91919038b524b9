#!/usr/bin/env bash
# Software: backoff 2.2.1 (Python), on_exception with constant
# A reader would guess: backoff.constant with interval=5 waits five seconds between two tries.
# Behaviour: "Full jitter" is on unless jitter=None is given, for every kind of wait: each is drawn between nothing and
#   the interval. So "five seconds" is half of that on average, now and then no time at all, and a server that
#   asks for a pause is asked again within it.
# Output seen:
#   constant, interval=5:               waits between 0 s and 5 s, some under 1 s, about 2.5 s on average
#   constant, interval=5, jitter=None:  waits of 5 s

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    backoff==2.2.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: backoff==2.2.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import time
import backoff

waits = []
time.sleep = waits.append       # nothing is waited for, only noted

def waits_of(**options):
    waits.clear()

    @backoff.on_exception(backoff.constant, ConnectionError, interval=5, max_tries=1001, **options)
    def connect():
        raise ConnectionError

    try:
        connect()
    except ConnectionError:
        return list(waits)

drawn, plain = waits_of(), waits_of(jitter=None)
average = sum(drawn) / len(drawn)
print(f"constant, interval=5:               waits between 0 s and 5 s, {'some' if min(drawn) < 1 else 'none'} under 1 s,",
      f"{'about 2.5' if 2.2 < average < 2.8 else average} s on average")
print(f"constant, interval=5, jitter=None:  waits of {' or '.join(map(str, sorted(set(plain))))} s")
assert set(plain) == {5}, "the comparison no longer holds"
assert len(drawn) == 1000 and min(drawn) < 1 and max(drawn) < 5 and 2.2 < average < 2.8, "the behaviour has changed"
PY
