#!/usr/bin/env bash
# Software: rpc-websockets 10.0.1 (npm), its server and its client
# Guess: A method that does something and returns nothing has succeeded: the caller is told null, or undefined.
# Behaviour: The answer has neither a result nor an error, since JSON leaves out what is undefined, and the client of
#   the same library rejects the call as malformed: what was done looks failed, and is tried again. With return null, or
#   0 or "", all is well.
# Output seen:
#   return null:   resolved with null
#   return "":     resolved with ""
#   no return:     rejected, "Server response malformed"; answer {"jsonrpc":"2.0","id":3}

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    rpc-websockets@10.0.1 ws@8.23.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: rpc-websockets@10.0.1 ws@8.23.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const { Client, Server } = require("rpc-websockets");

const server = new Server({ port: 0, host: "127.0.0.1" });
const methods = { "return null": () => null, 'return ""': () => "", "no return": () => {} };
server.on("listening", () => {
  for (const name of Object.keys(methods)) server.register(name, methods[name]);
  const client = new Client(`ws://127.0.0.1:${server.wss.address().port}`);
  client.on("open", async () => {
    let answer;
    client.socket.addEventListener("message", ({ data }) => { answer = data; });
    for (const name of Object.keys(methods)) {
      const end = await client.call(name).then(
        (result) => `resolved with ${JSON.stringify(result)}`,
        (error) => `rejected, "${error.message.split(".")[0]}"; answer ${answer}`);
      console.log(`${name}:`.padEnd(14), end);
    }
    process.exit(0);
  });
});
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected='return null:   resolved with null
return "":     resolved with ""
no return:     rejected, "Server response malformed"; answer {"jsonrpc":"2.0","id":3}'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
