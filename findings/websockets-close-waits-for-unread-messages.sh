#!/usr/bin/env bash
# Software: websockets 17.4 (Python, asyncio), a client that leaves while messages are unread
# Guess: close() takes one round trip: it sends a close frame, the server answers at once, and what is
#   unread is dropped.
# Behaviour: The client stops reading the socket once 16 messages are waiting unread, and close() does
#   not start it again: the server's close frame is never read. close() then waits for the whole
#   close_timeout (10 s by default, 3 s here) and reports 1006, though the server closed with 1000 at
#   once.
# Output seen:
#   everything read:        close() took 0.0 s, client code 1000
#   100 messages unread:    close() took 3.0 s, client code 1006

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
import asyncio, time
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

COUNT, CLOSE_TIMEOUT = 100, 3

async def once(read):
    codes = []

    async def handler(connection):
        try:
            for _ in range(COUNT):
                await connection.send("x" * 20_000)
        except ConnectionClosed:
            pass
        await connection.wait_closed()
        codes.append(connection.close_code)

    async with serve(handler, "127.0.0.1", 0, ping_interval=None, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        client = await connect(f"ws://127.0.0.1:{port}", ping_interval=None, compression=None,
                               close_timeout=CLOSE_TIMEOUT)
        for _ in range(read):
            await asyncio.wait_for(client.recv(), 10)
        if not read:
            await asyncio.sleep(0.5)        # so that the unread ones have come
        start = time.monotonic()
        await client.close()
        took = time.monotonic() - start
        return took, client.close_code

async def main():
    results = {read: await once(read) for read in (COUNT, 0)}
    for read, (took, code) in results.items():
        name = "everything read:" if read else f"{COUNT} messages unread:"
        print(f"{name:<22}  close() took {took:.1f} s, client code {code}")
    assert results[COUNT][0] < CLOSE_TIMEOUT - 1 and results[COUNT][1] == 1000, "the comparison no longer holds"
    assert results[0][0] >= CLOSE_TIMEOUT - 0.5 and results[0][1] == 1006, "the behaviour has changed"

asyncio.run(main())
PY
