#!/usr/bin/env bash
# Software: sockette 2.0.6 (npm), a WebSocket client that reconnects, against reconnecting-websocket 4.4.0 (with
#   ws 8.23.0)
# Guess: When the server closes with 1001 (going away), which servers and proxies send at a restart, the client
#   comes back, as it does when the connection is lost.
# Behaviour: 1001 counts as an end that was meant, beside 1000 and 1005: it does not reconnect, and no event
#   says that it has given up. So all clients come back after a crash of the server, and none after an
#   orderly restart.
# Output seen:
#   sockette:                lost: comes back, 1001: stays away, 1012: comes back
#   reconnecting-websocket:  lost: comes back, 1001: comes back, 1012: comes back

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    sockette@2.0.6 reconnecting-websocket@4.4.0 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: sockette@2.0.6 reconnecting-websocket@4.4.0 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { WebSocket, WebSocketServer } = require("ws");
const Sockette = require("sockette");
const Reconnecting = require("reconnecting-websocket");
globalThis.WebSocket = WebSocket;

const CLIENTS = {
  "sockette": (url) => new Sockette(url, { timeout: 100 }),
  "reconnecting-websocket": (url) =>
    new Reconnecting(url, [], { WebSocket, minReconnectionDelay: 100, maxReconnectionDelay: 100 }),
};

// Whether a client whose first connection was ended so makes a second one within three seconds.
const comesBack = (connect, end) => new Promise((done) => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  let count = 0;
  const finish = (answer) => { server.close(); done(answer); };
  server.on("connection", (connection) => {
    count += 1;
    if (count === 2) return finish("comes back");
    setTimeout(() => end(connection), 50);
    setTimeout(() => count === 1 && finish("stays away"), 3000);
  });
  server.on("listening", () => connect(`ws://127.0.0.1:${server.address().port}`));
});

(async () => {
  for (const [name, connect] of Object.entries(CLIENTS)) {
    const lost = await comesBack(connect, (connection) => connection.terminate());
    const away = await comesBack(connect, (connection) => connection.close(1001));
    const restart = await comesBack(connect, (connection) => connection.close(1012));
    console.log(`${(name + ":").padEnd(24)} lost: ${lost}, 1001: ${away}, 1012: ${restart}`);
  }
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='sockette:                lost: comes back, 1001: stays away, 1012: comes back
reconnecting-websocket:  lost: comes back, 1001: comes back, 1012: comes back'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
