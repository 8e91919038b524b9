#!/usr/bin/env bash
# Software: express-sse 1.0.0 (npm), send() without an id
# A reader would guess: The id of an event is the same for every client, and the count goes on, so that the id a client
#   comes back with (Last-Event-ID) says what it has read.
# Behaviour: Each connection counts from 0: one message has another id for each client, and the first message after
#   a reconnect is 0 again. What a client says that it has read last is a number that means nothing to the
#   server, nor to itself a moment later.
# Output seen:
#   ann, connected before "one":           id 0 "one", id 1 "two"
#   joe, connected before "two":           id 0 "two"
#   ann, back with Last-Event-ID: 1:       id 0 "three"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    express-sse@1.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: express-sse@1.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");
const SSE = require("express-sse");

const chat = new SSE();
const server = http.createServer(chat.init);

// Resolves once the client is connected; its method until(text) once it has read that text.
const come = (headers = {}) => new Promise((connected) => {
  http.get({ host: "127.0.0.1", port: server.address().port, headers }, (response) => {
    let all = "";
    let look = () => {};
    response.on("data", (piece) => {
      all += piece;
      look();
    });
    const events = () => [...all.matchAll(/id: (\d+)\ndata: (.*)\n\n/g)].map((match) => `id ${match[1]} ${match[2]}`);
    connected({
      leave: () => response.destroy(),
      until: (text) => new Promise((done) => {
        look = () => all.includes(text) && done(events().join(", "));
        look();
      }),
    });
  });
});

server.listen(0, "127.0.0.1", async () => {
  const ann = await come();
  chat.send("one");
  await ann.until("one");
  const joe = await come();
  chat.send("two");
  console.log('ann, connected before "one":          ', await ann.until("two"));
  console.log('joe, connected before "two":          ', await joe.until("two"));
  ann.leave();
  const back = await come({ "Last-Event-ID": "1" });
  chat.send("three");
  console.log("ann, back with Last-Event-ID: 1:      ", await back.until("three"));
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='ann, connected before "one":           id 0 "one", id 1 "two"
joe, connected before "two":           id 0 "two"
ann, back with Last-Event-ID: 1:       id 0 "three"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
