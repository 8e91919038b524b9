#!/usr/bin/env bash
# Software: @serialport/parser-readline 13.0.0 (npm), ReadlineParser, against split2 4.2.0
# A reader would guess: The parser gives one item for each LF: an empty line is an empty text, as split2 has it.
# Behaviour: An empty line is dropped without a word, since an empty text is never passed on. A protocol in which the
#   empty line means something (the end of a head, of a paragraph, of a list) never sees it, and line numbers that both
#   sides count drift apart. Such a protocol needs another splitter; behind this one it needs a mark of its own.
# Output seen:
#   split2:          "subject: tea" "" "hello" "" "bye"
#   ReadlineParser:  "subject: tea" "hello" "bye"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    @serialport/parser-readline@13.0.0 split2@4.2.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: @serialport/parser-readline@13.0.0 split2@4.2.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { once } = require("events");
const { ReadlineParser } = require("@serialport/parser-readline");
const split2 = require("split2");

async function lines(splitter) {
  const seen = [];
  splitter.on("data", (line) => seen.push(JSON.stringify(line)));
  splitter.end("subject: tea\n\nhello\n\nbye\n");
  await once(splitter, "end");
  return seen.join(" ");
}

(async () => {
  console.log("split2:         ", await lines(split2()));
  console.log("ReadlineParser: ", await lines(new ReadlineParser({ delimiter: "\n" })));
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='split2:          "subject: tea" "" "hello" "" "bye"
ReadlineParser:  "subject: tea" "hello" "bye"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
