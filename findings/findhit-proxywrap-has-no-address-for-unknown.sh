#!/usr/bin/env bash
# Software: findhit-proxywrap 0.3.13 (npm), PROXY protocol version 1
# A reader would guess: After "PROXY UNKNOWN", which proxies send for connections of their own (health
#   checks) or that are neither IPv4 nor IPv6, remoteAddress is the address of the connection itself: the
#   specification has the receiver use that.
# Behaviour: remoteAddress is undefined, as of a socket that is closed. Limits and logs by address get
#   "undefined" for a name.
# Output seen:
#   PROXY TCP4 192.0.2.1 192.0.2.2 4000 1337: remoteAddress 192.0.2.1, read "hello\n"
#   PROXY UNKNOWN: remoteAddress undefined, read "hello\n"

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    findhit-proxywrap@0.3.13 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: findhit-proxywrap@0.3.13" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const net = require("net");
const proxied = require("findhit-proxywrap").proxy(net);

const once = (pieces) => new Promise((done) => {
  const server = proxied.createServer({ allowHalfOpen: true }, (connection) => {
    const address = connection.remoteAddress;
    let text = "";
    connection.on("data", (data) => { text += data; });
    connection.on("end", () => {
      connection.end();
      server.close();
      done([address, text]);
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const client = net.connect(server.address().port, "127.0.0.1", async () => {
      client.setNoDelay();
      for (const piece of pieces) {
        client.write(piece);
        await new Promise((next) => setTimeout(next, 200));
      }
      client.end();
    });
    client.resume();
  });
});

(async () => {
  for (const header of ["PROXY TCP4 192.0.2.1 192.0.2.2 4000 1337", "PROXY UNKNOWN"]) {
    const [address, text] = await once([`${header}\r\nhello\n`]);
    console.log(`${header}: remoteAddress ${address}, read ${JSON.stringify(text)}`);
  }
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected="PROXY TCP4 192.0.2.1 192.0.2.2 4000 1337: remoteAddress 192.0.2.1, read \"hello\\n\"
PROXY UNKNOWN: remoteAddress undefined, read \"hello\\n\""
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
