#!/usr/bin/env bash
# Software: websockify 0.13.0 (Python), which puts a TCP server behind a WebSocket (with the client of
#   websockets 17.4)
# Guess: It passes on the bytes of each message, of text as of binary: in front of a server that speaks in
#   lines, send("hello\n") in a browser works.
# Behaviour: The first text message ends the connection with 1003 "Text frames are not supported", and not a
#   byte of it reaches the server. The same as binary passes. Nothing at the handshake says so.
# Output seen:
#   binary: client got b'echo: hello\n'
#   text:   client closed with 1003 Unsupported: Text frames are not supported, server read b''

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    websockify==0.13.0 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: websockify==0.13.0 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import socket, subprocess, sys, threading, time

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

read = []

def serve(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            read.append(b"")
            while data := connection.recv(4096):
                read[-1] += data
                connection.sendall(b"echo: " + data)

def open_client(port):
    deadline = time.monotonic() + 30
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/")
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "websockify does not listen"
            time.sleep(0.1)

with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=[listener], daemon=True).start()
target = f"127.0.0.1:{listener.getsockname()[1]}"
proxy = subprocess.Popen([sys.executable, "-m", "websockify", f"127.0.0.1:{port}", target],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    with open_client(port) as client:
        client.send(b"hello\n")
        binary = client.recv(timeout=10)
    with open_client(port) as client:
        client.send("hello\n")
        try:
            text = f"got {client.recv(timeout=10)!r}"
        except ConnectionClosed as error:
            text = f"closed with {error.rcvd.code} {error.rcvd.reason}"
finally:
    proxy.terminate()
    proxy.wait()
print("binary: client got", binary)
print(f"text:   client {text}, server read {read[1]}")
assert (binary, read[0]) == (b"echo: hello\n", b"hello\n"), "the comparison no longer holds"
assert (text, read[1]) == ("closed with 1003 Unsupported: Text frames are not supported", b""), \
    "the behaviour has changed"
PY
