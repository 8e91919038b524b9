#!/usr/bin/env bash
# Software: throttled-py 3.5.0 (Python), token_bucket against gcra, in memory
# Guess: A token bucket of four a second has one more token after a quarter of a second, and retry_after of a request
#   that is refused says so.
# Behaviour: It counts in whole seconds of the clock: between two of them it gets nothing, then all at once, be it a
#   second since the last request or a tenth. retry_after is a second at least. So what it is taken for, to be smoother
#   than a fixed window, it is not; gcra of the same library is.
# Output seen:
#   gcra:          4 of 4 granted, then retry_after 0.25; 0.6 s later 2 of 4, in the next second 2 of 4
#   token_bucket:  4 of 4 granted, then retry_after 1.00; 0.6 s later 0 of 4, in the next second 4 of 4

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    throttled-py==3.5.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: throttled-py==3.5.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import time
from throttled import Throttled, rate_limiter, store

def sleep_until(moment):
    """By the clock, whose seconds are what is counted."""
    while (left := moment - time.time()) > 0:
        time.sleep(left)

def once(using):
    limiter = Throttled(key="ann", using=using, quota=rate_limiter.per_sec(4, burst=4), store=store.MemoryStore())
    second = int(time.time()) + 1
    sleep_until(second + 0.2)
    granted = [sum(not limiter.limit().limited for _ in range(4))]
    retry_after = limiter.limit().state.retry_after
    for moment in (0.8, 1.3):
        sleep_until(second + moment)
        granted.append(sum(not limiter.limit().limited for _ in range(4)))
    assert time.time() < second + 1.7, "too slow to tell"
    return granted, retry_after

seen = {using: once(using) for using in ("gcra", "token_bucket")}
for using, (granted, retry_after) in seen.items():
    print(f"{using}:".ljust(14), f"{granted[0]} of 4 granted, then retry_after {retry_after:.2f};",
          f"0.6 s later {granted[1]} of 4, in the next second {granted[2]} of 4")
assert seen["gcra"][0] == [4, 2, 2] and 0.2 < seen["gcra"][1] < 0.3, "the comparison no longer holds"
assert seen["token_bucket"] == ([4, 0, 4], 1), "the behaviour has changed"
PY
