#!/usr/bin/env bash
# Software: @stomp/stompjs 7.5.0 (npm), against stomp.py 9.0.0 (Python), STOMP 1.2
# Guess: A header's value is all that stands behind the colon: STOMP 1.2 forbids to trim or pad it. So a name with a
#   space at its end, or an indented line in a header, arrives as it was sent.
# Behaviour: stompjs cuts the spaces off at both ends of what it reads, also of what it sent itself: it sends them as
#   they are. Two names that differ in a space at the end are one for it, and two for the others.
# Output seen:
#   sent:       header "note:  two spaces  "
#   stomp.py:   '  two spaces  '
#   stompjs:    'two spaces'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    stomp.py==9.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: stomp.py==9.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    @stomp/stompjs@7.5.0 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: @stomp/stompjs@7.5.0 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { Client } = require("@stomp/stompjs");
const { WebSocket, WebSocketServer } = require("ws");

// A server that sends each SEND back as a MESSAGE, with the headers as they came.
const server = new WebSocketServer({ port: 0, host: "127.0.0.1" }, () => {
  const client = new Client({
    webSocketFactory: () => new WebSocket(`ws://127.0.0.1:${server.address().port}`),
    heartbeatIncoming: 0, heartbeatOutgoing: 0, reconnectDelay: 0,
  });
  client.onConnect = () => {
    client.subscribe("/room", (message) => {
      console.log(message.headers.note);
      process.exit(0);
    }, { id: "1" });
    client.publish({ destination: "/room", body: "hello", headers: { note: "  two spaces  " } });
  };
  client.activate();
});
server.on("connection", (socket) => socket.on("message", (data) => {
  const frame = String(data);
  if (frame.startsWith("CONNECT")) socket.send("CONNECTED\nversion:1.2\n\n\0");
  if (!frame.startsWith("SEND")) return;
  console.log(frame.split("\n").find((line) => line.startsWith("note:")));
  socket.send(frame.replace("SEND\n", "MESSAGE\nsubscription:1\nmessage-id:1\n"));
}));
JS
timeout 60 node "$work/probe.js" >"$work/stompjs"
timeout 60 python3 - "$work/stompjs" <<'PY'
import sys
from stomp.utils import parse_frame

sent, stompjs = open(sys.argv[1]).read().split("\n")[:2]
stomp_py = parse_frame(f"MESSAGE\ndestination:/room\n{sent}\n\nhello".encode()).headers["note"]
print(f'sent:       header "{sent}"')
print(f"stomp.py:   {stomp_py!r}")
print(f"stompjs:    {stompjs!r}")
assert sent == "note:  two spaces  " and stomp_py == "  two spaces  ", "the comparison no longer holds"
assert stompjs == "two spaces", "the behaviour has changed"
PY
