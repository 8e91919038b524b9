#!/usr/bin/env bash
# Software: sse-express 2.0.2 (npm; with express 5.3.0), with the client of eventsource 4.1.0
# Guess: Each event that is sent with an id carries it: a log whose events are counted from 0 can be gone on with after
#   a loss, from the first event on.
# Behaviour: An id is written where it is true, and 0 is not: the event goes without one. Who has read event 0 alone and
#   comes back sends no Last-Event-ID, and is taken for somebody new. "0" as a string is written.
# Output seen:
#   id: 0     read with id ""
#   id: "0"   read with id "0"
#   id: 1     read with id "1"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    sse-express@2.0.2 express@5.3.0 eventsource@4.1.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: sse-express@2.0.2 express@5.3.0 eventsource@4.1.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const express = require("express");
const sse = require("sse-express");
const { EventSource } = require("eventsource");

const ids = [0, "0", 1];
const app = express();
// Each id on a connection of its own: an event without an id has that of the one before.
app.get("/:at", (sse.default ?? sse)(), (request, response) => {
  response.sse({ id: ids[request.params.at], data: "hello" });
});
const server = app.listen(0, "127.0.0.1", async () => {
  for (const [at, id] of ids.entries()) {
    const source = new EventSource(`http://127.0.0.1:${server.address().port}/${at}`);
    const read = await new Promise((done) => { source.onmessage = (event) => done(event.lastEventId); });
    source.close();
    console.log(`id: ${JSON.stringify(id)}`.padEnd(9), `read with id ${JSON.stringify(read)}`);
  }
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='id: 0     read with id ""
id: "0"   read with id "0"
id: 1     read with id "1"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
