#!/usr/bin/env bash
# Software: websocketd 0.4.1 (Debian 0.4.1-1+b11), which runs a program per WebSocket (with the client of
#   websockets 17.4)
# A reader would guess: When the program has ended with exit code 0, the client gets a close frame with
#   1000: the session was complete.
# Behaviour: The connection is dropped without a close frame, after a good end as after a failure: the
#   client is told 1006. Clients that reconnect when a connection is lost start the program again and
#   again.
# Output seen:
#   exit 0:  client read 'one', then 1006
#   exit 3:  client read 'one', then 1006

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for package in websocketd=0.4.1-1+b11; do
    (cd "$work" && timeout 300 apt-get download -q "$package" >>install.log 2>&1) ||
        { echo "cannot be had: $package" >&2; tail -3 "$work/install.log" >&2; exit 2; }
done
for archive in "$work"/*.deb; do dpkg -x "$archive" "$work/debian"; done
export PATH=$work/debian/usr/sbin:$work/debian/usr/bin:$PATH
timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/program" <<'SH'
#!/bin/sh
echo one
exit "$1"
SH
chmod +x "$work/program"
timeout 60 python3 - "$work/program" <<'PY'
import socket, subprocess, sys, time

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

def open_client(port):
    deadline = time.monotonic() + 15
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/", ping_interval=None)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "websocketd does not listen"
            time.sleep(0.05)

def once(code):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen(["websocketd", "--address=127.0.0.1", f"--port={port}", sys.argv[1], code],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with open_client(port) as client:
            read = client.recv(timeout=10)
            try:
                client.recv(timeout=10)
            except ConnectionClosed as error:
                return read, error.rcvd.code if error.rcvd else 1006
    finally:
        server.terminate()
        server.wait()

seen = [once("0"), once("3")]
for code, (read, close) in zip((0, 3), seen):
    print(f"exit {code}:  client read {read!r}, then {close}")
assert seen == [("one", 1006)] * 2, "the behaviour has changed"
PY
