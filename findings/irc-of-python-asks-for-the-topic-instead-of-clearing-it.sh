#!/usr/bin/env bash
# Software: irc 20.5.0 (Python), an IRC client, against irc-framework 4.14.0 (npm)
# A reader would guess: topic("#tea", "") sets the topic to nothing, as "TOPIC #tea :" does: None, the default, is for
#   asking what it is.
# Behaviour: It sends "TOPIC #tea": the server answers with the topic, and leaves it as it was. Nothing tells that it
#   was not cleared. privmsg() with an empty text does send one.
# Output seen:
#   irc-framework:   TOPIC #tea :
#   irc:             TOPIC #tea
#   its privmsg():   PRIVMSG #tea :

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    irc==20.5.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: irc==20.5.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py
timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    irc-framework@4.14.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: irc-framework@4.14.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/probe.js" <<'JS'
const net = require("net");
const { Client } = require("irc-framework");

const server = net.createServer((socket) => {
  let read = "";
  socket.write(":server 001 ann :Welcome\r\n");
  socket.on("data", (data) => {
    read += data;
    const line = /^TOPIC .*(?=\r?\n)/m.exec(read);
    if (!line) return;
    console.log(line[0]);
    process.exit(0);
  });
}).listen(0, "127.0.0.1", () => {
  const client = new Client();
  client.on("registered", () => client.setTopic("#tea", ""));
  client.connect({ host: "127.0.0.1", port: server.address().port, nick: "ann" });
});
JS
theirs=$(timeout 60 node "$work/probe.js")
timeout 60 python3 - "$theirs" <<'PY'
import socket, sys, threading
import irc.client

sent = []

def serve(listener):
    connection = listener.accept()[0]
    connection.sendall(b":server 001 ann :Welcome\r\n")
    with connection.makefile("r", newline="\r\n") as lines:
        sent.extend(line.removesuffix("\r\n") for line in lines if line.startswith(("TOPIC", "PRIVMSG")))

with socket.create_server(("127.0.0.1", 0)) as listener:
    thread = threading.Thread(target=serve, args=(listener,))
    thread.start()
    client = irc.client.Reactor().server().connect(*listener.getsockname(), "ann")
    client.topic("#tea", "")
    client.privmsg("#tea", "")
    client.disconnect()
    thread.join(15)
for name, line in zip(("irc-framework:", "irc:", "its privmsg():"), (sys.argv[1], *sent)):
    print(f"{name:<16} {line}")
assert sys.argv[1] == "TOPIC #tea :" and sent[1:] == ["PRIVMSG #tea :"], "the comparison no longer holds"
assert sent[0] == "TOPIC #tea", "the behaviour has changed"
PY
