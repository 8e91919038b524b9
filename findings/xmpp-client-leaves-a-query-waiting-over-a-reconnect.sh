#!/usr/bin/env bash
# Software: @xmpp/client 0.14.0 (npm), an XMPP client
# Guess: A query (iq) whose connection is lost is rejected at once: its answer can no longer come, since the server
#   answers to the session that asked.
# Behaviour: It stays open until its own time is over, 30 seconds by default, while the client logs in again a second
#   after the loss and goes on. What waits for it waits on, and then reads TimeoutError, as if the server had been slow.
#   Whoever wants to ask again at once listens to "disconnect".
# Output seen:
#   logged in, asked
#   disconnected
#   logged in
#   TimeoutError, more than 3 seconds after the loss of the connection

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    @xmpp/client@0.14.0 @xmpp/xml@0.14.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: @xmpp/client@0.14.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }

echo "Output now:"
cat >"$work/js/probe.mjs" <<'JS'
import net from "node:net";
import { client, xml } from "@xmpp/client";

const offers = [
  '<mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><mechanism>ANONYMOUS</mechanism></mechanisms>',
  '<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/>',
];

// A server that lets everybody in, and hangs up when it is asked something.
const server = net.createServer((socket) => {
  let authenticated = 0;
  socket.on("error", () => {});
  socket.on("data", (piece) => {
    const text = String(piece);
    const id = /<iq[^>]* id="([^"]*)"/.exec(text)?.[1];
    if (text.includes("<stream:stream")) {
      socket.write('<?xml version="1.0"?><stream:stream xmlns="jabber:client" id="1" from="localhost" version="1.0" ' +
        `xmlns:stream="http://etherx.jabber.org/streams"><stream:features>${offers[authenticated]}</stream:features>`);
    } else if (text.includes("<auth")) {
      authenticated = 1;
      socket.write('<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>');
    } else if (text.includes("xmpp-bind")) {
      socket.write(`<iq type="result" id="${id}"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind">` +
        "<jid>ann@localhost/tea</jid></bind></iq>");
    } else if (text.includes("urn:xmpp:ping")) {
      socket.destroy();
    }
  });
});

server.listen(0, "127.0.0.1", async () => {
  const xmpp = client({ service: `xmpp://127.0.0.1:${server.address().port}`, domain: "localhost" });
  let lost;
  let log = (line) => console.log(line);
  xmpp.on("error", () => {});
  xmpp.on("disconnect", () => { lost ??= Date.now(); log("disconnected"); });
  await xmpp.start();
  xmpp.on("online", () => log("logged in"));
  log("logged in, asked");
  // Five seconds instead of the thirty of the default.
  const question = xml("iq", { type: "get" }, xml("ping", { xmlns: "urn:xmpp:ping" }));
  const result = await xmpp.iqCaller.request(question, 5000).then(() => "answered", (error) => error.name);
  const after = Date.now() - lost > 3000 ? "more than 3 seconds after" : "soon after";
  log(`${result}, ${after} the loss of the connection`);
  process.exit(0);
});
JS
seen=$(timeout 60 node "$work/js/probe.mjs")
echo "$seen"
expected='logged in, asked
disconnected
logged in
TimeoutError, more than 3 seconds after the loss of the connection'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
