#!/usr/bin/env bash
# Software: nodejs-websocket 1.7.2 (npm), its server, against the one of ws 8.23.0, with the client of websockets 17.4
# Guess: Once both close frames are through, the server closes the TCP connection at once: RFC 6455 (7.1.1) has the
#   server do that first, and clients wait for it.
# Behaviour: The server answers the close frame and leaves the connection open. A client's close() takes as long as the
#   client is willing to wait, each time (3 s here, ten if not told otherwise): who closes a thousand connections,
#   one after the other, waits for hours.
# Output seen:
#   ws:                client closed with 1000, waited for the server: no
#   nodejs-websocket:  client closed with 1000, waited for the server: until its close_timeout of 3 s

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    nodejs-websocket@1.7.2 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: nodejs-websocket@1.7.2 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules
timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/server.js" <<'JS'
if (process.argv[2] === "ws") {
  const { WebSocketServer } = require("ws");
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" }, () => console.log(server.address().port));
  server.on("connection", (socket) => socket.on("message", (text) => socket.send(String(text))));
} else {
  const server = require("nodejs-websocket").createServer((socket) => {
    socket.on("text", (text) => socket.sendText(text));
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1", () => console.log(server.socket.address().port));
}
JS
timeout 60 python3 - "$work/server.js" <<'PY'
import asyncio, subprocess, sys, time
from websockets.asyncio.client import connect

async def close(port):
    """The code that the client is told, and how long its close() took."""
    async with connect(f"ws://127.0.0.1:{port}/", close_timeout=3) as client:
        await client.send("hello")
        assert await asyncio.wait_for(client.recv(), 10) == "hello"
        start = time.monotonic()
        await client.close(1000)
        return int(client.close_code), time.monotonic() - start

seen = {}
for name in ("ws", "nodejs-websocket"):
    server = subprocess.Popen(["node", sys.argv[1], name], stdout=subprocess.PIPE)
    try:
        code, took = asyncio.run(close(int(server.stdout.readline())))
    finally:
        server.terminate()
        server.wait()
    seen[name] = code, took >= 2.9
    waited = "until its close_timeout of 3 s" if took >= 2.9 else "no"
    print(f"{name}:".ljust(18), f"client closed with {code}, waited for the server: {waited}")
assert seen["ws"] == (1000, False), "the comparison no longer holds"
assert seen["nodejs-websocket"] == (1000, True), "the behaviour has changed"
PY
