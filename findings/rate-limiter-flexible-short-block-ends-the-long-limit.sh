#!/usr/bin/env bash
# Software: rate-limiter-flexible 11.4.0 (npm), RateLimiterMemory with blockDuration
# A reader would guess: With 5 points an hour and a block of one second, whoever goes beyond is blocked for a second
#   in addition: after it the limit of the hour still stands.
# Behaviour: The end of the block takes the place of the end of the hour, and then all 5 points are there again. So a
#   block that is shorter than the duration makes the limit looser: 5 an hour becomes 5 each second or so for
#   whoever goes beyond it, and stays 5 an hour for whoever does not.
# Output seen:
#   no block:      5 granted, 1 refused, after a second and a half 0 granted
#   blocked 1 s:   5 granted, 1 refused, after a second and a half 5 granted

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

const granted = async (limiter, count) => {
  let number = 0;
  for (let turn = 0; turn < count; turn += 1) number += await limiter.consume("ann").then(() => 1, () => 0);
  return number;
};

const run = async (options) => {
  const limiter = new RateLimiterMemory({ points: 5, duration: 3600, ...options });
  const first = await granted(limiter, 6);
  await new Promise((done) => setTimeout(done, 1500));
  return `${first} granted, ${6 - first} refused, after a second and a half ${await granted(limiter, 5)} granted`;
};

(async () => {
  console.log(`no block:      ${await run({})}`);
  console.log(`blocked 1 s:   ${await run({ blockDuration: 1 })}`);
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected="no block:      5 granted, 1 refused, after a second and a half 0 granted
blocked 1 s:   5 granted, 1 refused, after a second and a half 5 granted"
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
