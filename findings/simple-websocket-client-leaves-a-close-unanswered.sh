#!/usr/bin/env bash
# Software: simple-websocket 1.1.0 (Python), its client against a server of websockets 17.4
# Guess: A client that gets a close frame answers it with one (RFC 6455, 5.5.1), so the server that
#   closes with 1000 sees an orderly end.
# Behaviour: The client raises ConnectionClosed with the right code and closes the socket, without a close
#   frame. So each connection that the server ends counts there as lost.
# Output seen:
#   client told:  1000 'bye'
#   server told:  ConnectionClosedError, no close frame received

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    simple-websocket==1.1.0 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: simple-websocket==1.1.0 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import threading

import simple_websocket
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

told = []

def handler(connection):
    connection.close(1000, "bye")
    try:
        connection.recv()
    except ConnectionClosed as error:
        told.append(f"{type(error).__name__}, {'a' if error.rcvd else 'no'} close frame received")

with serve(handler, "127.0.0.1", 0) as server:
    loop = threading.Thread(target=server.serve_forever)
    loop.start()
    client = simple_websocket.Client.connect(f"ws://127.0.0.1:{server.socket.getsockname()[1]}/")
    try:
        client.receive(timeout=10)
        code = None
    except simple_websocket.ConnectionClosed as error:
        code = f"{int(error.reason)} {error.message!r}"
    server.shutdown()
    loop.join()
print("client told: ", code)
print("server told: ", *told)
assert code == "1000 'bye'", "the comparison no longer holds"
assert told == ["ConnectionClosedError, no close frame received"], "the behaviour has changed"
PY
