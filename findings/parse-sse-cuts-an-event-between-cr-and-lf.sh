#!/usr/bin/env bash
# Software: parse-sse 0.1.0 (npm), parseServerSentEvents() of a fetch() in Node
# Guess: Where the network cuts the stream does not matter: an event with two lines of data is one event.
# Behaviour: If a piece ends between the CR and the LF of a line, the two are taken for two ends of line, an
#   empty line stands between, and the event is cut in two there. A server that ends its lines with CR LF
#   so gives other messages from day to day.
# Output seen:
#   pieces "data: one\r\ndata: two\r\n\r\n":      events ["one\ntwo"]
#   pieces "data: one\r", "\ndata: two\r\n\r\n":  events ["one","two"]

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    parse-sse@0.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: parse-sse@0.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.mjs" <<'JS'
import http from "http";
import { setTimeout as pause } from "timers/promises";

const { parseServerSentEvents } = await import(process.argv[2]);
const whole = ["data: one\r\ndata: two\r\n\r\n"];
const cut = ["data: one\r", "\ndata: two\r\n\r\n"];

for (const pieces of [whole, cut]) {
  const server = http.createServer(async (request, response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const piece of pieces) {
      response.write(piece);
      await pause(300);
    }
    response.end();
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const events = [];
  for await (const event of parseServerSentEvents(await fetch(`http://127.0.0.1:${server.address().port}/`))) {
    events.push(event.data);
  }
  server.close();
  server.closeAllConnections();
  const name = `pieces ${pieces.map((piece) => JSON.stringify(piece)).join(", ")}:`;
  console.log(`${name.padEnd(45)} events ${JSON.stringify(events)}`);
}
JS
seen=$(timeout 60 node "$work/probe.mjs" "$NODE_PATH/parse-sse/index.js")
echo "$seen"
expected='pieces "data: one\r\ndata: two\r\n\r\n":      events ["one\ntwo"]
pieces "data: one\r", "\ndata: two\r\n\r\n":  events ["one","two"]'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
