#!/usr/bin/env bash
# Software: @stomp/stompjs 7.5.0 (npm), STOMP 1.2
# Guess: What stompjs escapes in a header it unescapes: every value that one client sends another reads.
# Behaviour: A backslash in front of c, r or n is escaped rightly, and read as something else: the escapes are looked
#   for one kind after the other, so that the second half of an escaped backslash and the letter behind it count as an
#   escape of their own. A path such as C:\chat arrives with a colon in it, and C:\news with an LF.
# Output seen:
#   C:\docs   sent as C\c\\docs   read as "C:\\docs"
#   C:\chat   sent as C\c\\chat   read as "C:\\:hat"
#   C:\news   sent as C\c\\news   read as "C:\\\news"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    @stomp/stompjs@7.5.0 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: @stomp/stompjs@7.5.0 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { Client } = require("@stomp/stompjs");
const { WebSocket, WebSocketServer } = require("ws");

const notes = ["C:\\docs", "C:\\chat", "C:\\news"];
const wire = [];
// A server that sends each SEND back as a MESSAGE, with the headers as they came.
const server = new WebSocketServer({ port: 0, host: "127.0.0.1" }, () => {
  const client = new Client({
    webSocketFactory: () => new WebSocket(`ws://127.0.0.1:${server.address().port}`),
    heartbeatIncoming: 0, heartbeatOutgoing: 0, reconnectDelay: 0,
  });
  const read = [];
  client.onConnect = () => {
    client.subscribe("/room", (message) => {
      read.push(message.headers.note);
      if (read.length < notes.length) return;
      notes.forEach((note, at) =>
        console.log(`${note}   sent as ${wire[at]}   read as ${JSON.stringify(read[at])}`));
      process.exit(0);
    }, { id: "1" });
    for (const note of notes) client.publish({ destination: "/room", body: "hello", headers: { note } });
  };
  client.activate();
});
server.on("connection", (socket) => socket.on("message", (data) => {
  const frame = String(data);
  if (frame.startsWith("CONNECT")) socket.send("CONNECTED\nversion:1.2\n\n\0");
  if (!frame.startsWith("SEND")) return;
  wire.push(frame.split("\n").find((line) => line.startsWith("note:")).slice(5));
  socket.send(frame.replace("SEND\n", "MESSAGE\nsubscription:1\nmessage-id:1\n"));
}));
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='C:\docs   sent as C\c\\docs   read as "C:\\docs"
C:\chat   sent as C\c\\chat   read as "C:\\:hat"
C:\news   sent as C\c\\news   read as "C:\\\news"'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
