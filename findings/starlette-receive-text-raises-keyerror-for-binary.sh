#!/usr/bin/env bash
# Software: starlette 1.10.0 (Python) with uvicorn 0.54.0 (with the client of websockets 17.4)
# Guess: receive_text() of a binary message closes with 1003 (unsupported data), or raises an exception of the
#   library's for it, which a handler that catches WebSocketDisconnect and the like can answer.
# Behaviour: It raises KeyError: 'text', which looks like a mistake of the handler's own, and the client is told
#   1006, a lost connection, and not what was wrong. A client that comes back when it is lost sends it again.
# Output seen:
#   text message:    the client read 'echo hello'
#   binary message:  the handler got KeyError('text'), the client 1006

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    starlette==1.10.0 uvicorn==0.54.0 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: starlette==1.10.0 uvicorn==0.54.0 websockets==17.4" >&2
      tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio, logging, threading, time

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

logging.disable()        # the traceback that uvicorn logs
raised = []

async def echo(websocket):
    await websocket.accept()
    try:
        while True:
            await websocket.send_text("echo " + await websocket.receive_text())
    except Exception as error:
        raised.append(repr(error))
        raise

app = Starlette(routes=[WebSocketRoute("/", echo)])
server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
threading.Thread(target=server.run, daemon=True).start()
deadline = time.monotonic() + 15
while not server.started:
    assert time.monotonic() < deadline, "the server does not start"
    time.sleep(0.05)
port = server.servers[0].sockets[0].getsockname()[1]

async def main():
    async with connect(f"ws://127.0.0.1:{port}/") as client:
        await client.send("hello")
        print("text message:    the client read", repr(await client.recv()))
        await client.send(b"hello")
        try:
            await client.recv()
        except ConnectionClosed:
            return client.close_code

code = asyncio.run(main())
server.should_exit = True
print(f"binary message:  the handler got {', '.join(raised)}, the client {code}")
assert (raised, code) == (["KeyError('text')"], 1006), "the behaviour has changed"
PY
