#!/usr/bin/env bash
# Software: websockets 17.4 (Python, asyncio), a server with keepalive
# Guess: The keepalive closes peers that are dead. A client that is alive and takes message after
#   message, only slowly, stays: data that it takes count as a sign of life, or pings overtake the
#   queue.
# Behaviour: The ping waits behind all that was sent before it, on the wire and in the client, which
#   answers it only when it has taken the messages in front. Whoever takes longer than ping_timeout
#   for what is queued is closed with 1011 "keepalive ping timeout" while they are reading. The same
#   client with ping_timeout=None gets everything.
# Output seen:
#   ping_timeout=1:     server closed with 1011 keepalive ping timeout after the client had taken some of 150
#   ping_timeout=None:  server closed with nothing after the client had taken all of 150

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

COUNT = 150

async def once(ping_timeout):
    closed = []

    async def handler(connection):
        try:
            for _ in range(COUNT):
                await connection.send("x" * 50_000)
            await connection.wait_closed()
        except ConnectionClosed:
            pass
        if connection.protocol.close_sent:
            closed.append(connection.protocol.close_sent)

    async with serve(handler, "127.0.0.1", 0, ping_interval=1, ping_timeout=ping_timeout, compression=None,
                     close_timeout=1) as server:
        port = server.sockets[0].getsockname()[1]
        taken = 0
        async with connect(f"ws://127.0.0.1:{port}", ping_interval=None, compression=None, close_timeout=1) as client:
            try:
                while taken < COUNT:
                    await asyncio.wait_for(client.recv(), 10)
                    taken += 1
                    await asyncio.sleep(0.04)
            except ConnectionClosed:
                pass
    sent = closed[0] if closed and closed[0].code == 1011 else None
    return taken, f"{sent.code:d} {sent.reason}" if sent else "nothing"

async def main():
    results = {timeout: await once(timeout) for timeout in (1, None)}
    for timeout, (taken, reason) in results.items():
        many = "all" if taken == COUNT else "some"
        print(f"{f'ping_timeout={timeout}:':<19} server closed with {reason} after the client had taken {many} of {COUNT}")
    assert results[None] == (COUNT, "nothing"), "the comparison no longer holds"
    assert results[1][1] == "1011 keepalive ping timeout" and results[1][0] > 0, "the behaviour has changed"

asyncio.run(main())
PY
