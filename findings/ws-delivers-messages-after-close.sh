#!/usr/bin/env bash
# Software: ws 8.23.0 (npm), against the WebSocket of undici 7.30.2
# Guess: After close() no more messages are delivered, as in a browser: the standard drops what arrives once
#   the connection is closing, and ws has the browser's interface (onmessage, readyState).
# Behaviour: Until the close frame of the server comes, each message is delivered, with readyState CLOSING
#   (2). What closes a room and frees what belongs to it is called for that room once more, as often as the
#   server had something on its way.
# Output seen:
#   undici:  messages before close() 1, after close() 0, then closed
#   ws:      messages before close() 1, after close() 3 with readyState 2,2,2, then closed

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    ws@8.23.0 undici@7.30.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: ws@8.23.0 undici@7.30.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { WebSocket, WebSocketServer } = require("ws");
const undici = require("undici");

const once = (Client) => new Promise((done) => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  let tell;
  server.on("connection", (connection) => {
    connection.send("one");
    tell = () => ["two", "three", "four"].forEach((text) => connection.send(text));
  });
  server.on("listening", () => {
    const client = new Client(`ws://127.0.0.1:${server.address().port}/`);
    let before = 0;
    const after = [];
    client.onmessage = () => {
      if (client.readyState === 1) before += 1;
      else after.push(client.readyState);
      if (before === 1 && after.length === 0 && client.readyState === 1) {
        tell();         // these are on their way when close() is called
        client.close();
      }
    };
    client.onclose = () => server.close(() => done(
      `messages before close() ${before}, after close() ${after.length}` +
      `${after.length ? " with readyState " + after : ""}, then closed`));
  });
});

(async () => {
  console.log(`undici:  ${await once(undici.WebSocket)}`);
  console.log(`ws:      ${await once(WebSocket)}`);
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected="undici:  messages before close() 1, after close() 0, then closed
ws:      messages before close() 1, after close() 3 with readyState 2,2,2, then closed"
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
