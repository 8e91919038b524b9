#!/usr/bin/env bash
# Software: rpc-websockets 10.0.1 (npm), its server and its client
# Guess: A method that throws Error("no such room") is answered with an error whose message is "no such room": message
#   is what JSON-RPC has for that, and what a caller logs or shows.
# Behaviour: The message is the name of the error's class, so "Error" nearly always; what was thrown is in data, which
#   JSON-RPC has for further details. An object with code and message that is thrown arrives as it is.
# Output seen:
#   Error:       code -32000, message "Error", data "no such room"
#   RangeError:  code -32000, message "RangeError", data "no such room"
#   an object:   code 404, message "no such room", data undefined

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    rpc-websockets@10.0.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: rpc-websockets@10.0.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { Client, Server } = require("rpc-websockets");

const server = new Server({ port: 0, host: "127.0.0.1" });
const thrown = {
  "Error": new Error("no such room"),
  "RangeError": new RangeError("no such room"),
  "an object": { code: 404, message: "no such room" },
};
server.on("listening", () => {
  for (const name of Object.keys(thrown)) server.register(name, () => { throw thrown[name]; });
  const client = new Client(`ws://127.0.0.1:${server.wss.address().port}`);
  client.on("open", async () => {
    for (const name of Object.keys(thrown)) {
      const error = await client.call(name).catch((error) => error);
      console.log(`${name}:`.padEnd(12), `code ${error.code}, message ${JSON.stringify(error.message)},`,
        `data ${JSON.stringify(error.data)}`);
    }
    process.exit(0);
  });
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='Error:       code -32000, message "Error", data "no such room"
RangeError:  code -32000, message "RangeError", data "no such room"
an object:   code 404, message "no such room", data undefined'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
