#!/usr/bin/env bash
# Software: promjs 0.4.2 (npm), against prom-client 15.1.3
# Guess: inc() without labels counts for the series without labels, which is made if there is none, and leaves those
#   with labels alone.
# Behaviour: Without labels it takes whichever series of that name was made first. Where that is one with labels, what
#   has none is counted for it, set() of a gauge overwrites it, and reset() zeroes it and leaves the others. Where the
#   series without labels was made first, all is as guessed: it depends on who came first after the start.
# Output seen:
#                  no label first              room a first
#   prom-client:   (none) 2, room a 1          (none) 2, room a 1
#   promjs:        (none) 2, room a 1          room a 3

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    promjs@0.4.2 prom-client@15.1.3 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: promjs@0.4.2 prom-client@15.1.3" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const client = require("prom-client");
const { default: prom } = require(`${process.argv[2]}/promjs/index.js`);

const orders = { "no label first": [{}, { room: "a" }, {}], "room a first": [{ room: "a" }, {}, {}] };
const counters = {
  "prom-client:": () => {
    const registry = new client.Registry();
    const options = { name: "lines_total", help: "Lines said", labelNames: ["room"], registers: [registry] };
    return [new client.Counter(options), () => registry.metrics()];
  },
  "promjs:": () => {
    const registry = prom();
    return [registry.create("counter", "lines_total", "Lines said"), () => registry.metrics()];
  },
};

const series = async (make, order) => {
  const [counter, metrics] = make();
  for (const labels of order) Object.keys(labels).length ? counter.inc(labels) : counter.inc();
  const samples = (await metrics()).split("\n").filter((line) => line.startsWith("lines_total"));
  const cells = samples.map((line) => `${line.includes('"a"') ? "room a" : "(none)"} ${line.split(" ").at(-1)}`);
  return cells.sort().join(", ");
};

(async () => {
  console.log(" ".repeat(14), Object.keys(orders)[0].padEnd(27), Object.keys(orders)[1]);
  for (const [name, make] of Object.entries(counters)) {
    const [first, second] = [await series(make, orders["no label first"]), await series(make, orders["room a first"])];
    console.log(name.padEnd(14), first.padEnd(27), second);
  }
})();
JS
seen=$(timeout 60 node "$work/probe.js" "$work/js/node_modules")
echo "$seen"
expected='               no label first              room a first
prom-client:   (none) 2, room a 1          (none) 2, room a 1
promjs:        (none) 2, room a 1          room a 3'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
