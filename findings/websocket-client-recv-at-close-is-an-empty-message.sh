#!/usr/bin/env bash
# Software: websocket-client 1.9.2 (Python), recv()
# Guess: When the server closes in good order, recv() raises WebSocketConnectionClosedException, as it
#   does when the connection is lost, or returns None.
# Behaviour: recv() returns '', which is also what an empty text message looks like; only the call
#   after that raises. The close code and its reason are not to be had from recv(). A loop that skips
#   empty lines takes the end of the session for one.
# Output seen:
#   empty message:   ''
#   server closes:   ''
#   next call:       WebSocketConnectionClosedException

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    websocket-client==1.9.2 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: websocket-client==1.9.2 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import threading
import websocket
from websockets.sync.server import serve

def handler(connection):
    connection.send("")
    connection.close(4001, "moderated")

with serve(handler, "127.0.0.1", 0) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = websocket.create_connection(f"ws://127.0.0.1:{server.socket.getsockname()[1]}", timeout=10)
    empty, closed = client.recv(), client.recv()
    try:
        after = repr(client.recv())
    except websocket.WebSocketConnectionClosedException as error:
        after = type(error).__name__
    server.shutdown()
print("empty message:  ", repr(empty))
print("server closes:  ", repr(closed))
print("next call:      ", after)
assert empty == "" and after == "WebSocketConnectionClosedException", "the comparison no longer holds"
assert closed == "", "the behaviour has changed"
PY
