#!/usr/bin/env bash
# Software: litestar 2.25.0 (Python), a WebSocket handler (with uvicorn 0.54.0 and the client of websockets 17.4)
# Guess: When a handler raises, the client is told 1011 (internal error), or the connection is just lost (1006).
# Behaviour: It is told 4500 and "Internal Server Error". Codes from 4000 on are left to applications, so no
#   client knows this one, and it looks like something the application says: what treats 1011, or all below
#   4000, as a reason to come back, and 4000 and above as said by the application, does not come back.
# Output seen:
#   ValueError:                   client told 4500 Internal Server Error
#   NotFoundException("no room"): client told 4500 no room

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    litestar==2.25.0 uvicorn==0.54.0 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: litestar==2.25.0 uvicorn==0.54.0 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/chat.py" <<'PY'
import sys
import uvicorn
from litestar import Litestar, WebSocket, websocket
from litestar.exceptions import NotFoundException

@websocket("/{what:str}")
async def chat(socket: WebSocket, what: str) -> None:
    await socket.accept()
    await socket.send_text("hello")
    raise ValueError("no room") if what == "value" else NotFoundException("no room")

uvicorn.run(Litestar([chat]), host="127.0.0.1", port=int(sys.argv[1]), ws="websockets", log_level="critical")
PY
timeout 60 python3 - "$work/chat.py" <<'PY'
import asyncio, socket, subprocess, sys, time
from websockets.asyncio.client import connect

async def told_at(path):
    deadline = time.monotonic() + 20
    while True:
        try:
            async with connect(f"ws://127.0.0.1:{port}/{path}", close_timeout=5) as client:
                assert await asyncio.wait_for(client.recv(), 10) == "hello"
                await asyncio.wait_for(client.wait_closed(), 10)
                return int(client.close_code), client.close_reason
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server does not listen"
            await asyncio.sleep(0.1)

with socket.create_server(("127.0.0.1", 0)) as probe:
    port = probe.getsockname()[1]
server = subprocess.Popen([sys.executable, sys.argv[1], str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    value, missing = asyncio.run(told_at("value")), asyncio.run(told_at("missing"))
finally:
    server.terminate()
    server.wait(10)
print("ValueError:                   client told", *value)
print('NotFoundException("no room"): client told', *missing)
assert value == (4500, "Internal Server Error"), "the behaviour has changed"
assert missing == (4500, "no room"), "the behaviour has changed"
PY
