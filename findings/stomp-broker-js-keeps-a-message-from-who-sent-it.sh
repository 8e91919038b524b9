#!/usr/bin/env bash
# Software: stomp-broker-js 1.3.0 (npm), a STOMP server, with the client of @stomp/stompjs 7.5.0 and ws 8.23.0
# Guess: A message goes to every subscriber of its destination, also to who sent it: STOMP knows no exception, and a
#   page shows its own line when it comes back from the room, so that all see the same order.
# Behaviour: Whoever sends is left out, without a word, however they have subscribed. Such a page never shows what its
#   user says, and a test with one client waits for ever. The page has to show its own lines itself (and then has them
#   in another order than the others), or use a second connection to send.
# Output seen:
#   ann and joe subscribed, ann says "hello":   ann read nothing, joe read hello
#   then joe says "welcome":                    ann read welcome, joe read nothing

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    stomp-broker-js@1.3.0 @stomp/stompjs@7.5.0 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: stomp-broker-js@1.3.0 @stomp/stompjs@7.5.0 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");
const { once } = require("events");
const StompServer = require("stomp-broker-js");
const { Client } = require("@stomp/stompjs");
const { WebSocket } = require("ws");

const read = { ann: [], joe: [] };

function come(name, port) {
  return new Promise((done) => {
    const client = new Client({
      webSocketFactory: () => new WebSocket(`ws://127.0.0.1:${port}/stomp`),
      reconnectDelay: 0,
      onConnect: () => {
        client.subscribe("/tea", (message) => read[name].push(message.body));
        client.subscribe(`/own/${name}`, (message) => read[name].push(message.body));
        done(client);
      },
    });
    client.activate();
  });
}

(async () => {
  const web = http.createServer();
  const server = new StompServer({ server: web, path: "/stomp" });
  web.listen(0, "127.0.0.1");
  await once(web, "listening");
  const ann = await come("ann", web.address().port);
  const joe = await come("joe", web.address().port);

  // What the server itself sends to somebody comes behind what they were sent before.
  const mark = async (name) => {
    while (!read[name].includes("mark")) {
      server.send(`/own/${name}`, {}, "mark");
      await new Promise((next) => setTimeout(next, 50));
    }
    const lines = read[name].filter((line) => line !== "mark");
    read[name].length = 0;
    return `${name} read ${lines.join(", ") || "nothing"}`;
  };
  const settle = async () => {
    await new Promise((next) => setTimeout(next, 500));
    return `${await mark("ann")}, ${await mark("joe")}`;
  };
  await settle();           // both have subscribed
  ann.publish({ destination: "/tea", body: "hello" });
  console.log('ann and joe subscribed, ann says "hello":  ', await settle());
  joe.publish({ destination: "/tea", body: "welcome" });
  console.log('then joe says "welcome":                   ', await settle());
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='ann and joe subscribed, ann says "hello":   ann read nothing, joe read hello
then joe says "welcome":                    ann read welcome, joe read nothing'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
