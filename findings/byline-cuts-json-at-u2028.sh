#!/usr/bin/env bash
# Software: byline 5.0.0 (npm), against split2 4.2.0
# Guess: A line ends with LF, or CR LF: JSON written by JSON.stringify and a newline, one value a line, is read back
#   one value a line.
# Behaviour: U+2028 and U+2029, the vertical tab, the form feed and U+0085 end a line too. JSON.stringify leaves
#   U+2028, U+2029 and U+0085 as they are, so a text that was copied from a word processor or a web page is cut in
#   two there, and neither half can be parsed.
# Output seen:
#   {"text":"one two"}:            split2 1 line, byline 1 line
#   with U+2028 for the space:     split2 1 line, byline 2 lines
#   with U+0085 for the space:     split2 1 line, byline 2 lines

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    byline@5.0.0 split2@4.2.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: byline@5.0.0 split2@4.2.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { Readable } = require("stream");
const { LineStream } = require("byline");
const split2 = require("split2");

const lines = async (text, splitter) => (await Readable.from([Buffer.from(text)]).pipe(splitter).toArray()).length;
const count = (number) => `${number} line${number === 1 ? "" : "s"}`;

(async () => {
  for (const [name, space] of [['{"text":"one two"}:', " "], ["with U+2028 for the space:", "\u2028"],
                               ["with U+0085 for the space:", "\u0085"]]) {
    const text = `${JSON.stringify({ text: `one${space}two` })}\n`;
    const split = count(await lines(text, split2()));
    console.log(`${name.padEnd(30)} split2 ${split}, byline ${count(await lines(text, new LineStream()))}`);
  }
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='{"text":"one two"}:            split2 1 line, byline 1 line
with U+2028 for the space:     split2 1 line, byline 2 lines
with U+0085 for the space:     split2 1 line, byline 2 lines'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
