#!/usr/bin/env bash
# Software: websocket-iterator 1.0.1 (npm), its websocketData, over the client of ws 8.23.0
# Guess: Messages that come between websocketData(socket) and the loop over it are kept, as those that come while the
#   loop is busy with another are.
# Behaviour: It begins to listen when the loop asks for the first message. What came before is dropped without a word,
#   so a greeting is lost to who does one await of their own between the two lines.
# Output seen:
#   looped over at once:   one two three
#   half a second later:   two three

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    websocket-iterator@1.0.1 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: websocket-iterator@1.0.1 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { WebSocket, WebSocketServer } = require("ws");
globalThis.WebSocket = WebSocket;
const { websocketData } = require("websocket-iterator");

const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
server.on("connection", async (connection) => {
  connection.send("one");
  await sleep(2000);
  connection.send("two");
  connection.send("three");
  connection.close();
});

const read = async (wait) => {
  const socket = new WebSocket(`ws://127.0.0.1:${server.address().port}`);
  const messages = websocketData(socket);
  if (wait) await new Promise((open) => { socket.onopen = open; }).then(() => sleep(wait));
  const texts = [];
  for await (const text of messages) {
    texts.push(text);
    await sleep(100);       // "three" comes meanwhile
  }
  return texts.join(" ");
};

server.on("listening", async () => {
  console.log("looped over at once:  ", await read(0));
  console.log("half a second later:  ", await read(500));
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='looped over at once:   one two three
half a second later:   two three'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
