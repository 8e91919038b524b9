#!/usr/bin/env bash
# Software: faye 1.4.3 (npm), its client and its server, over WebSocket
# Guess: What one client publishes to one channel arrives in the order in which it was published, from the first on.
# Behaviour: Of what a new client publishes at once, the first message, which starts the handshake, is sent after all
#   that only waited for it, and arrives last. What the client publishes later, or once it has connected, is in order.
# Output seen:
#   new client:            2 3 4 5 6 1
#   the same, later:       1 2 3 4 5 6
#   once it is connected:  1 2 3 4 5 6

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    faye@1.4.3 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: faye@1.4.3" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const http = require("http");
const faye = require("faye");

const server = http.createServer();
new faye.NodeAdapter({ mount: "/faye" }).attach(server);
server.listen(0, "127.0.0.1", async () => {
  const url = `http://127.0.0.1:${server.address().port}/faye`;
  let heard;
  const reader = new faye.Client(url);
  await reader.subscribe("/room", (number) => heard(number));
  const order = (speaker) => new Promise((done) => {
    const numbers = [];
    heard = (number) => numbers.push(number) === 6 && done(numbers.join(" "));
    for (let at = 1; at <= 6; at += 1) speaker.publish("/room", at);
  });
  const speaker = new faye.Client(url);
  console.log("new client:           ", await order(speaker));
  console.log("the same, later:      ", await order(speaker));
  const another = new faye.Client(url);
  await new Promise((connected) => another.connect(connected));
  console.log("once it is connected: ", await order(another));
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='new client:            2 3 4 5 6 1
the same, later:       1 2 3 4 5 6
once it is connected:  1 2 3 4 5 6'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
