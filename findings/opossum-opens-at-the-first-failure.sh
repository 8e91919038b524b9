#!/usr/bin/env bash
# Software: opossum 9.0.0 (npm), a circuit breaker with its defaults
# Guess: With errorThresholdPercentage 50 the circuit opens when half of a fair number of calls have failed; one failure
#   right after the start is tolerated.
# Behaviour: One failure of one call is 100 percent: the circuit opens, and for half a minute (resetTimeout) every call
#   is refused without being tried. So a service that starts a moment before its database begins with an outage.
#   volumeThreshold, 0 unless told otherwise, is the missing number.
# Output seen:
#   3 calls well, then 1 failed:    closed
#   1 call failed:                  open, the next call: Breaker is open
#   the same, volumeThreshold 5:    closed

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    opossum@9.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: opossum@9.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const CircuitBreaker = require("opossum");

const call = async (works) => {
  if (!works) throw new Error("connection refused");
};

async function after(options, ...calls) {
  const breaker = new CircuitBreaker(call, options);
  for (const works of calls) await breaker.fire(works).catch(() => {});
  if (!breaker.opened) return "closed";
  return `open, the next call: ${await breaker.fire(true).then(() => "ok", (error) => error.message)}`;
}

(async () => {
  console.log("3 calls well, then 1 failed:   ", await after({}, true, true, true, false));
  console.log("1 call failed:                 ", await after({}, false));
  console.log("the same, volumeThreshold 5:   ", await after({ volumeThreshold: 5 }, false));
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='3 calls well, then 1 failed:    closed
1 call failed:                  open, the next call: Breaker is open
the same, volumeThreshold 5:    closed'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
