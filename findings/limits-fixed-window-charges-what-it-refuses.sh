#!/usr/bin/env bash
# Software: limits 5.8.0 (Python), FixedWindowRateLimiter with a cost, against MovingWindowRateLimiter
# Guess: A hit that is refused costs nothing, with any strategy: after 3 of 5, a request for 3 is refused and one
#   for 2 still fits.
# Behaviour: The fixed window charges what it refuses: one request that is too large uses up the window, and
#   everything after it is refused until the window ends, though only 3 of 5 were ever granted. So one long
#   paste, refused as a whole, silences whoever sent it; with the moving window it does not.
# Output seen:
#   moving window:  3 granted, 3 refused, 2 granted
#   fixed window:   3 granted, 3 refused, 2 refused
#   moving window:  9 refused, 1 granted
#   fixed window:   9 refused, 1 refused

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    limits==5.8.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: limits==5.8.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

def run(strategy, costs):
    limiter, limit = strategy(MemoryStorage()), RateLimitItemPerHour(5)
    return [limiter.hit(limit, "ann", cost=cost) for cost in costs]

seen = []
for costs in ((3, 3, 2), (9, 1)):
    for name, strategy in (("moving window:", MovingWindowRateLimiter), ("fixed window:", FixedWindowRateLimiter)):
        seen.append(run(strategy, costs))
        words = [f"{cost} {'granted' if granted else 'refused'}" for cost, granted in zip(costs, seen[-1])]
        print(f"{name:<15}", ", ".join(words))
assert seen[0] == [True, False, True] and seen[2] == [False, True], "the comparison no longer holds"
assert seen[1] == [True, False, False] and seen[3] == [False, False], "the behaviour has changed"
PY
