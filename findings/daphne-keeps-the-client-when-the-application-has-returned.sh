#!/usr/bin/env bash
# Software: daphne 4.2.3 (an ASGI server), WebSocket, against hypercorn 0.18.0 (with the client of websockets 17.4)
# Guess: When the application returns without a word about closing, the server closes the connection, with some
#   code: nobody is there any more who could read from it or write to it.
# Behaviour: The connection stays open. The client's pings are answered, what it says is taken and dropped, and
#   nothing ever comes: a handler that leaves its loop early (at "quit", at the end of a list) leaves a client that
#   believes it is in the room. hypercorn closes with 1011 at once.
# Output seen:
#   hypercorn: application returned, client closed with 1011
#   daphne:    application returned, client still open after 3 s, its pings answered

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    daphne==4.2.3 hypercorn==0.18.0 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: daphne==4.2.3 hypercorn==0.18.0 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/chat.py" <<'PY'
async def app(scope, receive, send):
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.send", "text": "bye"})
PY
timeout 60 python3 - "$work" <<'PY'
import asyncio, socket, subprocess, sys, time
from websockets.asyncio.client import connect

async def look(port):
    deadline = time.monotonic() + 20
    while True:
        try:
            async with connect(f"ws://127.0.0.1:{port}/", close_timeout=5) as client:
                assert await asyncio.wait_for(client.recv(), 10) == "bye"
                try:
                    await asyncio.wait_for(client.wait_closed(), 3)
                except TimeoutError:
                    await client.send("is anybody there?")
                    await asyncio.wait_for(await client.ping(), 10)
                    return None
                return int(client.close_code)
        except OSError:
            assert time.monotonic() < deadline, "the server does not listen"
            await asyncio.sleep(0.1)

seen = {}
for name, option in (("hypercorn", "-b"), ("daphne", "-p")):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    at = f"127.0.0.1:{port}" if option == "-b" else str(port)
    server = subprocess.Popen([sys.executable, "-m", name, option, at, "chat:app"], cwd=sys.argv[1],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        seen[name] = asyncio.run(look(port))
    finally:
        server.kill()
        server.wait()
    end = f"closed with {seen[name]}" if seen[name] else "still open after 3 s, its pings answered"
    print(f"{name}:".ljust(10), "application returned, client", end)
assert seen["hypercorn"] == 1011, "the comparison no longer holds"
assert seen["daphne"] is None, "the behaviour has changed"
PY
