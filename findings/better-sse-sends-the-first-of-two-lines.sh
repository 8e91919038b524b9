#!/usr/bin/env bash
# Software: better-sse 0.16.1 (npm) with a serializer of one's own, against eventsource-encoder 1.0.2, read by
#   eventsource-parser 3.1.1
# Guess: The serializer, which makes a text of what is pushed (JSON if none is given), may return any text: a library
#   for event streams writes a "data:" for each line, and one space in front so that a space in the text stays.
# Behaviour: The text is put behind one "data:" as it is. What follows its first LF has no field name, and clients drop
#   it; the rest is delivered as if it were whole. A space at the beginning is dropped as well. So a serializer that
#   hands on text, as a chat would, loses lines of its messages.
# Output seen:
#   "one\ntwo"   eventsource-encoder: "one\ntwo"   better-sse: "one"
#   " code"      eventsource-encoder: " code"      better-sse: "code"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    better-sse@0.16.1 eventsource-encoder@1.0.2 eventsource-parser@3.1.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: better-sse@0.16.1 eventsource-encoder@1.0.2 eventsource-parser@3.1.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/js/probe.mjs" <<'JS'
import http from "node:http";
import { createSession } from "better-sse";
import { encode } from "eventsource-encoder";
import { createParser } from "eventsource-parser";

const texts = ["one\ntwo", " code"];
const read = (stream) => {
  const events = [];
  createParser({ onEvent: (event) => events.push(JSON.stringify(event.data)) }).feed(stream);
  return events;
};
const server = http.createServer(async (request, response) => {
  const session = await createSession(request, response, { serializer: String });
  for (const text of texts) session.push(text);
  response.end();
});
server.listen(0, "127.0.0.1", async () => {
  const answer = await fetch(`http://127.0.0.1:${server.address().port}/`);
  const theirs = read(await answer.text());
  const others = read(texts.map((text) => encode({ data: text })).join(""));
  texts.forEach((text, at) => console.log(
    `${JSON.stringify(text).padEnd(12)} eventsource-encoder: ${others[at].padEnd(12)} better-sse: ${theirs[at]}`));
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/js/probe.mjs")
echo "$seen"
expected='"one\ntwo"   eventsource-encoder: "one\ntwo"   better-sse: "one"
" code"      eventsource-encoder: " code"      better-sse: "code"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
