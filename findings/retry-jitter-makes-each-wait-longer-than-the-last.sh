#!/usr/bin/env bash
# Software: retry 0.9.2 (Python), retry_call with jitter
# A reader would guess: delay=1 and jitter=(0, 1) make each wait one second and a random part of another, so that
#   clients which were lost together do not come back together: every wait is between 1 and 2 seconds.
# Behaviour: The first wait is the bare delay, the same for everybody, and each random part is added to the delay for
#   good: the waits only grow, by half a second on average with each try. So the herd is together at the first try,
#   where it matters most, and after a long outage a client waits minutes. max_delay limits the growth; the first wait
#   needs a random delay of the caller's.
# Output seen:
#   the first wait of 20 clients:   1 second for all of them
#   wait 100, without max_delay:    above 20 seconds for all of them
#   each wait is at least as long as the one before:  yes

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    retry==0.9.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: retry==0.9.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import logging

import retry.api

logging.disable()
waits = []
retry.api.time.sleep = lambda seconds: waits[-1].append(seconds)

def connect():
    raise ConnectionRefusedError("refused")

for client in range(20):
    waits.append([])
    try:
        retry.api.retry_call(connect, tries=101, delay=1, jitter=(0, 1))
    except ConnectionRefusedError:
        pass
    assert len(waits[-1]) == 100, "not as many waits as tries"
first = {client[0] for client in waits}
print("the first wait of 20 clients:  ", "1 second for all of them" if first == {1} else sorted(first))
late = [client[99] for client in waits]
print("wait 100, without max_delay:   ", "above 20 seconds for all of them" if min(late) > 20 else sorted(late))
grows = all(earlier <= later for client in waits for earlier, later in zip(client, client[1:]))
print("each wait is at least as long as the one before: ", "yes" if grows else "no")
PY
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='the first wait of 20 clients:   1 second for all of them
wait 100, without max_delay:    above 20 seconds for all of them
each wait is at least as long as the one before:  yes'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
