#!/usr/bin/env bash
# Software: nodejs-websocket 1.7.2 (npm), its server against a raw client
# Guess: The frames of a text message are put together and then decoded: RFC 6455 (5.6) says that a frame
#   need not hold whole characters, only the message must.
# Behaviour: Each frame is decoded by itself, so a character whose bytes lie in two frames becomes two
#   replacement characters. Clients and proxies that cut messages at a number of bytes do that to text
#   that is not ASCII, now and then, and nobody is told.
# Output seen:
#   one frame:                  'caf\xe9'
#   cut after 'caf':            'caf\xe9'
#   cut within the last letter: 'caf\ufffd\ufffd'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 npm install --silent --no-audit --no-fund --prefix "$work/js" \
    nodejs-websocket@1.7.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: nodejs-websocket@1.7.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export NODE_PATH=$work/js/node_modules

echo "Output now:"
cat >"$work/server.js" <<'JS'
const server = require("nodejs-websocket").createServer((connection) => {
  connection.on("text", (text) => connection.sendText(text));
  connection.on("error", () => {});
});
server.listen(0, "127.0.0.1", () => console.log(server.socket.address().port));
JS
timeout 60 python3 - "$work/server.js" <<'PY'
import socket, subprocess, sys

def frame(code, data, final):
    """A frame of a client; its mask is all zeros, which leaves the data as they are."""
    return bytes([final << 7 | code, 0x80 | len(data)]) + bytes(4) + data

def once(port, *parts):
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        read = client.makefile("rb")
        while read.readline() != b"\r\n":
            pass
        for number, part in enumerate(parts):
            client.sendall(frame(0 if number else 1, part, number == len(parts) - 1))
        head = read.read(2)
        assert head[0] == 0x81, head
        return read.read(head[1]).decode()

server = subprocess.Popen(["node", sys.argv[1]], stdout=subprocess.PIPE, text=True)
try:
    port = int(server.stdout.readline())
    text = "caf\u00e9".encode()
    cuts = {"one frame:": [text], "cut after 'caf':": [text[:3], text[3:]],
            "cut within the last letter:": [text[:4], text[4:]]}
    seen = [once(port, *parts) for parts in cuts.values()]
finally:
    server.terminate()
    server.wait()
for name, text in zip(cuts, seen):
    print(f"{name:<27} {text!a}")
assert seen[:2] == ["caf\u00e9"] * 2, "the comparison no longer holds"
assert seen[2] == "caf\ufffd\ufffd", "the behaviour has changed"
PY
