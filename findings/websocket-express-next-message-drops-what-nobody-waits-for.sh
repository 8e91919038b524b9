#!/usr/bin/env bash
# Software: websocket-express 4.0.1 (npm; with express 5.3.0 and ws 8.23.0)
# Guess: await ws.nextMessage() gives the messages one after the other, as read() of a socket does: what comes while the
#   handler does something else is there for the next call.
# Behaviour: A message that comes while no call waits is dropped without a word: there is no queue. A client that says
#   two things at once is heard with the first, unless the handler calls again before the second is there, so it depends
#   on how the network cuts them and on what the handler awaits in between.
# Output seen:
#   said "name", "hello" at once:               read "name"
#   said "hello" when "name" was answered:      read "name" "hello"

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
let finish;
app.ws("/chat", async (request, response) => {
  const ws = await response.accept();
  const read = [];
  try {
    for (;;) {
      const { data } = await ws.nextMessage({ timeout: 2000 });
      read.push(JSON.stringify(String(data)));
      await new Promise((done) => setTimeout(done, 100));     // as when a name is looked up
      ws.send("heard");
    }
  } catch {
    finish(read.join(" "));
  }
});
const server = app.createServer();

const hear = (talk) => new Promise((done) => {
  finish = done;
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}/chat`);
  client.once("open", () => setTimeout(() => talk(client), 200));
});

server.listen(0, "127.0.0.1", async () => {
  const atOnce = await hear((client) => {
    client.send("name");
    client.send("hello");
  });
  console.log('said "name", "hello" at once:              ', "read", atOnce);
  const inTurns = await hear((client) => {
    client.send("name");
    client.once("message", () => setTimeout(() => client.send("hello"), 100));
  });
  console.log('said "hello" when "name" was answered:     ', "read", inTurns);
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='said "name", "hello" at once:               read "name"
said "hello" when "name" was answered:      read "name" "hello"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
