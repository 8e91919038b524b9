#!/usr/bin/env bash
# Software: presidium-websocket 3.1.0 (npm), its client, against the client of ws 8.23.0
# Guess: A client is told "close" when its connection ends, whether by a close frame or without one, and readyState is
#   CLOSED from then on. The README comes back by that: while readyState is not 1, it connects anew.
# Behaviour: Only a close frame makes it so. When the server is killed, its kernel ends the connection, and the client
#   gets no event, neither "close" nor "error", and stays OPEN: it waits for messages for ever.
# Output seen:
#   ws:                    close frame: close, readyState 3   killed: close, readyState 3
#   presidium-websocket:   close frame: close, readyState 3   killed: no event, readyState 1

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    presidium-websocket@3.1.0 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: presidium-websocket@3.1.0 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { WebSocket, WebSocketServer } = require("ws");
const Presidium = require("presidium-websocket");

// The events of a client whose connection the server ends so, within three seconds.
const told = (Client, end) => new Promise((done) => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (connection) => setTimeout(() => end(connection), 100));
  server.on("listening", () => {
    const client = new Client(`ws://127.0.0.1:${server.address().port}/`);
    const events = [];
    for (const name of ["close", "error"]) client.on(name, () => events.push(name));
    setTimeout(() => {
      server.close();
      done(`${events.join(" and ") || "no event"}, readyState ${client.readyState}`);
    }, 3000);
  });
});

(async () => {
  for (const [name, Client] of [["ws:", WebSocket], ["presidium-websocket:", Presidium]]) {
    const closed = await told(Client, (connection) => connection.close(1001));
    const lost = await told(Client, (connection) => connection.terminate());
    console.log(`${name.padEnd(22)} close frame: ${closed}   killed: ${lost}`);
  }
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='ws:                    close frame: close, readyState 3   killed: close, readyState 3
presidium-websocket:   close frame: close, readyState 3   killed: no event, readyState 1'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
