#!/usr/bin/env bash
# Software: faye-websocket 0.11.4 (npm), its client against a server of ws 8.23.0
# Guess: A client tells the close code that it got. 1012 (service restart) and 1013 (try again later) are
#   registered, and servers send them at a restart and when they are full.
# Behaviour: Both become 1002 (protocol error), beside the reason of the server; and 1002 is what the
#   server gets for an answer. A client that comes back at 1012 and gives up at a protocol error gives up
#   at each restart.
# Output seen:
#   server closed with 1001:  client told 1001 'the reason', server told 1001
#   server closed with 1012:  client told 1002 'the reason', server told 1002
#   server closed with 1013:  client told 1002 'the reason', server told 1002
#   server closed with 4000:  client told 4000 'the reason', server told 4000

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    faye-websocket@0.11.4 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: faye-websocket@0.11.4 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { WebSocketServer } = require("ws");
const { Client } = require("faye-websocket");

const once = (code) => new Promise((done) => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  const told = {};
  const end = (who, what) => {
    told[who] = what;
    if (told.client && told.server) server.close(() => done(told));
  };
  server.on("connection", (connection) => {
    connection.on("close", (answer) => end("server", answer));
    connection.close(code, "the reason");
  });
  server.on("listening", () => {
    const client = new Client(`ws://127.0.0.1:${server.address().port}/`);
    client.on("close", (event) => end("client", `${event.code} '${event.reason}'`));
  });
});

(async () => {
  for (const code of [1001, 1012, 1013, 4000]) {
    const told = await once(code);
    console.log(`server closed with ${code}:  client told ${told.client}, server told ${told.server}`);
  }
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected="server closed with 1001:  client told 1001 'the reason', server told 1001
server closed with 1012:  client told 1002 'the reason', server told 1002
server closed with 1013:  client told 1002 'the reason', server told 1002
server closed with 4000:  client told 4000 'the reason', server told 4000"
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
