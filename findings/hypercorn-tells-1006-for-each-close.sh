#!/usr/bin/env bash
# Software: hypercorn 0.18.0 (an ASGI server), WebSocket (with the client of websockets 17.4)
# Guess: The event websocket.disconnect has the code with which the client closed, as ASGI says, and 1006
#   only if the client was lost.
# Behaviour: It is 1006 whatever the client sent, and without the reason, although hypercorn answers the
#   client with the very code. So an application cannot tell who left from who was lost, nor use codes
#   of its own.
# Output seen:
#   client closed with 1000 'bye':    application told 1006, client answered 1000
#   client closed with 3001 'moved':  application told 1006, client answered 3001
#   client lost:                      application told 1006

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    hypercorn==0.18.0 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: hypercorn==0.18.0 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - "$work" <<'PY'
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

async def once(port, number, code, reason):
    open("told", "a").close()
    client = await open_client(port)
    if code is None:
        client.transport.abort()
    else:
        await client.close(code, reason)
    return await told(number), client.close_code

async def main(port):
    seen = []
    for number, (code, reason) in enumerate([(1000, "bye"), (3001, "moved"), (None, "")], 1):
        application, answer = await once(port, number, code, reason)
        seen.append((application, code and answer))
        name = f"client closed with {code} {reason!r}:" if code else "client lost:"
        print(f"{name:<33} application told {application}" + (f", client answered {answer:d}" if code else ""))
    assert seen[2] == ("1006", None), "the comparison no longer holds"
    assert seen[:2] == [("1006", 1000), ("1006", 3001)], "the behaviour has changed"

port = free_port()
server = subprocess.Popen([sys.executable, "-m", "hypercorn", "-b", f"127.0.0.1:{port}", "app:app"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    asyncio.run(main(port))
finally:
    server.terminate()
    server.wait()
PY
