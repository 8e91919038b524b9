#!/usr/bin/env bash
# Software: throttler 1.2.3 (Python), its Throttler, against asyncio-throttle 1.0.2
# Guess: Those who wait for a Throttler(rate_limit=5, period=1) go in the order in which they came: the sixth to the
#   tenth after a second, the eleventh after two.
# Behaviour: All who wait wake up when the second is over, and whoever looks first gets a slot; the others wait for
#   another period. Some who came late go before some who came earlier, so at a busy limiter one may wait far longer
#   than the queue is long.
# Output seen:
#   asyncio-throttle:   in the order in which they came
#   throttler:          overtaken

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    throttler==1.2.3 asyncio-throttle==1.0.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: throttler==1.2.3 asyncio-throttle==1.0.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio

import asyncio_throttle, throttler

async def order(limiter, count=24):
    """The order in which so many, who come at once, are let through."""
    passed = []

    async def pass_through(number):
        async with limiter:
            passed.append(number)

    await asyncio.gather(*map(pass_through, range(count)))
    return passed

async def main():
    return await asyncio.gather(order(asyncio_throttle.Throttler(rate_limit=5, period=1)),
                                order(throttler.Throttler(rate_limit=5, period=1)))

seen = ["in the order in which they came" if passed == sorted(passed) else "overtaken"
        for passed in asyncio.run(main())]
print("asyncio-throttle:  ", seen[0])
print("throttler:         ", seen[1])
assert seen[0] == "in the order in which they came", "the comparison no longer holds"
assert seen[1] == "overtaken", "the behaviour has changed"
PY
