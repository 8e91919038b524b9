#!/usr/bin/env bash
# Software: rate-limiter-flexible 11.4.0 (npm), RateLimiterMemory with execEvenly
# Guess: execEvenly spreads what comes at once over the duration: of 4 points in 4 seconds, the four are granted a
#   second apart.
# Behaviour: Each waits for the rest of the duration divided by the points that are left and one: 0, 1, 1.3 and 2
#   seconds. All are out after half of the time, and the pauses between them are of three lengths. So a peer that takes
#   one a second is sent two within a third of a second. It is even only for callers who wait for each grant before
#   they ask for the next.
# Output seen:
#   four at once:                   granted after 0.0, 1.0, 1.3, 2.0 seconds

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    rate-limiter-flexible@11.4.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: rate-limiter-flexible@11.4.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { RateLimiterMemory } = require("rate-limiter-flexible");

(async () => {
  const limiter = new RateLimiterMemory({ points: 4, duration: 4, execEvenly: true });
  // The waits are those that the limiter asks its timers for, so a busy machine does not change them.
  const waits = [];
  const wait = globalThis.setTimeout;
  globalThis.setTimeout = (call, milliseconds, ...more) => {
    waits.push(milliseconds);
    return wait(call, 0, ...more);
  };
  await Promise.all([1, 2, 3, 4].map(() => limiter.consume("ann")));
  const granted = waits.filter((milliseconds) => milliseconds < 4000).sort((a, b) => a - b);
  const seconds = [0, ...granted].map((milliseconds) => (milliseconds / 1000).toFixed(1));
  console.log("four at once:                   granted after", seconds.join(", "), "seconds");
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='four at once:                   granted after 0.0, 1.0, 1.3, 2.0 seconds'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
