#!/usr/bin/env bash
# Software: aiohttp 3.14.5, client WebSocket with heartbeat, receive(timeout=...)
# Guess: receive(timeout=2) returns a message or raises TimeoutError after two seconds.
# Behaviour: The timeout is for one frame, and each answer to the heartbeat restarts it. With a
#   heartbeat shorter than the timeout, receive never times out while the peer answers pings, however
#   long no message comes. asyncio.wait_for around receive() does what was meant.
# Output seen:
#   no heartbeat:                 TimeoutError
#   heartbeat=1:                  still waiting after 6 s
#   heartbeat=1, with wait_for:   TimeoutError

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
    async def handler(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:      # answers pings, says nothing
            pass
        return socket

    application = web.Application()
    application.router.add_get("/", handler)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"ws://127.0.0.1:{runner.addresses[0][1]}/"

    async def outcome(receive, **options):
        async with aiohttp.ClientSession() as session, session.ws_connect(url, **options) as client:
            task = asyncio.ensure_future(receive(client))
            done, _ = await asyncio.wait([task], timeout=6)
            task.cancel()
            await asyncio.wait([task])
            return type(task.exception()).__name__ if done else "still waiting after 6 s"

    async def own(client):
        await client.receive(timeout=2)

    async def around(client):
        await asyncio.wait_for(client.receive(), 2)

    seen = [await outcome(own), await outcome(own, heartbeat=1), await outcome(around, heartbeat=1)]
    await runner.cleanup()
    for name, result in zip(("no heartbeat:", "heartbeat=1:", "heartbeat=1, with wait_for:"), seen):
        print(f"{name:<28} ", result)
    assert seen[0] == seen[2] == "TimeoutError", "the comparison no longer holds"
    assert seen[1] == "still waiting after 6 s", "the behaviour has changed"

asyncio.run(main())
PY
