#!/usr/bin/env bash
# Software: aiolimiter 1.3.0 (Python), AsyncLimiter.acquire() with an amount
# Guess: Who waits first is served first, as with asyncio's own locks and semaphores: a request for three waits for
#   three, and those that come later wait behind it.
# Behaviour: Of those that wait, the smallest goes first. What comes later and costs less passes, for as long as it
#   keeps coming: the large one waits until nobody else does. So a cost by the length of a message has short ones
#   overtake long ones.
# Output seen:
#   three of cost 3:                 a b c
#   cost 3, then five of cost 1:     a-3 s1 s2 s3 s4 s5 b-3

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    aiolimiter==1.3.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: aiolimiter==1.3.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio
from aiolimiter import AsyncLimiter

async def order(*requests):
    """The order in which the limiter, of three in 0.6 s, grants what is asked for in this order."""
    limiter, granted = AsyncLimiter(3, 0.6), []

    async def ask(name, amount):
        await limiter.acquire(amount)
        granted.append(name)

    await asyncio.wait_for(asyncio.gather(*(ask(*request) for request in requests)), 30)
    return " ".join(granted)

async def main():
    equal = await order(("a", 3), ("b", 3), ("c", 3))
    mixed = await order(("a-3", 3), ("b-3", 3), *((f"s{at}", 1) for at in range(1, 6)))
    print("three of cost 3:                ", equal)
    print("cost 3, then five of cost 1:    ", mixed)
    assert equal == "a b c", "the comparison no longer holds"
    assert mixed == "a-3 s1 s2 s3 s4 s5 b-3", "the behaviour has changed"

asyncio.run(main())
PY
