#!/usr/bin/env bash
# Software: sse-pubsub 1.4.5 (npm), subscribe() with a list of events
# A reader would guess: A client that is subscribed to some events only, and comes back with the id of the last one
#   that it has read, is sent those that it has missed.
# Behaviour: The number of ids since that one, those of all events, is how many of its own it is sent. It reads messages
#   a second time, as many as there were others meanwhile; on a busy channel all that is kept.
# Output seen:
#   read so far "line 1" to "line 3", then 3 other events and "line 4" while away
#   subscribed to all:    sent "other 1" "other 2" "other 3" "line 4"
#   subscribed to lines:  sent "line 1" "line 2" "line 3" "line 4"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    sse-pubsub@1.4.5 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: sse-pubsub@1.4.5" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");
const SSEChannel = require("sse-pubsub");

// What a client that has read up to the id 3 is sent when it comes back, before an event that ends the look.
async function replayed(events) {
  const channel = new SSEChannel({ pingInterval: 0 });
  for (let at = 1; at <= 3; at += 1) channel.publish(`line ${at}`, "line");
  for (let at = 1; at <= 3; at += 1) channel.publish(`other ${at}`, "other");
  channel.publish("line 4", "line");
  const server = http.createServer((request, response) => {
    channel.subscribe(request, response, events);
    channel.publish("that is all", "line");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const text = await new Promise((done) => {
    const options = { host: "127.0.0.1", port: server.address().port, headers: { "Last-Event-ID": "3" } };
    http.get(options, (response) => {
      let all = "";
      response.on("data", (piece) => {
        all += piece;
        if (all.includes("that is all")) done(all);
      });
    });
  });
  return [...text.matchAll(/data: ((?:line|other) \d)/g)].map((match) => `"${match[1]}"`).join(" ");
}

(async () => {
  console.log("subscribed to all:    sent", await replayed());
  console.log("subscribed to lines:  sent", await replayed(["line"]));
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='subscribed to all:    sent "other 1" "other 2" "other 3" "line 4"
subscribed to lines:  sent "line 1" "line 2" "line 3" "line 4"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
