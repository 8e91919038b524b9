#!/usr/bin/env bash
# Software: bottleneck 2.19.5 (npm), highWater with strategy BLOCK, against OVERFLOW
# A reader would guess: highWater is a high watermark, and BLOCK is backpressure: once the queue is full, schedule()
#   waits until there is room, and nothing is lost.
# Behaviour: BLOCK throws away the whole queue, what was accepted before included, and refuses everything for a while:
#   of four jobs with room for two only the one that ran already is done. OVERFLOW refuses just the newcomers. Nothing
#   here waits for room; that has to be done by the caller (await the promises, or count them).
# Output seen:
#   OVERFLOW:  1 done, 2 done, 3 done, 4 dropped
#   BLOCK:     1 done, 2 dropped, 3 dropped, 4 dropped

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    bottleneck@2.19.5 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: bottleneck@2.19.5" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const Bottleneck = require("bottleneck");

async function four(strategy) {
  const limiter = new Bottleneck({ maxConcurrent: 1, highWater: 2, strategy: Bottleneck.strategy[strategy] });
  let release;
  const released = new Promise((done) => { release = done; });
  const jobs = [1, 2, 3, 4].map((number) => limiter.schedule(() => released).then(
    () => `${number} done`,
    (error) => `${number} ${error instanceof Bottleneck.BottleneckError ? "dropped" : error}`));
  // The jobs are let go when each of them is running, queued or dropped.
  setTimeout(release, 300);
  return (await Promise.all(jobs)).join(", ");
}

(async () => {
  for (const strategy of ["OVERFLOW", "BLOCK"]) console.log(`${strategy}:`.padEnd(10), await four(strategy));
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='OVERFLOW:  1 done, 2 done, 3 done, 4 dropped
BLOCK:     1 done, 2 dropped, 3 dropped, 4 dropped'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
