#!/usr/bin/env bash
# Software: daphne 4.2.3 (an ASGI server), WebSocket (with the client of websockets 17.4)
# Guess: An application that sends the text "" sends an empty message, as it can receive one.
# Behaviour: websocket.send with an empty text sends nothing and raises nothing. An echo answers all
#   messages but the empty ones, so a client that pairs answers with questions is off by one from there.
# Output seen:
#   sent 'one', '', 'two'; application received 'one', '', 'two'; client read 'one', 'two'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    daphne==4.2.3 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: daphne==4.2.3 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - "$work" <<'PY'
import os, socket, subprocess, sys, time

from websockets.sync.client import connect

APP = """
async def app(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        with open("received", "a") as file:
            file.write(repr(event["text"]) + "\\n")
        await send({"type": "websocket.send", "text": event["text"]})
"""

def open_client(port):
    deadline = time.monotonic() + 30
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/", ping_interval=None)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "daphne does not listen"
            time.sleep(0.1)

os.chdir(sys.argv[1])
with open("app.py", "w") as file:
    file.write(APP)
with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
server = subprocess.Popen([sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port), "app:app"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    with open_client(port) as client:
        for text in ("one", "", "two"):
            client.send(text)
        read = []
        while "two" not in read:
            read.append(client.recv(timeout=10))
finally:
    server.terminate()
    server.wait()
received = open("received").read().splitlines()
print(f"sent 'one', '', 'two'; application received {', '.join(received)}; client read {', '.join(map(repr, read))}")
assert received == ["'one'", "''", "'two'"], "the comparison no longer holds"
assert read == ["one", "two"], "the behaviour has changed"
PY
