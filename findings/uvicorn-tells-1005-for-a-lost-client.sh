#!/usr/bin/env bash
# Software: uvicorn 0.54.0 (an ASGI server), WebSocket by wsproto 1.3.2 and by websockets 17.4 (with the
#   client of the latter)
# Guess: A connection that is lost without a close frame is 1006 in the event websocket.disconnect
#   ("closed abnormally", RFC 6455), and 1005 is an orderly close that has no code, as close() in a
#   browser sends it. So it is with --ws websockets.
# Behaviour: With the default (--ws auto, which takes websockets-sansio) and with --ws wsproto both are 1005:
#   an application that keeps the seat of who was lost, and frees the seat of who left, takes each loss for
#   a leave.
# Output seen:
#   --ws websockets   left without a code: told 1005    lost: told 1006
#   --ws auto         left without a code: told 1005    lost: told 1005
#   --ws wsproto      left without a code: told 1005    lost: told 1005

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    uvicorn==0.54.0 wsproto==1.3.2 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: uvicorn==0.54.0 wsproto==1.3.2 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 90 python3 - "$work" <<'PY'
import asyncio, os, signal, socket, subprocess, sys, time

from websockets.asyncio.client import connect

APP = """
async def app(scope, receive, send):
    if scope["type"] == "websocket":
        while (event := await receive())["type"] != "websocket.disconnect":
            if event["type"] == "websocket.connect":
                await send({"type": "websocket.accept"})
        with open("told", "a") as file:
            file.write(f"{event.get('code')}\\n")
"""

def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]

async def told(count):
    """The line of that number which the application has written."""
    deadline = time.monotonic() + 10
    while True:
        lines = open("told").read().split()
        if len(lines) >= count:
            return lines[count - 1]
        assert time.monotonic() < deadline, "the application is not told"
        await asyncio.sleep(0.05)

async def open_client(port):
    deadline = time.monotonic() + 15
    while True:
        try:
            return await connect(f"ws://127.0.0.1:{port}/", ping_interval=None)
        except OSError:
            assert time.monotonic() < deadline, "the server does not listen"
            await asyncio.sleep(0.1)

os.chdir(sys.argv[1])
with open("app.py", "w") as file:
    file.write(APP)

async def once(port):
    open("told", "w").close()
    client = await open_client(port)
    # A close frame without a code, masked: close() of this client always gives one.
    client.transport.write(b"\x88\x80\0\0\0\0")
    left = await told(1)
    client = await open_client(port)
    client.transport.abort()
    return left, await told(2)

def run(implementation):
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "uvicorn", "--ws", implementation, "--port", str(port),
                               "app:app"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        left, lost = asyncio.run(once(port))
    finally:
        server.terminate()
        server.wait()
    print(f"{'--ws ' + implementation:<17} left without a code: told {left}    lost: told {lost}")
    return left, lost

seen = [run(name) for name in ("websockets", "auto", "wsproto")]
assert seen[0] == ("1005", "1006"), "the comparison no longer holds"
assert seen[1] == seen[2] == ("1005", "1005"), "the behaviour has changed"
PY
