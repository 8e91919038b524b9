#!/usr/bin/env bash
# Software: aiohttp 3.14.5, client WebSocket with heartbeat=2
# Guess: heartbeat=2 sends a ping every two seconds, and gives a peer that long, at least, to answer.
# Behaviour: The peer has half of the heartbeat to answer: a pong after 1.4 s, well before the next
#   ping is due, comes too late; the connection is dropped as dead, with 1006. The limit is no
#   parameter; only a longer heartbeat allows slower peers.
# Output seen:
#   pong after 0.3 s:  still open after 5 s
#   pong after 1.4 s:  ServerTimeoutError('No PONG received after 1.0 seconds')

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    aiohttp==3.14.5 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: aiohttp==3.14.5" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio, base64, hashlib

def accept(request):
    key = next(l for l in request.split(b"\r\n") if l.lower().startswith(b"sec-websocket-key")).split(b": ")[1]
    return base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())

import aiohttp

async def once(delay):
    async def serve(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: " + accept(request) + b"\r\n\r\n")
        try:
            while True:
                head = await reader.readexactly(6)      # an empty ping of a client: head and mask
                assert head[:2] == b"\x89\x80", head
                await asyncio.sleep(delay)
                writer.write(b"\x8a\x00")
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError, AssertionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        client = await session.ws_connect(f"ws://127.0.0.1:{port}", heartbeat=2)
        try:
            message = await asyncio.wait_for(client.receive(), 5)
            outcome = repr(message.data) if message.type is aiohttp.WSMsgType.ERROR else message.type.name
        except asyncio.TimeoutError:
            outcome = "still open after 5 s"
        await client.close()
    server.close()
    return outcome

async def main():
    quick, slow = await once(0.3), await once(1.4)
    print("pong after 0.3 s: ", quick)
    print("pong after 1.4 s: ", slow)
    assert quick == "still open after 5 s", "the comparison no longer holds"
    assert slow == "ServerTimeoutError('No PONG received after 1.0 seconds')", "the behaviour has changed"

asyncio.run(main())
PY
