#!/usr/bin/env bash
# Software: event-source-plus 0.1.15 (npm), against eventsource-parser 3.1.1
# Guess: The lines of data of one event are joined with LF, as the standard of EventSource says: a message of three
#   lines is read as three lines.
# Behaviour: Each line of data replaces the one before: the message is its last line. If that is empty, as after an LF
#   at the end, it is none at all. Nothing tells that there was more.
# Output seen:
#   "one\ntwo\nthree"   eventsource-parser: "one\ntwo\nthree"   event-source-plus: "three"
#   "one\n"             eventsource-parser: "one\n"             event-source-plus: nothing
#   "bye"               eventsource-parser: "bye"               event-source-plus: "bye"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    event-source-plus@0.1.15 eventsource-parser@3.1.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: event-source-plus@0.1.15 eventsource-parser@3.1.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/js/probe.mjs" <<'JS'
import http from "node:http";
import { EventSourcePlus } from "event-source-plus";
import { createParser } from "eventsource-parser";

const texts = ["one\ntwo\nthree", "one\n", "bye"];
const stream = texts.map((text, at) =>
  `id: ${at}\n${text.split("\n").map((line) => `data: ${line}\n`).join("")}\n`).join("");

const theirs = {}, others = {};
createParser({ onEvent: ({ id, data }) => { others[id] = data; } }).feed(stream);
const show = (text) => (text ? JSON.stringify(text) : "nothing");
const server = http.createServer((_, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(stream);
});
server.listen(0, "127.0.0.1", () => {
  const source = new EventSourcePlus(`http://127.0.0.1:${server.address().port}/`);
  source.listen({
    onMessage({ id, data }) {
      theirs[id] = data;
      if (data !== "bye") return;
      texts.forEach((text, at) => console.log(show(text).padEnd(19),
        `eventsource-parser: ${show(others[at]).padEnd(19)} event-source-plus: ${show(theirs[at])}`));
      process.exit(0);
    },
  });
});
JS
seen=$(timeout 60 node "$work/js/probe.mjs")
echo "$seen"
expected='"one\ntwo\nthree"   eventsource-parser: "one\ntwo\nthree"   event-source-plus: "three"
"one\n"             eventsource-parser: "one\n"             event-source-plus: nothing
"bye"               eventsource-parser: "bye"               event-source-plus: "bye"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
