#!/usr/bin/env bash
# Software: websocket-client 1.9.2 (Python), WebSocketApp, with a server of websockets 17.4
# Guess: on_close tells that the session has ended, with the server's code; on_error is for what went wrong.
# Behaviour: on_error is called first for every close, also with 1000: "Connection closed normally" is an exception
#   of the class that stands for a lost connection too. Who logs, counts or answers errors there does so at each
#   session's good end, and has to look into the text, or at the later on_close, to know better.
# Output seen:
#   server closed with 1000:  on_error WebSocketConnectionClosedException, on_close 1000
#   server closed with 1001:  on_error WebSocketConnectionClosedException, on_close 1001
#   lost:                     on_error WebSocketConnectionClosedException, on_close None

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

def chat(connection):
    connection.recv()
    what = connection.request.path[1:]
    if what == "lost":
        connection.socket.shutdown(2)
    else:
        connection.close(int(what), "bye")

seen = {}
with serve(chat, "127.0.0.1", 0) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.socket.getsockname()[1]
    for what in ("1000", "1001", "lost"):
        told = seen[what] = []
        app = websocket.WebSocketApp(f"ws://127.0.0.1:{port}/{what}",
                                     on_open=lambda app: app.send("hello"),
                                     on_error=lambda app, error: told.append(("on_error", type(error).__name__)),
                                     on_close=lambda app, code, reason: told.append(("on_close", code)))
        app.run_forever()
        name = "lost:" if what == "lost" else f"server closed with {what}:"
        print(name.ljust(25), ", ".join(f"{event} {value}" for event, value in told))
    server.shutdown()
error = ("on_error", "WebSocketConnectionClosedException")
assert seen["lost"] == [error, ("on_close", None)], "the comparison no longer holds"
assert (seen["1000"], seen["1001"]) == ([error, ("on_close", 1000)], [error, ("on_close", 1001)]), "the behaviour has changed"
PY
