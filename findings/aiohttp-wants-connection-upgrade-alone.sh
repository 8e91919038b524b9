#!/usr/bin/env bash
# Software: aiohttp 3.14.5, client WebSocket
# Guess: The answer 101 with "Connection: keep-alive, Upgrade" is accepted: the header is a list, and
#   RFC 6455 asks that Upgrade be among its tokens. Proxies and servers do add keep-alive.
# Behaviour: aiohttp compares the whole value with "upgrade" and refuses the connection with
#   WSServerHandshakeError. websockets 17.4 accepts the same answer.
# Output seen:
#   Connection: Upgrade              aiohttp 'hi', websockets 'hi'
#   Connection: keep-alive, Upgrade  aiohttp WSServerHandshakeError, websockets 'hi'

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    aiohttp==3.14.5 websockets==17.4 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: aiohttp==3.14.5 websockets==17.4" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
timeout 60 python3 - <<'PY'
import asyncio, base64, hashlib

def accept(request):
    key = next(l for l in request.split(b"\r\n") if l.lower().startswith(b"sec-websocket-key")).split(b": ")[1]
    return base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())

import aiohttp
from websockets.asyncio.client import connect

async def once(value):
    async def serve(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: " + value.encode() +
                     b"\r\nSec-WebSocket-Accept: " + accept(request) + b"\r\n\r\n\x81\x02hi")
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with aiohttp.ClientSession() as session:
        try:
            client = await asyncio.wait_for(session.ws_connect(url, timeout=aiohttp.ClientWSTimeout(ws_close=1)), 10)
            first = repr(await client.receive_str(timeout=10))
            await client.close()
        except aiohttp.WSServerHandshakeError as error:
            first = type(error).__name__
    async with connect(url, close_timeout=1) as client:
        second = repr(await asyncio.wait_for(client.recv(), 10))
    server.close()
    return first, second

async def main():
    alone, listed = await once("Upgrade"), await once("keep-alive, Upgrade")
    print("Connection: Upgrade              aiohttp {}, websockets {}".format(*alone))
    print("Connection: keep-alive, Upgrade  aiohttp {}, websockets {}".format(*listed))
    assert alone == ("'hi'", "'hi'") and listed[1] == "'hi'", "the comparison no longer holds"
    assert listed[0] == "WSServerHandshakeError", "the behaviour has changed"

asyncio.run(main())
PY
