#!/usr/bin/env bash
# Software: y-protocols 1.0.7 with yjs 13.6.33 (npm), Awareness, which tells who is there
# Guess: setLocalState(null) says that one has left, and setLocalStateField("name", "ann") that one is there, with that
#   name: first null, then the field, and the others see ann again.
# Behaviour: After null a field is dropped without an error or an event: who goes away and comes back that way stays
#   unseen for good. Only setLocalState() with an object brings them back. (A new Awareness has an empty object from
#   the start, so the same call works the first time, and whoever has not said a word is counted as present.)
# Output seen:
#   new:                           1 present, undefined
#   setLocalStateField():          1 present, ann
#   setLocalState(null):           0 present, undefined
#   setLocalStateField() again:    0 present, undefined
#   setLocalState({ name }):       1 present, ann

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    y-protocols@1.0.7 yjs@13.6.33 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: y-protocols@1.0.7 yjs@13.6.33" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { Awareness } = require("y-protocols/awareness");
const { Doc } = require("yjs");

const mine = new Awareness(new Doc());
const tell = (step) => {
  const state = [...mine.getStates().values()][0];
  console.log(step.padEnd(30), `${mine.getStates().size} present,`, state?.name);
};
tell("new:");
mine.setLocalStateField("name", "ann");
tell("setLocalStateField():");
mine.setLocalState(null);
tell("setLocalState(null):");
mine.setLocalStateField("name", "ann");
tell("setLocalStateField() again:");
mine.setLocalState({ name: "ann" });
tell("setLocalState({ name }):");
mine.destroy();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='new:                           1 present, undefined
setLocalStateField():          1 present, ann
setLocalState(null):           0 present, undefined
setLocalStateField() again:    0 present, undefined
setLocalState({ name }):       1 present, ann'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
