#!/usr/bin/env bash
# Software: findhit-proxywrap 0.3.13 (npm), PROXY protocol version 1
# A reader would guess: The header ends with CR LF, and what follows is the client's, wherever the network
#   cuts the stream.
# Behaviour: The header is taken for whole at its CR. If a piece ends there, the LF that comes next is handed
#   to the application as the first byte of what the client says: a server that reads lines gets an empty
#   line that nobody sent.
# Output seen:
#   header in one piece:          the application read "hello\n"
#   header cut within an address: the application read "hello\n"
#   header cut before its LF:     the application read "\nhello\n"

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
  const header = "PROXY TCP4 192.0.2.1 192.0.2.2 4000 1337\r\n";
  const cuts = { "in one piece": header.length, "cut within an address": 15, "cut before its LF": header.length - 1 };
  for (const [name, cut] of Object.entries(cuts)) {
    const [, text] = await once([header.slice(0, cut), header.slice(cut) + "hello\n"]);
    console.log(`${`header ${name}:`.padEnd(29)} the application read ${JSON.stringify(text)}`);
  }
  process.exit(0);
})();
JS
seen=$(timeout 60 node "$work/probe.js")
echo "$seen"
expected="header in one piece:          the application read \"hello\\n\"
header cut within an address: the application read \"hello\\n\"
header cut before its LF:     the application read \"\\nhello\\n\""
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
