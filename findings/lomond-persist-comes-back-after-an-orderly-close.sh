#!/usr/bin/env bash
# Software: lomond 0.3.4 (Python), persist(), against the server of websockets 17.4
# Guess: persist() comes back when the connection is lost or could not be had. When the server says goodbye with 1000
#   (normal closure) the session is over, and the loop ends: the event even tells graceful=True.
# Behaviour: It comes back after every end, also 1000, and 1008 (policy violation): somebody who is thrown out is in
#   the room again after the shortest wait, again and again. The program has to look at the code of the event "closing"
#   and leave the loop itself.
# Output seen:
#   closed with 1000:   disconnected, graceful True, then back: 3 connections
#   closed with 1008:   disconnected, graceful True, then back: 3 connections

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    lomond==0.3.4 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: lomond==0.3.4 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import asyncio

import lomond
from lomond.persist import persist
from websockets.asyncio.server import serve

def client(url):
    """Follows the loop of persist() until it ends, or has connected for the third time."""
    connections, graceful = 0, []
    socket = lomond.WebSocket(url)
    for event in persist(socket, min_wait=0.1, max_wait=0.2):
        if event.name == "disconnected":
            graceful.append(event.graceful)
            if connections == 3:
                break
        connections += event.name == "ready"
    return connections, graceful

async def main():
    for code in (1000, 1008):
        async def goodbye(connection):
            await connection.close(code)

        async with serve(goodbye, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            work = asyncio.to_thread(client, f"ws://127.0.0.1:{port}/")
            connections, graceful = await asyncio.wait_for(work, 30)
        back = "then back" if connections > 1 else "then nothing"
        print(f"closed with {code}:   disconnected, graceful {graceful[0]}, {back}: {connections} connections")

asyncio.run(main())
PY
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='closed with 1000:   disconnected, graceful True, then back: 3 connections
closed with 1008:   disconnected, graceful True, then back: 3 connections'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
