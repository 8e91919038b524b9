#!/usr/bin/env bash
# Software: gevent-websocket 0.10.1 (Python), with gevent 26.9.0
# Guess: A client that closes with a code gets the same code back, as RFC 6455 (5.5.1) says is typical, or 1000.
# Behaviour: The answer is made of the Python text of a byte array, "bytearray(b'bye')", whose first two letters
#   stand where the code belongs: 25209, which is no code at all, and the rest is the reason. A client that
#   checks what it reads takes each orderly end for a protocol error (1002). Only a close without a code is
#   answered well.
# Output seen:
#   client closed with 1000 'bye':    read code 25209, reason "tearray(b'bye')"
#   client closed with 4000 'moved':  read code 25209, reason "tearray(b'moved')"
#   client closed without a code:     read no code

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    gevent-websocket==0.10.1 gevent==26.9.0 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: gevent-websocket==0.10.1 gevent==26.9.0" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/server.py" <<'PY'
from gevent import monkey
monkey.patch_all()
import sys
from geventwebsocket import Resource, WebSocketApplication, WebSocketServer

class Echo(WebSocketApplication):
    def on_message(self, message):
        if message is not None:
            self.ws.send(message)

server = WebSocketServer(("127.0.0.1", 0), Resource([("/", Echo)]))
server.start()
print(server.server_port, flush=True)
server.serve_forever()
PY
timeout 60 python3 - "$work/server.py" <<'PY'
import socket, struct, subprocess, sys

MASK = bytes(4)     # a mask of zeroes leaves the text as it is
HELLO = (b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n")

def answer_to(payload):
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        stream = client.makefile("rwb", buffering=0)
        stream.write(HELLO)
        while stream.readline() != b"\r\n":
            pass
        stream.write(bytes([0x88, 0x80 | len(payload)]) + MASK + payload)
        kind, length = stream.read(2)
        assert kind == 0x88, "no close frame"
        answer = stream.read(length) if length else b""
        return (struct.unpack(">H", answer[:2])[0], answer[2:].decode()) if answer else None

server = subprocess.Popen([sys.executable, sys.argv[1]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
try:
    port = int(server.stdout.readline())
    seen = []
    for code, reason in ((1000, "bye"), (4000, "moved")):
        seen.append(answer_to(struct.pack(">H", code) + reason.encode()))
        print(f"client closed with {code} {reason!r}:".ljust(33), "read code {}, reason {!r}".format(*seen[-1]))
    seen.append(answer_to(b""))
    print("client closed without a code:".ljust(33), "read no code" if seen[-1] is None else f"read {seen[-1]}")
finally:
    server.terminate()
    server.wait()
assert seen == [(25209, "tearray(b'bye')"), (25209, "tearray(b'moved')"), None], "the behaviour has changed"
PY
