#!/usr/bin/env bash
# Software: starlette 1.10.0 with uvicorn 0.54.0, and with hypercorn 0.18.0 (with the client of websockets 17.4)
# Guess: When a WebSocket endpoint returns, the session is complete: the client gets a close frame with 1000, as
#   the end of a handler means in other frameworks.
# Behaviour: Starlette says nothing at the end of the endpoint. uvicorn then drops the connection without a close
#   frame, so that the client is told 1006, and hypercorn closes with 1011, an internal error. Clients that come
#   back when a connection is lost do so after each session. Only an endpoint that calls close() ends it well.
# Output seen:
#   uvicorn:    endpoint returned, client told 1006; endpoint called close(), client told 1000
#   hypercorn:  endpoint returned, client told 1011; endpoint called close(), client told 1000

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    starlette==1.10.0 uvicorn==0.54.0 hypercorn==0.18.0 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: starlette==1.10.0 uvicorn==0.54.0 hypercorn==0.18.0 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/chat.py" <<'PY'
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

async def chat(socket):
    await socket.accept()
    await socket.send_text("bye")
    if socket.path_params["what"] == "close":
        await socket.close()

app = Starlette(routes=[WebSocketRoute("/{what}", chat)])
PY
timeout 60 python3 - "$work" <<'PY'
import asyncio, socket, subprocess, sys, time
from websockets.asyncio.client import connect

async def told_at(port, path):
    deadline = time.monotonic() + 20
    while True:
        try:
            async with connect(f"ws://127.0.0.1:{port}/{path}", close_timeout=5) as client:
                assert await asyncio.wait_for(client.recv(), 10) == "bye"
                await asyncio.wait_for(client.wait_closed(), 10)
                return int(client.close_code)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server does not listen"
            await asyncio.sleep(0.1)

seen = {}
for name in ("uvicorn", "hypercorn"):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    at = ["--port", str(port), "--ws", "websockets"] if name == "uvicorn" else ["-b", f"127.0.0.1:{port}"]
    server = subprocess.Popen([sys.executable, "-m", name, *at, "chat:app"], cwd=sys.argv[1],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        seen[name] = [asyncio.run(told_at(port, path)) for path in ("return", "close")]
    finally:
        server.terminate()
        server.wait(15)
    print(f"{name}:".ljust(11), "endpoint returned, client told {}; endpoint called close(), client told {}".format(*seen[name]))
assert [codes[1] for codes in seen.values()] == [1000, 1000], "the comparison no longer holds"
assert [codes[0] for codes in seen.values()] == [1006, 1011], "the behaviour has changed"
PY
