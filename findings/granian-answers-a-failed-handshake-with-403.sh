#!/usr/bin/env bash
# Software: granian 2.8.9 (an ASGI server), WebSocket, against uvicorn 0.54.0
# Guess: An application that fails before it has accepted a WebSocket (a bug, a database that is down) is answered with
#   500; 403 is for one that closes it, which is how ASGI has an application refuse.
# Behaviour: Both are 403. A client that has a wrong or expired token is not to be told from a server that is broken:
#   clients throw their token away, or do not try again, and who counts server errors at the proxy sees none.
# Output seen:
#   uvicorn: application refused 403, application failed 500
#   granian: application refused 403, application failed 403

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    granian==2.8.9 uvicorn==0.54.0 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: granian==2.8.9 uvicorn==0.54.0 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/chat.py" <<'PY'
async def app(scope, receive, send):
    assert scope["type"] == "websocket"
    await receive()
    if scope["path"] == "/fail":
        raise ValueError("no database")
    await send({"type": "websocket.close"})
PY
timeout 60 python3 - "$work" <<'PY'
import asyncio, socket, subprocess, sys, time
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

async def status_at(port, path):
    deadline = time.monotonic() + 20
    while True:
        try:
            async with connect(f"ws://127.0.0.1:{port}{path}"):
                return 101
        except InvalidStatus as error:
            return error.response.status_code
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server does not listen"
            await asyncio.sleep(0.1)

seen = {}
for name, options in (("uvicorn", ["--ws", "websockets"]), ("granian", ["--interface", "asgi"])):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", name, "--port", str(port), *options, "chat:app"], cwd=sys.argv[1],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        seen[name] = [asyncio.run(status_at(port, path)) for path in ("/refuse", "/fail")]
    finally:
        server.terminate()
        server.wait(15)
    print(f"{name}:", "application refused {}, application failed {}".format(*seen[name]))
assert seen["uvicorn"] == [403, 500], "the comparison no longer holds"
assert seen["granian"] == [403, 403], "the behaviour has changed"
PY
