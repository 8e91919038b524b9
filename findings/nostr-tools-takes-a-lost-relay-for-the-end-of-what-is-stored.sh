#!/usr/bin/env bash
# Software: nostr-tools 2.25.2 with ws 8.23.0 (npm), SimplePool, against a relay
# Guess: oneose says that the relay has told all that it has stored (EOSE), and querySync resolves with that. If the
#   relay is lost before, or does not say EOSE, oneose is not called and querySync rejects.
# Behaviour: oneose is called all the same, when the connection is lost and 4.4 seconds after the request, and
#   querySync resolves with what has come so far: nothing tells a part of a history from the whole. A client
#   that writes "no more messages" at oneose writes it for a relay that has been restarted.
# Output seen:
#   said EOSE:      oneose after two events, querySync resolved with two
#   was lost:       oneose after one event, querySync resolved with one
#   said no more:   oneose after one event, querySync resolved with one

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    nostr-tools@2.25.2 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: nostr-tools@2.25.2 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { WebSocket, WebSocketServer } = require("ws");
const { finalizeEvent, generateSecretKey } = require("nostr-tools/pure");
const { SimplePool, useWebSocketImplementation } = require("nostr-tools/pool");

useWebSocketImplementation(WebSocket);
const secret = generateSecretKey();
const stored = ["one", "two"].map((content, at) =>
  finalizeEvent({ kind: 1, created_at: 100 - at, tags: [], content }, secret));
const words = ["no event", "one event", "two events"];

let way;
const relay = new WebSocketServer({ port: 0, host: "127.0.0.1" });
relay.on("connection", (client) => client.on("message", (text) => {
  const [kind, id] = JSON.parse(text);
  if (kind !== "REQ") return;
  const say = (...message) => client.send(JSON.stringify(message));
  say("EVENT", id, stored[0]);
  if (way === "said EOSE") {
    say("EVENT", id, stored[1]);
    say("EOSE", id);
  } else if (way === "was lost") {
    setTimeout(() => client.terminate(), 300);
  }
}));

relay.on("listening", async () => {
  const urls = [`ws://127.0.0.1:${relay.address().port}`];
  for (way of ["said EOSE", "was lost", "said no more"]) {
    const pool = new SimplePool();
    const told = await new Promise((done) => {
      let events = 0;
      const patience = setTimeout(() => done("no oneose in ten seconds"), 10000);
      pool.subscribe(urls, { kinds: [1] }, {
        onevent: () => events++,
        oneose: () => { clearTimeout(patience); done(`oneose after ${words[events]}`); },
      });
    });
    pool.destroy();
    const other = new SimplePool();
    const result = await other.querySync(urls, { kinds: [1] }).then(
      (events) => `resolved with ${words[events.length].split(" ")[0]}`, (error) => `rejected (${error})`);
    other.destroy();
    console.log(`${`${way}:`.padEnd(15)} ${told}, querySync ${result}`);
  }
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='said EOSE:      oneose after two events, querySync resolved with two
was lost:       oneose after one event, querySync resolved with one
said no more:   oneose after one event, querySync resolved with one'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
