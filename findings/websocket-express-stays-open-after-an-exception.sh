#!/usr/bin/env bash
# Software: websocket-express 4.0.1 (npm; with express 5.3.0 and ws 8.23.0)
# Guess: When a handler throws, "the socket will be closed with code 1011", as the README says, and before accept() the
#   handshake is answered with an error, as express answers a request with 500.
# Behaviour: The exception is printed, and nothing else is done, neither with what an async handler throws nor with what
#   a plain one does: a client that was accepted stays connected to nobody, and one that was not waits for an answer to
#   its handshake.
# Output seen:
#   thrown after accept():    open, no close within 3 s
#   thrown before accept():   no answer within 3 s

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    websocket-express@4.0.1 express@5.3.0 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: websocket-express@4.0.1 express@5.3.0 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { WebSocket } = require("ws");
const { WebSocketExpress } = require("websocket-express");

const app = new WebSocketExpress();
app.ws("/after", async (request, response) => {
  await response.accept();
  throw new Error("no such room");
});
app.ws("/before", () => { throw new Error("no such room"); });
const server = app.createServer();

// What a client sees within three seconds.
const seen = (path) => new Promise((done) => {
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}${path}`);
  let state = "no answer within 3 s";
  client.on("open", () => { state = "open, no close within 3 s"; });
  client.on("close", (code) => done(`closed with ${code}`));
  client.on("error", (error) => done(error.message));
  setTimeout(() => done(state), 3000);
});

server.listen(0, "127.0.0.1", async () => {
  console.error = () => {};
  console.log("thrown after accept():   ", await seen("/after"));
  console.log("thrown before accept():  ", await seen("/before"));
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='thrown after accept():    open, no close within 3 s
thrown before accept():   no answer within 3 s'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
