#!/usr/bin/env bash
# Software: websocket 1.0.35 (npm), its server against a client of ws 8.23.0
# Guess: A close frame without a code, which is what close() in a browser sends, is an orderly end: 1005
#   (no code received), as ws tells it.
# Behaviour: The frame is answered, with 1000, and the application is told 1006 "Connection dropped by
#   remote peer.", which is also what it is told when the client is lost. With a code, it is told the code.
# Output seen:
#   close():      server told 1006 Connection dropped by remote peer., client answered 1000
#   close(1000):  server told 1000 Normal connection closure, client answered 1000
#   lost:         server told 1006 Connection dropped by remote peer.

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    websocket@1.0.35 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: websocket@1.0.35 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");
const { server: Server } = require("websocket");
const WebSocket = require("ws");

const once = (leave) => new Promise((done) => {
  const listener = http.createServer();
  const server = new Server({ httpServer: listener, autoAcceptConnections: true });
  const told = new Promise((tell) => server.on("connect", (connection) =>
    connection.on("close", (code, text) => tell(`${code} ${text}`))));
  listener.listen(0, "127.0.0.1", () => {
    const client = new WebSocket(`ws://127.0.0.1:${listener.address().port}/`);
    const gone = new Promise((tell) => client.on("close", (code) => tell(code)));
    client.on("open", () => leave(client));
    Promise.all([told, gone]).then((both) => listener.close(() => done(both)));
  });
});

(async () => {
  const [bare, left] = await once((client) => client.close());
  console.log(`close():      server told ${bare}, client answered ${left}`);
  const [normal, again] = await once((client) => client.close(1000));
  console.log(`close(1000):  server told ${normal}, client answered ${again}`);
  const [lost] = await once((client) => client.terminate());
  console.log(`lost:         server told ${lost}`);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected="close():      server told 1006 Connection dropped by remote peer., client answered 1000
close(1000):  server told 1000 Normal connection closure, client answered 1000
lost:         server told 1006 Connection dropped by remote peer."
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
