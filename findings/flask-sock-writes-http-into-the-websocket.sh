#!/usr/bin/env bash
# Software: flask-sock 0.7.0 (Python), with Flask 3.1.3 and the server of Werkzeug 3.1.9, and wsproto 1.3.2 to read
#   what comes
# A reader would guess: A handler that raises ends the WebSocket with 1011 (internal error), or the connection is just
#   lost (1006).
# Behaviour: The server answers the error as of any request: status line, headers and a page of HTML are written
#   into the open WebSocket. The client takes the H for a close frame that is to be continued, which there cannot
#   be, and ends with 1002: for it the server broke the protocol. Who counts, or reports, such ends looks for a
#   broken library and not for an exception of their own. After a handler that returns, the same comes behind
#   the close frame.
# Output seen:
#   handler returned:  close frame 1000, then b'HTTP/1.1 200 OK'
#   handler raised:    b'HTTP/1.1 500 INTERNAL SERVER ERROR', for the client 1002

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    flask-sock==0.7.0 Flask==3.1.3 Werkzeug==3.1.9 wsproto==1.3.2 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: flask-sock==0.7.0 Flask==3.1.3 Werkzeug==3.1.9 wsproto==1.3.2" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/server.py" <<'PY'
import sys
from flask import Flask
from flask_sock import Sock

app = Flask("chat")

@Sock(app).route("/<what>")
def chat(socket, what):
    socket.receive()
    if what == "raise":
        raise ValueError("no such room")

app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
PY
timeout 60 python3 - "$work/server.py" <<'PY'
import socket, subprocess, sys, time
from wsproto.connection import Connection, ConnectionType

with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
server = subprocess.Popen([sys.executable, sys.argv[1], str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

def connect():
    deadline = time.monotonic() + 15
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 10)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server does not listen"
            time.sleep(0.05)

def first_line_at(path):
    """The first line of what is written after the answer to the handshake."""
    with connect() as client, client.makefile("rwb", buffering=0) as stream:
        stream.write(f"GET {path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        while stream.readline() != b"\r\n":
            pass
        stream.write(bytes([0x81, 0x85, 0, 0, 0, 0]) + b"hello")     # a mask of zeroes leaves the text as it is
        return stream.readline()

def taken_for(data):
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(data)
    return int(next(client.events()).code)

try:
    returned, raised = first_line_at("/return"), first_line_at("/raise")
finally:
    server.terminate()
    server.wait()
told = taken_for(raised)
print("handler returned:  close frame 1000, then", returned.removeprefix(b"\x88\x02\x03\xe8").strip())
print(f"handler raised:    {raised.strip()}, for the client {told}")
assert returned == b"\x88\x02\x03\xe8HTTP/1.1 200 OK\r\n", "the behaviour has changed"
assert raised.startswith(b"HTTP/1.1 500"), "the behaviour has changed"
assert told == 1002, "the behaviour has changed"
PY
