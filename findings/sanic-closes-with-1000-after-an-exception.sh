#!/usr/bin/env bash
# Software: sanic 25.12.1 (Python), a WebSocket handler, against falcon 4.4.0 (with uvicorn 0.54.0), with the client
#   of websockets 17.4
# Guess: When a handler raises, the client is told 1011 (internal error), as falcon does it, or it is lost (1006).
# Behaviour: The client is told 1000 (normal closure), as after a handler that returns. Clients that come back after
#   an error do not, since for them the session was complete; and who counts codes sees no error.
# Output seen:
#   falcon: handler returned 1000, handler raised 1011
#   sanic:  handler returned 1000, handler raised 1000

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    sanic==25.12.1 falcon==4.4.0 uvicorn==0.54.0 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: sanic==25.12.1 falcon==4.4.0 uvicorn==0.54.0 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/with_sanic.py" <<'PY'
import sys
from sanic import Sanic

app = Sanic("chat")

@app.websocket("/<what>")
async def chat(request, socket, what):
    await socket.send("hello")
    if what == "raised":
        raise ValueError("no such room")

if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]), single_process=True, motd=False, access_log=False)
PY
cat >"$work/with_falcon.py" <<'PY'
import sys
import falcon.asgi
import uvicorn

class Chat:
    async def on_websocket(self, request, socket, what):
        await socket.accept()
        await socket.send_text("hello")
        if what == "raised":
            raise ValueError("no such room")

app = falcon.asgi.App()
app.add_route("/{what}", Chat())
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), ws="websockets", log_level="critical")
PY
timeout 60 python3 - "$work" <<'PY'
import asyncio, socket, subprocess, sys, time
from websockets.asyncio.client import connect

async def code_at(port, path):
    deadline = time.monotonic() + 15
    while True:
        try:
            async with connect(f"ws://127.0.0.1:{port}/{path}", close_timeout=5) as client:
                assert await asyncio.wait_for(client.recv(), 10) == "hello"
                await asyncio.wait_for(client.wait_closed(), 10)
                return int(client.close_code)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server does not listen"
            await asyncio.sleep(0.1)

seen = {}
for name in ("falcon", "sanic"):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, f"{sys.argv[1]}/with_{name}.py", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        seen[name] = [asyncio.run(code_at(port, path)) for path in ("returned", "raised")]
    finally:
        server.terminate()
        server.wait(10)
    print(f"{name}:".ljust(7), "handler returned {}, handler raised {}".format(*seen[name]))
assert seen["falcon"] == [1000, 1011], "the comparison no longer holds"
assert seen["sanic"] == [1000, 1000], "the behaviour has changed"
PY
