#!/usr/bin/env bash
# Software: matrix-org-irc 3.0.0 (npm), its client, against irc-framework 4.14.0
# A reader would guess: When somebody clears the topic (TOPIC #a and an empty last parameter), the event "topic" has
#   the empty text, as a message that is empty has: that the parameter is there is what tells clearing from asking.
# Behaviour: The parser drops an empty last parameter, so the topic in the event is undefined. A bot that stores,
#   measures or compares the topic fails at it, or keeps the old one.
# Output seen:
#   TOPIC #a :tea  irc-framework "tea", matrix-org-irc "tea"
#   TOPIC #a :     irc-framework "", matrix-org-irc undefined

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    matrix-org-irc@3.0.0 irc-framework@4.14.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: matrix-org-irc@3.0.0 irc-framework@4.14.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const net = require("net");
const framework = require("irc-framework");
const matrix = require("matrix-org-irc");

// A server that welcomes whoever comes and then clears a topic.
const server = net.createServer((socket) => {
  let welcomed = false;
  socket.on("error", () => {});
  socket.on("data", (piece) => {
    if (welcomed || !String(piece).includes("USER")) return;
    welcomed = true;
    const lines = ["TOPIC #a :tea", "TOPIC #a :"].map((line) => `:ann!a@test.example ${line}`);
    socket.write([":irc.test.example 001 bot :hello", ":bot!b@test.example JOIN #a", ...lines, ""].join("\r\n"));
  });
});

const topics = (client, pick) => new Promise((done) => {
  const seen = [];
  client.on("topic", (...values) => seen.push(JSON.stringify(pick(...values))) === 2 && done(seen));
});

server.listen(0, "127.0.0.1", async () => {
  const { port } = server.address();
  const one = new framework.Client({ host: "127.0.0.1", port, nick: "bot", auto_reconnect: false });
  const ofFramework = topics(one, (event) => event.topic);
  one.connect();
  const other = new matrix.Client("127.0.0.1", "bot", { port, channels: [], retryCount: 0 });
  const ofMatrix = topics(other, (_, topic) => topic);
  const [first, second] = [await ofFramework, await ofMatrix];
  ["TOPIC #a :tea", "TOPIC #a :"].forEach((line, at) => {
    console.log(`${line.padEnd(14)} irc-framework ${first[at]}, matrix-org-irc ${second[at]}`);
  });
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='TOPIC #a :tea  irc-framework "tea", matrix-org-irc "tea"
TOPIC #a :     irc-framework "", matrix-org-irc undefined'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
