#!/usr/bin/env bash
# Software: length-prefixed-stream 2.0.0 (npm), encode() and decode()
# A reader would guess: A length in front of each message is what lets a message be anything, the empty one included:
#   what is written once is read once.
# Behaviour: The empty message is on the wire, as a length of 0, and the decoder makes nothing of it. Two sides that
#   take an empty message for a keepalive, an acknowledgement or the end of a list wait for one that has arrived. A
#   message needs at least a byte of its own, such as its kind.
# Output seen:
#   written:      "hello" "" "bye"
#   on the wire:  05 68656c6c6f 00 03 627965
#   read:         "hello" "bye"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    length-prefixed-stream@2.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: length-prefixed-stream@2.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { once } = require("events");
const framing = require("length-prefixed-stream");

(async () => {
  const messages = ["hello", "", "bye"];
  const encoder = framing.encode();
  const wire = [];
  encoder.on("data", (bytes) => wire.push(bytes));
  for (const message of messages) encoder.write(Buffer.from(message));
  encoder.end();
  await once(encoder, "end");
  const decoder = framing.decode();
  const read = [];
  decoder.on("data", (message) => read.push(message.toString()));
  decoder.end(Buffer.concat(wire));
  await once(decoder, "finish");
  await new Promise((done) => setImmediate(done));
  const quoted = (texts) => texts.map((text) => JSON.stringify(text)).join(" ");
  console.log("written:     ", quoted(messages));
  console.log("on the wire: ", Buffer.concat(wire).toString("hex").replace(/^(05)(.{10})(00)(03)/, "$1 $2 $3 $4 "));
  console.log("read:        ", quoted(read));
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='written:      "hello" "" "bye"
on the wire:  05 68656c6c6f 00 03 627965
read:         "hello" "bye"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
