#!/usr/bin/env bash
# Software: reconnecting-websocket 4.4.0 (npm; with ws 8.23.0)
# Guess: A lost connection is one close event with 1006. An attempt to come back that fails is an error event,
#   or another close event with 1006, as a WebSocket itself tells it.
# Behaviour: Each failed attempt is told as a close event with 1000 (normal closure), which nobody sent, before the
#   error event; the socket under it had 1006. A page that takes 1000 for "the session is over" does so at
#   the first attempt while the server restarts, and a counter of losses counts attempts.
# Output seen:
#   ws, no server:            error, close 1006
#   reconnecting-websocket:   open, then lost: close 1006, close 1000, error, close 1000, error

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    reconnecting-websocket@4.4.0 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: reconnecting-websocket@4.4.0 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { WebSocket, WebSocketServer } = require("ws");
const ReconnectingWebSocket = require("reconnecting-websocket");

const watch = (client, enough) => new Promise((done) => {
  const seen = [];
  for (const kind of ["open", "close", "error"]) {
    client.addEventListener(kind, (event) => {
      seen.push(kind === "close" ? `close ${event.code}` : kind);
      if (seen.length === enough) done(seen);
    });
  }
});

const server = new WebSocketServer({ host: "127.0.0.1", port: 0 }, async () => {
  const url = `ws://127.0.0.1:${server.address().port}/`;
  server.on("connection", (connection) => {
    connection.terminate();
    server.close();         // so that the next attempts fail
  });
  const options = { WebSocket, minReconnectionDelay: 100, maxReconnectionDelay: 200 };
  const client = new ReconnectingWebSocket(url, [], options);
  const [open, ...rest] = await watch(client, 6);
  client.close();
  console.log(`ws, no server:            ${(await watch(new WebSocket(url), 2)).join(", ")}`);
  console.log(`reconnecting-websocket:   ${open}, then lost: ${rest.join(", ")}`);
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected="ws, no server:            error, close 1006
reconnecting-websocket:   open, then lost: close 1006, close 1000, error, close 1000, error"
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
