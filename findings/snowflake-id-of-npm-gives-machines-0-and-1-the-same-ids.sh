#!/usr/bin/env bash
# Software: snowflake-id 1.1.0 (npm), mid
# A reader would guess: mid is the number of the machine, of ten bits: two machines whose numbers differ never make the
#   same id.
# Behaviour: Machine 0 is machine 1, since 0 counts as "not given", and 1023 is 0. Who numbers the nodes of a cluster
#   from 0, as StatefulSets and most loops do, has two of them make the same ids whenever both make one in the same
#   millisecond. Numbers from 1 to 1022 are all different.
# Output seen:
#   mid 0:     machine 1 in the id
#   mid 1:     machine 1 in the id
#   mid 2:     machine 2 in the id
#   mid 1023:  machine 0 in the id
#   mid 0 and 1, in the same millisecond:  the same id

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    snowflake-id@1.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: snowflake-id@1.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const Snowflake = require("snowflake-id").default;

const now = Date.now();
Date.now = () => now;          // the same millisecond for all
const made = {};
for (const mid of [0, 1, 2, 1023]) {
  made[mid] = BigInt(new Snowflake({ mid, offset: 0 }).generate());
  console.log(`mid ${mid}:`.padEnd(10), `machine ${(made[mid] >> 12n) & 1023n} in the id`);
}
console.log("mid 0 and 1, in the same millisecond: ", made[0] === made[1] ? "the same id" : "two ids");
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='mid 0:     machine 1 in the id
mid 1:     machine 1 in the id
mid 2:     machine 2 in the id
mid 1023:  machine 0 in the id
mid 0 and 1, in the same millisecond:  the same id'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
