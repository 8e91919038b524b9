#!/usr/bin/env bash
# Software: aiohttp 3.14.5, client WebSocket, receive(timeout=...)
# Guess: A receive that times out changes nothing: close_code stays None, since the connection is
#   open, and the next receive goes on.
# Behaviour: After the TimeoutError close_code is 1006 (abnormal closure) although closed is False and
#   the connection works: the next receive gets the message. Code that reconnects, or counts lost
#   connections, by close_code takes a quiet moment for a loss.
# Output seen:
#   before:              closed False, close_code None
#   after the timeout:   closed False, close_code 1006
#   next receive:        'hello'

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
import asyncio
import aiohttp
from aiohttp import web

async def main():
    late = asyncio.Event()

    async def handler(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await late.wait()
        await socket.send_str("hello")
        await socket.receive()
        return socket

    application = web.Application()
    application.router.add_get("/", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://127.0.0.1:{port}/") as client:
        before = client.closed, client.close_code
        try:
            await client.receive(timeout=0.3)
            raise SystemExit("nothing was to be received yet")
        except asyncio.TimeoutError:
            after = client.closed, client.close_code
        late.set()
        message = await client.receive(timeout=10)
    await runner.cleanup()
    as_text = lambda pair: f"closed {pair[0]}, close_code {None if pair[1] is None else int(pair[1])}"
    print("before:             ", as_text(before))
    print("after the timeout:  ", as_text(after))
    print("next receive:       ", repr(message.data))
    assert before == (False, None) and message.data == "hello", "the comparison no longer holds"
    assert after == (False, 1006), "the behaviour has changed"

asyncio.run(main())
PY
