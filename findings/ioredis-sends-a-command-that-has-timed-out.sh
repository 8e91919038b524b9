#!/usr/bin/env bash
# Software: ioredis 6.0.0 (npm) with commandTimeout
# Guess: A command whose promise was rejected with "Command timed out" while there was no connection, so that
#   it has not been written, is dropped: the caller has been told that it failed.
# Behaviour: It stays in the queue and is sent when the connection comes, however much later. A caller who
#   answers the error by another XADD, PUBLISH or INCR has done it twice, and what was too late (a lease, a
#   "here I am") is done all the same.
# Output seen:
#   XADD without a connection:  rejected, Command timed out
#   connected afterwards:       the server got xadd room * text hello

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    ioredis@6.0.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: ioredis@6.0.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const net = require("net");
const Redis = require("ioredis");

// Answers each command +OK and shows those of the caller; INFO and the like are the client's own.
const server = net.createServer((socket) => socket.on("data", (piece) => {
  const commands = String(piece).split(/\*\d+\r\n/).slice(1)
    .map((text) => text.split("\r\n").filter((_, place) => place % 2).join(" "));
  for (const command of commands) {
    socket.write("+OK\r\n");
    if (!command.startsWith("xadd")) continue;
    console.log(`connected afterwards:       the server got ${command}`);
    process.exit(0);
  }
}));

server.listen(0, "127.0.0.1", async () => {
  const { port } = server.address();
  server.close();                         // nobody listens there for now
  const client = new Redis({ host: "127.0.0.1", port, commandTimeout: 300, retryStrategy: () => 100,
                             maxRetriesPerRequest: null });
  client.on("error", () => {});
  try {
    await client.xadd("room", "*", "text", "hello");
  } catch (error) {
    console.log(`XADD without a connection:  rejected, ${error.message}`);
  }
  server.listen(port, "127.0.0.1");
  setTimeout(() => { console.log("connected afterwards:       the server got nothing"); process.exit(0); }, 10000);
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected="XADD without a connection:  rejected, Command timed out
connected afterwards:       the server got xadd room * text hello"
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
