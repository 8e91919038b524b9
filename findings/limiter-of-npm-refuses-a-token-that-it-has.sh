#!/usr/bin/env bash
# Software: limiter 4.1.0 (npm), RateLimiter
# A reader would guess: It is a token bucket, which fills all the time: once getTokensRemaining() tells that a token
#   is there, tryRemoveTokens(1) gives it.
# Behaviour: It counts what was taken in the interval, too: of 5 per four seconds, taken at once, none is given before
#   the four seconds are over, whatever getTokensRemaining() tells. So after a burst it is a fixed window,
#   and a caller who waits for the number to reach one is refused.
# Output seen:
#   at first:            5 taken, remaining below 1
#   after 2.4 seconds:   remaining at least 2, taking 1 refused
#   after 4.4 seconds:   remaining at least 4, taking 1 granted

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    limiter@4.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: limiter@4.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { RateLimiter } = require("limiter");

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

(async () => {
  const limiter = new RateLimiter({ tokensPerInterval: 5, interval: 4000 });
  const start = Date.now();
  const taken = [1, 2, 3, 4, 5].filter(() => limiter.tryRemoveTokens(1)).length;
  const remaining = limiter.getTokensRemaining() < 1 ? "below 1" : "1 or more";
  console.log(`at first:            ${taken} taken, remaining ${remaining}`);
  for (const [seconds, least] of [[2.4, 2], [4.4, 4]]) {
    await wait(start + seconds * 1000 - Date.now());
    const enough = limiter.getTokensRemaining() >= least;
    console.log(`after ${seconds} seconds:   remaining ${enough ? "at least" : "less than"} ${least},`,
                `taking 1 ${limiter.tryRemoveTokens(1) ? "granted" : "refused"}`);
  }
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected="at first:            5 taken, remaining below 1
after 2.4 seconds:   remaining at least 2, taking 1 refused
after 4.4 seconds:   remaining at least 4, taking 1 granted"
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
