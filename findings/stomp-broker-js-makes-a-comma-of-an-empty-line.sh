#!/usr/bin/env bash
# Software: stomp-broker-js 1.3.0 (npm), a STOMP server, with the client of @stomp/stompjs 7.5.0 and ws 8.23.0
# A reader would guess: The body of a SEND is what comes after the first empty line, whatever is in it, and
#   subscribers read it as it was sent.
# Behaviour: The frame is split at every empty line, and the pieces of the body are put together with commas: of two
#   paragraphs the subscriber reads one line, with a comma between that nobody typed. A body without an empty
#   line arrives as it is.
# Output seen:
#   sent "one\ntwo":        read "one\ntwo"
#   sent "one\n\ntwo":      read "one,two"
#   sent "one\n\n\n\ntwo":  read "one,,two"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    stomp-broker-js@1.3.0 @stomp/stompjs@7.5.0 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: stomp-broker-js@1.3.0 @stomp/stompjs@7.5.0 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");
const StompServer = require("stomp-broker-js");
const { Client } = require("@stomp/stompjs");
const { WebSocket } = require("ws");

const texts = ["one\ntwo", "one\n\ntwo", "one\n\n\n\ntwo"];
const server = http.createServer();
const broker = new StompServer({ server, path: "/chat" });

const come = () => new Promise((connected, failed) => {
  const client = new Client({
    webSocketFactory: () => new WebSocket(`ws://127.0.0.1:${server.address().port}/chat`),
    onConnect: () => connected(client),
    onStompError: failed,
  });
  client.activate();
});

server.listen(0, "127.0.0.1", async () => {
  const [ann, joe] = [await come(), await come()];
  let at = 0;
  const speak = () => joe.publish({ destination: "/room", body: texts[at], skipContentLengthHeader: true });
  broker.once("subscribe", speak);
  ann.subscribe("/room", (message) => {
    const sent = `sent ${JSON.stringify(texts[at])}:`;
    console.log(`${sent.padEnd(23)} read ${JSON.stringify(message.body)}`);
    at += 1;
    if (at === texts.length) process.exit(0);
    speak();
  });
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='sent "one\ntwo":        read "one\ntwo"
sent "one\n\ntwo":      read "one,two"
sent "one\n\n\n\ntwo":  read "one,,two"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
